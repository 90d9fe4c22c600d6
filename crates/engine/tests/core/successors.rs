//! Ids that are given again while something is decided, or under way.

use crate::bench::{Bench, Fate, cattle, spec};
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
