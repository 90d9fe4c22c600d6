//! Stages, batches, windows and approvals.

use std::time::Duration;

use infrakit_plan::{Pause, PausedBy, Spec, Timestamp, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

fn v2(more: &str) -> Spec {
    v2_of(20, more)
}

fn v2_of(size: usize, more: &str) -> Spec {
    spec(
        &format!(r#"{{"Size":{size}}}"#),
        "v2",
        &format!(r#","Updating":{{{more}}}"#),
    )
}

/// Twenty members of configuration `v1`, made by this record, when `v2` is committed.
fn staged(more: &str) -> Bench {
    let mut bench = Bench::new(cattle(20));
    bench.play(&[]);
    bench.commit(v2(more));
    bench
}

#[test]
fn each_stage_bakes_and_waits_for_approval_where_it_is_asked_for() {
    let stages = r#""Stages":[{"Until":"5%","Bake":"10m","Approve":true},{"Until":"25%"}]"#;
    let mut bench = staged(stages);
    let played = bench.play(&[]);
    assert_eq!(bench.of("v2"), 1);
    let until = bench.memory.roll.as_ref().unwrap().complete.unwrap() + Duration::from_secs(600);
    assert!(
        played
            .last()
            .waiting
            .contains(&WaitingOn::Bake { stage: 1, until })
    );
    assert!(bench.memory.roll.as_mut().unwrap().approve().is_some());
    assert_eq!(
        bench.memory.roll.as_mut().unwrap().approve(),
        None,
        "once is enough"
    );
    bench.now = until;
    let played = bench.play(&[]);
    assert!(played.last().converged, "{:?}", played.last().waiting);
    assert_eq!(bench.of("v2"), 20);

    let mut bench = staged(stages);
    bench.play(&[]);
    bench.pass(Duration::from_secs(601));
    let played = bench.play(&[]);
    assert!(
        played
            .last()
            .waiting
            .contains(&WaitingOn::Approval { stage: 1 })
    );
    assert_eq!(bench.of("v2"), 1);
}

#[test]
fn a_canary_stays_a_canary_whatever_happens_to_the_others() {
    let mut bench = staged(r#""Stages":[{"Until":2,"Approve":true}]"#);
    bench.play(&[]);
    bench.pass(Duration::from_secs(20));
    // Five old members vanish, and the group is to grow by five: all ten are made as before.
    let old: Vec<String> = bench
        .list
        .iter()
        .filter(|one| one.tags.as_ref().and_then(tags::config_hash) == Some(&hash("v1")))
        .map(|one| one.id.to_string())
        .take(5)
        .collect();
    for id in &old {
        bench.remove(id);
    }
    let grown = v2_of(25, r#""Stages":[{"Until":2,"Approve":true}]"#);
    bench.commit(grown);
    bench.play(&[]);
    assert_eq!((bench.of("v1"), bench.of("v2")), (23, 2));
    // A canary that vanishes is made anew as a canary.
    let canary = bench
        .list
        .iter()
        .find(|one| one.tags.as_ref().and_then(tags::config_hash) == Some(&hash("v2")))
        .unwrap()
        .id
        .to_string();
    bench.pass(Duration::from_secs(20));
    bench.remove(&canary);
    bench.play(&[]);
    assert_eq!((bench.of("v1"), bench.of("v2")), (23, 2));
}

#[test]
fn a_bake_begins_anew_when_a_member_of_the_stage_is_lost() {
    let mut bench = staged(r#""Stages":[{"Until":1,"Bake":"10m"}],"OnFailure":"continue""#);
    bench.play(&[]);
    bench.pass(Duration::from_secs(500));
    let canary = bench.list.last().unwrap().id.to_string();
    bench.remove(&canary);
    bench.play(&[]);
    bench.pass(Duration::from_secs(200));
    bench.play(&[]);
    assert_eq!(bench.of("v2"), 1, "only 200 s of the new bake are over");
    bench.pass(Duration::from_secs(401));
    bench.play(&[]);
    assert_eq!(bench.of("v2"), 20);
}

#[test]
fn a_batch_is_whole_before_the_next_begins() {
    let mut bench = staged(r#""MaxUnavailable":2,"Batch":3"#);
    // Of the second and third of the batch, one stays without a verdict for a while.
    let plan = bench.plan();
    assert_eq!(destroyed(&plan).len(), 2);
    for (id, _) in destroyed(&plan) {
        bench.remove(id);
    }
    let plan = bench.plan();
    bench.create(&plan, &["x", "y"]);
    bench.verdict("x", infrakit_spi::flavor::Health::Healthy);
    let plan = bench.plan();
    assert_eq!(destroyed(&plan).len(), 1, "the third of the batch");
    let third = destroyed(&plan)[0].0.to_owned();
    bench.remove(&third);
    let plan = bench.plan();
    bench.create(&plan, &["z"]);
    bench.verdict("y", infrakit_spi::flavor::Health::Healthy);
    assert!(
        destroyed(&bench.plan()).is_empty(),
        "`z` belongs to the batch"
    );
    bench.verdict("z", infrakit_spi::flavor::Health::Healthy);
    assert_eq!(destroyed(&bench.plan()).len(), 2, "the next batch");
}

#[test]
fn outside_its_windows_a_rollout_rests_and_healing_goes_on() {
    let mut bench = staged(r#""Windows":[{"Cron":"0 22 * * *","Duration":"2h"}]"#);
    let day = 86_400;
    let noon = Timestamp(20_000 * day * 1_000_000_000) + Duration::from_secs(12 * 3600);
    bench.now = noon;
    bench.look();
    let played = bench.play(&[]);
    assert_eq!(bench.of("v2"), 0);
    let opens = noon + Duration::from_secs(10 * 3600);
    let window = WaitingOn::Window { opens: Some(opens) };
    assert!(
        played.last().waiting.contains(&window),
        "{:?}",
        played.last().waiting
    );
    let lost = bench.list[0].id.to_string();
    bench.remove(&lost);
    bench.play(&[]);
    assert_eq!((bench.of("v1"), bench.of("v2")), (20, 0));
    bench.now = opens;
    bench.play(&[]);
    assert_eq!(bench.of("v2"), 20);
}

#[test]
fn a_paused_rollout_replaces_nobody_and_makes_members_as_before() {
    let mut bench = staged("");
    let by = PausedBy::Operator;
    let roll = bench.memory.roll.as_mut().unwrap();
    roll.paused = Some(Pause { by, since: at(0) });
    let lost = bench.list[0].id.to_string();
    bench.pass(Duration::from_secs(20));
    bench.remove(&lost);
    let played = bench.play(&[]);
    assert!(played.gone.is_empty());
    assert_eq!((bench.of("v1"), bench.of("v2")), (20, 0));
    bench.memory.roll.as_mut().unwrap().resume(at(9));
    bench.play(&[]);
    assert_eq!(bench.of("v2"), 20);
}

#[test]
fn what_was_taken_in_a_window_is_made_anew_when_it_has_closed() {
    let mut bench = staged(r#""Windows":[{"Cron":"0 22 * * *","Duration":"2h"}]"#);
    let late = Timestamp(20_000 * 86_400 * 1_000_000_000) + Duration::from_secs(24 * 3600 - 1);
    bench.now = late;
    bench.look();
    let plan = bench.plan();
    let taken = destroyed(&plan)[0].0.to_owned();
    bench.pass(Duration::from_secs(2));
    bench.remove(&taken);
    // Another one is lost at the same time: that is no part of the rollout.
    let lost = bench.list[0].id.to_string();
    bench.remove(&lost);
    let played = bench.play(&[]);
    assert!(played.gone.is_empty());
    assert_eq!((bench.of("v1"), bench.of("v2")), (19, 1));
}

/// What was found before the controller slept says nothing of how a stage has stood since.
#[test]
fn nobody_passes_a_stage_by_what_was_found_before_the_controller_slept() {
    for verdict in [Health::Healthy, Health::Unhealthy] {
        let mut bench = staged(r#""Stages":[{"Until":2,"Bake":"10m"}]"#);
        bench.play(&[]);
        assert_eq!(bench.of("v2"), 2);
        bench.pass(Duration::from_secs(7_200));
        bench.seen.wake(bench.now, Duration::ZERO);
        bench.look();
        let plan = bench.plan();
        assert_eq!(bench.memory.roll.as_ref().unwrap().stage, 0);
        let waits = |on: &WaitingOn| matches!(on, WaitingOn::Health { count: 2, .. });
        assert!(plan.waiting.iter().any(waits), "{:?}", plan.waiting);
        let ids: Vec<String> = bench.list.iter().map(|one| one.id.to_string()).collect();
        for id in &ids {
            let new = hash("v2") == bench.member(id).hash.as_ref().unwrap().to_string();
            bench.verdict(id, if new { verdict } else { Health::Healthy });
        }
        bench.plan();
        let passed = usize::from(verdict == Health::Healthy);
        assert_eq!(bench.memory.roll.as_ref().unwrap().stage, passed);
    }
}
