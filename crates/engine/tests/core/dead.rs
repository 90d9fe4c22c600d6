//! Providers that list the dead.

use std::sync::Arc;

use infrakit_engine::core::Limits;
use infrakit_plan::Config;
use infrakit_spi::behaviour::Seconds;

use crate::bench::{Bench, GROUP, cattle, gives_up_after};

/// A world in which the dead are listed for an hour, and nothing takes more than a minute to end.
fn lists_the_dead() -> Bench {
    let mut behaviour = gives_up_after(15);
    behaviour.tombstone = Some(Seconds(3600.0));
    behaviour.destroy.stuck = Some(Seconds(60.0));
    let config = Config {
        undeclared: Arc::new(behaviour),
        ..Config::default()
    };
    let mut bench = Bench::with(config, Limits::default());
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
    let back = infrakit_spi::instance::Lifecycle::Running;
    bench
        .instances
        .values_mut()
        .for_each(|one| one.state = back.clone());
    bench.wait(30);
    assert_eq!(bench.count("destroy"), 2, "one is too many again");
}

#[test]
fn a_destroyed_group_can_be_committed_while_its_dead_are_listed() {
    let mut bench = lists_the_dead();
    bench.arrive(cattle(2, "1"));
    bench.core.destroy(&GROUP.into()).unwrap();
    bench.wait(30);
    assert!(!bench.core.knows(&GROUP.into()));
    bench.restart();
    bench.commit(cattle(2, "1"));
    bench.wait(240);
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!((bench.count("create"), bench.count("destroy")), (4, 2));
}
