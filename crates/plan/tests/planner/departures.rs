//! Destructions: under way, accepted, failed, tried again.

use infrakit_plan::{Action, Drain, Reason, Step, WaitingOn};
use infrakit_spi::flavor::Health;

use crate::bench::*;

#[test]
fn what_is_under_way_is_not_begun_again() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b"]);
    assert_eq!(destroyed(&bench.plan()).len(), 1);
    let plan = bench.plan();
    assert!(plan.actions.is_empty());
    assert_eq!(plan.waiting, [WaitingOn::Departures { count: 1 }]);
}

#[test]
fn what_was_accepted_and_stays_listed_is_asked_again_much_later() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b"]);
    bench.depart("b", Reason::Surplus, Step::Accepted(at(0)));
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    bench.now = at(59);
    bench.look();
    assert!(destroyed(&bench.preview()).is_empty());
    bench.now = at(60);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Surplus)]);
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn what_failed_is_tried_again_when_its_time_comes() {
    let mut bench = Bench::healthy(cattle(1), &["a", "b"]);
    bench.depart("b", Reason::Surplus, Step::Failed(2, at(4)));
    let plan = bench.plan();
    assert_eq!((destroyed(&plan).len(), plan.wake_at), (0, Some(at(4))));
    assert_eq!(plan.waiting, [WaitingOn::Departures { count: 1 }]);
    bench.now = at(4);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Surplus)]);
}

#[test]
fn drains_are_insisted_on_by_rolls_alone() {
    let drain = |bench: &mut Bench| match bench.plan().actions[..] {
        [Action::Destroy { drain, .. }, ..] => drain,
        ref other => panic!("{other:?}"),
    };
    let mut surplus = Bench::healthy(cattle(0), &["a"]);
    assert_eq!(drain(&mut surplus), Drain::Try);
    let v2 = |more| spec(r#"{"Size":1}"#, "v2", more);
    let mut rolled = Bench::healthy(v2(""), &["a"]);
    assert_eq!(drain(&mut rolled), Drain::Insist);
    let mut skipped = Bench::healthy(
        v2(r#","Updating":{"SkipBeforeInstanceDestroy":"drain"}"#),
        &["a"],
    );
    assert_eq!(drain(&mut skipped), Drain::Skip);
    let mut sick = Bench::healthy(v2(""), &["a"]);
    sick.sicken("a");
    assert_eq!(drain(&mut sick), Drain::Try);
}

/// A dead member cannot be drained; a roll that insisted on it would never end.
#[test]
fn a_member_that_sickens_while_its_drain_fails_goes_undrained() {
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a", "b"]);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    bench.depart("a", Reason::Outdated, Step::Failed(1, at(2)));
    bench.now = at(15);
    assert!(checked(&bench.preview()).contains(&"a"));
    for _ in 0..3 {
        bench.verdict("a", Health::Unhealthy);
    }
    let plan = bench.plan();
    assert!(matches!(plan.actions[0], Action::Destroy { .. }));
    assert_eq!(destroyed(&plan), [("a", Reason::Unhealthy)]);
    assert_eq!(drains(&plan), [Drain::Try]);
}

#[test]
fn an_operators_wish_is_not_held_up_by_a_drain() {
    let mut bench = Bench::healthy(spec(r#"{"Size":2}"#, "v2", ""), &["a", "b"]);
    bench.depart("a", Reason::Outdated, Step::Failed(1, at(0)));
    bench.memory.doomed.insert("a".into());
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Requested)]);
}

#[test]
fn a_failed_destruction_of_a_member_that_recovered_breaks_no_invariant() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.depart("a", Reason::Unhealthy, Step::Failed(1, at(0)));
    bench.verdict("a", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}
