//! The brake: a frozen group is looked at, and nothing else.

use std::time::Duration;

use infrakit_plan::{Action, Brake, ConditionKind, MemoryChange, Phase, Plan, Step, WaitingOn};
use infrakit_spi::flavor::Health;

use crate::bench::*;

fn only_checks(plan: &Plan) -> bool {
    let checks = |action: &Action| matches!(action, Action::Check { .. });
    plan.actions.iter().all(checks) && !plan.converged
}

/// Whatever would be done is not, and each plan says why.
fn stands_still(mut bench: Bench, brake: Brake) {
    let since = bench.now;
    match brake {
        Brake::Group => MemoryChange::Freeze { since }.apply(&mut bench.memory),
        Brake::All => bench.config.frozen = Some(since),
    }
    for _ in 0..5 {
        let plan = bench.plan();
        assert!(only_checks(&plan), "{:?}", plan.actions);
        assert!(plan.waiting.contains(&WaitingOn::Frozen { brake, since }));
        let said = plan
            .memory
            .conditions
            .get(ConditionKind::Frozen)
            .expect("it is there");
        assert!(said.holds && said.since == since);
        bench.pass(Duration::from_secs(3600));
        bench.look();
    }
    match brake {
        Brake::Group => MemoryChange::Thaw.apply(&mut bench.memory),
        Brake::All => bench.config.frozen = None,
    }
    let plan = bench.plan();
    assert!(!only_checks(&plan), "{:?}", plan.waiting);
    assert!(
        !plan
            .memory
            .conditions
            .get(ConditionKind::Frozen)
            .expect("it is there")
            .holds
    );
}

#[test]
fn nothing_is_begun_for_a_frozen_group() {
    for brake in [Brake::Group, Brake::All] {
        stands_still(Bench::new(cattle(3)), brake);
        stands_still(Bench::healthy(cattle(1), &["a", "b", "c"]), brake);
        let mut sick = Bench::healthy(cattle(3), &["a", "b", "c"]);
        sick.sicken("a");
        stands_still(sick, brake);
        let mut outdated = Bench::healthy(cattle(3), &["a", "b", "c"]);
        outdated.commit(spec(r#"{"Size":3}"#, "v2", ""));
        stands_still(outdated, brake);
        let mut destroyed = Bench::healthy(cattle(3), &["a", "b", "c"]);
        destroyed.memory.phase = Phase::Destroying;
        stands_still(destroyed, brake);
        let mut failed = Bench::healthy(cattle(2), &["a", "b", "c"]);
        let step = Step::Failed(1, failed.now);
        failed.depart("c", infrakit_plan::Reason::Surplus, step);
        stands_still(failed, brake);
        stands_still(Bench::named(pets(&["d"]), &["a", "b"]), brake);
    }
}

#[test]
fn health_is_asked_for_while_a_group_is_frozen() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.config.frozen = Some(bench.now);
    bench.pass(Duration::from_secs(60));
    bench.look();
    assert_eq!(checked(&bench.plan()).len(), 2);
}

/// That nobody proves itself while everything stands still is no failure of the rollout.
#[test]
fn no_deadline_of_a_rollout_runs_while_it_is_frozen() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    let more = r#","Updating":{"ProgressDeadline":"2m"}"#;
    bench.commit(spec(r#"{"Size":2}"#, "v2", more));
    bench.plan();
    let since = bench.now;
    MemoryChange::Freeze { since }.apply(&mut bench.memory);
    bench.plan();
    bench.pass(Duration::from_secs(7200));
    bench.look();
    bench.plan();
    MemoryChange::Thaw.apply(&mut bench.memory);
    bench.verdict("b", Health::Healthy);
    bench.plan();
    assert_eq!(
        bench.memory.roll.as_ref().expect("it is there").paused,
        None
    );
}

/// That nobody does anything is no fault, but nor is such a group as it should be.
#[test]
fn a_frozen_group_that_is_short_says_so() {
    let said = |bench: &Bench| {
        let conditions = &bench.preview().memory.conditions;
        let degraded = conditions.get(ConditionKind::Degraded);
        let degraded = degraded.expect("it is there");
        assert!(!degraded.holds);
        (degraded.reason.clone(), degraded.message.clone())
    };
    let mut bench = Bench::healthy(cattle(9), &["a", "b"]);
    bench.config.frozen = Some(bench.now);
    let text = "2 of 9 members are there, and all groups are frozen; nothing is done before they are thawed";
    assert_eq!(said(&bench), ("Frozen".to_owned(), text.to_owned()));
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.memory.frozen = Some(bench.now);
    let text = "nothing is wrong: the group is frozen; nothing is done before it is thawed";
    assert_eq!(said(&bench), ("AllWell".to_owned(), text.to_owned()));
}

/// What has failed is not tried again before somebody lets the group go on: that is a wait for a person.
#[test]
fn that_a_frozen_group_does_not_try_again_is_no_fault() {
    let degraded = |bench: &Bench| {
        let conditions = &bench.preview().memory.conditions;
        let degraded = conditions.get(ConditionKind::Degraded);
        let degraded = degraded.expect("it is there");
        (degraded.holds, degraded.reason.clone())
    };
    let mut bench = Bench::healthy(cattle(2), &["a", "b", "c"]);
    let failed = Step::Failed(1, bench.now);
    bench.depart("c", infrakit_plan::Reason::Surplus, failed);
    bench.memory.frozen = Some(bench.now);
    bench.plan();
    bench.pass(Duration::from_secs(3 * 3600));
    bench.look();
    assert_eq!(degraded(&bench), (false, "AllWell".to_owned()));
    // One that its plugin is at is not held up by that.
    let accepted = Step::Accepted(bench.now);
    bench.depart("c", infrakit_plan::Reason::Surplus, accepted);
    bench.plan();
    bench.pass(Duration::from_secs(3 * 3600));
    bench.look();
    assert_eq!(degraded(&bench), (true, "DestructionsHang".to_owned()));
}

/// Nothing is made for it before it is thawed.
#[test]
fn a_frozen_group_that_lacks_a_name_is_not_scaling() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.commit(pets(&["b", "c"]));
    let since = bench.now;
    MemoryChange::Freeze { since }.apply(&mut bench.memory);
    let plan = bench.plan();
    assert!(only_checks(&plan));
    let said = plan.memory.conditions.get(ConditionKind::Scaling).unwrap();
    assert!(!said.holds, "{said:?}");
}
