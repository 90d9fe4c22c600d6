//! Members from elsewhere that turn up in mid-rollout, until a person has looked at them.

use std::time::Duration;

use infrakit_plan::{ConditionKind, PausedBy, Reason, Step};
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

fn paused_by(bench: &Bench) -> Option<&PausedBy> {
    let roll = bench.memory.roll.as_ref()?;
    roll.paused.as_ref().map(|pause| &pause.by)
}

/// A rollout of three that waits for approval, with `strays` members from nowhere beside them.
fn with_strays(strays: &[&str]) -> Bench {
    let mut bench = Bench::new(cattle(3));
    bench.play(&[]);
    bench.commit(spec(
        r#"{"Size":3}"#,
        "v2",
        r#","Updating":{"Stages":[{"Until":1,"Approve":true}]}"#,
    ));
    bench.play(&[]);
    for id in strays {
        bench.add(tagged(id, &[(tags::CONFIG_HASH, "other")]));
        bench.verdict(id, Health::Healthy);
    }
    bench
}

/// A person is to look at those first that nobody was shown. Until then they stay, and none of the group's
/// own goes in their place: whoever made them may take them away again.
#[test]
fn beside_members_from_nowhere_nobody_is_too_many() {
    let mut bench = with_strays(&["stray-1", "stray-2"]);
    for _ in 0..3 {
        let plan = bench.plan();
        assert_eq!(destroyed(&plan), []);
        bench.pass(Duration::from_secs(10));
        bench.look();
    }
    assert!(paused_by(&bench).is_some());
    let degraded = bench.memory.conditions.get(ConditionKind::Degraded);
    assert!(!degraded.unwrap().holds, "it waits for a person");
    // A smaller size is the operator's word: of the group's own one goes.
    bench.commit(spec(r#"{"Size":2}"#, "v2", ""));
    let plan = bench.plan();
    assert!(matches!(&destroyed(&plan)[..], [(id, Reason::Surplus)] if !id.starts_with("stray")));
    // Once a person has let it go on, those that nobody here has made are too many.
    let now = bench.now;
    bench.memory.roll.as_mut().unwrap().resume(now);
    let plan = bench.plan();
    let want = [("stray-1", Reason::Surplus), ("stray-2", Reason::Surplus)];
    assert_eq!(destroyed(&plan), want);
}

/// Where nobody is wanted, nobody need be looked at.
#[test]
fn a_size_of_none_waits_for_no_look_at_members_from_nowhere() {
    let mut bench = with_strays(&["stray"]);
    bench.plan();
    assert!(paused_by(&bench).is_some());
    bench.commit(spec(r#"{"Size":0}"#, "v2", ""));
    let plan = bench.plan();
    assert!(
        destroyed(&plan).contains(&("stray", Reason::Surplus)),
        "{plan:?}"
    );
}

/// Whoever holds the stranger to look at it costs the group one of its own.
#[test]
fn a_held_stranger_costs_none_of_the_own() {
    let mut bench = with_strays(&["stray"]);
    assert_eq!(destroyed(&bench.plan()), []);
    assert!(paused_by(&bench).is_some());
    bench.memory.held.insert("stray".into());
    bench.pass(Duration::from_secs(10));
    bench.look();
    assert_eq!(
        destroyed(&bench.plan()),
        [],
        "none of its own goes in its place"
    );
}

/// One of its own whose destruction as surplus failed is wanted again when another one is lost; the
/// stranger is none that it is too many beside.
#[test]
fn a_failed_surplus_is_not_tried_again_beside_a_stranger() {
    for stray in [false, true] {
        let mut bench = with_strays(&[]);
        let ids: Vec<String> = bench.seen.members().map(|one| one.id.to_string()).collect();
        // A fourth, that was too many and could not be destroyed.
        let (extra, lost) = (ids[0].clone(), ids[1].clone());
        bench.add(and(shown("fourth", "v2"), tags::TOKEN, "n-90"));
        bench.verdict("fourth", Health::Healthy);
        bench.depart(&extra, Reason::Surplus, Step::Failed(1, bench.now));
        if stray {
            bench.add(tagged("stray", &[(tags::CONFIG_HASH, "other")]));
            bench.verdict("stray", Health::Healthy);
        }
        bench.remove(&lost);
        let plan = bench.plan();
        assert_eq!(destroyed(&plan), [], "stray: {stray}");
        assert_eq!(spared(&plan), [extra.as_str()], "stray: {stray}");
    }
}

/// The same over a restart, where the record of departures says what was decided.
#[test]
fn what_a_former_life_decided_is_not_done_beside_a_stranger() {
    for stray in [false, true] {
        let mut bench = with_strays(if stray { &["stray"] } else { &[] });
        bench.plan();
        let ids: Vec<String> = bench
            .seen
            .members()
            .filter(|one| one.token.is_some())
            .map(|one| one.id.to_string())
            .collect();
        let decided = infrakit_plan::Decided {
            plugin: "file".into(),
            reason: Reason::Surplus,
            begun: long_ago(),
            since: long_ago(),
        };
        bench.add(and(shown("fourth", "v2"), tags::TOKEN, "n-90"));
        bench.verdict("fourth", Health::Healthy);
        bench
            .memory
            .decided
            .insert(("file".into(), ids[0].as_str().into()), decided);
        bench.remove(&ids[1]);
        bench.pass(Duration::from_secs(600));
        bench.look();
        let plan = bench.plan();
        assert_eq!(destroyed(&plan), [], "stray: {stray}");
    }
}

/// A group that is to grow behind its gates keeps its size; strangers that come and go are no growth.
#[test]
fn strangers_that_come_and_go_open_no_gate() {
    let gated = spec(
        r#"{"Size":10}"#,
        "v2",
        r#","Updating":{"Stages":[{"Until":1,"Approve":true}]}"#,
    );
    let mut bench = Bench::healthy(gated, &["a", "b", "c"]);
    bench.play(&[]);
    assert_eq!((bench.list.len(), bench.of("v2")), (3, 1));
    for id in ["stray-1", "stray-2"] {
        bench.add(tagged(id, &[(tags::CONFIG_HASH, "other")]));
        bench.verdict(id, Health::Healthy);
    }
    bench.plan();
    assert!(paused_by(&bench).is_some());
    bench.pass(Duration::from_secs(3600));
    bench.remove("stray-1");
    bench.remove("stray-2");
    bench.play(&[]);
    assert_eq!((bench.list.len(), bench.of("v2")), (3, 1));
}

/// Of named members, too, be its name wanted or not.
#[test]
fn a_stranger_among_named_members_stays_for_a_look() {
    for name in ["a", "x"] {
        let more = r#","Updating":{"Stages":[{"Until":1,"Approve":true}]}"#;
        let mut bench = Bench::new(pets(&["a", "b", "c"]));
        bench.play(&[]);
        bench.commit(spec(r#"{"LogicalIDs":["a","b","c"]}"#, "v2", more));
        bench.play(&[]);
        let stray = tagged("stray", &[(tags::CONFIG_HASH, "other")]);
        bench.add(and(stray, tags::LOGICAL_ID, name));
        bench.verdict("stray", Health::Healthy);
        let plan = bench.plan();
        assert!(paused_by(&bench).is_some());
        assert_eq!(destroyed(&plan), [], "named {name}");
    }
}

/// Nor is it destroyed for its health.
#[test]
fn a_stranger_that_is_sick_stays_for_a_look() {
    let mut bench = with_strays(&["stray"]);
    bench.plan();
    assert!(paused_by(&bench).is_some());
    bench.pass(Duration::from_secs(400));
    bench.look();
    bench.sicken("stray");
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), []);
}
