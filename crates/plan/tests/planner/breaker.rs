//! Too many sick at once, verdicts that contradict themselves, and repairs.

use std::time::Duration;

use infrakit_plan::{ConditionKind, Reason, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Lifecycle;

use crate::bench::*;

#[test]
fn two_of_three_are_too_many_and_one_is_not() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    bench.sicken("a");
    bench.sicken("b");
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    let open = WaitingOn::Breaker {
        unhealthy: 2,
        most: 1,
    };
    assert!(plan.waiting.contains(&open));
    let degraded = plan.memory.conditions.get(ConditionKind::Degraded).unwrap();
    assert_eq!(
        (degraded.holds, degraded.reason.as_str()),
        (true, "TooManySick")
    );
    // One gets well: the breaker closes by itself, after a moment, and the other is replaced.
    bench.verdict("a", Health::Healthy);
    assert!(destroyed(&bench.plan()).is_empty());
    bench.pass(Duration::from_secs(10));
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("b", Reason::Unhealthy)]);
    assert!(plan.memory.breaker.is_none());
}

#[test]
fn a_burst_of_single_bad_verdicts_opens_nothing() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    for id in ["a", "b", "c"] {
        bench.verdict(id, Health::Unhealthy);
    }
    let plan = bench.plan();
    assert!(plan.memory.breaker.is_none() && plan.converged);
}

#[test]
fn the_breaker_is_the_operators_choice() {
    let health = r#","Health":{"MaxUnhealthy":2}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &["a", "b", "c"]);
    bench.sicken("a");
    bench.sicken("b");
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}

#[test]
fn a_mass_illness_that_was_there_before_can_be_rolled_out() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    for id in ["a", "b", "c"] {
        bench.sicken(id);
    }
    bench.plan();
    bench.pass(Duration::from_secs(1));
    bench.commit(spec(r#"{"Size":3}"#, "v2", ""));
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
}

#[test]
fn a_mass_illness_in_mid_rollout_stops_it() {
    let ids: Vec<String> = (0..10).map(|number| format!("a{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut bench = Bench::healthy(cattle(10), &ids);
    bench.commit(spec(r#"{"Size":10}"#, "v2", ""));
    bench.pass(Duration::from_secs(1));
    for id in &ids[..5] {
        bench.sicken(id);
    }
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn an_observer_that_contradicts_itself_is_doubted() {
    let mut bench = Bench::healthy(cattle(5), &["a", "b", "c", "d", "e"]);
    for id in ["b", "c"] {
        for verdict in [
            Health::Unhealthy,
            Health::Healthy,
            Health::Unhealthy,
            Health::Healthy,
        ] {
            bench.verdict(id, verdict);
        }
    }
    bench.sicken("a");
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    assert!(plan.waiting.contains(&WaitingOn::Doubt { flapping: 2 }));
    // Sixteen steady verdicts later it is believed again.
    for id in ["b", "c"] {
        bench.verdicts(id, 16, Health::Healthy);
    }
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}

#[test]
fn a_suspect_is_asked_quickly_and_others_beside_it() {
    let mut bench = Bench::healthy(cattle(5), &["a", "b", "c", "d", "e"]);
    bench.verdicts("a", 3, Health::Unhealthy);
    let plan = bench.plan();
    assert!(checked(&plan).is_empty(), "only just asked");
    bench.pass(Duration::from_millis(500));
    assert_eq!(checked(&bench.plan()), ["a", "b", "c", "d", "e"]);
}

#[test]
fn repair_steps_come_before_replacement_in_their_order() {
    let health = r#","Health":{"Repair":["restart","reboot"],"RepairWait":"2m"}"#;
    let ids = ["a", "b", "c"];
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &ids);
    bench.sicken("a");
    let played = bench.play(&["a"]);
    assert_eq!(played.repaired, [("a".to_owned(), "restart".to_owned())]);
    assert!(matches!(
        played.last().waiting[..],
        [WaitingOn::Repair { .. }]
    ));
    bench.pass(Duration::from_secs(120));
    let played = bench.play(&["a"]);
    assert_eq!(played.repaired, [("a".to_owned(), "reboot".to_owned())]);
    assert!(played.gone.is_empty());
    bench.pass(Duration::from_secs(120));
    let played = bench.play(&["a"]);
    assert_eq!(played.gone, [("a".to_owned(), Reason::Unhealthy)]);
}

#[test]
fn a_repair_that_helps_spares_the_member_and_is_remembered() {
    let health = r#","Health":{"Repair":["reboot"],"RepairWait":"2m"}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &["a", "b", "c"]);
    bench.sicken("a");
    bench.play(&["a"]);
    bench.verdict("a", Health::Healthy);
    assert!(bench.play(&[]).last().converged);
    // Sick again soon after: no second reboot, or it would go on for ever.
    bench.pass(Duration::from_secs(600));
    bench.sicken("a");
    let played = bench.play(&["a"]);
    assert!(played.repaired.is_empty());
    assert_eq!(played.gone, [("a".to_owned(), Reason::Unhealthy)]);
    // A day later the record is gone.
    bench.sicken("b");
    bench.play(&["b"]);
    bench.verdict("b", Health::Healthy);
    bench.pass(Duration::from_secs(86_400));
    bench.play(&[]);
    assert!(bench.memory.repairs.0.is_empty());
}

#[test]
fn states_that_plugins_report_are_believed() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b"]);
    let mut pending = shown("p", "v1");
    pending.state = Lifecycle::Pending;
    bench.add(pending);
    let plan = bench.plan();
    assert!(created(&plan).is_empty(), "it is capacity");
    assert!(!checked(&plan).contains(&"p"), "and has no health yet");
    bench.list.last_mut().unwrap().state = Lifecycle::Terminating;
    bench.look();
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty(), "it goes by itself");
    assert!(
        created(&plan).is_empty(),
        "its place is not free before it is gone"
    );
    assert!(plan.waiting.contains(&WaitingOn::Departures { count: 1 }));
    bench.remove("p");
    assert_eq!(created(&bench.plan()).len(), 1);
}

/// It counts from when there were too many last, not from when it opened.
#[test]
fn the_breaker_closes_a_poll_after_the_last_excess() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b", "c"]);
    bench.sicken("a");
    bench.sicken("b");
    bench.plan();
    bench.pass(Duration::from_secs(60));
    bench.verdicts("b", 1, Health::Unhealthy);
    bench.plan();
    bench.verdict("b", Health::Healthy);
    bench.pass(Duration::from_secs(9));
    let plan = bench.plan();
    assert!(plan.memory.breaker.is_some() && destroyed(&plan).is_empty());
    assert_eq!(
        plan.memory.breaker.unwrap().since,
        at(0),
        "it is the same one"
    );
    bench.pass(Duration::from_secs(1));
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}
