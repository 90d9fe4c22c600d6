//! Providers that list the dead.

use infrakit_spi::behaviour::Seconds;
use infrakit_spi::instance::Lifecycle;

use crate::bench::{Bench, Fate, GROUP, cattle};

/// A world in which the dead are listed for an hour, and nothing takes more than a minute to end.
fn lists_the_dead() -> Bench {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.tombstone = Some(Seconds(3600.0));
        behaviour.destroy.stuck = Some(Seconds(60.0));
    });
    bench.tombs = true;
    bench
}

#[test]
fn they_are_not_waited_for_until_they_are_listed_no_more() {
    let mut bench = lists_the_dead();
    bench.arrive(cattle(2, "1"));
    bench.commit(cattle(2, "2"));
    bench.wait(240);
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!((bench.count("create"), bench.count("destroy")), (4, 2));
    // Nobody is taken for one that came back.
    bench.wait(300);
    assert!(bench.converged());
    assert_eq!((bench.count("create"), bench.count("destroy")), (4, 2));
    // A restart knows nothing of them, and waits as long again.
    bench.restart();
    bench.wait(120);
    assert!(bench.converged());
    assert_eq!((bench.count("create"), bench.count("destroy")), (4, 2));
}

#[test]
fn who_comes_back_is_a_member_again() {
    let mut bench = lists_the_dead();
    bench.arrive(cattle(2, "1"));
    bench.commit(cattle(1, "1"));
    bench.wait(120);
    assert!(bench.converged());
    for one in bench.instances.values_mut() {
        one.state = Lifecycle::Running;
    }
    bench.wait(30);
    assert_eq!(bench.count("destroy"), 2, "one is too many again");
}

#[test]
fn a_destroyed_group_can_be_committed_while_its_dead_are_listed() {
    let mut bench = lists_the_dead();
    bench.arrive(cattle(2, "1"));
    bench.destroy();
    bench.wait(30);
    assert!(!bench.core.knows(&GROUP.into()));
    bench.restart();
    bench.commit(cattle(2, "1"));
    bench.wait(240);
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!((bench.count("create"), bench.count("destroy")), (4, 2));
}

/// The tombstone carries the token: nothing more comes of that creation, however long its provider may
/// take.
#[test]
fn a_creation_whose_instance_is_first_listed_as_gone_is_not_waited_for() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.create.give_up = Some(Seconds(600.0));
        behaviour.tombstone = Some(Seconds(3600.0));
    });
    bench.arrive(cattle(1, "1"));
    bench.fate = Fate::Unheard;
    bench.first_state = Lifecycle::Gone;
    bench.commit(cattle(2, "1"));
    assert_eq!((bench.count("create"), bench.ids().len()), (2, 2));
    bench.restart();
    bench.fate = Fate::Done;
    bench.first_state = Lifecycle::Running;
    bench.wait(120);
    assert_eq!((bench.count("create"), bench.open_creations()), (3, 0));
    assert!(bench.converged(), "{}", bench.why());
}

/// The answer comes after the list that told what came of it.
#[test]
fn who_was_listed_as_gone_before_its_answer_came_is_no_member() {
    let mut bench = lists_the_dead();
    bench.arrive(cattle(1, "1"));
    bench.fate = Fate::Kept;
    bench.commit(cattle(2, "1"));
    let creation = bench.take_creation();
    let made = bench.make(&creation, "x");
    bench.instance("x").state = Lifecycle::Gone;
    bench.fate = Fate::Done;
    bench.wait(60);
    assert_eq!(bench.count("create"), 2, "another one was made");
    bench.answer(creation, Ok(made));
    bench.wait(60);
    assert_eq!((bench.count("create"), bench.count("destroy")), (2, 0));
    assert!(bench.converged(), "{}", bench.why());
}
