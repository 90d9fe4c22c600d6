//! Ids that a list shows alive twice: no call is made for one, unless a person asks for it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Decided, Lag, Listed, LossPolicy, Phase, Reason, Step, Trust};
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::bench::*;

/// The list that comes next covers another zone.
#[test]
fn a_list_of_another_zone_does_not_tell() {
    for part in [false, true] {
        let mut bench = Bench::new(cattle(2));
        let behaviour = Behaviour {
            domain_of: Some("zone".to_owned()),
            ..Behaviour::default()
        };
        bench.seen.trust(
            &"file".into(),
            Trust::of(&behaviour, &LossPolicy::default()),
        );
        for (id, zone, token) in [
            ("x", "east", "n-9"),
            ("y", "west", "n-3"),
            ("z", "west", "n-4"),
        ] {
            bench.add(and(and(shown(id, "v1"), "zone", zone), tags::TOKEN, token));
            bench.verdict(id, Health::Healthy);
            bench.pass(Duration::from_secs(1));
        }
        // A list shows x twice: it is nothing, but for that.
        assert!(
            bench
                .seen
                .note_doubled(&"file".into(), &["x".into()].into(), true)
        );
        bench.pass(Duration::from_secs(400));
        if part {
            let plugin = "file".into();
            let circumstances = Listed {
                plugin: &plugin,
                started: bench.now,
                now: bench.now,
                lag: Lag::default(),
            };
            let west: Vec<_> = bench
                .list
                .iter()
                .filter(|one| one.id.as_str() != "x")
                .cloned()
                .collect();
            let covers: BTreeSet<String> = ["west".to_owned()].into();
            bench.seen.apply_part(
                &"g".into(),
                (west, Arc::new(covers.into_iter().collect())),
                circumstances,
                NONCE,
            );
        }
        let plan = bench.plan();
        let gone: Vec<_> = destroyed(&plan)
            .into_iter()
            .map(|(id, _)| id.to_owned())
            .collect();
        assert!(!gone.contains(&"x".to_owned()), "part {part}: {gone:?}");
    }
}

/// It failed before the id was shown twice.
#[test]
fn what_failed_is_not_tried_again() {
    let mut bench = Bench::healthy(cattle(2), &["x", "y", "z"]);
    bench.depart("x", Reason::Surplus, Step::Failed(1, bench.now));
    bench
        .seen
        .note_doubled(&"file".into(), &["x".into()].into(), true);
    bench.pass(Duration::from_secs(10));
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), []);
}

/// Nor what a former life of the controller decided.
#[test]
fn nor_is_what_a_former_life_decided() {
    let mut bench = Bench::healthy(cattle(2), &["x", "y", "z"]);
    bench.memory.decided.insert(
        ("file".into(), "x".into()),
        Decided {
            plugin: "file".into(),
            reason: Reason::Surplus,
            begun: long_ago(),
            since: long_ago(),
        },
    );
    bench
        .seen
        .note_doubled(&"file".into(), &["x".into()].into(), true);
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), []);
}

/// The other one may be of another group.
#[test]
fn nor_does_it_go_with_its_group() {
    let mut bench = Bench::healthy(cattle(2), &["x", "y"]);
    bench.memory.phase = Phase::Destroying;
    bench
        .seen
        .note_doubled(&"file".into(), &["x".into()].into(), true);
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("y", Reason::GroupDestroyed)]);
}

/// A label may come to be on the other one.
#[test]
fn nor_is_it_labelled() {
    let mut bench = Bench::healthy(pets(&["a", "b"]), &["x", "y"]);
    bench.memory.naming = true;
    bench
        .seen
        .note_doubled(&"file".into(), &["x".into()].into(), true);
    let plan = bench.plan();
    let labelled: Vec<_> = plan
        .actions
        .iter()
        .filter_map(|action| match action {
            infrakit_plan::Action::Adopt { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(labelled, ["y"]);
}

/// Whoever names it wants it gone.
#[test]
fn a_person_may_ask_for_it() {
    let mut bench = Bench::healthy(cattle(2), &["x", "y"]);
    bench
        .seen
        .note_doubled(&"file".into(), &["x".into()].into(), true);
    bench.memory.doomed.insert("x".into());
    assert_eq!(destroyed(&bench.plan()), [("x", Reason::Requested)]);
}
