//! What a group that fails costs the others.

use std::cell::RefCell;
use std::rc::Rc;

use infrakit_engine::core::{Call, Effect};
use infrakit_spi::Error;
use infrakit_spi::group::GroupSpec;
use infrakit_store::Change;

use crate::bench::{Bench, spec};

/// How many groups there are that can do their work.
const SOUND: usize = 199;
const BROKEN: &str = "broken";

/// What was done for the sound groups: calls, lists and writes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Work {
    calls: usize,
    lists: usize,
    writes: usize,
}

impl Work {
    fn all(&self) -> usize {
        self.calls + self.lists + self.writes
    }

    fn note(&mut self, effect: &Effect) {
        match effect {
            Effect::List { .. } => self.lists += 1,
            Effect::Journal { changes, .. } => {
                let about = |key: &str| key.split('/').any(|part| part == BROKEN);
                let broken = changes.iter().any(|change| match change {
                    Change::Put { key, .. } | Change::Delete { key, .. } => about(key.as_str()),
                    Change::Check { .. } => false,
                });
                self.writes += usize::from(!broken);
            }
            Effect::Call(call) => {
                let target = match call {
                    Call::Provision { target, .. } => target,
                    Call::Destroy { subject, .. }
                    | Call::Drain { subject, .. }
                    | Call::Repair { subject, .. }
                    | Call::Label { subject, .. }
                    | Call::Check { subject, .. } => &subject.target,
                };
                self.calls += usize::from(target.group.as_str() != BROKEN);
            }
        }
    }
}

fn group(id: &str, note: &str) -> GroupSpec {
    GroupSpec {
        id: id.into(),
        ..spec(r#"{"Size":3}"#, ("file", note), "")
    }
}

/// Commits all groups, lets ten minutes pass, and returns what was done for the sound ones.
fn live(broken: bool) -> (Work, usize) {
    let mut bench = Bench::new();
    let counted = Rc::new(RefCell::new(Work::default()));
    let counting = Rc::clone(&counted);
    bench.witness = Some(Box::new(move |effect| counting.borrow_mut().note(effect)));
    bench
        .refused
        .insert("bad".to_owned(), Error::not_delivered("no room"));
    if broken {
        bench.commit(group(BROKEN, "bad"));
    }
    for number in 0..SOUND {
        bench.commit(group(&format!("g{number}"), "good"));
    }
    bench.wait(600);
    let failed = bench.made.iter().filter(|call| call.contains("bad"));
    let failed = failed.count();
    assert_eq!(bench.ids().len(), 3 * SOUND);
    let work = std::mem::take(&mut *counted.borrow_mut());
    (work, failed)
}

#[test]
fn a_group_that_fails_all_its_creations_costs_the_others_nothing() {
    let (alone, none) = live(false);
    let (beside, failed) = live(true);
    assert_eq!(none, 0);
    // It goes on trying, and ever more rarely.
    assert!((3..100).contains(&failed), "{failed} creations");
    assert!(
        beside.all() * 100 <= alone.all() * 101,
        "{beside:?} instead of {alone:?}"
    );
}
