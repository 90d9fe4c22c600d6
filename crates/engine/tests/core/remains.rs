//! What is under way outlives the record of its group.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use infrakit_engine::core::{Call, Effect};
use infrakit_plan::Asked;
use infrakit_spi::Error;
use infrakit_spi::behaviour::{AnswerMeans, IdempotencyKind, Seconds};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{Tags, tags};

use crate::bench::{Bench, Fate, GROUP, cattle, spec};

fn pets() -> GroupSpec {
    spec(r#"{"LogicalIDs":["a","b"]}"#, ("file", "1"), "")
}

/// Nothing of the group is on record but how many members it had.
fn is_clean(bench: &Bench) {
    let left = bench.records("");
    let known = ["freed/g", "plugins/file", "term"];
    assert!(
        left.iter().all(|key| known.contains(&key.as_str())),
        "{left:?}"
    );
}

#[test]
fn a_group_that_is_freed_and_committed_anew_comes_once() {
    for group in [cattle(4, "1"), pets()] {
        let mut bench = Bench::undeclared();
        bench.fate = Fate::Kept;
        bench.commit(group.clone());
        let begun = bench.kept();
        bench.free();
        bench.wait(3);
        bench.commit(group.clone());
        assert_eq!(bench.kept(), begun);
        bench.wait(3);
        assert_eq!(bench.kept(), begun);
        bench.release();
        bench.wait(60);
        assert!(bench.converged());
        assert_eq!(bench.count("create"), begun);
        assert_eq!(bench.records("remains/"), Vec::<String>::new());
    }
}

#[test]
fn so_it_does_when_the_controller_is_started_anew_in_between() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(pets());
    bench.free();
    bench.restart();
    bench.wait(3);
    bench.commit(pets());
    bench.wait(3);
    bench.restart();
    bench.wait(30);
    assert_eq!(bench.kept(), 2);
    bench.come_true();
    bench.fate = Fate::Done;
    bench.wait(60);
    assert!(bench.converged());
    assert_eq!((bench.count("create"), bench.names().len()), (2, 2));
}

#[test]
fn a_group_freed_committed_as_empty_and_destroyed_leaves_nobody() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(cattle(4, "1"));
    bench.free();
    bench.commit(cattle(0, "1"));
    bench.destroy();
    bench.settle();
    bench.restart();
    bench.wait(2);
    assert!(
        !bench.core.knows(&GROUP.into()),
        "nothing but doubt is left"
    );
    bench.come_true();
    bench.fate = Fate::Done;
    bench.wait(60);
    assert_eq!(bench.ids(), Vec::<&str>::new());
    bench.wait(600);
    is_clean(&bench);
}

#[test]
fn who_comes_late_to_a_destroyed_group_goes_too_through_restarts() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(cattle(2, "1"));
    bench.restart();
    bench.destroy();
    bench.wait(5);
    assert!(!bench.core.knows(&GROUP.into()));
    bench.restart();
    bench.wait(300);
    bench.come_true();
    bench.fate = Fate::Done;
    bench.wait(30);
    assert_eq!((bench.count("create"), bench.count("destroy")), (2, 2));
    assert_eq!(bench.ids(), Vec::<&str>::new());
    bench.wait(600);
    is_clean(&bench);
}

#[test]
fn who_comes_late_to_a_freed_group_is_left_alone_and_named() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(4, "1"));
    bench.free();
    let why = bench.why();
    assert!(why.contains("was freed at"), "{why}");
    assert!(why.contains("2 creations may still come true"), "{why}");
    bench.release();
    bench.wait(30);
    assert_eq!((bench.ids().len(), bench.count("destroy")), (4, 0));
    let why = bench.why();
    assert!(why.contains("`i-003`, `i-004` came after that"), "{why}");
    bench.restart();
    bench.wait(30);
    let why = bench.why();
    assert!(why.contains("`i-003`, `i-004` came after that"), "{why}");
    // Whoever takes them away ends it.
    bench.lose("i-003");
    bench.lose("i-004");
    bench.wait(60);
    is_clean(&bench);
}

#[test]
fn a_group_without_anything_under_way_leaves_nothing() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.free();
    is_clean(&bench);
    bench.arrive(cattle(2, "1"));
    assert_eq!(bench.count("create"), 2);
}

/// The controller may start anew at any moment, and finds what the store has: were the group forgotten
/// before, its records would be those of the next one of its id.
#[test]
fn a_group_is_known_until_the_store_has_forgotten_it() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.destroy();
    bench.fate = Fate::Kept;
    bench.settle();
    bench.full = true;
    bench.release();
    bench.wait(5);
    assert_eq!(bench.ids().len(), 0);
    assert!(bench.core.knows(&GROUP.into()));
    bench.full = false;
    bench.wait(60);
    assert!(!bench.core.knows(&GROUP.into()));
    is_clean(&bench);
}

#[test]
fn so_is_what_remains_of_one() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(2, "1"));
    bench.free();
    bench.full = true;
    bench.release();
    bench.wait(300);
    assert_eq!(bench.records("departures/").len(), 1);
    // Committed now, it takes over what the store still has.
    bench.full = false;
    bench.commit(cattle(2, "1"));
    bench.wait(60);
    assert_eq!(bench.records("departures/"), Vec::<String>::new());
    assert_eq!((bench.count("destroy"), bench.ids().len()), (1, 2));
}

/// What was written down of who goes must not outlive them: their ids may be those of others by then.
#[test]
fn records_of_those_who_went_go_once_there_is_room() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(2, "1"));
    assert_eq!(bench.records("departures/").len(), 1);
    bench.full = true;
    bench.release();
    bench.wait(60);
    bench.full = false;
    bench.wait(60);
    assert_eq!(bench.records("departures/"), Vec::<String>::new());
}

/// If they were still in the store, they would be those of the next group of its id, once the
/// controller starts anew.
#[test]
fn records_of_a_group_that_went_are_not_those_of_the_next_one() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.fate = Fate::Kept;
    let gone = ["i-001".into()];
    bench
        .core
        .destroy_instances_now(&GROUP.into(), &gone, bench.now)
        .unwrap();
    bench.settle();
    bench.destroy();
    bench.settle();
    // The disk is full for a moment, just when it is done.
    bench.full = true;
    bench.release();
    bench.wait(5);
    bench.full = false;
    bench.wait(60);
    assert!(bench.core.groups().next().is_none());
    bench.answered = Some("i-001".into());
    bench.commit(cattle(1, "1"));
    let mut tags = Tags::from([
        (tags::GROUP.to_owned(), GROUP.to_owned()),
        (tags::TOKEN.to_owned(), "nonce-0".to_owned()),
    ]);
    let hash = infrakit_plan::Spec::parse(cattle(1, "1").properties.as_ref())
        .unwrap()
        .hash;
    tags.insert(tags::CONFIG_HASH.to_owned(), hash.to_string());
    bench.plant("file", "i-001", tags);
    bench.answered = None;
    bench.wait(60);
    let before = bench.count("destroy");
    bench.crash();
    bench.wait(300);
    assert_eq!(bench.count("destroy"), before, "{:?}", bench.made);
}

/// Of both records the revisions would begin at 1, and what was asked for in the first of the former one
/// would be asked for again with what the first of this one says.
#[test]
fn a_creation_of_a_former_record_is_not_asked_for_again_with_other_content() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.create.give_up = None;
        behaviour.idempotency.kind = IdempotencyKind::Token;
    });
    let again = Rc::new(Cell::new(0));
    let counted = Rc::clone(&again);
    bench.witness = Some(Box::new(move |effect| {
        if let Effect::Call(Call::Provision { provision, .. }) = effect
            && provision.asked == Asked::Again
        {
            counted.set(counted.get() + 1);
        }
    }));
    bench
        .refused
        .insert("1".to_owned(), Error::unknown("connection reset"));
    bench.commit(cattle(1, "1"));
    bench.free();
    assert_eq!(again.get(), 0);
    bench.refused.clear();
    // Another size: the flavor is shown another allocation.
    bench.commit(cattle(5, "1"));
    bench.wait(30);
    bench.crash();
    bench.wait(30);
    assert_eq!(again.get(), 0, "after a commit it is only waited for");
    assert_eq!(bench.memory().revision, 2, "revisions go on");
}

/// They are on another plugin than the group is now, and hold the names until they are gone.
#[test]
fn a_group_that_is_committed_elsewhere_waits_for_those_that_are_on_their_way_out() {
    let pets = |plugin| spec(r#"{"LogicalIDs":["a","b"]}"#, (plugin, "1"), "");
    let mut bench = Bench::declaring(|behaviour| behaviour.tombstone = Some(Seconds(3_600.0)));
    bench.tombs = true;
    bench.arrive(pets("old"));
    bench.wait(60);
    bench.destroy();
    bench.wait(10);
    assert!(!bench.core.knows(&GROUP.into()));
    bench.commit(pets("new"));
    bench.wait(60);
    assert_eq!(bench.count("create"), 2, "{}", bench.why());
    bench.tombs = false;
    bench.instances.clear();
    bench.wait(120);
    assert_eq!((bench.on("old"), bench.on("new")), (0, 2));
    assert!(bench.converged(), "{}", bench.why());
}

/// The plugin has answered, and no list has shown yet what it promised.
#[test]
fn members_that_no_list_has_shown_are_taken_over_where_the_group_is_committed_elsewhere() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.create.answer_means = AnswerMeans::Accepted;
        behaviour.create.give_up = Some(Seconds(300.0));
    });
    bench.stale = Some(bench.instances.clone());
    bench.commit(pets());
    bench.wait(5);
    assert_eq!(bench.count("create"), 2);
    bench.free();
    bench.wait(5);
    bench.commit(spec(r#"{"LogicalIDs":["a","b"]}"#, ("other", "1"), ""));
    bench.wait(30);
    assert_eq!(bench.count("create"), 2, "{}", bench.why());
    bench.stale = None;
    bench.wait(600);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(
        (bench.on("file"), bench.on("other")),
        (0, 2),
        "{:?}",
        bench.made
    );
}

/// Its last creation came true after the group was freed in the middle of a move, and the group goes back.
#[test]
fn who_came_late_is_taken_over_where_the_group_is_committed_elsewhere() {
    let surge = r#","Updating":{"MaxSurge":1}"#;
    let on = |plugin| spec(r#"{"Size":2}"#, (plugin, "1"), surge);
    let mut bench = Bench::undeclared();
    bench.arrive(on("file"));
    bench.wait(30);
    bench.fate = Fate::Kept;
    bench.commit(on("other"));
    assert_eq!(bench.kept(), 1);
    bench.free();
    bench.release();
    bench.wait(60);
    assert_eq!((bench.on("file"), bench.on("other")), (2, 1));
    bench.watch_extremes();
    bench.commit(on("file"));
    bench.wait(120);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(
        (bench.on("file"), bench.on("other")),
        (2, 0),
        "{:?}",
        bench.made
    );
    assert!(bench.extremes.1 <= 3, "{:?}", bench.extremes);
}

/// What a plugin only accepted may come as late as it may take; who looks for what is left finds it.
#[test]
fn what_was_only_accepted_is_named_after_its_group_was_destroyed() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.create.answer_means = AnswerMeans::Accepted;
        behaviour.create.give_up = Some(Seconds(600.0));
    });
    bench.stale = Some(BTreeMap::new());
    bench.commit(cattle(1, "1"));
    bench.wait(5);
    bench.destroy();
    bench.wait(60);
    let said =
        "the last list lacks `i-001`, and may be older; one from after 2001-09-09T01:56:55Z tells";
    assert!(bench.why().contains(said), "{}", bench.why());
    bench.restart();
    bench.wait(5);
    assert!(bench.why().contains(said), "{}", bench.why());
    bench.stale = None;
    bench.wait(60);
    assert!(!bench.core.knows(&GROUP.into()), "{}", bench.why());
    assert_eq!(bench.ids(), Vec::<&str>::new());
}

/// While it is listed, too: who looks for what is left need not wait until it is out of sight.
#[test]
fn the_open_creations_of_a_group_that_is_being_destroyed_are_named() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(5, "1"));
    bench.destroy();
    bench.wait(5);
    assert!(bench.core.knows(&GROUP.into()), "two have not gone yet");
    let orphans = bench.core.orphans();
    let said = orphans
        .iter()
        .map(|one| (one.fate.as_str(), one.instance.as_str()));
    let said: Vec<_> = said.collect();
    assert_eq!(said, [("destroyed", ""); 3]);
}

/// Whoever is told that a group is destroyed may commit it anew.
#[test]
fn a_group_whose_destruction_was_answered_can_be_committed_anew() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(5, "1"));
    let kept = bench.take_kept();
    bench.fate = Fate::Done;
    bench.destroy();
    bench.wait(5);
    assert!(!bench.core.knows(&GROUP.into()), "that is waited for");
    assert_eq!(bench.ids(), [""; 0]);
    bench.try_commit(cattle(3, "1")).unwrap();
    for call in kept {
        bench.call(call);
    }
    bench.wait(120);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.ids().len(), 3);
}
