//! Health that outlives the controller.

use crate::bench::{Bench, cattle, spec};

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
