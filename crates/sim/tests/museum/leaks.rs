//! Machines that nobody knows of any more, and state that was lost.

use infrakit_sim::controller::Operation;
use infrakit_sim::faults::Kind;
use infrakit_sim::world::SECOND;
use infrakit_spi::Tags;

use crate::naive::Habit;
use crate::stage::{cattle, exhibit, exhibit_beyond, pets, spec};

/// 3 machines were left on the old plugin, and 3 new ones made on the new one.
#[test]
fn a03_a_group_moves_and_leaves_nobody_behind() {
    exhibit_beyond(Habit::ForgetsTheFormerPlugin, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.commit("g", &spec("b", r#"{"Size":3}"#, "v1", ""));
        stage.settle();
    });
}

/// The first commit after a restart rolled nothing; it took a second one of the same.
#[test]
fn a15_the_first_commit_after_a_restart_counts() {
    exhibit(Habit::FirstCommitIsTheTruth, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.crash();
        stage.commit("g", &cattle(3, "v2"));
        stage.settle();
    });
}

/// Nothing was kept: after a restart the group was nobody's until somebody committed it again.
#[test]
fn a16_a_restart_forgets_nothing() {
    exhibit(Habit::ForgetsAll, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.world.crash(SECOND);
        stage.seconds(5);
        let member = stage.ids("g").remove(0);
        stage.delete(&member);
        stage.settle();
    });
}

/// A group was forgotten first, and then each error of its destruction ignored.
#[test]
fn a19_a_group_is_forgotten_when_its_last_member_is_gone() {
    exhibit(Habit::ForgetsFirst, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.force(Kind::DestroyFails, 2);
        stage.order("g", Operation::Destroy);
        stage.seconds(60);
        stage.settle();
    });
}

/// 60 groups in the store, a controller starts: none was managed.
#[test]
fn x04_a_controller_takes_up_all_its_groups() {
    exhibit(Habit::TakesUpFew, |stage| {
        let groups: Vec<String> = (10..70).map(|number| format!("g{number}")).collect();
        for group in &groups {
            let taken = stage.try_commit(group, &cattle(1, "v1")).is_ok();
            stage.demand(taken, "refused");
        }
        stage.settle();
        stage.crash();
        for group in &groups {
            for member in stage.ids(group) {
                stage.delete(&member);
            }
        }
        stage.settle();
    });
}

/// What was destroyed through the manager was made again by the group.
#[test]
fn x09_a_size_that_was_changed_stays_so_over_a_restart() {
    exhibit(Habit::ForgetsTheSize, |stage| {
        stage.found("g", &cattle(3, "v1"));
        let member = stage.ids("g").remove(1);
        stage.order("g", Operation::DestroyMembers(vec![member]));
        stage.settle();
        stage.crash();
        stage.seconds(2 * 60);
        let count = stage.count("g");
        stage.demand(count == 2, format!("{count} members of 2 after a restart"));
    });
}

/// Killed in mid-update and started again: no roll until somebody committed it a second time.
#[test]
fn x11_an_update_goes_on_after_a_kill() {
    exhibit(Habit::FirstCommitIsTheTruth, |stage| {
        stage.found("g", &cattle(4, "v1"));
        stage.commit("g", &cattle(4, "v2"));
        stage.seconds(12);
        stage.crash();
        stage.commit("g", &cattle(4, "v2"));
        stage.settle();
    });
}

/// Grown and changed at once, and killed in the middle of it.
#[test]
fn x12_growth_survives_a_kill() {
    exhibit(Habit::FirstCommitIsTheTruth, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.commit("g", &cattle(5, "v2"));
        stage.seconds(12);
        stage.crash();
        stage.settle();
        let all = stage.is_all("g", 5, &cattle(5, "v2"));
        stage.demand(all, "it is not 5 of the new configuration");
    });
}

/// Killed while it moves from one plugin to another.
#[test]
fn x13_a_move_survives_a_kill() {
    exhibit_beyond(Habit::ForgetsTheFormerPlugin, |stage| {
        stage.found("g", &pets(&["one", "two", "three"], "v1"));
        let moved = spec("b", r#"{"LogicalIDs":["one","two","three"]}"#, "v1", "");
        stage.commit("g", &moved);
        stage.seconds(12);
        stage.crash();
        stage.settle();
    });
}

/// "Deleting instances that we don't manage."
#[test]
fn d01_strangers_are_left_alone() {
    exhibit(Habit::ListsEverybody, |stage| {
        let stranger = stage.world.by_hand(&"a".into(), None, Tags::new());
        stage.found("g", &cattle(2, "v1"));
        stage.order("g", Operation::SetSize(1));
        stage.settle();
        let there = stage.world.park().machine(&"a".into(), &stranger).is_some();
        stage.demand(there, "a stranger is destroyed");
    });
}

/// A create that was interrupted was made twice.
#[test]
fn d30_a_create_that_a_kill_interrupts_is_made_once() {
    exhibit(Habit::NoJournal, |stage| {
        stage.plugin("a").creation = (12 * SECOND, 12 * SECOND);
        stage.commit("g", &cattle(3, "v1"));
        stage.seconds(4);
        stage.crash();
        stage.settle();
    });
}

/// A leader was lost in mid-creation: 6 orphans in 12 minutes.
#[test]
fn d31_a_change_of_leaders_in_mid_creation_doubles_nobody() {
    exhibit(Habit::NoJournal, |stage| {
        stage.plugin("a").creation = (12 * SECOND, 12 * SECOND);
        stage.commit("g", &cattle(3, "v1"));
        stage.seconds(4);
        stage.world.take_over(0);
        stage.seconds(60);
        stage.settle();
    });
}

/// What was pending had to be edited out of the state by hand.
#[test]
fn d32_what_is_in_doubt_resolves_itself() {
    exhibit(Habit::BlindRetry, |stage| {
        stage.plugin("a").late = 30 * SECOND;
        stage.force_by(Kind::CreateLate, 2, 9_000);
        stage.commit("g", &cattle(3, "v1"));
        stage.seconds(5 * 60);
        let count = stage.count("g");
        stage.demand(count == 3, format!("{count} members of 3"));
        stage.settle();
    });
}

/// A lock was left behind, and somebody had to force it.
#[test]
fn d33_a_dead_controller_leaves_no_lock_behind() {
    exhibit(Habit::LocksTheGroup, |stage| {
        stage.found("g", &cattle(3, "v1"));
        stage.commit("g", &cattle(3, "v2"));
        stage.seconds(5);
        stage.crash();
        stage.settle();
    });
}
