//! The brake of all groups.

use infrakit_engine::core::{Call, Effect, Event};
use infrakit_spi::rollout::Freeze;

use crate::bench::{Bench, Fate, GROUP, cattle};

/// The brake is on its way to the disk when a plan is made beside it.
#[test]
fn nothing_begins_after_the_brake_of_all_groups_was_acknowledged() {
    let mut bench = Bench::new();
    bench.arrive(cattle(1, "1"));
    let now = bench.now;
    bench.core.set_size(&GROUP.into(), 3, now).unwrap();
    let written = |bench: &mut Bench| {
        let mut calls = 0;
        for effect in bench.core.take_effects() {
            match effect {
                Effect::Journal { batch, .. } => {
                    let outcome = Ok(());
                    let event = Event::Journaled { batch, outcome };
                    bench.core.handle(event, bench.now);
                }
                Effect::Call(Call::Provision { .. }) => calls += 1,
                Effect::Call(_) | Effect::List { .. } => {}
            }
        }
        calls
    };
    written(&mut bench);
    // Asked for, and not on the disk yet, when the group is planned for.
    bench.core.freeze_all(Freeze::Set, now).unwrap();
    bench.core.plan(now);
    let before = written(&mut bench);
    assert_eq!(before, 0);
    assert_eq!(
        written(&mut bench),
        0,
        "creations begin although all is frozen"
    );
}

/// What comes late is not destroyed as long as the group is frozen; out of sight, nobody could thaw it.
#[test]
fn a_frozen_group_that_is_destroyed_stays_in_sight_until_nothing_can_come_of_it() {
    let mut bench = Bench::new();
    bench.fate = Fate::Kept;
    bench.commit(cattle(2, "1"));
    assert_eq!(bench.kept(), 2);
    bench.restart();
    bench.wait(1);
    bench
        .core
        .freeze(&GROUP.into(), Freeze::Set, bench.now)
        .unwrap();
    bench.settle();
    bench.destroy();
    bench.wait(5);
    bench.come_true();
    bench.wait(60);
    assert_eq!(bench.ids().len(), 2);
    bench.fate = Fate::Done;
    let thawed = bench.core.freeze(&GROUP.into(), Freeze::Thaw, bench.now);
    thawed.unwrap();
    bench.wait(600);
    assert!(bench.ids().is_empty(), "{:?}", bench.made);
    assert!(bench.records("remains/").is_empty());
    assert!(bench.records("memory/").is_empty());
}

/// Whoever freed it to commit it anew has not said that it may go on.
#[test]
fn the_brake_of_a_group_outlives_that_it_is_freed_and_committed_anew() {
    for (restarts, open) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut bench = Bench::new();
        bench.arrive(cattle(3, "1"));
        bench.wait(60);
        if open {
            bench.fate = Fate::Kept;
            bench.commit(cattle(4, "1"));
        }
        let now = bench.now;
        bench.core.freeze(&GROUP.into(), Freeze::Set, now).unwrap();
        bench.wait(1);
        bench.free();
        if restarts {
            bench.restart();
        }
        bench.release();
        bench.wait(3 * 3_600);
        let before = bench.ids().len();
        bench.commit(cattle(9, "1"));
        bench.wait(600);
        assert_eq!(bench.ids().len(), before, "{restarts} {open}");
        assert!(bench.memory().frozen.is_some(), "{restarts} {open}");
        let thawed = bench.core.freeze(&GROUP.into(), Freeze::Thaw, bench.now);
        thawed.unwrap();
        bench.wait(60);
        assert_eq!(bench.ids().len(), 9, "{restarts} {open}");
    }
}

/// It has come to its end, and another one of its name is not it.
#[test]
fn the_brake_of_a_group_that_was_destroyed_is_none_of_the_next_one() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    let frozen = bench.core.freeze(&GROUP.into(), Freeze::Set, bench.now);
    frozen.unwrap();
    bench.wait(1);
    bench.destroy();
    bench.wait(5);
    // Somebody deletes them.
    bench.instances.clear();
    bench.wait(300);
    assert!(!bench.core.knows(&GROUP.into()));
    bench.commit(cattle(2, "1"));
    bench.wait(60);
    assert_eq!(bench.ids().len(), 2, "{}", bench.why());
}
