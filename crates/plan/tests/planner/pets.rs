//! Groups of named members.

use infrakit_plan::{Member, Origin, Reason, Step, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

#[test]
fn creates_missing_identities_in_order() {
    let mut bench = Bench::named(pets(&["x", "a", "y"]), &["a"]);
    let plan = bench.plan();
    assert_eq!(created(&plan), [(Some("x"), 0), (Some("y"), 2)]);
    let [infrakit_plan::Action::Provision(one), ..] = &plan.actions[..] else {
        panic!("{:?}", plan.actions)
    };
    assert_eq!(one.tags[tags::LOGICAL_ID], "x");
    assert!(created(&bench.plan()).is_empty());
}

#[test]
fn unlisted_identities_go() {
    let mut bench = Bench::named(pets(&["a"]), &["a", "b"]);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Unlisted)]);
}

/// A creation that is asked for again may be answered with what it made long ago, and is gone since.
#[test]
fn of_two_with_one_identity_the_one_that_lists_show_stays() {
    let named = |id, token| {
        let one = and(shown(id, "v1"), tags::LOGICAL_ID, "x");
        and(one, tags::TOKEN, token)
    };
    let mut bench = Bench::new(pets(&["x", "y"]));
    bench.add(named("2", "n-2"));
    bench.add(and(shown("3", "v1"), tags::LOGICAL_ID, "y"));
    bench.all_are_well();
    let origin = Origin::Provisioned(bench.now);
    let answered = Member::new(named("1", "n-1"), &"file".into(), origin, NONCE, bench.now);
    bench.seen.provisioned(answered);
    assert_eq!(destroyed(&bench.preview()), []);
}

#[test]
fn of_two_with_one_identity_the_better_one_stays() {
    let named = |id, note, token| {
        and(
            and(shown(id, note), tags::LOGICAL_ID, "x"),
            tags::TOKEN,
            token,
        )
    };
    for (first, second, gone) in [
        (("1", "v1", "n-1"), ("2", "v1", "n-2"), "2"),
        (("1", "v1", "n-2"), ("2", "v1", "n-1"), "1"),
        (("1", "v0", "n-1"), ("2", "v1", "n-2"), "1"),
    ] {
        let mut bench = Bench::new(pets(&["x"]));
        bench.add(named(first.0, first.1, first.2));
        bench.now = at(5);
        bench.add(named(second.0, second.1, second.2));
        assert_eq!(destroyed(&bench.preview()), [(gone, Reason::Duplicate)]);
        // The same after a restart, which forgets how long members have been known.
        bench.seen = infrakit_plan::Observed::default();
        bench.look();
        assert_eq!(destroyed(&bench.preview()), [(gone, Reason::Duplicate)]);
    }
    let mut bench = Bench::new(pets(&["x"]));
    bench.add(named("1", "v1", "n-1"));
    bench.add(named("2", "v1", "n-2"));
    bench.verdict("1", Health::Unhealthy);
    assert_eq!(destroyed(&bench.plan()), [("1", Reason::Duplicate)]);
}

#[test]
fn the_controllers_own_member_stays_even_unlisted() {
    let mut bench = Bench::named(pets(&["a"]), &["a", "b"]);
    bench.config.self_logical_id = Some("b".into());
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    assert_eq!(plan.waiting, [WaitingOn::SelfMember { id: "b".into() }]);
}

#[test]
fn a_member_without_identity_is_left_alone() {
    let mut bench = Bench::named(pets(&["a"]), &["a"]);
    bench.add(shown("anonymous", "v0"));
    bench.sicken("anonymous");
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty() && created(&plan).is_empty() && plan.converged);
    assert!(plan.memory.roll.is_none());
}

#[test]
fn an_identity_waits_for_its_former_holder() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.depart("b", Reason::Unhealthy, Step::Accepted(at(0)));
    assert!(created(&bench.plan()).is_empty());
    bench.remove("b");
    assert_eq!(created(&bench.plan()), [(Some("b"), 1)]);
}

#[test]
fn an_identity_waits_for_a_creation_without_outcome() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a"]);
    bench.intend(7, Some("b")).doubt = DOUBT;
    assert!(created(&bench.plan()).is_empty());
    bench.now = at(15);
    bench.look();
    bench.plan();
    bench.now = at(16);
    assert_eq!(created(&bench.plan()), [(Some("b"), 1)]);
}

#[test]
fn pets_roll_one_at_a_time_into_their_own_identity() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.spec = spec(r#"{"LogicalIDs":["a","b"]}"#, "v2", "");
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    assert!(bench.plan().actions.is_empty());
    bench.remove("a");
    let plan = bench.plan();
    assert_eq!(
        (created(&plan), destroyed(&plan).len()),
        (vec![(Some("a"), 0)], 0)
    );
    bench.create(&plan, &["a2"]);
    assert!(destroyed(&bench.plan()).is_empty());
    bench.verdict("a2", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Outdated)]);
}

#[test]
fn a_pet_that_is_made_in_this_plan_is_counted_once() {
    let more = r#","Updating":{"MaxUnavailable":2}"#;
    let group = spec(r#"{"LogicalIDs":["a","b","c","d","e"]}"#, "v2", more);
    let mut bench = Bench::named(group, &["a", "b", "c", "d"]);
    bench.memory.roll = Some(infrakit_plan::Roll::begin(&bench.seen, bench.now));
    let plan = bench.plan();
    assert_eq!(created(&plan), [(Some("e"), 4)]);
    assert_eq!(destroyed(&plan), [("a", Reason::Outdated)]);
}

#[test]
fn an_identity_that_is_being_made_leaves_its_place_to_the_next() {
    let mut bench = Bench::named(pets(&["a", "b", "c"]), &["a"]);
    bench.intend(7, Some("b"));
    assert_eq!(created(&bench.plan()), [(Some("c"), 2)]);
    assert!(created(&bench.plan()).is_empty());
}
