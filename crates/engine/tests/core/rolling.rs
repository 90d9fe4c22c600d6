//! What commits mean for the rollout under way.

use std::time::Duration;

use infrakit_plan::{Direction, PausedBy, RollResult};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Lifecycle, Listing};
use infrakit_spi::rollout::{Command, Freeze, Hold};
use infrakit_spi::{Error, FailureClass, tags};

use crate::bench::{Bench, Fate, GROUP, cattle, spec};

fn with(size: u64, note: &str, updating: &str) -> GroupSpec {
    let more = format!(r#","Updating":{updating}"#);
    spec(&format!(r#"{{"Size":{size}}}"#), ("file", note), &more)
}

/// Its plugin shows states in lists, and says nothing of them in answers; its flavor looks at nothing,
/// and finds everybody healthy.
#[test]
fn members_that_still_come_up_replace_nobody() {
    let mut bench = Bench::undeclared();
    bench.first_state = Lifecycle::Running;
    bench.arrive(with(3, "1", "{}"));
    bench.first_state = Lifecycle::Pending;
    bench.commit(with(3, "2", "{}"));
    bench.wait(120);
    let running = |bench: &Bench| {
        let all = bench.instances.values();
        all.filter(|one| one.state == Lifecycle::Running).count()
    };
    assert_eq!((running(&bench), bench.ids().len()), (2, 3));
    bench.first_state = Lifecycle::Running;
    for one in bench.instances.values_mut() {
        one.state = Lifecycle::Running;
    }
    bench.wait(120);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(notes(&bench, "2"), 3);
}

/// Stops at a canary, and has one member of the former configuration die.
const CANARY: &str = r#"{"Stages":[{"Until":"20%","Approve":true}]}"#;

fn notes(bench: &Bench, note: &str) -> usize {
    let made = bench.made.iter();
    made.filter(|call| call.starts_with("create") && call.contains(&format!("\"{note}\"")))
        .count()
}

#[test]
fn a_failed_rollout_goes_back_by_itself_once() {
    let mut bench = Bench::new();
    let updating = r#"{"OnFailure":"rollback"}"#;
    bench.arrive(with(4, "1", updating));
    let error = Error::refused("no such image").with_class(FailureClass::Configuration);
    bench.refused.insert("\"2\"".to_owned(), error);
    bench.commit(with(4, "2", updating));
    bench.wait(120);
    assert!(bench.converged(), "{:?}", bench.memory().conditions);
    let memory = bench.memory();
    assert_eq!(memory.revision, 3, "one commit went back");
    assert_eq!(memory.outcomes[&2].result, RollResult::RolledBack);
    assert_eq!(memory.outcomes[&3].result, RollResult::Completed);
    let raw = bench.core.committed_specs().remove(0).properties.unwrap();
    assert!(raw.as_str().contains(r#""Note":"1""#), "{}", raw.as_str());
    assert!(raw.as_str().contains("rollback"), "the rest stays as it is");
    // Only the one that had made way for a canary was made anew.
    assert_eq!((notes(&bench, "1"), bench.count("destroy")), (5, 1));
}

#[test]
fn the_way_back_is_found_after_a_crash_before_its_commit() {
    let mut bench = Bench::new();
    let updating = r#"{"OnFailure":"rollback"}"#;
    bench.arrive(with(3, "1", updating));
    let error = Error::refused("no such image").with_class(FailureClass::Configuration);
    bench.refused.insert("\"2\"".to_owned(), error);
    bench.fate = Fate::Kept;
    bench.commit(with(3, "2", updating));
    bench.wait(5);
    bench.crash();
    bench.wait(300);
    assert!(bench.converged(), "{:?}", bench.memory().conditions);
    assert_eq!(bench.memory().revision, 3);
}

#[test]
fn a_way_back_that_fails_pauses() {
    let mut bench = Bench::new();
    let updating = r#"{"OnFailure":"rollback","Stages":[{"Until":"40%","Approve":true}]}"#;
    bench.arrive(with(5, "1", updating));
    bench.commit(with(5, "2", updating));
    bench.wait(60);
    assert_eq!(notes(&bench, "2"), 2);
    let error = Error::refused("no such image").with_class(FailureClass::Configuration);
    bench.refused.insert("Note".to_owned(), error);
    // A new one: that the former configuration fails says nothing of the rollout.
    let id = bench.ids()[4].to_owned();
    bench.lose(&id);
    bench.wait(600);
    let memory = bench.memory();
    assert_eq!(memory.revision, 3);
    let roll = memory.roll.unwrap();
    assert_eq!(roll.direction, Direction::Back);
    assert_eq!(roll.paused.unwrap().by, PausedBy::Rollback);
    assert_eq!(roll.former, None);
}

#[test]
fn the_size_alone_leaves_a_rollout_as_it_is_and_does_not_wait_for_it() {
    let mut bench = Bench::new();
    bench.arrive(with(5, "1", CANARY));
    bench.commit(with(5, "2", CANARY));
    bench.wait(120);
    let before = bench.memory().roll.unwrap();
    assert_eq!(notes(&bench, "2"), 1);
    bench.scale(8);
    bench.wait(120);
    let after = bench.memory().roll.unwrap();
    assert_eq!(
        (after.begun, after.former, after.hold),
        (before.begun, before.former, None)
    );
    assert_eq!(bench.ids().len(), 8);
    assert_eq!(notes(&bench, "2"), 2, "a fifth of eight");
}

/// Of a group that was freed nobody knows what its members were made from.
#[test]
fn a_group_that_is_freed_and_committed_behind_a_gate_grows_once_that_is_behind_it() {
    for (committed, restarts) in [(5, false), (8, false), (8, true)] {
        let mut bench = Bench::new();
        bench.arrive(with(5, "1", CANARY));
        bench.wait(60);
        bench.free();
        bench.wait(600);
        bench.commit(with(committed, "2", CANARY));
        bench.wait(120);
        assert_eq!(
            (notes(&bench, "2"), bench.ids().len()),
            (1, 5),
            "{committed} {} {:?}",
            bench.why(),
            bench.memory().roll
        );
        if restarts {
            bench.restart();
        }
        for size in [3, 9] {
            bench.scale(size);
            bench.wait(120);
        }
        let there = bench.ids().len();
        assert_eq!((notes(&bench, "2"), there), (1, 3), "{committed}");
        let approve = infrakit_spi::rollout::Command::Approve;
        bench
            .core
            .steer(&GROUP.into(), &approve, bench.now)
            .unwrap();
        bench.wait(600);
        assert_eq!(notes(&bench, "2"), 9, "{}", bench.why());
        assert!(bench.converged(), "{}", bench.why());
    }
}

#[test]
fn who_grows_and_changes_at_once_grows_afterwards() {
    let mut bench = Bench::new();
    bench.arrive(with(5, "1", CANARY));
    bench.commit(with(7, "2", CANARY));
    bench.wait(120);
    assert_eq!(bench.memory().roll.unwrap().hold, Some(5));
    assert_eq!(bench.ids().len(), 5);
    bench.scale(9);
    bench.wait(60);
    assert_eq!(bench.memory().roll.unwrap().hold, Some(7));
    assert_eq!(bench.ids().len(), 7);
}

/// As many as there are go on serving, whatever size was asked for in between.
#[test]
fn who_was_about_to_go_counts_for_the_size_that_a_rollout_keeps() {
    let mut bench = Bench::new();
    bench.arrive(with(5, "1", "{}"));
    bench.fate = Fate::Kept;
    bench.scale(2);
    bench.wait(1);
    assert_eq!((bench.kept(), bench.ids().len()), (3, 5));
    bench.commit(with(7, "2", "{}"));
    bench.wait(1);
    assert_eq!(bench.memory().roll.unwrap().hold, Some(5));
    bench.commit(with(5, "3", "{}"));
    bench.wait(1);
    assert_eq!(bench.memory().roll.unwrap().hold, None);
}

#[test]
fn a_canary_stays_a_canary_however_often_the_size_changes() {
    let mut bench = Bench::new();
    bench.arrive(with(10, "1", CANARY));
    bench.commit(with(10, "2", CANARY));
    bench.wait(120);
    for round in 0..25 {
        let size = 11 + round % 2;
        bench.core.set_size(&GROUP.into(), size, bench.now).unwrap();
        bench.wait(30);
    }
    bench.crash();
    let id = bench.first();
    bench.lose(&id);
    bench.wait(60);
    let made = bench.count("create");
    assert_eq!(notes(&bench, "2"), 3, "a fifth of eleven, and no more");
    assert!(made > 14, "{made}");
    assert_eq!(bench.records("history/").len(), 20);
}

#[test]
fn a_rollout_that_is_replaced_is_said_to_be_and_the_last_good_one_is_kept() {
    let mut bench = Bench::new();
    bench.arrive(with(5, "1", CANARY));
    bench.commit(with(5, "2", CANARY));
    bench.wait(60);
    bench.commit(with(5, "3", CANARY));
    bench.wait(60);
    let memory = bench.memory();
    assert_eq!(memory.outcomes[&2].result, RollResult::Superseded);
    assert_eq!(memory.roll.unwrap().former.unwrap().revision, 1);
}

#[test]
fn the_same_spec_lets_an_aborted_rollout_go_on_and_a_size_does_not() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(3, "2"));
    bench.fate = Fate::Done;
    bench.crash();
    // As an operator's abort leaves it.
    let mut memory = bench.memory();
    let (_, _, spec) = bench.core.revisions(&GROUP.into()).last().unwrap();
    memory.aborted = Some(spec.hash.clone());
    memory.roll = None;
    write(&bench, &memory);
    bench.core = bench.another();
    bench.wait(60);
    assert!(notes(&bench, "2") <= 1, "it stands where it was aborted");
    bench.scale(4);
    bench.wait(60);
    let rolled = notes(&bench, "2");
    assert!(rolled <= 2 && bench.memory().aborted.is_some());
    let again = bench.core.committed_specs().remove(0);
    bench.commit(again.clone());
    bench.wait(120);
    assert!(bench.converged());
    assert_eq!(bench.memory().aborted, None);
    assert_eq!(bench.commit(again), "Noop");
}

fn write(bench: &Bench, memory: &infrakit_plan::Memory) {
    use infrakit_store::{Change, Durability, Store as _};
    let change = Change::put_value("memory/g", memory).unwrap();
    let written = bench.store.commit(vec![change], Durability::Synced);
    futures_util::FutureExt::now_or_never(written)
        .unwrap()
        .unwrap();
}

/// The machine was suspended, or its clock set: what has passed for the controller says nothing of what a
/// person sees on the wall.
#[test]
fn windows_open_by_the_clock_on_the_wall() {
    let hours = |hours: i64| hours * 3_600_000_000_000;
    // It is 1:46 at first.
    let windows = r#"{"Windows":[{"Cron":"0 9 * * *","Duration":"1h"}]}"#;
    let mut bench = Bench::new();
    bench.arrive(with(3, "1", windows));
    let begun = bench.now;
    bench.commit(with(3, "2", windows));
    bench.wait(60);
    assert_eq!(notes(&bench, "2"), 0);
    bench.core.tell_wall(hours(7));
    bench.wait(300);
    assert_eq!(notes(&bench, "2"), 0, "it is 8:52");
    assert!(
        bench.why().contains("opens at 2001-09-09T09:00:00Z"),
        "{}",
        bench.why()
    );
    bench.wait(1_200);
    assert_eq!(notes(&bench, "2"), 3, "it was 9:00");
    assert!(bench.now.since(begun) < Duration::from_secs(3_600));
    // Set back beyond the beginning of the window, it is closed.
    bench.core.tell_wall(hours(-1));
    bench.commit(with(3, "3", windows));
    bench.wait(600);
    assert_eq!(notes(&bench, "3"), 0);
}

/// The store has no room when a rollout goes back, and the controller ends before that is tried again.
#[test]
fn a_way_back_that_could_not_be_written_is_found_after_a_crash() {
    let mut bench = refused_way_back();
    bench.changed();
    bench.settle();
    bench.crash();
    bench.wait(300);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.memory().revision, 3);
}

/// Somebody has said meanwhile what is to become of it.
#[test]
fn a_way_back_that_could_not_be_written_is_not_gone_when_somebody_ends_the_rollout() {
    let mut bench = refused_way_back();
    let aborted = bench.core.steer(&GROUP.into(), &Command::Abort, bench.now);
    aborted.unwrap();
    bench.wait(300);
    let memory = bench.memory();
    assert_eq!(memory.revision, 2, "{}", bench.why());
    assert_eq!(memory.outcomes[&2].result, RollResult::Aborted);
}

/// Whoever holds or freezes it at that moment has said nothing of the way back.
#[test]
fn a_way_back_that_could_not_be_written_outlives_what_is_asked_for_meanwhile() {
    for (crashes, freezes) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut bench = refused_way_back();
        if freezes {
            let frozen = bench.core.freeze(&GROUP.into(), Freeze::Set, bench.now);
            frozen.unwrap();
        } else {
            let first = bench.first();
            bench.hold(&first, Hold::Set);
        }
        bench.settle();
        if crashes {
            bench.crash();
        }
        bench.wait(300);
        if freezes {
            let why = bench.why();
            assert_eq!(bench.memory().revision, 2, "nothing is begun: {why}");
            assert!(why.contains("the group is frozen"), "{why}");
            if crashes {
                bench.crash();
            }
            let thawed = bench.core.freeze(&GROUP.into(), Freeze::Thaw, bench.now);
            thawed.unwrap();
            bench.wait(300);
        }
        let said = format!("{crashes} {freezes}: {}", bench.why());
        assert_eq!(bench.memory().revision, 3, "{said}");
        assert!(bench.converged(), "{said}");
    }
}

/// A rollout that has failed and goes back, which the store has just refused.
fn refused_way_back() -> Bench {
    let mut bench = Bench::new();
    let updating = r#"{"OnFailure":"rollback"}"#;
    bench.arrive(with(3, "1", updating));
    let error = Error::refused("no such image").with_class(FailureClass::Configuration);
    bench.refused.insert("\"2\"".to_owned(), error);
    bench.fate = Fate::Kept;
    bench.commit(with(3, "2", updating));
    bench.wait(1);
    bench.release_some(1);
    bench.wait(15);
    assert_eq!(bench.kept(), 1, "the creation");
    bench.full = true;
    bench.release();
    assert_eq!(bench.memory().revision, 2);
    bench.full = false;
    bench
}

/// The group is known by its record only when it is committed, and nobody has come since: its members were
/// made by a former record of it.
#[test]
fn a_commit_before_the_first_list_of_a_life_is_not_paused_by_who_was_there() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.free();
    bench.arrive(cattle(2, "1"));
    bench.wait(30);
    bench.hold_lists = true;
    bench.restart();
    bench.commit(cattle(2, "2"));
    bench.settle();
    bench.hold_lists = false;
    for list in std::mem::take(&mut bench.lists) {
        let all = bench.all();
        bench.answer_list(list, Ok(Listing::Changed(all, None)));
    }
    bench.wait(300);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.count("create"), 4, "{:?}", bench.made);
}

/// Somebody who pauses a rollout that waits for a look at a stranger means it: it does not go on by itself
/// when that is gone.
#[test]
fn a_pause_by_a_person_outlives_the_stranger() {
    let more = r#","Updating":{"Stages":[{"Until":1,"Approve":true}]}"#;
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    bench.commit(spec(r#"{"Size":3}"#, ("file", "2"), more));
    bench.wait(60);
    let tags = [(tags::GROUP, "g"), (tags::CONFIG_HASH, "other")];
    let tags = tags.map(|(tag, value)| (tag.to_owned(), value.to_owned()));
    bench.plant("file", "stray", tags.into());
    bench.wait(60);
    assert!(bench.memory().roll.unwrap().paused.is_some());
    let id = GROUP.into();
    let said = bench
        .core
        .steer(&id, &Command::Pause, bench.now)
        .unwrap()
        .details;
    bench.wait(60);
    bench.lose("stray");
    bench.wait(120);
    assert!(
        bench.memory().roll.unwrap().paused.is_some(),
        "it was answered: {said}"
    );
}
