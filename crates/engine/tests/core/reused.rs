//! Ids that another group has by now, and lists from before it got them.

use infrakit_spi::instance::Listing;
use infrakit_spi::{Error, Tags, tags};

use crate::bench::{Bench, Fate, KeptCreation, cattle, named, spec};

/// Another group, of one member.
fn other(size: u64) -> infrakit_spi::group::GroupSpec {
    named("r", cattle(size, "1"))
}

/// A group of so many members, and beside it the other one, which is empty.
pub(crate) fn beside(members: u64) -> Bench {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(members, "1"));
    bench.commit(other(0));
    bench.wait(30);
    bench
}

/// A group of six beside the other one, of which lists show nobody any more.
fn missing() -> Bench {
    let mut bench = beside(6);
    bench.instances.clear();
    bench.wait(31);
    bench
}

/// Begins the creation of the other group's member.
pub(crate) fn begin_other(bench: &mut Bench) -> KeptCreation {
    bench.fate = Fate::Kept;
    bench.commit(other(1));
    bench.take_creation()
}

/// A group of one beside the other one, which is empty: the creation of its member has begun.
fn begins_beside() -> (Bench, KeptCreation) {
    let mut bench = Bench::undeclared();
    bench.commit(other(0));
    bench.wait(30);
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "1"));
    let creation = bench.take_creation();
    (bench, creation)
}

/// Gives an id that is free to the member of the other group.
fn give(bench: &mut Bench, id: &str) {
    let creation = begin_other(bench);
    bench.fate = Fate::Done;
    let made = bench.make(&creation, id);
    bench.answer(creation, Ok(made));
    bench.settle();
}

/// Starts the controller anew; its lists show for a while what was there before.
fn restart_behind(bench: &mut Bench, before: crate::bench::Instances, seconds: u64) {
    bench.stale = Some(before);
    bench.restart();
    bench.wait(seconds);
    bench.stale = None;
}

/// The member of the other group is there, and nobody has asked it to go.
fn is_spared(bench: &mut Bench) {
    bench.wait(300);
    assert_eq!(bench.count("destroy i-001"), 1, "{:?}", bench.made);
    assert_eq!(bench.ids(), ["i-001"]);
    assert_eq!(bench.records("departures/"), [""; 0]);
    assert_eq!(bench.count("create"), 3, "{:?}", bench.made);
}

#[test]
fn a_restart_asks_nobody_to_go_on_the_word_of_a_list_from_before() {
    let mut bench = beside(3);
    let before = bench.instances.clone();
    bench.scale(0);
    bench.wait(1);
    give(&mut bench, "i-001");
    restart_behind(&mut bench, before, 1);
    is_spared(&mut bench);
}

/// The call took long, so that the record of it is old, and what it did is not.
#[test]
fn nor_where_it_was_decided_long_before_it_happened() {
    let mut bench = beside(3);
    let before = bench.instances.clone();
    bench.fate = Fate::Kept;
    bench.scale(0);
    bench.wait(30);
    bench.release();
    bench.wait(1);
    give(&mut bench, "i-001");
    restart_behind(&mut bench, before, 1);
    is_spared(&mut bench);
}

#[test]
fn nor_where_the_whole_group_was_to_go() {
    let mut bench = beside(3);
    let before = bench.instances.clone();
    bench.hold_lists = true;
    bench.destroy();
    bench.settle();
    assert_eq!(bench.ids(), [""; 0]);
    bench.hold_lists = false;
    give(&mut bench, "i-001");
    restart_behind(&mut bench, before, 1);
    is_spared(&mut bench);
}

/// What was chosen goes all the same, once lists that are young enough show it.
#[test]
fn those_that_were_chosen_go_later() {
    for whole in [false, true] {
        let mut bench = Bench::undeclared();
        bench.arrive(cattle(3, "1"));
        bench.fate = Fate::Lost;
        if whole {
            bench.destroy();
            bench.settle();
        } else {
            bench.scale(1);
        }
        bench.crash();
        bench.wait(5);
        assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
        bench.wait(15);
        let left = if whole { 0 } else { 1 };
        assert_eq!(bench.ids().len(), left, "{}", bench.why());
    }
}

/// A plugin that gives no id twice can be asked at once.
#[test]
fn no_list_is_waited_for_where_no_id_is_given_twice() {
    let mut bench =
        Bench::declaring(|behaviour| behaviour.id.reused = infrakit_spi::behaviour::Reuse::Never);
    bench.arrive(cattle(3, "1"));
    bench.fate = Fate::Lost;
    bench.scale(1);
    bench.crash();
    bench.wait(2);
    assert_eq!(bench.ids().len(), 1, "{}", bench.why());
}

/// Nor is anybody asked again within one life on the word of such a list, where an answer was lost.
#[test]
fn nor_is_anybody_asked_again_whose_answer_was_lost() {
    let mut bench = beside(2);
    let subject = bench.ask_to_go("i-001");
    let before = bench.instances.clone();
    bench.fate = Fate::Done;
    bench.lose("i-001");
    let stranger = Tags::from([(tags::GROUP.to_owned(), "stranger".to_owned())]);
    bench.plant("file", "i-001", stranger);
    bench.stale = Some(before);
    bench.answer_destruction(subject, Err(Error::unknown("no answer")));
    bench.wait(8);
    bench.stale = None;
    bench.wait(300);
    assert!(bench.ids().contains(&"i-001"), "{:?}", bench.made);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
}

/// Nor on the word of a list from before it happened, where that was long after it was decided. Nobody here
/// knows of who has the id by then.
#[test]
fn a_stranger_is_not_asked_to_go_where_what_was_decided_happened_late() {
    for whole in [false, true] {
        let mut bench = Bench::undeclared();
        bench.arrive(cattle(3, "1"));
        let before = bench.instances.clone();
        bench.fate = Fate::Kept;
        if whole {
            bench.destroy();
            bench.settle();
        } else {
            bench.scale(0);
        }
        bench.wait(30);
        bench.fate = Fate::Done;
        bench.come_true();
        let stranger = Tags::from([(tags::GROUP.to_owned(), "stranger".to_owned())]);
        bench.plant("file", "i-001", stranger);
        restart_behind(&mut bench, before, 3);
        bench.wait(300);
        assert_eq!(bench.ids(), ["i-001"], "{:?}", bench.made);
    }
}

/// The next creation of the same group is given the id before the answer to the destruction comes, and a
/// list from before shows the one that went: neither is the new one taken for that one, nor destroyed.
#[test]
fn nor_is_a_successor_in_the_same_group_taken_for_who_went() {
    let mut bench = Bench::undeclared();
    let surge = r#","Updating":{"MaxSurge":1}"#;
    bench.arrive(spec(r#"{"Size":2}"#, ("file", "1"), surge));
    bench.wait(30);
    bench.ask_to_go("i-001");
    let before = bench.instances.clone();
    bench.scale(2);
    let creation = bench.take_creation();
    bench.lose("i-001");
    let made = bench.make(&creation, "i-001");
    bench.fate = Fate::Done;
    bench.answer(creation, Ok(made));
    bench.stale = Some(before);
    bench.wait(3);
    assert!(
        !bench.why().contains("it is not touched"),
        "{}",
        bench.why()
    );
    bench.stale = None;
    bench.wait(60);
    assert_eq!(bench.ids(), ["i-001", "i-002"], "{:?}", bench.made);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    assert_eq!(bench.count("create"), 2, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
}

/// A list lacks so many that it is doubted.
fn is_doubted(bench: &Bench, members: usize) {
    let why = bench.why();
    let want = format!("a list lacks {members} members");
    assert!(why.contains(&want), "{why}");
}

/// Lists lack several at once, which is doubted; what has the id of one of them by now is not destroyed in
/// its place.
#[test]
fn nor_is_a_missing_member_looked_for_in_another_group() {
    let mut bench = missing();
    is_doubted(&bench, 6);
    give(&mut bench, "i-006");
    bench.scale(1);
    bench.wait(300);
    assert_eq!(bench.count("destroy i-006"), 0, "{:?}", bench.made);
    assert!(bench.ids().contains(&"i-006"), "{:?}", bench.made);
    assert_eq!(bench.ids().len(), 2, "{:?}", bench.made);
}

/// Its answer is lost, and a list shows whose it is.
#[test]
fn nor_where_only_a_list_tells_whose_it_is_by_now() {
    let mut bench = missing();
    let creation = begin_other(&mut bench);
    bench.make(&creation, "i-006");
    bench.fate = Fate::Done;
    bench.answer(creation, Err(Error::unknown("no answer")));
    bench.changed();
    bench.wait(1);
    is_doubted(&bench, 5);
    bench.scale(1);
    bench.wait(300);
    assert_eq!(bench.count("destroy i-006"), 0, "{:?}", bench.made);
    assert_eq!(bench.ids().len(), 2, "{}", bench.why());
}

/// What was decided of it and is being written down does not begin.
#[test]
fn nor_is_it_destroyed_by_what_was_decided_a_moment_before() {
    let mut bench = missing();
    let creation = begin_other(&mut bench);
    let made = bench.make(&creation, "i-006");
    bench.fate = Fate::Done;
    bench.core.set_size(&"g".into(), 1, bench.now).unwrap();
    // The new size is on record, and the plan that follows from it is on its way there.
    bench.act();
    bench.core.plan(bench.now);
    bench.answer(creation, Ok(made));
    bench.act();
    bench.wait(300);
    assert_eq!(bench.count("destroy i-006"), 0, "{:?}", bench.made);
    assert_eq!(bench.ids().len(), 2, "{:?}", bench.made);
}

/// A list from before shows the former member to its group, which had asked it to go, and would ask again.
#[test]
fn nor_is_a_member_of_another_group_taken_for_one_that_was_asked_to_go() {
    let mut bench = beside(2);
    let subject = bench.ask_to_go("i-001");
    let before = bench.instances.clone();
    bench.commit(other(1));
    let creation = bench.take_creation();
    bench.lose("i-001");
    let made = bench.make(&creation, "i-001");
    bench.fate = Fate::Done;
    bench.answer_destruction(subject, Err(Error::refused("no such instance")));
    bench.answer(creation, Ok(made));
    bench.stale = Some(before);
    bench.wait(8);
    bench.stale = None;
    bench.wait(300);
    assert_eq!(bench.count("destroy i-001"), 0, "{:?}", bench.made);
    assert_eq!(bench.ids(), ["i-001", "i-002"], "{:?}", bench.made);
    assert_eq!(bench.count("create"), 2, "{:?}", bench.made);
}

/// What its plugin says may be wrong: one that lists go on showing as the former group's goes after all.
#[test]
fn one_that_was_asked_to_go_and_is_still_there_goes() {
    let mut bench = beside(2);
    let subject = bench.ask_to_go("i-001");
    bench.commit(other(1));
    let creation = bench.take_creation();
    let there = bench.all()[0].clone();
    bench.fate = Fate::Done;
    bench.answer_destruction(subject, Err(Error::refused("busy")));
    bench.answer(creation, Ok(there));
    bench.wait(60);
    assert_eq!(bench.count("destroy i-001"), 1, "{:?}", bench.made);
    assert_eq!(bench.ids(), ["i-002"], "{:?}", bench.made);
}

/// A list from before its creation was answered lacks a member that is a moment old: another answer with its
/// id is refused all the same.
#[test]
fn the_id_of_a_member_that_no_list_has_shown_is_not_given_twice() {
    let (mut bench, first) = begins_beside();
    bench.hold_lists = true;
    bench.changed();
    bench.settle();
    let made = bench.make(&first, "i-001");
    bench.answer(first, Ok(made.clone()));
    bench.hold_lists = false;
    for list in std::mem::take(&mut bench.lists) {
        bench.answer_list(list, Ok(Listing::Changed(Vec::new(), None)));
    }
    let second = begin_other(&mut bench);
    bench.answer(second, Ok(made));
    bench.wait(60);
    assert_eq!(bench.ids(), ["i-001"], "{}", bench.why());
    assert_eq!(bench.kept(), 0, "nobody is missing");
    assert!(bench.converged(), "{}", bench.why());
}

/// An instance comes, is shown and goes before its creation is answered, and another group has its id by
/// then: the late answer takes nothing from that one.
#[test]
fn a_late_answer_takes_no_id_from_whoever_has_it_by_then() {
    let (mut bench, first) = begins_beside();
    let made = bench.make(&first, "x");
    bench.changed();
    bench.wait(2);
    bench.instances.clear();
    let second = begin_other(&mut bench);
    let heir = bench.make(&second, "x");
    bench.answer(second, Ok(heir));
    bench.changed();
    bench.wait(1);
    bench.answer(first, Ok(made));
    bench.release();
    bench.wait(60);
    let described = bench.core.describe(&"r".into()).unwrap();
    assert_eq!(described.instances.unwrap().len(), 1);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    assert_eq!(bench.ids(), ["i-001", "x"], "{:?}", bench.made);
    assert_eq!(bench.count("create"), 1, "{:?}", bench.made);
}

/// The list after the late answer is older than the one before it, and shows the one that went: whoever has
/// the id is none the less there.
#[test]
fn nor_does_a_list_from_before_its_end_that_comes_after_the_answer() {
    let (mut bench, first) = begins_beside();
    let made = bench.make(&first, "x");
    let before = bench.instances.clone();
    bench.lose("x");
    let second = begin_other(&mut bench);
    let heir = bench.make(&second, "x");
    bench.answer(second, Ok(heir));
    bench.changed();
    bench.wait(1);
    bench.stale = Some(before);
    bench.answer(first, Ok(made));
    bench.changed();
    bench.wait(1);
    assert_eq!(bench.kept(), 0, "{}", bench.why());
    // Whoever was its group's is not there, and nobody else goes for it.
    bench.fate = Fate::Done;
    bench.core.set_size(&"g".into(), 0, bench.now).unwrap();
    bench.wait(1);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    bench.stale = None;
    bench.wait(60);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
    assert_eq!(bench.ids(), ["x"], "{:?}", bench.made);
}

/// The answer with an id that another group's member has is refused, until a list shows whose it is: that one
/// is destroyed for nobody else.
#[test]
fn whoever_a_list_shows_with_an_id_that_was_refused_has_it() {
    let mut bench = beside(2);
    let creation = begin_other(&mut bench);
    bench.lose("i-001");
    let heir = bench.make(&creation, "i-001");
    bench.hold_lists = true;
    bench.answer(creation, Ok(heir));
    bench.settle();
    // A list of that group alone says nothing of the other one.
    let (plugin, started) = bench.lists.remove(0);
    let own = bench
        .all()
        .into_iter()
        .filter(|one| one.id.as_str() == "i-001");
    let own = own.collect();
    bench.answer_list((plugin, started), Ok(Listing::Changed(own, None)));
    bench.fate = Fate::Done;
    bench.core.set_size(&"g".into(), 0, bench.now).unwrap();
    bench.settle();
    assert_eq!(bench.count("destroy i-001"), 0, "{:?}", bench.made);
    bench.hold_lists = false;
    for list in std::mem::take(&mut bench.lists) {
        let all = bench.all();
        bench.answer_list(list, Ok(Listing::Changed(all, None)));
    }
    bench.wait(60);
    assert_eq!(bench.ids(), ["i-001"], "{:?}", bench.made);
    assert_eq!(bench.count("destroy i-001"), 0, "{:?}", bench.made);
}

/// In the same group, too: the older creation came and went before it was answered, and no list has shown
/// whoever has its id since.
#[test]
fn nor_does_it_within_one_group() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(cattle(1, "1"));
    let first = bench.take_creation();
    bench.scale(2);
    let second = bench.take_creation();
    let made = bench.make(&first, "x");
    bench.lose("x");
    let heir = bench.make(&second, "x");
    bench.stale = Some(crate::bench::Instances::new());
    bench.answer(second, Ok(heir));
    bench.changed();
    bench.wait(2);
    bench.answer(first, Ok(made));
    bench.wait(2);
    assert_eq!(bench.kept(), 0, "{}", bench.why());
    bench.stale = None;
    bench.wait(30);
    assert_eq!(bench.kept(), 0, "{}", bench.why());
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
}

/// A creation that is under way is given the id of one that went, as a list shows, and the next list is from
/// before that: whoever had the id is not back, and the successor is made once.
#[test]
fn a_list_that_goes_back_brings_nobody_back_in_the_place_of_a_creation_under_way() {
    for asked in [false, true] {
        for answered in [false, true] {
            let mut bench = Bench::undeclared();
            let surge = r#","Updating":{"MaxSurge":1}"#;
            bench.arrive(spec(r#"{"Size":2}"#, ("file", "1"), surge));
            bench.wait(30);
            let before = bench.instances.clone();
            if asked {
                bench.ask_to_go("i-001");
                bench.scale(2);
            }
            bench.fate = Fate::Kept;
            bench.lose("i-001");
            if !asked {
                bench.wait(40);
            }
            let creation = bench.take_creation();
            let made = bench.make(&creation, "i-001");
            let mut answer = Some((creation, Ok(made)));
            bench.changed();
            bench.wait(1);
            if let Some((creation, made)) = answer.take_if(|_| answered) {
                bench.answer(creation, made);
            }
            bench.stale = Some(before);
            bench.changed();
            bench.wait(6);
            bench.changed();
            bench.wait(2);
            bench.stale = None;
            bench.wait(1);
            if let Some((creation, made)) = answer {
                bench.answer(creation, made);
            }
            bench.fate = Fate::Done;
            bench.wait(60);
            let case = (asked, answered);
            assert_eq!(bench.ids(), ["i-001", "i-002"], "{case:?} {:?}", bench.made);
            assert_eq!(bench.kept(), 0, "{case:?}");
            assert_eq!(bench.count("create"), 2, "{case:?} {:?}", bench.made);
            assert!(bench.converged(), "{case:?} {}", bench.why());
        }
    }
}
