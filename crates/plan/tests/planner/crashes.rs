//! Members that die as soon as they were made, and the pause that follows.

use std::time::Duration;

use infrakit_plan::{ConditionKind, EarlyDeath, Plan, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

fn die(bench: &mut Bench, number: u64) {
    let death = EarlyDeath {
        number,
        hash: bench.spec.hash.clone(),
        answered: bench.now,
        message: format!("`i-{number}` was gone"),
    };
    let size = bench.spec.size.count();
    bench.memory.note_early_death(&death, size, bench.now);
}

fn loops(plan: &Plan) -> bool {
    let degraded = plan.memory.conditions.get(ConditionKind::Degraded);
    degraded.is_some_and(|said| said.holds && said.reason == "CrashLoop")
}

#[test]
fn five_early_deaths_a_minute_are_made_good_at_once_and_the_sixth_is_not() {
    let mut bench = Bench::new(cattle(3));
    for number in 0..5 {
        die(&mut bench, number);
    }
    let plan = bench.preview();
    assert_eq!(created(&plan).len(), 3);
    assert!(!loops(&plan));
    die(&mut bench, 5);
    let plan = bench.plan();
    assert_eq!(created(&plan).len(), 0);
    assert!(loops(&plan), "{:?}", plan.memory.conditions);
    let said = plan.waiting.iter().find_map(|on| match on {
        WaitingOn::CrashLoop { until, last } => Some((*until, last.as_str())),
        _ => None,
    });
    let (until, last) = said.expect("it is waited for");
    assert_eq!(last, "`i-5` was gone");
    assert!(until > bench.now && until <= at(1));
    bench.now = until;
    assert_eq!(created(&bench.preview()).len(), 3);
}

#[test]
fn after_a_pause_no_more_are_tried_than_are_made_good_at_once() {
    let mut bench = Bench::new(cattle(100));
    for number in 0..11 {
        die(&mut bench, number);
    }
    assert_eq!(created(&bench.plan()).len(), 0);
    bench.pass(Duration::from_secs(2));
    assert_eq!(created(&bench.plan()).len(), 10);
    assert_eq!(created(&bench.plan()).len(), 0, "they are being tried");
}

#[test]
fn a_member_that_lives_ends_it() {
    let mut bench = Bench::new(cattle(1));
    for number in 0..20 {
        die(&mut bench, number);
        bench.pass(Duration::from_secs(5));
    }
    bench.pass(Duration::from_secs(300));
    bench.look();
    let plan = bench.plan();
    bench.create(&plan, &["a"]);
    bench.verdict("a", Health::Healthy);
    assert!(loops(&bench.preview()), "it may die yet");
    bench.pass(Duration::from_secs(10));
    bench.look();
    bench.verdict("a", Health::Healthy);
    assert!(!loops(&bench.preview()));
}

/// They were there before; what takes the new ones away does nothing to them.
#[test]
fn elder_members_that_are_well_do_not_end_it() {
    let mut bench = Bench::new(cattle(3));
    for id in ["a", "b"] {
        bench.add(and(
            shown(id, "v1"),
            tags::TOKEN,
            &format!("n-{}", id.len()),
        ));
        bench.verdict(id, Health::Healthy);
    }
    bench.pass(Duration::from_secs(3600));
    bench.look();
    for number in 10..16 {
        die(&mut bench, number);
    }
    let plan = bench.preview();
    assert!(loops(&plan) && created(&plan).is_empty());
}

/// No `FailureThreshold` is set, nor is a rollout under way.
#[test]
fn sick_new_members_are_not_made_again_without_end() {
    let health = r#","Health":{"GracePeriod":"1s"}"#;
    let mut bench = Bench::new(spec(r#"{"Size":2}"#, "v1", health));
    bench.add(shown("old", "v1"));
    let mut replaced = 0;
    for round in 0..30 {
        let plan = bench.plan();
        let name = format!("x{round}");
        match created(&plan).len() {
            0 => {}
            _ => bench.create(&plan, &[&name]),
        }
        bench.pass(Duration::from_secs(2));
        bench.look();
        bench.verdict("old", Health::Healthy);
        let ids: Vec<String> = bench.list.iter().map(|one| one.id.to_string()).collect();
        for id in ids.iter().filter(|id| *id != "old") {
            bench.verdicts(id, 14, Health::Unhealthy);
        }
        let plan = bench.plan();
        for (id, _) in destroyed(&plan) {
            replaced += 1;
            bench.remove(id);
        }
    }
    assert!((6..=12).contains(&replaced), "{replaced} in a minute");
    assert!(loops(&bench.preview()));
}
