//! How rollouts end, what is remembered of them, and what keeps them from ending.

use std::time::Duration;

use infrakit_plan::{
    ConditionKind, Decided, Former, Outcome, PausedBy, Phase, Reason, Roll, RollResult, Spec, Step,
    Timestamp, WaitingOn,
};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

fn v2(more: &str) -> Spec {
    spec(r#"{"Size":4}"#, "v2", &format!(r#","Updating":{{{more}}}"#))
}

fn rolled(more: &str) -> Bench {
    let mut bench = Bench::new(cattle(4));
    bench.memory.revision = 1;
    bench.play(&[]);
    bench.commit(v2(more));
    bench
}

#[test]
fn a_last_stage_that_is_the_whole_group_bakes_to_its_end() {
    let mut bench = rolled(r#""Stages":[{"Until":"50%"},{"Until":"100%","Bake":"10m"}]"#);
    let played = bench.play(&[]);
    assert_eq!(played.gone.len(), 4);
    assert!(!played.last().converged && bench.memory.roll.is_some());
    let bakes = |on: &WaitingOn| matches!(on, WaitingOn::Bake { stage: 2, .. });
    assert!(played.last().waiting.iter().any(bakes));
    bench.pass(Duration::from_secs(601));
    bench.look();
    assert!(bench.play(&[]).last().converged && bench.memory.roll.is_none());
}

#[test]
fn a_stage_that_can_reach_no_more_members_is_complete() {
    let mut bench = rolled(r#""Stages":[{"Until":"50%"},{"Until":"100%"}]"#);
    let held = bench.list[3].id.clone();
    bench.memory.held.insert(held);
    let played = bench.play(&[]);
    assert_eq!(played.gone.len(), 3);
    assert!(played.last().converged && bench.memory.roll.is_none());
}

#[test]
fn an_aborted_rollout_of_which_nothing_is_left_keeps_nobody_waiting() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.memory.aborted = Some(bench.spec.hash.clone());
    let plan = bench.preview();
    assert!(plan.converged && plan.waiting.is_empty());
}

#[test]
fn only_a_group_as_specified_makes_its_revision_a_good_one() {
    let outcomes = |bench: &Bench| bench.preview().memory.outcomes;
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.memory.revision = 7;
    let good = Outcome {
        result: RollResult::Completed,
        at: bench.now,
        note: String::new(),
    };
    assert_eq!(outcomes(&bench), [(7, good.clone())].into());
    // Once it is known to be good, it stays that with its moment.
    bench.memory.outcomes = outcomes(&bench);
    bench.pass(Duration::from_secs(5));
    assert_eq!(outcomes(&bench), [(7, good)].into());

    let mut missing = Bench::healthy(cattle(2), &["a"]);
    missing.intend(1, None);
    assert!(outcomes(&missing).is_empty());
    let mut unproved = Bench::healthy(cattle(2), &["a"]);
    unproved.add(shown("b", "v1"));
    assert!(outcomes(&unproved).is_empty());
    let mut aborted = Bench::healthy(cattle(2), &["a", "b"]);
    aborted.memory.aborted = Some(aborted.spec.hash.clone());
    assert!(outcomes(&aborted).is_empty());
    let mut destroyed = Bench::new(cattle(0));
    destroyed.memory.phase = Phase::Destroying;
    assert!(outcomes(&destroyed).is_empty());
}

#[test]
fn the_outcomes_of_twenty_revisions_are_remembered() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.memory.revision = 30;
    for revision in 1..=25 {
        let outcome = Outcome {
            result: RollResult::Superseded,
            at: at(revision),
            note: String::new(),
        };
        bench.memory.outcomes.insert(revision, outcome);
    }
    let kept: Vec<u64> = bench.preview().memory.outcomes.into_keys().collect();
    let want: Vec<u64> = (7..=25).chain([30]).collect();
    assert_eq!(kept, want);
}

/// A rollout of the first releases had no moment of its beginning: it begins now, and holds.
#[test]
fn a_rollout_without_a_beginning_is_given_one_and_keeps_its_hold() {
    let mut bench = Bench::healthy(v2(""), &["a", "b"]);
    bench.pass(Duration::from_secs(9));
    bench.memory.roll = Some(Roll {
        hold: Some(2),
        ..Roll::default()
    });
    let roll = bench.plan().memory.roll.unwrap();
    assert_eq!((roll.begun, roll.hold), (at(9), Some(2)));
    bench.pass(Duration::from_secs(9));
    assert_eq!(bench.plan().memory.roll.unwrap().begun, at(9), "only once");
    assert_ne!(roll.begun, Timestamp::default());
}

/// As many as there are go on serving, whatever size was asked for in between.
#[test]
fn a_rollout_keeps_whoever_is_there_beyond_the_size_that_it_holds() {
    for (hold, kept) in [(Some(1), Some(3)), (Some(0), Some(0)), (None, None)] {
        let five = spec(r#"{"Size":5}"#, "v2", "");
        let mut bench = Bench::healthy(five, &["a", "b", "c"]);
        bench.depart("c", Reason::Surplus, Step::Accepted(at(0)));
        bench.memory.roll = Some(Roll {
            hold,
            ..Roll::begin(&bench.seen, bench.now)
        });
        assert_eq!(bench.preview().memory.roll.unwrap().hold, kept);
    }
    let mut bench = Bench::healthy(v2(""), &["a", "b", "c", "d"]);
    bench.memory.roll = Some(Roll {
        hold: Some(1),
        ..Roll::begin(&bench.seen, bench.now)
    });
    assert_eq!(bench.preview().memory.roll.unwrap().hold, None);
}

#[test]
fn a_hold_ends_with_its_rollout_and_not_before() {
    let mut bench = Bench::healthy(v2(""), &["a"]);
    bench.add(and(shown("x", "v2"), tags::TOKEN, "n-1"));
    bench.verdict("x", Health::Healthy);
    bench.memory.roll = Some(Roll {
        hold: Some(2),
        ..Roll::begin(&bench.seen, bench.now)
    });
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    bench.pass(Duration::from_secs(1));
    bench.remove("a");
    let plan = bench.plan();
    assert_eq!(created(&plan).len(), 1, "only the place of `a` is filled");
    bench.create(&plan, &["y"]);
    assert!(created(&bench.plan()).is_empty(), "`y` has to prove itself");
    bench.verdict("y", Health::Healthy);
    assert_eq!(created(&bench.plan()).len(), 2);
}

/// What comes of a creation may fail yet: the bake begins when it has proved itself.
#[test]
fn a_stage_is_not_complete_while_its_last_member_is_being_made() {
    let mut bench = Bench::healthy(v2(r#""Stages":[{"Until":"100%","Bake":"10m"}]"#), &[]);
    for (id, token) in [("x", "n-1"), ("y", "n-2"), ("z", "n-3")] {
        bench.add(and(shown(id, "v2"), tags::TOKEN, token));
    }
    bench.all_are_well();
    bench.memory.roll = Some(Roll::begin(&bench.seen, bench.now));
    let complete = |bench: &Bench| bench.preview().memory.roll.unwrap().complete;
    let mut coming = bench.clone();
    coming.intend(4, None);
    assert_eq!(complete(&coming), None);
    let mut failing = bench.clone();
    failing.fail();
    assert_eq!(complete(&failing), None, "one is missing");
    bench.add(and(shown("w", "v2"), tags::TOKEN, "n-4"));
    assert_eq!(complete(&bench), None, "it has yet to prove itself");
    bench.verdict("w", Health::Healthy);
    assert_eq!(complete(&bench), Some(bench.now));
}

#[test]
fn a_rollout_waits_for_outdated_members_to_be_gone_and_for_no_others() {
    let group = |note: &str| {
        let mut bench = Bench::healthy(v2(""), &[]);
        for id in ["w", "x", "y", "z"] {
            bench.add(shown(id, "v2"));
        }
        bench.add(shown("leaving", note));
        bench.all_are_well();
        bench.memory.roll = Some(Roll::begin(&bench.seen, bench.now));
        let accepted = infrakit_plan::Step::Accepted(at(0));
        bench.depart("leaving", Reason::Surplus, accepted);
        bench
    };
    assert!(group("v1").preview().memory.roll.is_some());
    assert!(group("v2").preview().memory.roll.is_none());
    let mut pets = Bench::named(spec(r#"{"LogicalIDs":["a"]}"#, "v1", ""), &["a"]);
    pets.add(shown("nobodys", "v0"));
    let accepted = infrakit_plan::Step::Accepted(at(0));
    pets.depart("nobodys", Reason::Requested, accepted);
    pets.memory.roll = Some(Roll::begin(&pets.seen, pets.now));
    assert!(pets.preview().memory.roll.is_none());
}

#[test]
fn each_proof_gives_a_rollout_all_of_its_time_again() {
    let mut bench = rolled(r#""ProgressDeadline":"2m""#);
    let new = hash("v2");
    bench.play(&[&new]);
    let paused = |bench: &Bench| bench.memory.roll.as_ref().unwrap().paused.is_some();
    bench.pass(Duration::from_secs(100));
    let fresh = bench.list.last().unwrap().id.to_string();
    bench.verdict(&fresh, Health::Healthy);
    bench.play(&[&new]);
    bench.pass(Duration::from_secs(100));
    bench.play(&[&new]);
    assert!(!paused(&bench), "the first one came forward 100 s ago");
    bench.pass(Duration::from_secs(21));
    bench.play(&[&new]);
    assert!(paused(&bench));
}

#[test]
fn failures_pause_a_rollout_only_where_somebody_counts_them() {
    for (more, failed, pauses) in [
        ("", 9, false),
        (r#""OnFailure":"rollback""#, 1, true),
        (r#""Stages":[{"Until":1}]"#, 1, true),
        (r#""FailureThreshold":2"#, 1, false),
        (r#""FailureThreshold":2"#, 2, true),
        (r#""FailureThreshold":"50%""#, 1, false),
        (r#""FailureThreshold":"50%""#, 2, true),
        (r#""FailureThreshold":2,"OnFailure":"continue""#, 9, false),
    ] {
        let mut bench = rolled(more);
        bench.memory.roll.as_mut().unwrap().failed = failed;
        let roll = bench.plan().memory.roll.unwrap();
        assert_eq!(roll.paused.is_some(), pauses, "{failed}: {more}");
    }
}

#[test]
fn a_stage_is_complete_when_it_reaches_its_number_and_not_when_one_has_proved_itself() {
    let mut bench = rolled(r#""Stages":[{"Until":2,"Bake":"10m"}]"#);
    let one = bench.list[0].id.to_string();
    assert_eq!(destroyed(&bench.plan()), [(&*one, Reason::Outdated)]);
    bench.remove(&one);
    let plan = bench.plan();
    bench.create(&plan, &["x"]);
    bench.verdict("x", Health::Healthy);
    let plan = bench.plan();
    assert_eq!(plan.memory.roll.as_ref().unwrap().complete, None);
    assert_eq!(destroyed(&plan).len(), 1);
}

#[test]
fn a_rollout_lasts_until_those_are_gone_that_a_former_life_let_go() {
    let mut bench = Bench::healthy(spec(r#"{"Size":1}"#, "v2", ""), &["a"]);
    bench.memory.roll = Some(Roll::begin(&bench.seen, bench.now));
    bench.add(shown("x", "v2"));
    bench.verdict("x", Health::Healthy);
    let decided = Decided {
        plugin: "file".into(),
        reason: Reason::Outdated,
        begun: long_ago(),
        since: long_ago(),
    };
    let key = (decided.plugin.clone(), "a".into());
    bench.memory.decided.insert(key, decided);
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("a", Reason::Outdated)]);
    assert!(plan.memory.roll.is_some());
    bench.remove("a");
    assert!(bench.plan().memory.roll.is_none());
}

#[test]
fn a_group_that_surges_grows_at_once_whoever_is_about_to_go() {
    let surges = spec(r#"{"Size":3}"#, "v2", r#","Updating":{"MaxSurge":2}"#);
    let mut bench = Bench::healthy(surges, &["a", "b"]);
    bench.memory.doomed.insert("a".into());
    bench.memory.urgent.insert("a".into());
    bench.memory.roll = Some(Roll {
        hold: Some(1),
        ..Roll::begin(&bench.seen, bench.now)
    });
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("a", Reason::Requested)]);
    let made = created(&plan).len();
    assert!(
        created(&bench.plan()).is_empty(),
        "{made} were made at first"
    );
}

/// A held member keeps the place of an identity that is wanted: the group has its size, and not that one.
#[test]
fn an_identity_that_a_held_member_keeps_from_being_made_keeps_the_rollout_from_its_end() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.memory.held.insert("b".into());
    let more = r#","Updating":{"ProgressDeadline":"10m"}"#;
    bench.commit(spec(r#"{"LogicalIDs":["a","d"]}"#, "v2", more));
    let played = bench.play(&[]);
    assert_eq!(played.gone, [("a".to_owned(), Reason::Outdated)]);
    bench.pass(Duration::from_secs(3_600));
    bench.look();
    let plan = bench.plan();
    let roll = plan.memory.roll.as_ref().expect("it goes on");
    assert_eq!(
        roll.paused, None,
        "no deadline runs while a person is waited for"
    );
    assert!(!plan.converged && plan.memory.outcomes.is_empty());
    let rolling = plan
        .memory
        .conditions
        .get(ConditionKind::RollingOut)
        .unwrap();
    assert_eq!((rolling.holds, &*rolling.reason), (true, "Held"));
    assert!(
        rolling.message.contains("are held, first `b`"),
        "{}",
        rolling.message
    );
    bench.memory.held.clear();
    let played = bench.play(&[]);
    assert!(played.last().converged && bench.memory.roll.is_none());
    assert_eq!(played.last().memory.outcomes.len(), 1);
}

/// So it is where the configuration stays as it was, and no rollout is under way.
#[test]
fn a_revision_of_which_an_identity_is_not_there_is_not_known_to_be_good() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.memory.held.insert("b".into());
    bench.commit(pets(&["a", "d"]));
    let played = bench.play(&[]);
    assert!(played.gone.is_empty() && played.last().memory.outcomes.is_empty());
    bench.memory.held.clear();
    assert_eq!(bench.play(&[]).last().memory.outcomes.len(), 1);
}

/// A member that is only kept by the budget waits for the new ones, and no person for it: the deadline runs.
#[test]
fn a_deadline_runs_where_a_place_is_kept_since_a_new_member_does_not_come_up() {
    let more = r#","Updating":{"ProgressDeadline":"10m"}"#;
    let mut bench = Bench::new(spec(r#"{"LogicalIDs":["a","c"]}"#, "v2", more));
    for id in ["a", "b"] {
        bench.add(and(shown(id, "v2"), tags::LOGICAL_ID, id));
    }
    bench.verdict("b", Health::Healthy);
    bench.verdict("a", Health::Unknown);
    bench.memory.roll = Some(Roll {
        former: Some(Former {
            revision: 1,
            hash: bench.spec.hash.clone(),
            plugin: "file".into(),
        }),
        ..Roll::begin(&bench.seen, bench.now)
    });
    for _ in 0..30 {
        let plan = bench.plan();
        assert!(destroyed(&plan).is_empty(), "{:?}", plan.actions);
        bench.pass(Duration::from_secs(60));
        bench.verdict("b", Health::Healthy);
        bench.verdict("a", Health::Unknown);
        bench.look();
    }
    let roll = bench.memory.roll.as_ref().expect("it goes on");
    let paused = roll.paused.as_ref().map(|pause| &pause.by);
    assert_eq!(paused, Some(&PausedBy::Deadline));
}
