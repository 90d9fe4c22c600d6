//! What is known of the health of members outlives the controller.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Lag, Listed, LossPolicy, Observed, Reason, Trust, WaitingOn};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Domains;
use infrakit_spi::tags;

use crate::bench::*;

/// A group of `size` members that were made here and do well.
fn made(size: usize, more: &str) -> Bench {
    let mut bench = Bench::new(spec(&format!(r#"{{"Size":{size}}}"#), "v1", more));
    bench.list = (0..size)
        .map(|number| {
            let token = format!("n-{number}");
            and(shown(&format!("i{number:05}"), "v1"), tags::TOKEN, &token)
        })
        .collect();
    bench.look();
    let ids: Vec<String> = bench.list.iter().map(|one| one.id.to_string()).collect();
    for id in ids {
        bench.verdict(&id, Health::Healthy);
    }
    bench.memory.revision = 1;
    bench.memory = bench.preview().memory;
    bench
}

/// Ends the controller and starts another one, which reads what was written of the health.
fn restart(bench: &mut Bench) {
    restart_after(bench, Duration::from_secs(30));
}

/// The same, where the first list comes so much later.
fn restart_after(bench: &mut Bench, pause: Duration) {
    stop_and_start(bench);
    bench.pass(pause);
    bench.look();
}

/// The same, before its first list.
fn stop_and_start(bench: &mut Bench) {
    let spec = Arc::new(bench.spec.clone());
    bench.seen.aim(&spec, false);
    let written = bench.seen.recollect(bench.now).expect("all was listed");
    let text = serde_json::to_string(&written).expect("it has string keys");
    bench.seen = Observed::default();
    bench.seen.aim(&spec, false);
    bench
        .seen
        .recall(serde_json::from_str(&text).expect("it is its own format"));
}

#[test]
fn who_did_well_serves_and_is_asked_in_its_turn() {
    let mut bench = made(50, "");
    restart(&mut bench);
    let plan = bench.preview();
    assert!(destroyed(&plan).is_empty() && created(&plan).is_empty());
    assert!(checked(&plan).len() < 40, "{:?}", checked(&plan));
    for id in ["i00000", "i00049"] {
        let health = bench.member(id).health.clone();
        assert_eq!((health.last(), health.asked()), (Health::Healthy, None));
        assert!(health.ever_healthy());
    }
}

/// Somebody else may have fallen sick in an hour in which no list came.
#[test]
fn nobody_goes_because_others_did_well_long_ago() {
    let mut bench = made(3, "");
    bench.spec = cattle_of(3, "v2");
    restart_after(&mut bench, Duration::from_secs(3_600));
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), []);
    for id in ["i00000", "i00001", "i00002"] {
        bench.verdict(id, Health::Healthy);
    }
    assert_eq!(destroyed(&bench.plan()).len(), 1);
    // A moment later it is not so.
    let mut bench = made(3, "");
    bench.spec = cattle_of(3, "v2");
    restart(&mut bench);
    assert_eq!(destroyed(&bench.plan()).len(), 1);
}

/// Nobody is planned for, and asked, before a list shows everything.
#[test]
fn nor_because_they_did_well_when_lists_began_to_show_a_part() {
    let mut bench = made(3, "");
    bench.spec = cattle_of(3, "v2");
    stop_and_start(&mut bench);
    let (plugin, covers) = ("file".into(), Domains::from(["z1".to_owned()]));
    let circumstances = Listed {
        plugin: &plugin,
        started: bench.now,
        now: bench.now,
        lag: Lag::default(),
    };
    let part = (bench.list.clone(), Arc::new(covers));
    bench
        .seen
        .apply_part(&"g".into(), part, circumstances, NONCE);
    bench.pass(Duration::from_secs(3_600));
    bench.look();
    assert_eq!(destroyed(&bench.plan()), []);
}

/// So it is where the controller slept, and no list came for long after that.
#[test]
fn nor_because_they_did_well_before_the_controller_slept() {
    let mut bench = made(3, "");
    bench.spec = cattle_of(3, "v2");
    bench.pass(Duration::from_secs(120));
    bench.seen.wake(bench.now, Duration::ZERO);
    bench.pass(Duration::from_secs(1_200));
    bench.look();
    assert_eq!(destroyed(&bench.plan()), []);
}

/// A large group that was steady for long: nobody may go before enough others were heard of, and ten
/// a second would take minutes.
#[test]
fn those_that_something_waits_for_are_asked_before_the_others() {
    for note in ["v1", "v2"] {
        let mut bench = made(2_000, "");
        let size = if note == "v1" { 1_990 } else { 2_000 };
        bench.commit(cattle_of(size, note));
        restart_after(&mut bench, Duration::from_secs(3_600));
        let mut seconds = 0;
        while destroyed(&bench.preview()).is_empty() {
            let plan = bench.plan();
            let asked = checked(&plan);
            assert!(asked.len() <= 400, "{} at one moment", asked.len());
            let asked: Vec<String> = asked.into_iter().map(str::to_owned).collect();
            for id in asked {
                bench.verdict(&id, Health::Healthy);
            }
            bench.pass(Duration::from_secs(1));
            bench.look();
            seconds += 1;
            assert!(seconds < 60, "{note}: {:?}", plan.waiting);
        }
    }
}

fn cattle_of(size: u64, note: &str) -> infrakit_plan::Spec {
    spec(&format!(r#"{{"Size":{size}}}"#), note, "")
}

#[test]
fn who_was_ill_is_ill_and_goes_once_it_was_asked_again() {
    let mut bench = made(3, "");
    bench.sicken("i00001");
    restart(&mut bench);
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty(), "nobody goes unasked");
    assert!(checked(&plan).contains(&"i00001"));
    for id in ["i00000", "i00002"] {
        bench.verdict(id, Health::Healthy);
    }
    bench.verdict("i00001", Health::Unhealthy);
    assert_eq!(destroyed(&bench.plan()), [("i00001", Reason::Unhealthy)]);
}

#[test]
fn who_got_well_meanwhile_stays() {
    let mut bench = made(3, "");
    bench.sicken("i00001");
    restart(&mut bench);
    for id in ["i00000", "i00001", "i00002"] {
        bench.verdict(id, Health::Healthy);
    }
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty() && plan.memory.breaker.is_none());
}

/// The first that answers is not judged by itself.
#[test]
fn after_a_restart_nobody_is_judged_alone() {
    let mut bench = made(30, "");
    bench.seen = Observed::default();
    bench.look();
    bench.sicken("i00001");
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    let on = WaitingOn::Confirmation {
        id: "i00001".into(),
    };
    assert!(plan.waiting.contains(&on), "{:?}", plan.waiting);
    let asked: Vec<String> = checked(&plan).iter().map(|id| (*id).to_owned()).collect();
    assert!(asked.len() >= 9, "{asked:?}");
    for number in (0..30).filter(|number| *number != 1) {
        bench.verdict(&format!("i{number:05}"), Health::Healthy);
    }
    assert_eq!(destroyed(&bench.plan()), [("i00001", Reason::Unhealthy)]);
}

#[test]
fn an_open_breaker_stays_open_over_a_restart_with_or_without_a_record() {
    for record in [true, false] {
        let mut bench = made(3, "");
        bench.sicken("i00000");
        bench.sicken("i00001");
        let open = bench.plan().memory.breaker;
        assert!(open.is_some());
        if record {
            restart(&mut bench);
        } else {
            bench.seen = Observed::default();
            bench.pass(Duration::from_secs(30));
            bench.look();
        }
        let plan = bench.plan();
        assert_eq!(plan.memory.breaker.map(|open| open.since), Some(at(0)));
        assert_eq!(checked(&plan).len(), 3, "{:?}", checked(&plan));
        for id in ["i00000", "i00001", "i00002"] {
            bench.verdict(id, Health::Healthy);
        }
        bench.pass(Duration::from_secs(10));
        assert!(bench.plan().memory.breaker.is_none());
    }
}

#[test]
fn another_instance_with_the_same_id_inherits_nothing() {
    let mut bench = made(3, "");
    bench.sicken("i00001");
    bench.list[1] = and(shown("i00001", "v1"), tags::TOKEN, "n-77");
    let spec = Arc::new(bench.spec.clone());
    bench.seen.aim(&spec, false);
    let written = bench.seen.recollect(bench.now).unwrap();
    bench.seen = Observed::default();
    bench.seen.aim(&spec, false);
    bench.seen.recall(written);
    bench.look();
    let health = bench.member("i00001").health.clone();
    assert_eq!((health.last(), health.checked()), (Health::Unknown, None));
}

#[test]
fn a_large_group_takes_little_room() {
    let mut bench = made(30_000, "");
    let spec = Arc::new(bench.spec.clone());
    bench.seen.aim(&spec, false);
    let written = bench.seen.recollect(bench.now).unwrap();
    let bytes = serde_json::to_string(&written).unwrap().len();
    assert!(bytes < 30_000, "{bytes}");
    for number in 0..12_000 {
        bench.verdict(&format!("i{number:05}"), Health::Unhealthy);
    }
    let written = bench.seen.recollect(bench.now).unwrap();
    let bytes = serde_json::to_string(&written).unwrap().len();
    assert!(bytes < 250_000, "{bytes}");
    restart(&mut bench);
    for (id, health) in [
        ("i00000", Health::Unhealthy),
        ("i11999", Health::Unhealthy),
        ("i12000", Health::Healthy),
    ] {
        assert_eq!(bench.member(id).health.last(), health, "{id}");
    }
    let most = checked(&bench.preview()).len();
    assert!(most <= 200, "{most} at one moment");
}

/// Ten a second are asked. Long before as many are known to be ill as may be of all, most of those
/// asked are.
#[test]
fn in_a_large_group_the_share_of_those_asked_opens_the_breaker() {
    let mut bench = made(30_000, "");
    bench.pass(Duration::from_secs(3_600));
    bench.look();
    for number in 0..30 {
        bench.sicken(&format!("i{number:05}"));
    }
    for number in 30..50 {
        bench.verdict(&format!("i{number:05}"), Health::Healthy);
    }
    let plan = bench.plan();
    assert!(destroyed(&plan).is_empty());
    let on = WaitingOn::Breaker {
        domain: None,
        unhealthy: 30,
        most: 20,
    };
    assert!(plan.waiting.contains(&on), "{:?}", plan.waiting);
}

#[test]
fn a_few_chronically_ill_in_a_large_group_open_nothing() {
    let mut bench = made(30_000, "");
    for number in 0..300 {
        bench.sicken(&format!("i{number:05}"));
    }
    bench.pass(Duration::from_secs(3_600));
    bench.look();
    for number in 0..300 {
        bench.verdict(&format!("i{number:05}"), Health::Unhealthy);
    }
    for number in 300..500 {
        bench.verdict(&format!("i{number:05}"), Health::Healthy);
    }
    let plan = bench.plan();
    assert!(plan.memory.breaker.is_none());
    assert!(!destroyed(&plan).is_empty());
}

/// What was written may be long past: of a member that has come up since, it says that it has not.
#[test]
fn who_was_not_well_when_that_was_written_is_not_let_go_for_that() {
    let mut bench = made(3, "");
    bench.member("i00001").health = infrakit_plan::HealthRecord::default();
    bench.verdict("i00001", Health::Unhealthy);
    restart(&mut bench);
    bench.spec = spec(r#"{"Size":3}"#, "v2", "");
    bench.seen.aim(&Arc::new(bench.spec.clone()), false);
    bench.verdict("i00000", Health::Unhealthy);
    bench.verdict("i00000", Health::Unknown);
    let plan = bench.preview();
    assert_eq!(destroyed(&plan), [("i00000", Reason::Outdated)]);
    bench.memory.held.insert("i00000".into());
    let plan = bench.preview();
    assert!(destroyed(&plan).is_empty(), "{:?}", destroyed(&plan));
    bench.verdict("i00001", Health::Unhealthy);
    assert_eq!(destroyed(&bench.preview()), [("i00001", Reason::Outdated)]);
}

/// It may have recovered since.
#[test]
fn nobody_goes_for_what_ailed_it_before_the_controller_slept() {
    let mut bench = made(3, "");
    bench.sicken("i00001");
    bench.seen.wake(bench.now, Duration::from_secs(3_600));
    bench.pass(Duration::from_secs(10));
    bench.look();
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), []);
    assert!(checked(&plan).contains(&"i00001"), "it is asked anew");
    bench.verdict("i00001", Health::Unhealthy);
    assert_eq!(destroyed(&bench.plan()).len(), 1);
}

/// A machine that others made may be given out anew while the controller is away.
#[test]
fn how_the_former_life_of_an_id_was_says_nothing_of_the_next() {
    let mut behaviour = gives_up_at_once();
    behaviour.id.incarnation_field = Some("launched".to_owned());
    let trust = Trust::of(&behaviour, &LossPolicy::default());
    for (then, known) in [("monday", true), ("tuesday", false)] {
        let machine = |launched| and(shown("m", "v1"), "launched", launched);
        let mut bench = Bench::new(cattle(1));
        bench.seen.trust(&"file".into(), trust.clone());
        bench.add(machine("monday"));
        bench.verdict("m", Health::Healthy);
        stop_and_start(&mut bench);
        bench.seen.trust(&"file".into(), trust.clone());
        bench.list = vec![machine(then)];
        bench.look();
        assert_eq!(bench.member("m").health.ever_healthy(), known, "{then}");
    }
}
