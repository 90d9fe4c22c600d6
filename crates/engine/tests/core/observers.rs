//! What an observer compares a list with, and what it asks for.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;
use std::time::Duration;

use infrakit_engine::core::Effect;
use infrakit_spi::instance::{Fingerprint, Listing};
use infrakit_spi::{Tags, tags};

use crate::bench::{Bench, GROUP, cattle, named};

type Asked = Rc<RefCell<Vec<(Tags, Option<Fingerprint>)>>>;

/// Lets time pass, with a plugin that answers after `took` and knows what it answered last.
fn live(bench: &mut Bench, asked: &Asked, seconds: u64, took: Duration) {
    let end = bench.now + Duration::from_secs(seconds);
    loop {
        bench.settle();
        if let Some(held) = bench.lists.pop() {
            let (filter, seen) = asked.borrow_mut().pop().unwrap();
            let mut list = bench.all();
            list.retain(|one| tags::matches(one.tags.as_ref(), &filter));
            let mut hasher = DefaultHasher::new();
            format!("{list:?}").hash(&mut hasher);
            let print = Fingerprint([hasher.finish(); 2]);
            let listing = if seen == Some(print) {
                Listing::Unchanged
            } else {
                Listing::Changed(list, Some(print))
            };
            bench.now = bench.now + took;
            bench.answer_list(held, Ok(listing));
            continue;
        }
        match bench.core.wake_at().filter(|at| *at <= end) {
            Some(at) => bench.now = bench.now.max(at),
            None => break,
        }
    }
    bench.now = bench.now.max(end);
}

/// A group that is wanted while a list is under way may be freed before that ends. A list for nobody
/// else would be one of everything that nobody reads, and the next one be unchanged since then.
#[test]
fn no_list_is_begun_for_a_group_that_was_freed() {
    let mut bench = Bench::undeclared();
    let asked = Asked::default();
    let noting = Rc::clone(&asked);
    bench.witness = Some(Box::new(move |effect| {
        if let Effect::List { filter, seen, .. } = effect {
            noting.borrow_mut().push((filter.clone(), *seen));
        }
    }));
    bench.hold_lists = true;
    bench.commit(cattle(3, "1"));
    bench.commit(named("h", cattle(1, "1")));
    bench.commit(named("left", cattle(0, "1")));
    live(&mut bench, &asked, 120, Duration::from_millis(20));
    assert_eq!(bench.ids().len(), 4);
    // One group is looked at by itself, and meanwhile somebody asks for another one and frees it.
    bench.core.refresh(&GROUP.into(), bench.now);
    live(&mut bench, &asked, 0, Duration::from_millis(5));
    bench.core.refresh(&GROUP.into(), bench.now);
    bench.settle();
    assert_eq!(bench.lists.len(), 1);
    bench.core.refresh(&"left".into(), bench.now);
    bench.core.free(&"left".into(), bench.now).unwrap();
    bench.settle();
    // A member dies after that list was made.
    let held = bench.lists.pop().unwrap();
    let (filter, _) = asked.borrow_mut().pop().unwrap();
    let mut list = bench.all();
    list.retain(|one| tags::matches(one.tags.as_ref(), &filter));
    let gone = bench
        .instances
        .iter()
        .find(|(_, one)| one.tags.as_ref().unwrap()[tags::GROUP] == GROUP)
        .map(|((_, id), _)| id.to_string())
        .unwrap();
    bench.lose(&gone);
    bench.now = bench.now + Duration::from_millis(5);
    bench.answer_list(held, Ok(Listing::Changed(list, None)));
    live(&mut bench, &asked, 3_600, Duration::from_millis(20));
    assert_eq!(bench.ids().len(), 4, "the dead one is never missed");
}
