//! Creations: found, in doubt, lost, and the pause after failures.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Failures, LossPolicy, Phase, Trust, WaitingOn};
use infrakit_spi::behaviour::AbsentProof;
use infrakit_spi::tags;

use crate::bench::*;

#[test]
fn a_listed_token_answers_for_the_creation() {
    for doubt in [None, DOUBT] {
        let mut bench = Bench::new(cattle(1));
        bench.intend(7, None).doubt = doubt;
        assert!(created(&bench.preview()).is_empty());
        bench.add(and(shown("a", "v1"), tags::TOKEN, "n-7"));
        let plan = bench.plan();
        assert!(plan.memory.intents.is_empty() && created(&plan).is_empty() && plan.converged);
    }
}

#[test]
fn tokens_of_another_record_answer_nothing() {
    let mut bench = Bench::new(cattle(2));
    bench.intend(7, None);
    bench.add(and(shown("a", "v1"), tags::TOKEN, "other-7"));
    assert_eq!(bench.plan().memory.intents.len(), 1);
}

#[test]
fn two_instances_of_one_token_are_one_too_many() {
    let mut bench = Bench::new(cattle(1));
    bench.intend(7, None);
    bench.add(and(shown("a", "v1"), tags::TOKEN, "n-7"));
    bench.add(and(shown("b", "v1"), tags::TOKEN, "n-7"));
    bench.all_are_well();
    assert_eq!(destroyed(&bench.plan()).len(), 1);
}

#[test]
fn only_a_list_from_after_the_moment_settles_a_doubt() {
    let mut bench = Bench::new(cattle(1));
    bench.intend(7, None).doubt = DOUBT;
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), plan.wake_at), (0, Some(at(15))));
    // The moment has come, but the only list is from before it: planning again is no help.
    bench.now = at(20);
    bench.look_from(at(14));
    let plan = bench.plan();
    assert_eq!((created(&plan).len(), plan.wake_at), (0, None));
    assert_eq!(
        plan.waiting,
        [WaitingOn::Observation, WaitingOn::Creations { count: 1 }]
    );
    bench.look_from(at(15));
    let plan = bench.plan();
    assert!(plan.memory.intents.is_empty());
    // A lost creation counts as a failed one.
    let until = plan.wake_at.expect("it is tried again");
    assert_eq!(created(&plan).len(), 0);
    assert!(until > at(20) && until <= at(21), "{until:?}");
    assert_eq!(plan.waiting, [WaitingOn::Backoff { until, failures: 1 }]);
    bench.now = until;
    assert_eq!(created(&bench.plan()).len(), 1);
}

#[test]
fn the_next_list_after_an_unchanged_one_settles_too() {
    let mut bench = Bench::new(cattle(1));
    bench.intend(7, None).doubt = DOUBT;
    bench.now = at(16);
    bench.seen.unchanged(&"file".into(), at(15), at(15));
    assert!(bench.plan().memory.intents.is_empty());
}

#[test]
fn a_creation_under_way_is_never_given_up() {
    let mut bench = Bench::new(cattle(1));
    bench.intend(7, None);
    bench.now = at(100_000);
    bench.look();
    let plan = bench.plan();
    assert_eq!((plan.memory.intents.len(), created(&plan).len()), (1, 0));
}

#[test]
fn creations_pause_after_failures_and_the_rest_goes_on() {
    let mut bench = Bench::healthy(cattle(3), &["a"]);
    bench.fail();
    let plan = bench.plan();
    assert!(created(&plan).is_empty());
    let until = plan.wake_at.expect("it is tried again");
    assert!(until > at(0) && until <= at(1), "{until:?}");
    assert_eq!(plan.waiting, [WaitingOn::Backoff { until, failures: 1 }]);
    bench.spec = cattle(0);
    assert_eq!(destroyed(&bench.plan()).len(), 1);
}

/// What cannot succeed is not tried by the whole group each time.
#[test]
fn after_each_failure_half_as_many_are_tried() {
    let mut bench = Bench::new(cattle(40));
    let mut tried = Vec::new();
    for _ in 0..5 {
        tried.push(created(&bench.plan()).len());
        assert!(created(&bench.plan()).is_empty(), "they are under way");
        bench.memory.intents.clear();
        bench.fail();
        bench.pass(Duration::from_secs(300));
    }
    assert_eq!(tried, [40, 20, 10, 5, 5]);
    bench.plan();
    let begun = bench.now;
    let hash = bench.spec.hash.clone();
    bench.memory.creation.succeed(&hash, begun);
    assert_eq!(created(&bench.plan()).len(), 35, "all of the others");
}

#[test]
fn while_creations_fail_nothing_that_serves_is_replaced() {
    let mut bench = Bench::healthy(cattle(3), &["a", "b"]);
    bench.fail();
    bench.spec = spec(r#"{"Size":3}"#, "v2", "");
    assert!(destroyed(&bench.plan()).is_empty());
}

#[test]
fn a_pause_noted_by_a_clock_set_back_is_not_kept() {
    let mut bench = Bench::new(cattle(1));
    let (now, later) = (bench.now, bench.now + Duration::from_secs(1_000_000));
    bench.now = later;
    bench.fail();
    bench.now = now;
    assert_eq!(created(&bench.plan()).len(), 1);
}

#[test]
fn success_ends_the_pause() {
    let mut bench = Bench::new(cattle(1));
    bench.fail();
    bench.now = at(1);
    bench.plan();
    bench.add(and(shown("a", "v1"), tags::TOKEN, "n-100"));
    assert_eq!(bench.plan().memory.creation, Failures::default());
}

#[test]
fn memory_survives_being_stored_apart_from_intents() {
    let mut bench = Bench::healthy(cattle(2), &["a"]);
    bench.memory.doomed.insert("a".into());
    bench.memory.roll = Some(infrakit_plan::Roll {
        hold: Some(4),
        ..infrakit_plan::Roll::default()
    });
    bench.fail();
    let text = serde_json::to_string(&bench.memory).unwrap();
    let back: infrakit_plan::Memory = serde_json::from_str(&text).unwrap();
    assert_eq!(back, bench.memory);
    let oldest = r#"{"group":"g","nonce":"n","next_token":3}"#;
    let memory: infrakit_plan::Memory = serde_json::from_str(oldest).unwrap();
    assert_eq!(memory.next_token, 3);
}

/// Where no list proves that a member is gone, one that is missing is no list that lacks too many.
#[test]
fn one_that_is_missing_for_good_keeps_no_creation_open() {
    let mut behaviour = gives_up_at_once();
    behaviour.absent_proof = AbsentProof::Never;
    let mut bench = Bench::healthy(cattle(4), &["w", "x", "y", "z"]);
    bench.config.undeclared = Arc::new(behaviour.clone());
    bench.seen.trust(
        &"file".into(),
        Trust::of(&behaviour, &LossPolicy::default()),
    );
    bench.pass(Duration::from_secs(100));
    bench.memory.phase = Phase::Freed;
    bench.intend(7, None).doubt = DOUBT;
    bench.remove("x");
    for _ in 0..100 {
        bench.pass(Duration::from_secs(3600));
        bench.look();
        bench.plan();
    }
    assert!(
        bench.memory.intents.is_empty(),
        "{:?}",
        bench.memory.intents
    );
}
