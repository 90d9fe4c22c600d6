//! Gates, pauses, failures and windows outlive any change of size.

use std::time::Duration;

use infrakit_plan::{
    Direction, Former, Pause, PausedBy, Roll, RollResult, Spec, Timestamp, WaitingOn,
};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

const GATE: &str = r#""Stages":[{"Until":1,"Approve":true}]"#;

fn v2(allocation: &str, more: &str) -> Spec {
    spec(allocation, "v2", &format!(r#","Updating":{{{more}}}"#))
}

fn sized(size: u64) -> String {
    format!(r#"{{"Size":{size}}}"#)
}

/// A group of so many members of `v1`, known to be good, when `v2` is committed.
fn rolled(size: u64, more: &str) -> Bench {
    let mut bench = Bench::new(cattle(size));
    bench.memory.revision = 1;
    bench.play(&[]);
    bench.commit(v2(&sized(size), more));
    bench
}

/// Commits the spec in force with another size.
fn scale(bench: &mut Bench, size: u64) {
    let spec = bench.spec.with_size(size);
    bench.commit(spec);
}

fn good(bench: &Bench) -> bool {
    let outcome = bench.memory.outcomes.get(&bench.memory.revision);
    outcome.is_some_and(|outcome| outcome.result == RollResult::Completed)
}

#[test]
fn a_gate_outlives_every_change_of_size() {
    for sizes in [vec![1], vec![0], vec![2], vec![6], vec![0, 6], vec![1, 0]] {
        let mut bench = rolled(3, GATE);
        bench.play(&[]);
        for size in &sizes {
            scale(&mut bench, *size);
            bench.pass(Duration::from_secs(20));
            bench.look();
            bench.play(&[]);
            assert!(bench.of("v2") <= 1, "{sizes:?}");
            assert!(!good(&bench), "{sizes:?}: nobody approved");
        }
        scale(&mut bench, 3);
        let played = bench.play(&[]);
        assert_eq!((bench.of("v1"), bench.of("v2")), (2, 1), "{sizes:?}");
        let waits = WaitingOn::Approval { stage: 1 };
        assert!(played.last().waiting.contains(&waits), "{sizes:?}");
        assert!(!good(&bench));
        assert!(bench.memory.roll.as_mut().unwrap().approve().is_some());
        assert!(bench.play(&[]).last().converged);
        assert_eq!((bench.of("v2"), good(&bench)), (3, true), "{sizes:?}");
    }
}

/// However far the rollout has come when the size changes.
#[test]
fn a_gate_outlives_changes_of_size_in_mid_canary() {
    for (before, plans, sizes) in (0..2).flat_map(|before| {
        (0..8).flat_map(move |plans| {
            [[1, 7], [2, 7], [0, 7], [3, 5], [9, 5]].map(|sizes| (before, plans, sizes))
        })
    }) {
        let more = r#""Stages":[{"Until":1,"Approve":true}],"MaxUnavailable":2"#;
        let mut bench = rolled(5, more);
        bench.play_plans(plans, &[]);
        for size in sizes {
            scale(&mut bench, size);
            bench.play_plans(before, &[]);
            bench.pass(Duration::from_secs(20));
            bench.look();
            bench.play(&[]);
            let unapproved = bench.of("v2");
            assert!(
                unapproved <= 1,
                "{plans} {before} {sizes:?} {size}: {unapproved}"
            );
            assert!(
                !good(&bench),
                "{plans} {before} {sizes:?} {size}: nobody approved"
            );
        }
    }
}

#[test]
fn a_group_of_size_0_completes_nothing() {
    for more in [
        "",
        GATE,
        r#""OnFailure":"rollback","ProgressDeadline":"2m""#,
    ] {
        let mut bench = rolled(3, more);
        bench.plan();
        scale(&mut bench, 0);
        bench.pass(Duration::from_secs(20));
        bench.look();
        let played = bench.play(&[]);
        assert!(played.last().converged, "{:?}", played.last().waiting);
        assert!(bench.list.is_empty() && !good(&bench), "{more}");
        // However long it stays like that, that is no failure either.
        bench.pass(Duration::from_secs(7200));
        bench.look();
        let played = bench.play(&[]);
        assert!(played.last().converged && !good(&bench), "{more}");
        assert_eq!(bench.memory.roll.as_ref().unwrap().paused, None, "{more}");
        scale(&mut bench, 3);
        bench.play(&[]);
        assert_eq!(good(&bench), !more.contains("Stages"), "{more}");
    }
    // One that never had a member is as specified, and says nothing about its configuration.
    let mut bench = Bench::new(cattle(0));
    bench.memory.revision = 1;
    assert!(bench.play(&[]).last().converged && !good(&bench));
}

#[test]
fn a_failed_rollout_stays_failed_at_any_size() {
    for sizes in [vec![0], vec![1], vec![0, 5], vec![1, 0, 2]] {
        let mut bench = rolled(3, GATE);
        let sick = hash("v2");
        bench.play(&[]);
        bench.pass(Duration::from_secs(301));
        for _ in 0..20 {
            bench.pass(Duration::from_secs(10));
            bench.play(&[&sick]);
        }
        let by = |bench: &Bench| bench.memory.roll.as_ref()?.paused.clone().map(|it| it.by);
        let want = Some(PausedBy::Failures { failed: 1, most: 1 });
        assert_eq!(by(&bench), want);
        for size in &sizes {
            scale(&mut bench, *size);
            bench.pass(Duration::from_secs(20));
            bench.look();
            bench.play(&[&sick]);
            assert_eq!(
                (by(&bench), good(&bench)),
                (want.clone(), false),
                "{sizes:?}"
            );
        }
        scale(&mut bench, 4);
        bench.play(&[&sick]);
        assert!(bench.of("v2") <= 1, "{sizes:?}");
        assert!(bench.of("v1") >= 3, "{sizes:?}");
    }
}

#[test]
fn a_pause_by_hand_outlives_every_change_of_size() {
    let mut bench = rolled(4, "");
    let plan = bench.plan();
    let gone = destroyed(&plan)[0].0.to_owned();
    bench.remove(&gone);
    let plan = bench.plan();
    bench.create(&plan, &["x"]);
    bench.verdict("x", Health::Healthy);
    let (by, since) = (PausedBy::Operator, bench.now);
    bench.memory.roll.as_mut().unwrap().paused = Some(Pause { by, since });
    for size in [1, 0, 6] {
        scale(&mut bench, size);
        bench.pass(Duration::from_secs(20));
        bench.look();
        let played = bench.play(&[]);
        assert!(bench.memory.roll.as_ref().unwrap().paused.is_some());
        assert!(!good(&bench) && !played.last().converged, "{size}");
    }
    assert_eq!((bench.of("v1"), bench.of("v2")), (6, 0));
    let now = bench.now;
    bench.memory.roll.as_mut().unwrap().resume(now);
    assert!(bench.play(&[]).last().converged && good(&bench));
    assert_eq!(bench.of("v2"), 6);
}

#[test]
fn a_closed_window_stays_closed_at_any_size() {
    let mut bench = rolled(3, r#""Windows":[{"Cron":"0 22 * * *","Duration":"2h"}]"#);
    let midnight = Timestamp(20_000 * 86_400 * 1_000_000_000) + Duration::from_secs(24 * 3600);
    bench.now = Timestamp(midnight.0 - 5_000_000_000);
    bench.look();
    let plan = bench.plan();
    let gone = destroyed(&plan)[0].0.to_owned();
    bench.remove(&gone);
    let plan = bench.plan();
    bench.create(&plan, &["x"]);
    bench.verdict("x", Health::Healthy);
    bench.pass(Duration::from_secs(60));
    for size in [1, 3] {
        scale(&mut bench, size);
        bench.pass(Duration::from_secs(20));
        bench.look();
        bench.play(&[]);
        assert_eq!((bench.of("v2"), good(&bench)), (1, false), "{size}");
    }
    bench.now = midnight + Duration::from_secs(22 * 3600);
    bench.look();
    assert!(bench.play(&[]).last().converged && good(&bench));
    assert_eq!(bench.of("v2"), 3);
}

/// What a rollout has taken within its window it finishes outside of it, and is complete then.
#[test]
fn a_rollout_that_took_its_last_member_in_time_is_complete_outside_the_window() {
    let mut bench = rolled(1, r#""Windows":[{"Cron":"0 22 * * *","Duration":"2h"}]"#);
    let midnight = Timestamp(20_000 * 86_400 * 1_000_000_000) + Duration::from_secs(24 * 3600);
    bench.now = Timestamp(midnight.0 - 5_000_000_000);
    bench.look();
    let plan = bench.plan();
    let gone = destroyed(&plan)[0].0.to_owned();
    bench.pass(Duration::from_secs(60));
    bench.remove(&gone);
    assert!(bench.play(&[]).last().converged && good(&bench));
    assert_eq!(bench.of("v2"), 1);
}

#[test]
fn pets_that_come_in_mid_stage_are_made_as_before() {
    let ids = |ids: &[&str]| format!(r#"{{"LogicalIDs":{ids:?}}}"#);
    let mut bench = Bench::new(pets(&["a", "b", "c"]));
    bench.memory.revision = 1;
    bench.play(&[]);
    bench.commit(v2(&ids(&["a", "b", "c"]), GATE));
    bench.play(&[]);
    assert_eq!((bench.of("v1"), bench.of("v2")), (2, 1));
    let canary = bench
        .list
        .iter()
        .find(|one| one.tags.as_ref().and_then(tags::config_hash) == Some(hash("v2").as_str()));
    let canary = canary.unwrap().logical_id.as_ref().unwrap().to_string();
    for list in [
        vec![&*canary],
        vec![&*canary, "d", "e"],
        vec!["d", "e", "f"],
    ] {
        bench.commit(v2(&ids(&list), GATE));
        bench.pass(Duration::from_secs(20));
        bench.look();
        bench.play(&[]);
        assert!(bench.of("v2") <= 1, "{list:?}");
        assert_eq!(
            (bench.list.len(), good(&bench)),
            (list.len(), false),
            "{list:?}"
        );
    }
}

/// A stage's reach is a share of the size as it is now: what shrinks keeps to it.
#[test]
fn a_group_that_shrinks_in_mid_stage_keeps_the_proportion() {
    let mut bench = rolled(20, r#""Stages":[{"Until":"25%","Approve":true}]"#);
    bench.play(&[]);
    assert_eq!((bench.of("v1"), bench.of("v2")), (15, 5));
    scale(&mut bench, 8);
    bench.pass(Duration::from_secs(20));
    bench.look();
    bench.play(&[]);
    assert_eq!((bench.of("v1"), bench.of("v2")), (6, 2));
}

/// The members of a batch that went with the size are no members that have proved themselves.
#[test]
fn a_batch_is_no_bigger_after_a_group_has_shrunk_and_grown() {
    let broken = hash("v2");
    let mut bench = rolled(20, r#""MaxUnavailable":4,"Batch":4"#);
    bench.memory.roll.as_mut().unwrap().batch = 16;
    bench.play(&[&broken]);
    assert!(bench.of("v2") <= 4, "{}", bench.of("v2"));
}

#[test]
fn a_sick_new_member_that_goes_as_surplus_has_failed_all_the_same() {
    let mut bench = rolled(6, r#""FailureThreshold":2,"MaxUnavailable":2"#);
    let plan = bench.plan();
    for (id, _) in destroyed(&plan) {
        bench.remove(id);
    }
    let plan = bench.plan();
    bench.create(&plan, &["x", "y"]);
    bench.look();
    bench.verdict("y", Health::Healthy);
    bench.sicken("x");
    scale(&mut bench, 5);
    let plan = bench.plan();
    assert!(destroyed(&plan).iter().any(|(id, _)| *id == "x"));
    assert_eq!(bench.memory.roll.as_ref().unwrap().failed, 1);
}

/// The way back has no gates, and is complete only with a member that is ready.
#[test]
fn a_rollback_of_an_empty_group_completes_with_its_first_members() {
    let mut bench = rolled(3, GATE);
    bench.play(&[]);
    bench.commit(spec(&sized(3), "v1", ""));
    let roll = bench.memory.roll.as_mut().unwrap();
    (roll.direction, roll.former) = (Direction::Back, None);
    scale(&mut bench, 0);
    bench.pass(Duration::from_secs(20));
    bench.look();
    bench.play(&[]);
    assert!(!good(&bench));
    scale(&mut bench, 2);
    assert!(bench.play(&[]).last().converged && good(&bench));
    assert_eq!(bench.of("v1"), 2);
}

/// A stage that the whole group is smaller than bakes and asks like any other.
#[test]
fn a_group_smaller_than_its_stage_still_bakes_and_asks() {
    let mut bench = rolled(5, r#""Stages":[{"Until":3,"Bake":"10m","Approve":true}]"#);
    scale(&mut bench, 2);
    bench.pass(Duration::from_secs(20));
    bench.look();
    bench.play(&[]);
    let complete = bench.memory.roll.as_ref().unwrap().complete;
    let bakes = complete.expect("all two of them are there");
    scale(&mut bench, 0);
    bench.pass(Duration::from_secs(20));
    bench.look();
    bench.play(&[]);
    assert_eq!(
        bench.memory.roll.as_ref().unwrap().complete,
        None,
        "nobody bakes"
    );
    bench.pass(Duration::from_secs(600));
    scale(&mut bench, 5);
    bench.look();
    bench.play(&[]);
    let roll = bench.memory.roll.as_ref().unwrap();
    assert!(roll.complete.unwrap() > bakes && roll.stage == 0);
    assert_eq!((bench.of("v1"), bench.of("v2")), (2, 3));
}

/// A rollout that begins with nobody there has its gates when somebody comes.
#[test]
fn a_rollout_of_an_empty_group_begins_with_its_first_canary() {
    let mut bench = Bench::new(v2(&sized(0), GATE));
    bench.memory.revision = 2;
    bench.memory.roll = Some(Roll {
        former: Some(Former {
            revision: 1,
            hash: cattle(1).hash,
            plugin: "file".into(),
        }),
        ..Roll::begin(&bench.seen, bench.now)
    });
    bench.play(&[]);
    scale(&mut bench, 4);
    bench.play(&[]);
    assert_eq!((bench.of("v1"), bench.of("v2")), (3, 1));
}
