//! Failures, deadlines, rollbacks, holds, strangers: what stops a rollout, and what goes on.

use std::time::Duration;

use infrakit_plan::{
    Action, ConditionKind, Direction, Pause, PausedBy, Reason, RollResult, Spec, Told, WaitingOn,
};
use infrakit_spi::flavor::Health;
use infrakit_spi::{FailureClass, tags};

use crate::bench::*;

fn v2(more: &str) -> Spec {
    spec(r#"{"Size":6}"#, "v2", &format!(r#","Updating":{{{more}}}"#))
}

fn rolled(more: &str) -> Bench {
    let mut bench = Bench::new(cattle(6));
    bench.memory.revision = 1;
    bench.play(&[]);
    bench.commit(v2(more));
    bench
}

fn paused_by(bench: &Bench) -> Option<&PausedBy> {
    let roll = bench.memory.roll.as_ref()?;
    roll.paused.as_ref().map(|pause| &pause.by)
}

#[test]
fn new_members_that_fail_pause_the_rollout() {
    let mut bench = rolled(r#""FailureThreshold":2,"MaxUnavailable":2"#);
    let new = hash("v2");
    bench.play(&[&new]);
    assert_eq!(
        paused_by(&bench),
        None,
        "within their grace period they may come up yet"
    );
    bench.pass(Duration::from_secs(301));
    // Sickness has to show itself again, and to be confirmed.
    for _ in 0..20 {
        bench.pass(Duration::from_secs(10));
        bench.play(&[&new]);
    }
    let want = PausedBy::Failures { failed: 2, most: 2 };
    assert_eq!(paused_by(&bench), Some(&want));
    let degraded = bench
        .memory
        .conditions
        .get(ConditionKind::Degraded)
        .unwrap();
    assert!(degraded.holds && degraded.message.contains("2 new members failed"));
}

#[test]
fn one_failure_is_enough_where_stages_or_a_rollback_are_asked_for() {
    let mut bench = rolled(r#""OnFailure":"rollback""#);
    bench.play(&[&hash("v2")]);
    bench.memory.roll.as_mut().unwrap().failed = 1;
    let plan = bench.plan();
    assert!(plan.actions.contains(&Action::Revert { to: 1 }));
    assert!(destroyed(&plan).is_empty());
    assert!(matches!(
        paused_by(&bench),
        Some(PausedBy::Failures { failed: 1, most: 1 })
    ));
    assert!(
        !bench.plan().actions.contains(&Action::Revert { to: 1 }),
        "said once"
    );
}

#[test]
fn a_rollback_that_fails_pauses_instead_of_going_back_and_forth() {
    let mut bench = rolled(r#""OnFailure":"rollback""#);
    let roll = bench.memory.roll.as_mut().unwrap();
    (roll.direction, roll.failed) = (Direction::Back, 3);
    let plan = bench.plan();
    assert!(
        !plan
            .actions
            .iter()
            .any(|one| matches!(one, Action::Revert { .. }))
    );
    assert_eq!(paused_by(&bench), Some(&PausedBy::Rollback));
}

#[test]
fn a_rollback_knows_no_stages_and_ignores_the_broken_ones_health() {
    let mut bench =
        rolled(r#""Stages":[{"Until":1,"Bake":"1h","Approve":true}],"MaxUnavailable":2"#);
    let broken = hash("v2");
    bench.play(&[&broken]);
    let back = spec(
        r#"{"Size":6}"#,
        "v1",
        r#","Updating":{"Stages":[{"Until":1,"Bake":"1h","Approve":true}],"MaxUnavailable":2}"#,
    );
    bench.commit(back);
    bench.memory.roll.as_mut().unwrap().direction = Direction::Back;
    let played = bench.play(&[&broken]);
    assert!(played.last().converged, "{:?}", played.last().waiting);
    assert_eq!(
        played.gone.len(),
        1,
        "only the broken one goes: {:?}",
        played.gone
    );
}

#[test]
fn without_progress_the_deadline_passes() {
    let mut bench = rolled(r#""ProgressDeadline":"2m""#);
    let new = hash("v2");
    bench.play(&[&new]);
    bench.pass(Duration::from_secs(119));
    bench.play(&[&new]);
    assert_eq!(paused_by(&bench), None);
    bench.pass(Duration::from_secs(1));
    bench.play(&[&new]);
    assert_eq!(paused_by(&bench), Some(&PausedBy::Deadline));
    // Resumed, it has all of its time again.
    let now = bench.now;
    bench.memory.roll.as_mut().unwrap().resume(now);
    bench.pass(Duration::from_secs(119));
    bench.play(&[&new]);
    assert_eq!(paused_by(&bench), None);
}

#[test]
fn a_wait_for_a_person_is_no_lack_of_progress() {
    let mut bench = rolled(r#""ProgressDeadline":"2m","Stages":[{"Until":1,"Approve":true}]"#);
    bench.play(&[]);
    bench.pass(Duration::from_secs(7200));
    let played = bench.play(&[]);
    assert!(
        played
            .last()
            .waiting
            .contains(&WaitingOn::Approval { stage: 1 })
    );
    bench.memory.roll.as_mut().unwrap().approve();
    assert!(bench.play(&[]).last().converged);
}

#[test]
fn a_configuration_error_stops_the_rollout_and_not_the_group() {
    let mut bench = rolled("");
    let plan = bench.plan();
    let gone = destroyed(&plan)[0].0.to_owned();
    bench.remove(&gone);
    let plan = bench.plan();
    assert_eq!(created(&plan).len(), 1);
    bench.memory.intents.clear();
    let class = FailureClass::Configuration;
    bench.fail_as(class, Told::Declared, "no such image");
    let played = bench.play(&[]);
    let by = paused_by(&bench);
    assert!(matches!(by, Some(PausedBy::Configuration { message }) if message == "no such image"));
    assert_eq!(played.come.len(), 1, "made from the former configuration");
    let made = bench.list.last().unwrap().tags.as_ref().unwrap();
    assert_eq!(tags::config_hash(made), Some(hash("v1").as_str()));
}

#[test]
fn an_aborted_rollout_leaves_the_mix_as_it_is() {
    let mut bench = rolled("");
    let plan = bench.plan();
    assert_eq!(destroyed(&plan).len(), 1);
    let gone = destroyed(&plan)[0].0.to_owned();
    bench.remove(&gone);
    bench.memory.roll = None;
    bench.memory.aborted = Some(bench.spec.hash.clone());
    let played = bench.play(&[]);
    assert!(played.gone.is_empty() && !played.last().converged);
    assert!(
        played
            .last()
            .waiting
            .contains(&WaitingOn::Aborted { outdated: 5 })
    );
    let paused = bench.memory.conditions.get(ConditionKind::Paused).unwrap();
    assert_eq!(paused.reason, "Aborted");
}

#[test]
fn held_members_are_neither_rolled_nor_healed_nor_taken_as_surplus() {
    let mut bench = rolled(r#""MaxUnavailable":2"#);
    let held = bench.list[0].id.clone();
    bench.memory.held.insert(held.clone());
    bench.sicken(held.as_str());
    let played = bench.play(&[held.as_str()]);
    assert_eq!(played.gone.len(), 5);
    assert!(played.last().converged);
    let want = WaitingOn::Held {
        id: held.clone(),
        count: 1,
        surplus: 0,
    };
    assert_eq!(played.last().waiting, [want]);
    bench.commit(spec(r#"{"Size":1}"#, "v2", ""));
    let played = bench.play(&[held.as_str()]);
    assert_eq!(bench.list.len(), 1);
    assert_eq!(bench.list[0].id, held);
    assert!(
        played
            .gone
            .iter()
            .all(|(_, reason)| *reason == Reason::Surplus)
    );
}

#[test]
fn an_outdated_member_from_nowhere_pauses_the_rollout() {
    let mut bench = rolled("");
    bench.plan();
    bench.add(tagged("stray", &[(tags::CONFIG_HASH, "other")]));
    bench.plan();
    let by = paused_by(&bench);
    assert!(
        matches!(by, Some(PausedBy::Changed { what }) if what.contains("`stray`")),
        "{by:?}"
    );
    let now = bench.now;
    bench.memory.roll.as_mut().unwrap().resume(now);
    bench.plan();
    assert_eq!(paused_by(&bench), None, "it was taken notice of");
}

/// Whom nobody was shown is gone again: the group is as it was when the rollout was shown.
#[test]
fn a_rollout_goes_on_when_the_member_from_nowhere_is_gone() {
    let mut bench = rolled("");
    bench.plan();
    bench.add(tagged("stray", &[(tags::CONFIG_HASH, "other")]));
    bench.plan();
    assert!(paused_by(&bench).is_some());
    bench.add(tagged("other", &[(tags::CONFIG_HASH, "other")]));
    bench.remove("stray");
    bench.plan();
    assert!(
        paused_by(&bench).is_some(),
        "another one has come meanwhile"
    );
    bench.remove("other");
    bench.plan();
    assert_eq!(paused_by(&bench), None);
    // One that comes back is as unknown as before.
    bench.add(tagged("stray", &[(tags::CONFIG_HASH, "other")]));
    bench.pass(Duration::from_secs(60));
    bench.look();
    bench.plan();
    assert!(paused_by(&bench).is_some());
}

#[test]
fn a_revision_is_good_once_all_its_members_proved_themselves() {
    let mut bench = rolled("");
    let outcome = |bench: &Bench| bench.memory.outcomes.get(&2).map(|one| one.result);
    assert_eq!(outcome(&bench), None);
    bench.play(&[]);
    assert_eq!(outcome(&bench), Some(RollResult::Completed));
}

#[test]
fn only_members_matter_to_a_rollout_that_is_paused_by_its_operator() {
    let mut bench = rolled("");
    bench.memory.roll.as_mut().unwrap().paused = Some(Pause {
        by: PausedBy::Operator,
        since: at(0),
    });
    bench.play(&[]);
    let said = |kind| bench.memory.conditions.get(kind).unwrap();
    assert!(said(ConditionKind::Paused).holds);
    assert!(!said(ConditionKind::Degraded).holds);
    assert!(said(ConditionKind::Available).holds);
    assert!(!said(ConditionKind::UpToDate).holds);
}

#[test]
fn new_members_that_ail_in_number_stop_the_rollout_before_they_are_known_to_be_sick() {
    let more = r#","Updating":{"MaxUnavailable":5},"Health":{"MaxUnhealthy":1}"#;
    let names: Vec<String> = (0..8).map(|number| format!("a{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut bench = Bench::healthy(cattle(10), &names);
    bench.commit(spec(r#"{"Size":10}"#, "v2", more));
    for (id, token) in [("x", "n-1"), ("y", "n-2")] {
        bench.add(and(shown(id, "v2"), tags::TOKEN, token));
        bench.verdict(id, Health::Healthy);
    }
    bench.verdict("x", Health::Unhealthy);
    assert_eq!(destroyed(&bench.preview()).len(), 4, "one may ail");
    bench.verdict("y", Health::Unhealthy);
    let plan = bench.preview();
    let waits = WaitingOn::Health {
        id: "x".into(),
        count: 2,
    };
    assert!(destroyed(&plan).is_empty() && plan.waiting.contains(&waits));
    // Of the old ones as many may ail as like: they are what is to be replaced.
    bench.verdict("y", Health::Healthy);
    bench.verdict("a0", Health::Unhealthy);
    bench.verdict("a1", Health::Unhealthy);
    assert_eq!(destroyed(&bench.preview()).len(), 4);
}
