//! How often a plugin is asked for its list that tells of changes.

use std::cell::Cell;
use std::rc::Rc;

use infrakit_engine::core::{Effect, Event};

use crate::bench::{Bench, cattle};

fn told(bench: &mut Bench, watched: bool) {
    let plugin = "file".into();
    let event = Event::Watched { plugin, watched };
    bench.core.handle(event, bench.now);
}

/// A group at rest on a plugin that tells of changes, and what counts its lists.
fn at_rest() -> (Bench, Rc<Cell<usize>>) {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    let lists = Rc::new(Cell::new(0));
    let counted = Rc::clone(&lists);
    bench.witness = Some(Box::new(move |effect| {
        let one = usize::from(matches!(effect, Effect::List { .. }));
        counted.set(counted.get() + one);
    }));
    (bench, lists)
}

#[test]
fn it_is_polled_more_rarely_as_long_as_it_is_heard() {
    let (mut bench, lists) = at_rest();
    bench.wait(60);
    assert_eq!(lists.take(), 6);
    told(&mut bench, true);
    bench.wait(600);
    assert!(lists.take() <= 11);
    told(&mut bench, false);
    bench.wait(60);
    assert!((6..=7).contains(&lists.take()));
}

#[test]
fn a_change_that_it_tells_of_is_looked_at_at_once() {
    let (mut bench, _) = at_rest();
    told(&mut bench, true);
    bench.wait(30);
    let lost = bench.first();
    bench.lose(&lost);
    bench.changed();
    bench.wait(1);
    assert_eq!(bench.ids().len(), 3, "it was replaced");
}

#[test]
fn the_echo_of_our_own_calls_does_not_lead_to_lists() {
    let (mut bench, lists) = at_rest();
    told(&mut bench, true);
    bench.wait(60);
    bench.commit(cattle(50, "1"));
    lists.take();
    for _ in 0..100 {
        bench.changed();
        bench.settle();
    }
    assert!(lists.take() <= 1, "a hundred changes, and one list");
    // But what others changed meanwhile is seen as soon as without events.
    let lost = bench.first();
    bench.lose(&lost);
    bench.changed();
    bench.wait(20);
    assert_eq!(bench.ids().len(), 50);
    assert!(!bench.ids().contains(&lost.as_str()));
}
