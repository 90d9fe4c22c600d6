//! Sick members outside updates.

use std::time::Duration;

use infrakit_plan::{Reason, WaitingOn};
use infrakit_spi::flavor::Health;

use crate::bench::*;

#[test]
fn a_member_is_sick_after_so_many_bad_verdicts_in_a_row() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    for verdict in [
        Health::Unhealthy,
        Health::Unhealthy,
        Health::Unknown,
        Health::Unhealthy,
        Health::Unhealthy,
    ] {
        bench.verdict("a", verdict);
        assert!(destroyed(&bench.preview()).is_empty());
    }
    bench.verdict("a", Health::Unhealthy);
    let suspected = bench.preview();
    assert!(destroyed(&suspected).is_empty());
    let first = WaitingOn::Confirmation { id: "a".into() };
    assert_eq!(suspected.waiting, [first]);
    bench.verdicts("a", 9, Health::Unhealthy);
    assert!(destroyed(&bench.preview()).is_empty());
    bench.verdict("a", Health::Unhealthy);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
    bench.remove("a");
    assert_eq!(created(&bench.plan()).len(), 1);
}

#[test]
fn one_that_never_was_healthy_has_its_grace_period() {
    let mut bench = Bench::new(cattle(1));
    bench.add(shown("a", "v1"));
    bench.verdicts("a", 40, Health::Unhealthy);
    bench.pass(Duration::from_secs(299));
    assert!(destroyed(&bench.preview()).is_empty());
    bench.pass(Duration::from_secs(1));
    assert!(destroyed(&bench.preview()).is_empty(), "that is old news");
    bench.verdict("a", Health::Unhealthy);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}

/// Where nobody can contradict the observer, the suspect is asked for longer.
#[test]
fn an_only_member_is_asked_for_longer() {
    let mut bench = Bench::healthy(cattle(1), &["a"]);
    bench.verdicts("a", 32, Health::Unhealthy);
    assert!(destroyed(&bench.preview()).is_empty());
    bench.verdict("a", Health::Unhealthy);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}

#[test]
fn unknown_is_not_sick() {
    let mut bench = Bench::healthy(cattle(1), &["a"]);
    for _ in 0..100 {
        bench.pass(Duration::from_secs(60));
        bench.verdict("a", Health::Unknown);
        assert!(destroyed(&bench.preview()).is_empty());
    }
}

#[test]
fn one_at_a_time_even_when_more_are_sick() {
    let mut bench = Bench::healthy(cattle(5), &["a", "b", "c", "d", "e"]);
    bench.sicken("a");
    bench.sicken("b");
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
    assert!(destroyed(&bench.plan()).is_empty());
    bench.remove("a");
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), destroyed(&plan).len()), (1, 0));
    bench.create(&plan, &["x"]);
    let plan = bench.plan();
    assert_eq!(
        plan.waiting,
        [WaitingOn::Health {
            id: "x".into(),
            count: 1
        }]
    );
    assert!(checked(&plan).contains(&"x"));
    bench.verdict("x", Health::Healthy);
    assert_eq!(destroyed(&bench.plan()), [("b", Reason::Unhealthy)]);
}

/// A flavor that cannot tell the health of one member must not leave the others to their sickness.
#[test]
fn a_member_of_unknown_health_holds_up_healing_for_its_grace_period_only() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b"]);
    bench.add(shown("mute", "v1"));
    bench.verdict("mute", Health::Unknown);
    bench.sicken("a");
    assert!(destroyed(&bench.preview()).is_empty());
    bench.pass(Duration::from_secs(300));
    bench.verdict("mute", Health::Unknown);
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn the_controllers_own_member_is_not_healed() {
    let mut bench = Bench::named(cattle(2), &["a", "b"]);
    bench.config.self_logical_id = Some("a".into());
    bench.sicken("a");
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn grace_and_threshold_are_the_operators_choice() {
    let health = r#","Health":{"GracePeriod":"0s","Threshold":1}"#;
    let mut bench = Bench::new(spec(r#"{"Size":1}"#, "v1", health));
    bench.add(shown("a", "v1"));
    bench.verdict("a", Health::Unhealthy);
    assert!(destroyed(&bench.preview()).is_empty());
    bench.confirm("a");
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}
