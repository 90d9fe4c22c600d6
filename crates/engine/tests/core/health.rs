//! Health that outlives the controller.

use std::cell::RefCell;
use std::rc::Rc;

use infrakit_engine::core::{Call, Effect, Event};
use infrakit_spi::flavor::Health;

use crate::bench::{Bench, GROUP, cattle, spec};

#[test]
fn a_restart_forgets_no_illness_and_removes_nobody_unasked() {
    let mut bench = Bench::new();
    bench.arrive(cattle(5, "1"));
    let ids: Vec<String> = bench.ids().iter().map(|id| (*id).to_owned()).collect();
    bench
        .sick
        .extend(ids[..3].iter().map(|id| id.as_str().into()));
    bench.wait(120);
    assert_eq!(bench.count("destroy"), 0, "the breaker is open");
    let since = bench.memory().breaker.unwrap().since;
    for _ in 0..5 {
        bench.crash();
        bench.wait(30);
        assert_eq!(bench.count("destroy"), 0);
        assert_eq!(bench.memory().breaker.unwrap().since, since);
    }
    bench.sick.clear();
    bench.wait(60);
    assert!(bench.converged() && bench.memory().breaker.is_none());
    assert_eq!(bench.count("destroy"), 0);
}

/// Until a list is old enough to tell of them, a restart knows them by the answers of their creations.
#[test]
fn a_young_member_that_was_well_and_fell_ill_is_replaced_after_a_restart_as_without() {
    for restart in [false, true] {
        let mut bench = Bench::undeclared();
        let often = r#","Health":{"Interval":"500ms"}"#;
        bench.commit(spec(r#"{"Size":5}"#, ("file", "1"), often));
        bench.wait(12);
        let ill = bench.ids()[0].to_owned();
        bench.sick.insert(ill.as_str().into());
        bench.wait(1);
        assert_eq!(bench.records("answers/").len(), 1, "all are young");
        if restart {
            bench.crash();
        }
        bench.wait(60);
        assert!(!bench.ids().contains(&ill.as_str()), "{restart}");
    }
}

#[test]
fn who_was_well_serves_after_a_restart() {
    let mut bench = Bench::new();
    bench.arrive(cattle(4, "1"));
    bench.wait(30);
    assert_eq!(bench.records("health/"), ["health/g"]);
    bench.crash();
    bench.settle();
    let why = bench.core.describe(&"g".into()).unwrap();
    assert!(why.converged, "nobody has to be asked first");
}

#[test]
fn health_is_written_at_most_every_few_seconds_and_only_when_it_changes() {
    let mut bench = Bench::new();
    bench.arrive(cattle(50, "1"));
    bench.wait(60);
    let idle = bench.entries;
    bench.wait(3_600);
    assert_eq!(bench.entries, idle);
    let ids: Vec<String> = bench.ids().iter().map(|id| (*id).to_owned()).collect();
    bench
        .sick
        .extend(ids[..40].iter().map(|id| id.as_str().into()));
    bench.wait(600);
    let busy = bench.entries - idle;
    assert!(busy <= 125, "{busy} entries in 600 s");
}

/// What was chosen for its health is chosen anew when that changes before it begins: it may be the only one
/// that serves by then.
#[test]
fn who_recovers_before_its_destruction_begins_is_not_destroyed() {
    let patient = r#","Health":{"Threshold":30,"Window":30}"#;
    let mut bench = Bench::new();
    bench.arrive(spec(r#"{"Size":3}"#, ("file", "1"), patient));
    bench.sick.insert("i-001".into());
    let asked = Rc::new(RefCell::new(None));
    let heard = Rc::clone(&asked);
    bench.witness = Some(Box::new(move |effect| {
        if let Effect::Call(Call::Check { subject, .. }) = effect
            && subject.id.as_str() == "i-001"
        {
            *heard.borrow_mut() = Some(subject.clone());
        }
    }));
    bench.wait(30);
    bench.core.set_size(&GROUP.into(), 2, bench.now).unwrap();
    // The new size is on record, and the plan that follows from it is on its way there.
    bench.act();
    bench.core.plan(bench.now);
    bench.sick.clear();
    let subject = asked.take().unwrap();
    let outcome = Ok(Health::Healthy);
    bench
        .core
        .handle(Event::Checked { subject, outcome }, bench.now);
    bench.wait(30);
    assert_eq!(bench.count("destroy i-001"), 0, "{:?}", bench.made);
    assert_eq!(bench.ids(), ["i-001", "i-002"], "{:?}", bench.made);
}
