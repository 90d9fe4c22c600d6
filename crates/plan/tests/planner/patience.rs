//! Nothing waits in silence, and what a person or a window ends is no fault.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Condition, ConditionKind, Memory, Pause, PausedBy, Reason, Step, WaitingOn};
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

fn degraded(bench: &mut Bench) -> Condition {
    let plan = bench.plan();
    let said = plan.memory.conditions.get(ConditionKind::Degraded);
    said.expect("it is always said").clone()
}

/// It is well until so many minutes have passed, and degraded then; the planner wakes for it.
fn turns(mut bench: Bench, minutes: u64, reason: &str) {
    let begun = bench.now;
    assert!(!degraded(&mut bench).holds, "{reason}: at once");
    bench.now = begun + Duration::from_secs(minutes * 60 - 1);
    bench.look();
    let plan = bench.plan();
    let said = plan
        .memory
        .conditions
        .get(ConditionKind::Degraded)
        .expect("it is there");
    assert!(!said.holds, "{reason}: {said:?}");
    assert!(
        plan.overdue_at
            .is_some_and(|at| at <= begun + Duration::from_secs(minutes * 60))
    );
    // It outlives a restart.
    let text = serde_json::to_string(&bench.memory).expect("it is there");
    let intents = std::mem::take(&mut bench.memory.intents);
    bench.memory = serde_json::from_str::<Memory>(&text).expect("it is there");
    bench.memory.intents = intents;
    bench.now = begun + Duration::from_secs(minutes * 60);
    let said = degraded(&mut bench);
    assert!(said.holds && said.reason == reason, "{said:?}");
    assert!(said.message.contains("for longer than"), "{said:?}");
}

/// Waits on a plugin that declares this.
fn on(declared: &str) -> [(Bench, &'static str); 4] {
    let behaviour: Behaviour = serde_json::from_str(declared).expect("a declaration");
    let behaviour = Arc::new(behaviour);
    let bench = |size, ids: &[&str]| {
        let mut bench = Bench::healthy(cattle(size), ids);
        bench.config.undeclared = Arc::clone(&behaviour);
        bench
    };
    let mut creating = bench(1, &[]);
    creating.intend(1, None);
    let mut leaving = bench(1, &["a", "b"]);
    let step = Step::InFlight(leaving.now);
    leaving.depart("b", Reason::Surplus, step);
    let mut adopting = bench(1, &[]);
    adopting.add(tagged("x", &[(tags::CONFIG_HASH, tags::BOOTSTRAP)]));
    adopting.verdict("x", Health::Healthy);
    adopting.plan();
    let mut proving = bench(1, &[]);
    proving.commit(spec(
        r#"{"Size":1}"#,
        "v2",
        r#","Health":{"GracePeriod":"0s"}"#,
    ));
    let created = proving.plan();
    proving.create(&created, &["a"]);
    [
        (creating, "CreationsHang"),
        (leaving, "DestructionsHang"),
        (adopting, "NotObserved"),
        (proving, "NewMembersNotReady"),
    ]
}

#[test]
fn what_does_not_come_is_said() {
    for ((bench, reason), minutes) in on("{}").into_iter().zip([15, 30, 5, 10]) {
        turns(bench, minutes, reason);
    }
}

/// A provider that is slow, and says so, is no fault of the group.
#[test]
fn what_a_plugin_declares_is_waited_for() {
    let slow = r#"{
        "create": {"answer_means": "accepted", "running_p99_s": 1320},
        "visibility_window_s": {"list": 60, "tag": 600},
        "tombstone_s": 3600, "destroy": {"p99_s": 300, "stuck_s": 7200}
    }"#;
    // Three times 22 minutes and 5; two hours, one, 10 and 5 minutes; 10 and 5; 22 and 10.
    for ((bench, reason), minutes) in on(slow).into_iter().zip([71, 195, 15, 32]) {
        turns(bench, minutes, reason);
    }
    let quick = r#"{
        "create": {"answer_means": "running", "running_p99_s": 60, "give_up_s": 120},
        "list": {"lag_s": 60}, "destroy": {"stuck_s": 300}
    }"#;
    for ((bench, reason), minutes) in on(quick).into_iter().zip([7, 20, 6, 10]) {
        turns(bench, minutes, reason);
    }
}

#[test]
fn many_things_that_take_long_together_are_no_standstill() {
    let mut bench = Bench::new(cattle(1000));
    for number in 1..100 {
        bench.intend(number, None);
        assert!(!degraded(&mut bench).holds);
        bench.pass(Duration::from_secs(120));
        bench.memory.intents.clear();
    }
}

#[test]
fn waits_for_a_person_or_a_window_never_turn_degraded() {
    for (more, paused) in [
        (r#""Stages":[{"Until":1,"Approve":true}]"#, false),
        (r#""Stages":[{"Until":1,"Bake":"2000h"}]"#, false),
        (r#""Windows":[{"Cron":"0 0 1 1 *","Duration":"1h"}]"#, false),
        ("", true),
    ] {
        let mut bench = Bench::new(cattle(3));
        bench.play(&[]);
        bench.commit(spec(
            r#"{"Size":3}"#,
            "v2",
            &format!(r#","Updating":{{{more}}}"#),
        ));
        if paused {
            let (by, since) = (PausedBy::Operator, bench.now);
            bench.memory.roll.as_mut().unwrap().paused = Some(Pause { by, since });
        }
        bench.play(&[]);
        bench.pass(Duration::from_secs(86_400 * 30));
        bench.look();
        bench.play(&[]);
        assert!(!degraded(&mut bench).holds, "{more}");
    }
    let mut frozen = Bench::new(cattle(3));
    frozen.memory.frozen = Some(frozen.now);
    frozen.plan();
    frozen.pass(Duration::from_secs(86_400));
    frozen.look();
    assert!(!degraded(&mut frozen).holds);
    let mut held = Bench::healthy(cattle(1), &["a", "b"]);
    for id in ["a", "b"] {
        held.memory.held.insert(id.into());
    }
    let plan = held.plan();
    assert!(
        plan.waiting
            .iter()
            .any(|on| matches!(on, WaitingOn::Held { .. }))
    );
    held.pass(Duration::from_secs(86_400));
    held.look();
    assert!(!degraded(&mut held).holds);
}
