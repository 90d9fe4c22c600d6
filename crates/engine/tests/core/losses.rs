//! Lists that lack many members at once.

use std::time::Duration;

use infrakit_engine::core::Call;
use infrakit_spi::Error;
use infrakit_spi::behaviour::{Behaviour, Completeness};
use infrakit_spi::rollout::Freeze;

use crate::bench::{Bench, Fate, GROUP, cattle, named};

/// A group of six, and what its plugin knew.
fn six() -> (Bench, Vec<String>) {
    let mut bench = Bench::new();
    bench.arrive(cattle(6, "1"));
    bench.made.clear();
    let ids = bench.ids().into_iter().map(str::to_owned).collect();
    (bench, ids)
}

/// The answer of a creation is lost. A list that lacks everybody says no more of what
/// it made than of the others.
#[test]
fn a_list_that_lacks_everybody_does_not_settle_what_became_of_creations() {
    let (mut bench, _) = six();
    bench.fate = Fate::Kept;
    bench.commit(cattle(7, "1"));
    let creation = bench.take_creation();
    bench.make(&creation, "i-009");
    bench.fate = Fate::Done;
    bench.stale = Some(std::collections::BTreeMap::new());
    bench.answer(creation, Err(Error::unknown("no answer")));
    bench.wait(45);
    assert_eq!(bench.count("create"), 0, "{}", bench.why());
    bench.stale = None;
    bench.wait(60);
    assert_eq!(bench.ids().len(), 7, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
}

/// One that was made a moment ago is no witness for a plugin that shows nobody: it is on record by itself, and
/// was not shown either.
#[test]
fn a_young_member_that_is_not_shown_vouches_for_nobody() {
    for (members, restarts) in [(2, true), (4, true), (4, false)] {
        let mut bench = Bench::new();
        bench.arrive(cattle(members, "1"));
        bench.wait(120);
        bench.stale = Some(bench.instances.clone());
        bench.commit(cattle(members + 1, "1"));
        bench.made.clear();
        bench.stale = Some(std::collections::BTreeMap::new());
        if restarts {
            bench.restart();
        }
        bench.wait(25);
        assert_eq!(
            bench.count("create"),
            0,
            "{members} {restarts} {}",
            bench.why()
        );
        bench.stale = None;
        bench.wait(60);
        assert!(bench.converged(), "{}", bench.why());
        assert_eq!(bench.count("create"), 0, "{:?}", bench.made);
    }
}

#[test]
fn one_empty_list_does_not_make_a_second_set() {
    let (mut bench, _) = six();
    let all = std::mem::take(&mut bench.instances);
    bench.wait(30);
    assert_eq!(bench.made, Vec::<String>::new());
    assert_eq!(bench.degraded(), (true, "LossDoubted".to_owned()));
    let why = bench.core.why(&GROUP.into(), None, bench.now).unwrap();
    let said = why.lines.join("\n");
    assert!(
        said.contains("a list lacks 6 members that nobody asked to go")
            && said.contains("`infrakit group confirm-loss g`"),
        "{said}"
    );
    bench.instances = all;
    bench.wait(60);
    assert_eq!(bench.made, Vec::<String>::new());
    assert_eq!(bench.ids().len(), 6);
    assert!(bench.converged());
    assert!(!bench.degraded().0);
}

/// Whoever frees a group to commit it anew has not lost its members, whatever a plugin shows meanwhile.
#[test]
fn a_group_that_was_freed_a_moment_ago_is_not_made_a_second_time() {
    for restarts in [false, true] {
        let (mut bench, _) = six();
        bench.free();
        let all = std::mem::take(&mut bench.instances);
        if restarts {
            bench.restart();
        }
        bench.wait(20);
        bench.commit(cattle(6, "1"));
        bench.wait(30);
        assert_eq!(bench.made, Vec::<String>::new(), "{restarts}");
        bench.instances = all;
        bench.wait(60);
        assert_eq!(bench.made, Vec::<String>::new(), "{restarts}");
        assert!(bench.converged(), "{restarts}");
    }
    // Later they have been deleted since, more likely than not.
    let (mut bench, _) = six();
    bench.free();
    bench.instances.clear();
    bench.wait(600);
    bench.commit(cattle(6, "1"));
    bench.wait(20);
    assert_eq!(bench.ids().len(), 6);
}

#[test]
fn a_plugin_that_shows_nobody_is_believed_after_a_minute() {
    let (mut bench, _) = six();
    bench.instances.clear();
    bench.wait(40);
    assert_eq!(bench.ids().len(), 0);
    bench.wait(60);
    assert_eq!(bench.ids().len(), 6);
    assert!(bench.converged());
}

#[test]
fn a_second_list_confirms_what_the_first_one_lacks() {
    let (mut bench, ids) = six();
    for id in &ids[..4] {
        bench.lose(id);
    }
    bench.wait(20);
    assert_eq!(bench.ids().len(), 6);
    assert_eq!(bench.count("create"), 4);
}

#[test]
fn somebody_who_knows_need_not_wait() {
    let (mut bench, _) = six();
    let nothing = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    assert!(
        nothing.details.contains("nothing changes"),
        "{}",
        nothing.details
    );
    bench.instances.clear();
    bench.wait(20);
    assert_eq!(bench.ids().len(), 0);
    let said = bench.core.confirm_loss(&GROUP.into(), bench.now).unwrap();
    assert_eq!(
        said.details,
        "6 members of group 'g' count as gone, and are made again"
    );
    bench.settle();
    assert_eq!(bench.ids().len(), 6);
    assert!(
        bench
            .core
            .confirm_loss(&"nobody".into(), bench.now)
            .is_err()
    );
}

#[test]
fn a_plugin_with_complete_lists_and_durable_memory_is_believed_at_once() {
    let (mut bench, _) = six();
    let mut behaviour = Behaviour::default();
    behaviour.list.complete = Completeness::Yes;
    behaviour.list.durable = Some(true);
    bench.declare("file", behaviour);
    bench.instances.clear();
    bench.wait(11);
    assert_eq!(bench.ids().len(), 6);
}

/// A machine that starts anew starts its plugins with it.
#[test]
fn a_plugin_that_was_started_anew_beside_the_controller_makes_no_second_set() {
    let (mut bench, _) = six();
    let all = std::mem::take(&mut bench.instances);
    bench.restart();
    bench.wait(30);
    assert_eq!(bench.made, Vec::<String>::new());
    assert_eq!(bench.degraded(), (true, "LossDoubted".to_owned()));
    bench.instances = all;
    bench.wait(60);
    assert_eq!(bench.made, Vec::<String>::new());
    assert!(bench.converged() && !bench.degraded().0);
}

#[test]
fn a_doubt_goes_on_over_restarts_and_ends_as_without() {
    let (mut bench, _) = six();
    bench.instances.clear();
    bench.wait(15);
    assert_eq!(bench.degraded(), (true, "LossDoubted".to_owned()));
    let since = |bench: &Bench| {
        let why = bench.why();
        assert!(!why.contains("missing: ;"), "{why}");
        let moment = why.lines().nth(1).and_then(|line| line.split(" (").next());
        moment.unwrap().to_owned()
    };
    let before = since(&bench);
    for _ in 0..9 {
        bench.restart();
        bench.wait(5);
        assert_eq!(since(&bench), before);
    }
    assert_eq!(bench.made, Vec::<String>::new());
    bench.wait(15);
    assert_eq!(bench.count("create"), 6, "{}", bench.why());
}

#[test]
fn members_that_went_while_nobody_looked_are_made_again() {
    let (mut bench, _) = six();
    bench.instances.clear();
    bench.restart();
    bench.wait(100);
    assert_eq!(bench.ids().len(), 6);
    assert!(bench.converged());
}

#[test]
fn a_group_that_was_made_smaller_is_not_missed_after_a_restart() {
    for size in [0, 2] {
        let (mut bench, _) = six();
        bench.commit(cattle(size, "1"));
        bench.wait(30);
        bench.restart();
        bench.wait(1);
        assert!(bench.converged(), "{size}");
        assert_eq!(bench.degraded().1, "AllWell", "{size}");
    }
}

/// Members that were made lately come of age one by one: each is one of many all the same.
#[test]
fn young_members_that_nobody_lists_after_a_restart_are_doubted_together() {
    let mut bench = Bench::new();
    bench.commit(cattle(6, "1"));
    bench.wait(3);
    bench.made.clear();
    bench.instances.clear();
    bench.restart();
    bench.wait(50);
    assert_eq!(bench.made, Vec::<String>::new());
    bench.wait(60);
    assert_eq!(bench.ids().len(), 6);
}

/// What is made in the place of those that are lost may be missing in the next list, too.
#[test]
fn a_plugin_that_shows_nobody_has_a_small_group_made_a_second_time_and_no_third() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.made.clear();
    bench.stale = Some(crate::bench::Instances::new());
    bench.wait(50);
    assert_eq!(bench.count("create"), 2, "{:?}", bench.made);
    bench.stale = None;
    bench.wait(120);
    assert!(bench.converged());
    assert_eq!((bench.ids().len(), bench.count("create")), (2, 2));
}

/// So it is where the controller is started anew before a list of the group was believed.
#[test]
fn nor_when_a_restart_comes_between_its_commit_and_its_first_list() {
    for fails in [false, true] {
        let (mut bench, _) = six();
        bench.free();
        let all = std::mem::take(&mut bench.instances);
        bench.wait(20);
        bench.hold_lists = fails;
        bench.commit(cattle(6, "1"));
        bench.wait(5);
        bench.hold_lists = false;
        bench.restart();
        bench.wait(30);
        assert_eq!(bench.made, Vec::<String>::new(), "{fails}");
        bench.instances = all;
        bench.wait(60);
        assert_eq!(bench.made, Vec::<String>::new(), "{fails}");
        assert!(bench.converged(), "{fails}");
    }
}

/// Nor where it is freed before its first list after a restart was believed.
#[test]
fn nor_when_it_is_freed_while_its_first_list_is_doubted() {
    for fails in [false, true] {
        let (mut bench, _) = six();
        let all = std::mem::take(&mut bench.instances);
        bench.hold_lists = fails;
        bench.restart();
        bench.wait(5);
        bench.free();
        bench.hold_lists = false;
        for held in std::mem::take(&mut bench.lists) {
            bench.answer_list(held, Err(Error::unknown("no answer")));
        }
        bench.commit(cattle(6, "1"));
        bench.wait(30);
        assert_eq!(bench.made, Vec::<String>::new(), "{fails}");
        bench.instances = all;
        bench.wait(60);
        assert_eq!(bench.made, Vec::<String>::new(), "{fails}");
        assert!(bench.converged(), "{fails}");
    }
}

/// The plugin forgets everybody while they are being destroyed, refuses, and knows them again.
#[test]
fn a_destruction_that_is_refused_while_its_member_is_out_of_sight_is_tried_again() {
    let (mut bench, _) = six();
    bench.fate = Fate::Kept;
    bench.commit(cattle(0, "1"));
    assert!(bench.kept() > 0);
    let all = std::mem::take(&mut bench.instances);
    bench.wait(30);
    let kept = bench.take_kept();
    bench.fate = Fate::Done;
    for call in kept {
        let Call::Destroy { subject, .. } = call else {
            panic!("{call:?}");
        };
        bench.answer_destruction(subject, Err(Error::refused("no such instance")));
    }
    bench.instances = all;
    bench.wait(900);
    assert!(bench.ids().is_empty(), "{:?} {}", bench.made, bench.why());
}

#[test]
fn what_is_kept_of_groups_that_were_freed_is_not_kept_for_ever() {
    let (mut bench, _) = six();
    bench.core.free(&GROUP.into(), bench.now).unwrap();
    bench.settle();
    bench.now = bench.now + Duration::from_secs(32 * 86_400);
    assert_eq!(bench.records("freed/"), ["freed/g"]);
    bench.commit(named("h", cattle(1, "1")));
    bench.wait(60);
    bench.core.free(&"h".into(), bench.now).unwrap();
    bench.settle();
    assert_eq!(bench.records("freed/"), ["freed/h"]);
}

/// It makes some while it has forgotten all others: they are no witnesses.
#[test]
fn a_plugin_that_shows_only_those_that_it_made_since_shows_nobody() {
    for size in [6, 9] {
        let (mut bench, _) = six();
        bench.wait(60);
        bench.made.clear();
        let all = std::mem::take(&mut bench.instances);
        let note = if size == 6 { "2" } else { "1" };
        bench.commit(cattle(size, note));
        bench.wait(40);
        let made = bench.count("create");
        assert!(made <= 3, "{size}: {:?} {}", bench.made, bench.why());
        bench.instances.extend(all);
        bench.wait(300);
        assert!(bench.count("create") <= 6, "{size}: {:?}", bench.made);
        assert!(bench.converged(), "{size}: {}", bench.why());
    }
}

/// Whoever frees a group that is being destroyed keeps what is left.
#[test]
fn nor_when_it_was_being_destroyed_when_it_was_freed() {
    let (mut bench, _) = six();
    let now = bench.now;
    bench.core.freeze(&GROUP.into(), Freeze::Set, now).unwrap();
    bench.settle();
    bench.core.destroy(&GROUP.into()).unwrap();
    bench.settle();
    bench.core.free(&GROUP.into(), bench.now).unwrap();
    bench.settle();
    let all = std::mem::take(&mut bench.instances);
    bench.commit(cattle(6, "1"));
    bench.wait(30);
    assert_eq!(bench.made, Vec::<String>::new());
    bench.instances = all;
    bench.wait(60);
    assert_eq!(bench.made, Vec::<String>::new());
}

/// One that was asked to go is no loss.
#[test]
fn as_many_are_named_as_are_missed() {
    let (mut bench, _) = six();
    bench.ask_to_go("i-001");
    bench.fate = Fate::Done;
    bench.instances.clear();
    bench.wait(30);
    let said = bench.why();
    assert!(said.contains("a list lacks 5 members"), "{said}");
    let named = "missing: `i-002`, `i-003`, `i-004` and 2 more;";
    assert!(said.contains(named), "{said}");
}

/// Two more than one that was asked to go are a group of three.
#[test]
fn those_that_were_asked_to_go_are_missed_with_the_others_after_a_restart() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.wait(60);
    bench.fate = Fate::Lost;
    bench.commit(cattle(3, "2"));
    let all = std::mem::take(&mut bench.instances);
    bench.crash();
    bench.made.clear();
    bench.wait(30);
    assert_eq!(bench.made, Vec::<String>::new(), "{}", bench.why());
    bench.instances = all;
    bench.wait(120);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.ids().len(), 3);
}

/// That those are shown which go anyway says nothing of the others.
#[test]
fn a_first_list_that_shows_only_those_that_go_is_doubted() {
    let mut bench = Bench::new();
    bench.arrive(cattle(10, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(6, "1"));
    bench.wait(10);
    let kept = bench.take_kept().into_iter();
    let going = kept.filter_map(|call| match call {
        Call::Destroy { subject, .. } => Some(subject.id),
        _ => None,
    });
    let going: Vec<_> = going.collect();
    assert_eq!(going.len(), 4, "{going:?}");
    let all = bench.instances.clone();
    bench.instances.retain(|(_, id), _| going.contains(id));
    bench.restart();
    bench.wait(30);
    let created = bench.kept_by_group();
    assert!(created.is_empty(), "{created:?} {}", bench.why());
    bench.instances = all;
    bench.release();
    bench.wait(120);
    assert_eq!(bench.count("create"), 10, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
}
