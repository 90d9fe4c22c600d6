//! Two controllers on one store: only one of them does anything.

use infrakit_engine::core::{Claim, Effect, Event, NotWritten, Refused};
use infrakit_spi::instance::Listing;
use infrakit_store::Store as _;

use crate::bench::{Bench, Fate, cattle};

#[test]
fn a_deposed_controller_does_nothing_more() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    let mut successor = bench.another();
    // The former leader wants to replace a member that is gone.
    let id = bench.first();
    bench.lose(&id);
    bench.wait(30);
    assert!(bench.core.is_deposed());
    assert_eq!(bench.count("create"), 3, "nothing of it was begun");
    assert_eq!(bench.core.take_effects().len(), 0);
    assert_eq!(bench.core.wake_at(), None);
    std::mem::swap(&mut bench.core, &mut successor);
    bench.wait(60);
    assert!(bench.converged());
    assert_eq!((bench.ids().len(), bench.count("create")), (3, 4));
}

#[test]
fn effects_on_their_way_when_a_write_is_refused_do_not_begin() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.fate = Fate::Kept;
    let id = bench.first();
    bench.lose(&id);
    bench.now.0 += 20_000_000_000;
    bench.core.look(bench.now);
    let batch = loop {
        bench.core.plan(bench.now);
        let effects = bench.core.take_effects();
        let journal = effects.iter().find_map(|effect| match effect {
            Effect::Journal { batch, .. } => Some(*batch),
            _ => None,
        });
        if let Some(batch) = journal {
            break batch;
        }
        assert!(!effects.is_empty(), "it never writes");
        for effect in effects {
            if let Effect::List {
                plugin, started, ..
            } = effect
            {
                let listing = Listing::Changed(bench.all(), None);
                bench.answer_list((plugin, started), Ok(listing));
            }
        }
    };
    let outcome = Err(NotWritten::Deposed);
    bench
        .core
        .handle(Event::Journaled { batch, outcome }, bench.now);
    bench.core.plan(bench.now);
    assert!(bench.core.is_deposed());
    assert_eq!(bench.core.take_effects().len(), 0);
}

#[test]
fn of_two_claims_to_one_term_one_is_refused() {
    let bench = Bench::new();
    let store = bench.store.as_ref();
    let (one, other) = (Claim::next(store, "one"), Claim::next(store, "other"));
    let commit = |claim: &Claim| {
        let written = store.commit(claim.changes(), infrakit_store::Durability::Synced);
        futures_util::FutureExt::now_or_never(written).unwrap()
    };
    let revision = commit(&one).unwrap();
    let refused = commit(&other).unwrap_err();
    assert_eq!(NotWritten::of(&refused), NotWritten::Deposed);
    assert_eq!(one.won(revision).number(), 2);
}

#[test]
fn a_request_to_a_deposed_controller_changes_nothing() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    let _successor = bench.another();
    bench.commit(cattle(9, "1"));
    assert!(bench.core.is_deposed());
    bench.core = bench.another();
    assert_eq!(bench.core.size(&"g".into()).unwrap(), 3);
}

/// Of two changes that overlap one would be acknowledged and lost.
#[test]
fn a_change_is_worked_out_from_no_spec_that_is_about_to_be_replaced() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    let id = "g".into();
    let first = bench.core.set_size(&id, 4, bench.now).unwrap();
    assert!(bench.core.is_changing(&id));
    for refused in [
        bench.core.set_size(&id, 5, bench.now).map(drop),
        bench.core.free(&id, bench.now).map(drop),
        bench.core.destroy(&id).map(drop),
        bench.core.destroy_instances(&id, &[], bench.now).map(drop),
    ] {
        assert!(matches!(refused, Err(Refused::Changing(_))), "{refused:?}");
    }
    let (batch, outcome) = (first.batch.unwrap(), Ok(()));
    bench
        .core
        .handle(Event::Journaled { batch, outcome }, bench.now);
    assert!(!bench.core.is_changing(&id));
    assert!(bench.core.set_size(&id, 5, bench.now).is_ok());
}
