//! What plugins declare of their destructions, of what proves absence, and of their ids.

use std::sync::Arc;

use infrakit_engine::core::{Event, Limits, ListAnswer};
use infrakit_plan::Config;
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::instance::{Listing, Locality};

use crate::bench::{Bench, cattle, gives_up_after};

/// A world whose plugins declare this, and that creations come within a quarter of a minute.
fn world(declare: impl FnOnce(&mut Behaviour)) -> Bench {
    let mut behaviour = gives_up_after(15);
    declare(&mut behaviour);
    let config = Config {
        undeclared: Arc::new(behaviour),
        ..Config::default()
    };
    Bench::with(config, Limits::default())
}

fn destroys_at_once(behaviour: &mut Behaviour) {
    behaviour.destroy.asynchronous = Some(false);
}

#[test]
fn who_is_destroyed_by_the_answer_is_replaced_without_a_list() {
    for (asynchronous, calls) in [(None, (1, 2)), (Some(true), (1, 2)), (Some(false), (2, 4))] {
        let mut bench = world(|behaviour| behaviour.destroy.asynchronous = asynchronous);
        bench.arrive(cattle(2, "1"));
        bench.hold_lists = true;
        bench.commit(cattle(2, "2"));
        bench.wait(2);
        let made = (bench.count("destroy"), bench.count("create"));
        assert_eq!(made, calls, "{asynchronous:?}: {}", bench.why());
    }
}

/// A list that was asked for before the answer still shows it.
#[test]
fn a_list_from_before_the_answer_brings_nobody_back() {
    let mut bench = world(destroys_at_once);
    bench.arrive(cattle(2, "1"));
    bench.hold_lists = true;
    bench.wait(11);
    let (plugin, started) = bench.lists.remove(0);
    let all = bench.instances.values().cloned().collect();
    bench.commit(cattle(1, "1"));
    assert_eq!(bench.count("destroy"), 1);
    bench.hold_lists = false;
    let answer = ListAnswer {
        plugin,
        started,
        locality: Locality::Remote,
        outcome: Ok(Listing::Changed(all, None)),
    };
    bench.core.handle(Event::Listed(answer), bench.now);
    bench.wait(60);
    assert_eq!(bench.count("destroy"), 1, "{:?}", bench.made);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.records("departures/"), [""; 0]);
}

/// What the plugin declares is not true.
#[test]
fn who_is_listed_for_long_after_the_answer_is_a_member_again() {
    let mut bench = world(destroys_at_once);
    bench.arrive(cattle(2, "1"));
    let all = bench.instances.clone();
    bench.commit(cattle(1, "1"));
    bench.instances = all;
    bench.wait(120);
    assert_eq!((bench.count("destroy"), bench.ids().len()), (2, 1));
    assert!(bench.converged(), "{}", bench.why());
}

#[test]
fn a_destroyed_group_is_gone_by_the_answers() {
    let mut bench = world(destroys_at_once);
    bench.arrive(cattle(3, "1"));
    bench.core.destroy(&crate::bench::GROUP.into()).unwrap();
    bench.wait(30);
    assert_eq!((bench.count("destroy"), bench.ids().len()), (3, 0));
    assert!(!bench.core.knows(&crate::bench::GROUP.into()));
    bench.restart();
    bench.arrive(cattle(2, "1"));
    assert_eq!(bench.records("departures/"), [""; 0]);
}
