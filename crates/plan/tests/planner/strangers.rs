//! Members from elsewhere that turn up in mid-rollout, until a person has looked at them.

use std::time::Duration;

use infrakit_plan::{ConditionKind, Decided, Pause, PausedBy, Reason, Step};
use infrakit_spi::flavor::Health;
use infrakit_spi::{PluginName, tags};

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

/// A person keeps it for a look while the rollout stands still for another reason: it is not the group that needs
/// one less.
#[test]
fn one_that_is_held_before_the_rollout_saw_it_costs_none_of_the_own() {
    for frozen in [false, true] {
        let mut bench = with_strays(&[]);
        let now = bench.now;
        let by = PausedBy::Operator;
        let roll = bench.memory.roll.as_mut().unwrap();
        roll.paused = (!frozen).then_some(Pause { by, since: now });
        bench.memory.frozen = frozen.then_some(now);
        bench.add(tagged("stray", &[(tags::CONFIG_HASH, "other")]));
        bench.verdict("stray", Health::Healthy);
        assert_eq!(destroyed(&bench.plan()), []);
        bench.memory.held.insert("stray".into());
        bench.memory.frozen = None;
        bench.pass(Duration::from_secs(10));
        bench.look();
        let plan = bench.plan();
        let surplus = destroyed(&plan);
        let surplus = surplus.iter().find(|(_, why)| *why == Reason::Surplus);
        assert_eq!(surplus, None, "frozen {frozen}");
    }
}

/// The same where a list shows its id twice, so that nobody may touch it.
#[test]
fn nor_does_one_whose_id_is_shown_twice() {
    let mut bench = with_strays(&["stray"]);
    bench.plan();
    bench
        .seen
        .note_doubled(&"file".into(), &["stray".into()].into(), true);
    bench.pass(Duration::from_secs(10));
    assert_eq!(destroyed(&bench.plan()), []);
}

/// Named members a, b and c of which one has moved on, with members from elsewhere beside them.
fn named_with_strays(strays: &[(&str, Option<&str>)]) -> Bench {
    let mut bench = Bench::new(pets(&["a", "b", "c"]));
    bench.play(&[]);
    bench.commit(spec(r#"{"LogicalIDs":["a","b","c"]}"#, "v2", NAMED));
    bench.play(&[]);
    for (id, name) in strays {
        let stray = tagged(id, &[(tags::CONFIG_HASH, "other")]);
        bench.add(match name {
            Some(name) => and(stray, tags::LOGICAL_ID, name),
            None => stray,
        });
        bench.verdict(id, Health::Healthy);
    }
    bench
}

const NAMED: &str = r#","Updating":{"MaxUnavailable":1,"Stages":[{"Until":1,"Approve":true}]}"#;

/// Names change while the rollout waits for a look at two from elsewhere: those may be taken away again.
#[test]
fn renamed_members_go_one_by_one_beside_strangers() {
    for strays in [&[][..], &[("x", Some("x")), ("y", Some("y"))]] {
        let mut bench = named_with_strays(strays);
        bench.plan();
        bench.pass(Duration::from_secs(600));
        bench.look();
        bench.commit(spec(r#"{"LogicalIDs":["d","e","f"]}"#, "v2", NAMED));
        let mut gone = Vec::new();
        for _ in 0..3 {
            let plan = bench.plan();
            gone.extend(destroyed(&plan).into_iter().map(|(id, _)| id.to_owned()));
        }
        assert!(gone.len() <= 1, "{strays:?}: {gone:?}");
    }
}

/// It was decided while another of its own group had the name, which is gone since.
#[test]
fn the_only_own_one_of_a_name_does_not_go_for_a_stranger() {
    for decided in [false, true] {
        let mut bench = named_with_strays(&[("stray", Some("a"))]);
        let mut all = bench.seen.members();
        let own = all.find(|one| one.logical_id == Some("a".into()) && one.token.is_some());
        let own = own.unwrap().id.clone();
        drop(all);
        let reason = Reason::Duplicate;
        if decided {
            let (begun, since) = (long_ago(), long_ago());
            let plugin: PluginName = "file".into();
            let decided = Decided {
                plugin: plugin.clone(),
                reason,
                begun,
                since,
            };
            bench.memory.decided.insert((plugin, own), decided);
        } else {
            bench.depart(own.as_str(), reason, Step::Failed(1, bench.now));
        }
        bench.pass(Duration::from_secs(600));
        bench.look();
        bench.verdict("stray", Health::Healthy);
        assert_eq!(destroyed(&bench.plan()), [], "decided {decided}");
    }
}

/// Like members are being given names: one from elsewhere is not of them before somebody has looked.
#[test]
fn one_without_a_name_gets_none_and_makes_no_way() {
    let mut bench = named_with_strays(&[]);
    bench.memory.naming = true;
    bench.add(tagged("stray", &[(tags::CONFIG_HASH, "other")]));
    bench.verdict("stray", Health::Healthy);
    for _ in 0..3 {
        let plan = bench.plan();
        assert_eq!(destroyed(&plan), []);
        bench.pass(Duration::from_secs(10));
        bench.look();
    }
}
