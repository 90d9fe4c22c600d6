//! What is remembered of an id is about one member, not about whoever has its id.

use infrakit_plan::{CommitChange, MemoryChange, Reason, Repair};
use infrakit_spi::tags;

use crate::bench::*;

fn made(id: &str, token: &str) -> infrakit_spi::instance::Description {
    and(shown(id, "v1"), tags::TOKEN, token)
}

#[test]
fn a_successor_with_the_same_id_is_neither_held_nor_doomed_nor_repaired() {
    let mut bench = Bench::new(cattle(2));
    bench.add(made("a", "n-1"));
    bench.add(made("b", "n-2"));
    bench.memory.held.insert("a".into());
    bench.memory.doomed.insert("b".into());
    bench.memory.repairs.0.insert("a".into(), Repair::default());
    bench.plan();
    assert_eq!(bench.memory.lives.len(), 2);
    // Its plugin gives the ids to others before a list could lack them.
    bench.list.clear();
    bench.add(made("a", "n-8"));
    bench.add(made("b", "n-9"));
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty(), "{:?}", plan.actions);
    let memory = &plan.memory;
    assert!(memory.held.is_empty() && memory.doomed.is_empty() && memory.lives.is_empty());
    assert!(memory.repairs.0.is_empty());
}

#[test]
fn one_with_the_same_id_on_another_plugin_is_another_one() {
    let mut bench = Bench::new(cattle(1));
    bench.add(made("a", "n-1"));
    bench.memory.doomed.insert("a".into());
    let plan = bench.plan();
    let gone = destroyed(&plan);
    bench.homes.insert("a".into(), "other".into());
    bench.memory.homes.insert("other".into());
    bench.look();
    let plan = bench.plan();
    let again = destroyed(&plan).into_iter();
    let requested = again.filter(|(_, reason)| *reason == Reason::Requested);
    assert_eq!(requested.count(), 0, "it is not the one that {gone:?} was");
}

/// A group whose held member `a` is gone, and that has another `a` on another plugin.
fn a_hold_that_is_left_over() -> Bench {
    let mut bench = Bench::new(cattle(1));
    bench.add(made("a", "n-1"));
    bench.memory.held.insert("a".into());
    bench.plan();
    bench.pass(std::time::Duration::from_secs(60));
    bench.remove("a");
    bench.plan();
    assert!(bench.seen.is_empty() && bench.memory.held.contains("a"));
    bench.homes.insert("a".into(), "other".into());
    bench.memory.homes.insert("other".into());
    bench.add(made("a", "n-7"));
    bench.plan();
    bench
}

#[test]
fn whoever_is_held_is_held() {
    let mut bench = a_hold_that_is_left_over();
    MemoryChange::Hold("a".into()).apply(&mut bench.memory);
    bench.plan();
    let member = bench.seen.get(&"a".into()).unwrap();
    assert!(bench.memory.is_held(member), "{:?}", bench.memory.lives);
}

#[test]
fn whoever_is_named_goes() {
    let mut bench = a_hold_that_is_left_over();
    let commit = CommitChange {
        doomed: ["a".into()].into(),
        ..CommitChange::default()
    };
    MemoryChange::Commit(Box::new(commit)).apply(&mut bench.memory);
    bench.memory.homes.insert("other".into());
    bench.spec = cattle(0);
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("a", Reason::Requested)]);
}
