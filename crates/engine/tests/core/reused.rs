//! Ids that another group has by now, and lists from before it got them.

use infrakit_spi::{Error, Tags, tags};

use crate::bench::{Bench, Fate, cattle, named, spec};

/// Another group, of one member.
fn other(size: u64) -> infrakit_spi::group::GroupSpec {
    named("r", cattle(size, "1"))
}

/// Gives an id that is free to the member of the other group.
fn give(bench: &mut Bench, id: &str) {
    bench.fate = Fate::Kept;
    bench.commit(other(1));
    let creation = bench.take_creation();
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    bench.commit(other(0));
    bench.wait(30);
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    bench.commit(other(0));
    bench.wait(30);
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    bench.commit(other(0));
    bench.wait(30);
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.commit(other(0));
    bench.wait(30);
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(6, "1"));
    bench.commit(other(0));
    bench.wait(30);
    bench.instances.clear();
    bench.wait(31);
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(6, "1"));
    bench.commit(other(0));
    bench.wait(30);
    bench.instances.clear();
    bench.wait(31);
    bench.fate = Fate::Kept;
    bench.commit(other(1));
    let creation = bench.take_creation();
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(6, "1"));
    bench.commit(other(0));
    bench.wait(30);
    bench.instances.clear();
    bench.wait(31);
    bench.fate = Fate::Kept;
    bench.commit(other(1));
    let creation = bench.take_creation();
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.commit(other(0));
    bench.wait(30);
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
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.commit(other(0));
    bench.wait(30);
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

/// The other group wants it to go, and has not begun: nothing has become of it yet.
#[test]
fn the_id_of_a_member_that_is_yet_to_be_asked_to_go_is_refused() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    bench.commit(other(0));
    bench.wait(30);
    bench.fate = Fate::Kept;
    bench.commit(other(1));
    let creation = bench.take_creation();
    let there = bench.all()[0].clone();
    decide_to_destroy(&mut bench, "i-001");
    bench.answer(creation, Ok(there));
    bench.act();
    let group = bench.core.describe(&"r".into()).unwrap();
    assert_eq!(group.instances.unwrap_or_default(), []);
    bench.wait(60);
    assert_eq!(bench.count("destroy i-001"), 1, "{:?}", bench.made);
}

/// Has a destruction be decided; it is being written down.
fn decide_to_destroy(bench: &mut Bench, id: &str) {
    bench.fate = Fate::Done;
    let core = &mut bench.core;
    core.destroy_instances_now(&"g".into(), &[id.into()], bench.now)
        .unwrap();
    bench.act();
    bench.core.plan(bench.now);
}

/// It went by itself, and its id was given to another one of the same group while what was decided of it
/// is being written down.
#[test]
fn a_successor_in_the_same_group_is_not_destroyed_by_what_was_decided_before() {
    let mut bench = Bench::undeclared();
    let surge = r#","Updating":{"MaxSurge":1}"#;
    bench.arrive(spec(r#"{"Size":2}"#, ("file", "1"), surge));
    bench.wait(30);
    bench.fate = Fate::Kept;
    bench.scale(3);
    let creation = bench.take_creation();
    decide_to_destroy(&mut bench, "i-001");
    bench.lose("i-001");
    let made = bench.make(&creation, "i-001");
    bench.answer(creation, Ok(made));
    bench.act();
    bench.wait(300);
    assert_eq!(bench.count("destroy i-001"), 0, "{:?}", bench.made);
    // What was asked to go takes its place in the size with it.
    assert_eq!(bench.ids(), ["i-001", "i-002"], "{:?}", bench.made);
    assert_eq!(bench.count("create"), 2, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
}

/// One that was made by a later creation came and went while this one was under way, and a list from before
/// shows it.
#[test]
fn a_list_from_before_may_show_what_a_later_creation_made() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(1, "1"));
    bench.wait(30);
    bench.fate = Fate::Kept;
    bench.scale(2);
    let slow = bench.take_creation();
    bench.scale(3);
    let quick = bench.take_creation();
    let made = bench.make(&quick, "i-009");
    bench.answer(quick, Ok(made));
    bench.wait(10);
    let before = bench.instances.clone();
    bench.lose("i-009");
    bench.changed();
    bench.wait(2);
    let made = bench.make(&slow, "i-009");
    bench.answer(slow, Ok(made));
    bench.stale = Some(before);
    bench.changed();
    bench.wait(3);
    let group = bench.core.describe(&"g".into()).unwrap();
    let members = group.instances.unwrap_or_default();
    let there = members.iter().any(|one| one.id.as_str() == "i-009");
    assert!(there, "{}", bench.why());
    bench.stale = None;
    bench.fate = Fate::Done;
    bench.release();
    bench.wait(60);
    assert_eq!(bench.ids().len(), 3, "{:?}", bench.made);
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
}
