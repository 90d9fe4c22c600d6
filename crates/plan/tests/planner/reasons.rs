//! What a former life of the controller decided is done again only while its reason holds.

use std::time::Duration;

use infrakit_plan::{Decided, Reason, Step};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Context;
use infrakit_spi::tags;

use crate::bench::*;

/// Returns whether a member that was decided to go, for this reason, goes.
fn goes(bench: &Bench, id: &str, reason: Reason) -> bool {
    let mut bench = bench.clone();
    let decided = Decided {
        plugin: "file".into(),
        reason,
        begun: long_ago(),
        since: long_ago(),
    };
    bench
        .memory
        .decided
        .insert(("file".into(), id.into()), decided);
    let plan = bench.preview();
    let gone = destroyed(&plan).contains(&(id, reason));
    assert!(gone || !destroyed(&plan).iter().any(|(one, _)| *one == id));
    assert!(gone || !plan.converged, "the call may still come to pass");
    gone
}

fn three() -> Bench {
    Bench::healthy(cattle(3), &["a", "b", "c"])
}

#[test]
fn the_reason_has_to_hold_still() {
    assert!(goes(&three(), "a", Reason::Requested));
    assert!(!goes(&three(), "a", Reason::GroupDestroyed));

    let mut outdated = three();
    assert!(!goes(&outdated, "a", Reason::Outdated));
    outdated.list[0] = shown("a", "v0");
    outdated.look();
    assert!(goes(&outdated, "a", Reason::Outdated));
    outdated.memory.aborted = Some(outdated.spec.hash.clone());
    assert!(!goes(&outdated, "a", Reason::Outdated));

    let mut sick = three();
    assert!(!goes(&sick, "a", Reason::Unhealthy));
    sick.verdict("a", Health::Unknown);
    assert!(!goes(&sick, "a", Reason::Unhealthy));
    // What was known of it is lost, so that one bad verdict is enough.
    sick.verdict("a", Health::Unhealthy);
    assert!(goes(&sick, "a", Reason::Unhealthy));

    assert!(!goes(&three(), "a", Reason::Surplus));
    let four = Bench::healthy(cattle(3), &["a", "b", "c", "d"]);
    assert!(goes(&four, "a", Reason::Surplus));
    let mut pet = Bench::named(pets(&["a"]), &["a"]);
    pet.add(shown("nameless", "v1"));
    assert!(!goes(&pet, "nameless", Reason::Surplus));
}

#[test]
fn an_identity_has_to_be_one_too_many_still() {
    let both = [Reason::Duplicate, Reason::Unlisted];
    let listed = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    assert!(both.iter().all(|reason| !goes(&listed, "a", *reason)));
    let unlisted = Bench::named(pets(&["b"]), &["a", "b"]);
    assert!(both.iter().all(|reason| goes(&unlisted, "a", *reason)));
    let mut twice = listed.clone();
    twice.add(and(shown("a2", "v1"), tags::LOGICAL_ID, "a"));
    assert!(both.iter().all(|reason| goes(&twice, "a2", *reason)));
    let mut nameless = listed;
    nameless.add(shown("x", "v1"));
    assert!(both.iter().all(|reason| !goes(&nameless, "x", *reason)));
    nameless.memory.naming = true;
    assert!(
        goes(&nameless, "x", Reason::Unlisted),
        "none is free for it"
    );
}

#[test]
fn what_is_not_done_again_is_forgotten_by_a_list_from_after_a_while() {
    let mut bench = three();
    let decided = Decided {
        plugin: "file".into(),
        reason: Reason::Outdated,
        begun: at(0),
        since: at(0),
    };
    bench
        .memory
        .decided
        .insert(("file".into(), "b".into()), decided);
    let kept = |bench: &Bench| !bench.preview().memory.decided.is_empty();
    // Nothing is declared of how long destructions take.
    bench.pass(Duration::from_secs(899));
    bench.look();
    bench.all_are_well();
    assert!(kept(&bench));
    assert_eq!(bench.preview().wake_at, Some(at(900)));
    bench.pass(Duration::from_secs(1));
    assert!(kept(&bench), "the list is from before");
    assert!(bench.preview().wake_at.is_some_and(|wake| wake > at(900)));
    bench.look();
    assert!(!kept(&bench));
}

#[test]
fn a_reason_that_came_meanwhile_is_the_one_that_is_told() {
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v2", ""), &["a", "b", "c"]);
    bench.depart("a", Reason::Outdated, Step::Failed(1, at(0)));
    let reason = |bench: &Bench| destroyed(&bench.preview())[0].1;
    assert_eq!(reason(&bench), Reason::Outdated);
    bench.verdicts("a", 2, Health::Unhealthy);
    assert_eq!(reason(&bench), Reason::Outdated, "not even suspected");
    bench.verdict("a", Health::Unhealthy);
    assert_eq!(reason(&bench), Reason::Unhealthy);
    bench.add(shown("d", "v1"));
    bench.depart("a", Reason::Surplus, Step::Failed(1, at(0)));
    assert_eq!(
        reason(&bench),
        Reason::Surplus,
        "that needs no drain anyway"
    );
    bench.memory.doomed.insert("a".into());
    assert_eq!(reason(&bench), Reason::Requested);
}

#[test]
fn instance_plugins_are_told_updates_from_ends() {
    assert_eq!(Reason::Outdated.context(), Context::rolling_update());
    for reason in [
        Reason::Requested,
        Reason::Surplus,
        Reason::Unlisted,
        Reason::Duplicate,
        Reason::Unhealthy,
        Reason::GroupDestroyed,
    ] {
        assert_eq!(reason.context(), Context::terminate(), "{reason}");
        assert_ne!(reason.to_string(), Reason::Outdated.to_string());
    }
}
