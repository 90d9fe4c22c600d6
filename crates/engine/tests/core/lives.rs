//! Ids that a newcomer of the same group has by now, and lists from before it got them.

use crate::bench::{Bench, Fate, Instances, cattle};

/// A rollout in which the id of the first member that goes is given to the one that is made in its place;
/// that id, and what there was before.
fn rolled() -> (Bench, String, Instances) {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(2, "1"));
    let before = bench.instances.clone();
    bench.calls_left = Some(1);
    bench.commit(cattle(2, "2"));
    bench.wait(1);
    let gone = bench.made.last().and_then(|call| {
        let id = call.strip_prefix("destroy ")?.split(':').next()?;
        Some(id.to_owned())
    });
    let gone = gone.unwrap();
    let creation = bench.take_creation();
    (bench.calls_left, bench.fate) = (None, Fate::Done);
    let made = bench.make(&creation, &gone);
    // It takes its time to come up.
    bench.silent.insert(made.id.clone());
    bench.answer(creation, Ok(made));
    bench.settle();
    (bench, gone, before)
}

/// Lists show for a while what there was before.
fn look_behind(bench: &mut Bench, before: Instances) {
    bench.stale = Some(before);
    bench.changed();
    bench.wait(3);
    bench.stale = None;
}

/// The newcomer is there, and nobody has asked it to go.
fn is_spared(mut bench: Bench, id: &str) {
    bench.silent.clear();
    bench.wait(300);
    let asked = bench.count(&format!("destroy {id}:"));
    assert_eq!(asked, 1, "{:?}", bench.made);
    assert_eq!(
        (bench.count("create"), bench.ids().len()),
        (3, 2),
        "{:?}",
        bench.made
    );
    assert!(bench.converged(), "{}", bench.why());
}

#[test]
fn a_list_from_before_does_not_put_the_dead_in_the_place_of_who_has_its_id() {
    let (mut bench, id, before) = rolled();
    look_behind(&mut bench, before);
    is_spared(bench, &id);
}

#[test]
fn nor_where_lists_have_shown_the_newcomer() {
    let (mut bench, id, before) = rolled();
    bench.fate = Fate::Kept;
    bench.changed();
    bench.wait(1);
    look_behind(&mut bench, before);
    bench.release();
    is_spared(bench, &id);
}

#[test]
fn nor_after_a_restart() {
    for listed in [false, true] {
        let (mut bench, id, before) = rolled();
        if listed {
            bench.fate = Fate::Kept;
            bench.changed();
            bench.wait(1);
            bench.take_kept();
            bench.fate = Fate::Done;
        }
        bench.stale = Some(before);
        bench.restart();
        bench.wait(3);
        bench.stale = None;
        is_spared(bench, &id);
    }
}
