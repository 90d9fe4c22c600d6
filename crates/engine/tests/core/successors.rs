//! Ids that are given again while something is decided, or under way.

use infrakit_spi::Error;
use infrakit_spi::behaviour::Seconds;

use crate::bench::{Bench, Fate, cattle, named, spec};
use crate::reused::{begin_other, beside};

/// The other group wants it to go, and has not begun: nothing has become of it yet.
#[test]
fn the_id_of_a_member_that_is_yet_to_be_asked_to_go_is_refused() {
    let mut bench = beside(2);
    let creation = begin_other(&mut bench);
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

/// It was gone, as its plugin says in its own words; by the time of the next try its group has another one of
/// that id, of which nobody has told yet.
#[test]
fn one_that_its_plugin_does_not_know_is_not_asked_again_before_a_list_shows_it() {
    for words in ["no instance `i-001`", "vm does not exist", "404"] {
        let mut bench = Bench::undeclared();
        bench.arrive(cattle(2, "1"));
        bench.wait(300);
        let subject = bench.ask_to_go("i-001");
        bench.scale(3);
        let creation = bench.take_creation();
        bench.hold_lists = true;
        bench.fate = Fate::Done;
        bench.lose("i-001");
        bench.make(&creation, "i-001");
        bench.answer_destruction(subject, Err(Error::refused(words)));
        bench.wait(20);
        assert_eq!(bench.count("destroy"), 0, "{words} {:?}", bench.made);
        bench.answer(creation, Err(Error::unknown("no answer")));
        bench.hold_lists = false;
        bench.lists.clear();
        bench.restart();
        bench.wait(120);
        assert_eq!(bench.count("destroy"), 0, "{words} {:?}", bench.made);
        assert!(bench.converged(), "{}", bench.why());
    }
}

/// An id goes to another group and comes back, all within the time that lists may be behind: what has it now is
/// a member, and one that is too many is destroyed, not forgotten.
#[test]
fn an_id_that_comes_back_from_another_group_is_that_of_a_member() {
    for told in [true, false] {
        let mut bench = Bench::declaring(|plugin| {
            plugin.list.lag = Some(Seconds(1100.0));
            plugin.list.relapse = Some(Seconds(1100.0));
        });
        bench.arrive(cattle(2, "1"));
        bench.commit(named("r", cattle(0, "1")));
        bench.wait(1200);
        let subject = bench.ask_to_go("i-001");
        bench.lose("i-001");
        let creation = begin_other(&mut bench);
        let made = bench.make(&creation, "i-001");
        bench.answer(creation, Ok(made));
        bench.answer_destruction(subject, Ok(()));
        bench.wait(20);
        bench.commit(named("r", cattle(0, "1")));
        let subject = bench.take_destruction();
        bench.lose("i-001");
        bench.answer_destruction(subject, Ok(()));
        bench.scale(2);
        let creation = bench.take_creation();
        let made = bench.make(&creation, "i-001");
        let answer = if told {
            Ok(made)
        } else {
            Err(Error::unknown("no answer"))
        };
        bench.answer(creation, answer);
        bench.fate = Fate::Done;
        bench.wait(60);
        assert!(bench.ids().contains(&"i-001"), "{:?}", bench.made);
        bench.scale(1);
        bench.wait(60);
        assert_eq!(bench.count("destroy i-001"), 1, "{}", bench.why());
        assert_eq!(bench.ids(), ["i-002"], "{}", bench.why());
    }
}
