//! Nothing waits in silence, and what a person or a window ends is no fault.

use std::time::Duration;

use infrakit_plan::{Condition, ConditionKind, Memory, Pause, PausedBy, Reason, Step, WaitingOn};
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

#[test]
fn what_does_not_come_is_said() {
    let mut creating = Bench::new(cattle(1));
    creating.intend(1, None);
    turns(creating, 15, "CreationsHang");

    let mut leaving = Bench::healthy(cattle(1), &["a", "b"]);
    let step = Step::InFlight(leaving.now);
    leaving.depart("b", Reason::Surplus, step);
    turns(leaving, 30, "DestructionsHang");

    let mut adopting = Bench::healthy(cattle(1), &[]);
    adopting.add(tagged("x", &[(tags::CONFIG_HASH, tags::BOOTSTRAP)]));
    adopting.verdict("x", Health::Healthy);
    adopting.plan();
    turns(adopting, 5, "NotObserved");
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
