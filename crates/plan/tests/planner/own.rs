//! The member that the controller itself runs on: spared, drained once, and told of.

use infrakit_plan::{Action, Plan, Reason, Roll, Spec, Step, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

/// Two members of `v2` beside the controller's own, which is still of `v1`.
fn last_one(more: &str) -> Bench {
    let mut bench = Bench::new(v2(more));
    bench.config.self_logical_id = Some("own".into());
    bench.add(and(shown("own", "v1"), tags::LOGICAL_ID, "own"));
    bench.add(shown("x", "v2"));
    bench.add(shown("y", "v2"));
    bench.all_are_well();
    bench
}

fn v2(more: &str) -> Spec {
    spec(r#"{"Size":3}"#, "v2", more)
}

fn drains(plan: &Plan) -> bool {
    let drain = |one: &Action| matches!(one, Action::Drain { id, .. } if id.as_str() == "own");
    plan.actions.iter().any(drain)
}

#[test]
fn it_is_drained_when_it_is_the_last_outdated_one() {
    assert!(drains(&last_one("").preview()));
    let mut other = last_one("");
    other.add(shown("z", "v1"));
    other.spec = other.spec.with_size(4);
    other.verdict("z", Health::Healthy);
    assert!(!drains(&other.preview()), "`z` goes first");
    let mut new = last_one("");
    new.list[0] = and(shown("own", "v2"), tags::LOGICAL_ID, "own");
    new.look();
    assert!(!drains(&new.preview()), "it is not outdated");
}

#[test]
fn it_is_not_drained_while_something_else_is_under_way() {
    // One that does not serve anyway: the budget has nothing against it.
    let ailing = |size| {
        let mut bench = last_one("");
        bench.spec = bench.spec.with_size(size);
        bench.verdict("own", Health::Unhealthy);
        bench
    };
    assert!(drains(&ailing(3).preview()));
    let mut leaving = ailing(3);
    leaving.depart("x", Reason::Requested, Step::Accepted(at(0)));
    assert!(!drains(&leaving.preview()));
    let mut coming = ailing(4);
    coming.intend(7, None);
    assert!(!drains(&coming.preview()));
    let mut rolling = ailing(3);
    rolling.list[1] = shown("new", "v2");
    rolling.look();
    rolling.memory.roll = Some(Roll::begin(&rolling.seen, at(0)));
    assert!(!drains(&rolling.preview()), "`new` has yet to prove itself");
    let mut missing = ailing(4);
    missing.fail();
    assert!(!drains(&missing.preview()));
}

#[test]
fn it_is_not_drained_against_the_operators_will() {
    let mut held = last_one("");
    held.memory.held.insert("own".into());
    assert!(!drains(&held.preview()));
    let mut aborted = last_one("");
    aborted.memory.aborted = Some(aborted.spec.hash.clone());
    assert!(!drains(&aborted.preview()));
    let skipped = last_one(r#","Updating":{"SkipBeforeInstanceDestroy":"drain"}"#);
    assert!(!drains(&skipped.preview()));
    let mut drained = last_one("");
    drained.memory.drained.insert("own".into());
    assert!(!drains(&drained.preview()));
}

#[test]
fn it_is_drained_only_if_enough_others_serve() {
    let mut bench = last_one("");
    bench.verdict("x", Health::Unhealthy);
    let plan = bench.preview();
    assert!(!drains(&plan), "`x` has to do well again");
    let mut bench = last_one(r#","Updating":{"MaxSurge":1}"#);
    assert!(drains(&bench.preview()), "one less must do");
    bench.verdict("x", Health::Unhealthy);
    let plan = bench.preview();
    let budget = WaitingOn::Budget {
        available: 2,
        needed: 3,
    };
    assert!(!drains(&plan) && plan.waiting.contains(&budget));
    bench.verdict("own", Health::Unhealthy);
    assert!(drains(&bench.preview()), "it does not serve anyway");
}

#[test]
fn it_is_said_to_be_in_the_way_only_where_it_is() {
    let own = WaitingOn::SelfMember { id: "a".into() };
    let waits = |bench: &Bench| bench.preview().waiting.contains(&own);
    let mut bench = Bench::named(cattle(2), &["a", "b"]);
    bench.config.self_logical_id = Some("a".into());
    assert!(!waits(&bench), "the group has its size");
    bench.spec = cattle(1);
    assert!(!waits(&bench), "the other one goes");
    bench.spec = cattle(0);
    assert!(waits(&bench));
    // What a rollout makes beyond the size makes nobody one too many.
    let surge = r#","Updating":{"MaxSurge":1}"#;
    let mut bench = Bench::named(cattle(2), &["a", "b"]);
    bench.config.self_logical_id = Some("a".into());
    bench.list[0] = and(shown("a", "v2"), tags::LOGICAL_ID, "a");
    bench.commit(spec(r#"{"Size":2}"#, "v2", surge));
    bench.look();
    bench.add(and(shown("x", "v2"), tags::TOKEN, "n-1"));
    assert!(
        destroyed(&bench.preview()).is_empty(),
        "`x` has to prove itself"
    );
    assert!(!waits(&bench));
    // Of named members the identity decides.
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.config.self_logical_id = Some("a".into());
    assert!(!waits(&bench));
}

#[test]
fn it_is_in_nobodys_way_once_it_goes() {
    let mut bench = Bench::named(spec(r#"{"Size":1}"#, "v2", ""), &["a"]);
    bench.config.self_logical_id = Some("a".into());
    let own = WaitingOn::SelfMember { id: "a".into() };
    assert!(bench.preview().waiting.contains(&own));
    bench.depart("a", Reason::Requested, Step::Accepted(at(0)));
    assert!(!bench.preview().waiting.contains(&own));
}
