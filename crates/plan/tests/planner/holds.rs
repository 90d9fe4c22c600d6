//! Members that somebody holds: what ends that, and what is said of it.

use std::time::Duration;

use infrakit_plan::{ConditionKind, Reason, Step, WaitingOn};

use crate::bench::*;

fn held(bench: &Bench, id: &str) -> bool {
    bench.memory.held.contains(id)
}

#[test]
fn a_hold_outlives_lists_that_lack_its_member() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    bench.memory.held.insert("a".into());
    bench.pass(Duration::from_secs(60));
    bench.remove("a");
    bench.plan();
    bench.pass(Duration::from_secs(600));
    bench.look();
    bench.plan();
    assert!(held(&bench, "a"), "lists may relapse by minutes");
    bench.add(shown("a", "v1"));
    bench.plan();
    assert!(held(&bench, "a") && bench.memory.held_unseen.is_empty());
    bench.remove("a");
    bench.plan();
    bench.pass(Duration::from_secs(3601));
    bench.plan();
    assert!(held(&bench, "a"), "no list was seen since");
    bench.look();
    bench.plan();
    assert!(!held(&bench, "a") && bench.preview().memory.held_unseen.is_empty());
}

#[test]
fn a_held_member_that_keeps_the_group_too_large_is_said() {
    let waits = |bench: &Bench| {
        let on = WaitingOn::Held {
            id: "a".into(),
            count: 1,
            surplus: 1,
        };
        bench.preview().waiting.contains(&on)
    };
    let mut bench = Bench::healthy(cattle(2), &["a"]);
    bench.memory.held.insert("a".into());
    assert!(!waits(&bench), "it need not go");
    bench.spec = cattle(0);
    assert!(waits(&bench) && bench.preview().converged);
    let mut bench = Bench::named(pets(&["b"]), &["a", "b"]);
    bench.memory.held.insert("a".into());
    assert!(waits(&bench));
}

/// Other names are committed, and nothing else: whoever is held has the place of one of them.
#[test]
fn a_held_member_that_has_the_place_of_another_name_is_said() {
    let mut bench = Bench::named(pets(&["a", "b"]), &["a", "b"]);
    bench.memory.held.insert("a".into());
    bench.commit(pets(&["b", "c"]));
    let plan = bench.plan();
    assert_eq!((created(&plan), plan.converged), (vec![], false));
    let scaling = bench.memory.conditions.get(ConditionKind::Scaling).unwrap();
    assert_eq!((scaling.holds, scaling.reason.as_ref()), (true, "Held"));
    assert!(scaling.message.contains("`a`"), "{scaling:?}");
    let degraded = bench.memory.conditions.get(ConditionKind::Degraded);
    assert!(!degraded.unwrap().holds, "it waits for a person");
    bench.memory.held.clear();
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("a", Reason::Unlisted)]);
}

/// How long an old member's drain takes says nothing of new ones.
#[test]
fn no_deadline_runs_while_an_old_member_is_drained() {
    let mut bench = Bench::healthy(cattle(2), &["a", "b"]);
    let more = r#","Updating":{"ProgressDeadline":"2m","OnFailure":"rollback"}"#;
    bench.commit(spec(r#"{"Size":2}"#, "v2", more));
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Outdated)]);
    bench.pass(Duration::from_secs(500));
    bench.look();
    bench.plan();
    assert_eq!(bench.memory.roll.as_ref().unwrap().paused, None);
    let accepted = Step::Accepted(bench.now);
    bench.depart("a", Reason::Outdated, accepted);
    bench.plan();
    bench.pass(Duration::from_secs(121));
    bench.look();
    bench.plan();
    assert!(
        bench.memory.roll.as_ref().unwrap().paused.is_some(),
        "it should be gone by now"
    );
}
