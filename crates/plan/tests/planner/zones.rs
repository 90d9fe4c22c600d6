//! Zones whose members fall ill together.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Breaker, ConditionKind, Decided, Observed, Reason, Step, WaitingOn};
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::flavor::Health;

use crate::bench::*;

/// Fifteen members in three zones, which their provider names.
fn zones() -> Bench {
    let mut bench = Bench::new(cattle(15));
    let behaviour = Behaviour {
        domain_of: Some("zone".to_owned()),
        ..gives_up_at_once()
    };
    bench.config.behaviours = Arc::new([("file".into(), behaviour)].into());
    for number in 0..15 {
        let id = format!("{}{number}", ["a", "b", "c"][number % 3]);
        let zone = &id[..1];
        bench.add(and(shown(&id, "v1"), "zone", zone));
        bench.verdict(&id, Health::Healthy);
    }
    bench
}

/// They are four of fifteen, and four of the five in their zone.
#[test]
fn a_zone_whose_members_fall_sick_together_is_one_event() {
    let mut bench = zones();
    for id in ["a0", "a3", "a6", "a9"] {
        bench.sicken(id);
    }
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), []);
    let open = WaitingOn::Breaker {
        domain: Some("a".to_owned()),
        unhealthy: 4,
        most: 2,
    };
    assert!(plan.waiting.contains(&open), "{:?}", plan.waiting);
    let degraded = plan.memory.conditions.get(ConditionKind::Degraded).unwrap();
    assert_eq!(degraded.reason, "TooManySick");
    assert!(plan.memory.breaker.is_none(), "the others are healed");
    bench.sicken("b1");
    assert_eq!(destroyed(&bench.plan()), [("b1", Reason::Unhealthy)]);
}

#[test]
fn the_breaker_of_a_zone_closes_a_while_after_most_of_it_is_well() {
    let mut bench = zones();
    for id in ["a0", "a3", "a6", "a9"] {
        bench.sicken(id);
    }
    bench.plan();
    for id in ["a0", "a3", "a6"] {
        bench.verdict(id, Health::Healthy);
    }
    assert_eq!(destroyed(&bench.plan()), []);
    bench.pass(Duration::from_secs(10));
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), [("a9", Reason::Unhealthy)]);
    assert!(plan.memory.domain_breakers.is_empty());
}

#[test]
fn two_sick_members_of_a_zone_are_healed() {
    let mut bench = zones();
    bench.sicken("a0");
    bench.sicken("a3");
    assert_eq!(destroyed(&bench.plan()).len(), 1, "one at a time");
}

/// Nobody asks a member that does not come up, and the step has had its time.
#[test]
fn a_member_that_does_not_come_up_after_a_repair_is_replaced() {
    let health = r#","Health":{"Repair":["reboot"],"RepairWait":"2m"}"#;
    let mut bench = Bench::healthy(spec(r#"{"Size":3}"#, "v1", health), &["a", "b", "c"]);
    bench.sicken("a");
    bench.play(&["a"]);
    bench.list[0].state = infrakit_spi::instance::Lifecycle::Pending;
    bench.pass(Duration::from_secs(119));
    bench.look();
    assert_eq!(destroyed(&bench.plan()), []);
    bench.pass(Duration::from_secs(1));
    bench.look();
    assert_eq!(destroyed(&bench.plan()), [("a", Reason::Unhealthy)]);
}

/// Seven of fifteen would be too many; the five of one zone are one event.
#[test]
fn a_zone_that_is_ill_keeps_nobody_elsewhere_from_being_healed() {
    let mut bench = zones();
    for id in ["a0", "a3", "a6", "a9", "a12"] {
        bench.sicken(id);
    }
    assert_eq!(destroyed(&bench.plan()), []);
    for id in ["b1", "c2"] {
        bench.sicken(id);
    }
    let plan = bench.plan();
    assert!(plan.memory.breaker.is_none(), "{:?}", plan.waiting);
    assert_eq!(destroyed(&plan), [("b1", Reason::Unhealthy)]);
}

/// With two of three zones ill the fault is with whoever judges them.
#[test]
fn where_most_of_the_group_is_in_zones_that_are_ill_nobody_elsewhere_is_healed() {
    let mut bench = zones();
    for id in [
        "a0", "a3", "a6", "a9", "a12", "c2", "c5", "c8", "c11", "c14",
    ] {
        bench.sicken(id);
    }
    assert_eq!(destroyed(&bench.plan()), []);
    bench.sicken("b1");
    let plan = bench.plan();
    assert_eq!(destroyed(&plan), []);
    assert!(plan.memory.breaker.is_some(), "{:?}", plan.waiting);
}

/// Nor does one go that was to go for its health before its zone fell ill.
#[test]
fn whose_destruction_has_failed_is_not_asked_to_go_again_while_its_zone_is_ill() {
    let mut bench = zones();
    bench.sicken("a0");
    bench.depart("a0", Reason::Unhealthy, Step::Failed(1, at(4)));
    for id in ["a3", "a6", "a9"] {
        bench.sicken(id);
    }
    bench.now = at(10);
    let plan = bench.plan();
    let broken = &plan.memory.domain_breakers;
    assert!(broken.contains_key("a"), "{:?}", plan.waiting);
    assert_eq!(destroyed(&plan), []);
    // Nor after a restart, which knows of it.
    let decided = Decided {
        plugin: "file".into(),
        reason: Reason::Unhealthy,
        begun: at(0),
        since: at(0),
    };
    bench.member("a0").departure = None;
    let key = ("file".into(), "a0".into());
    bench.memory.decided.insert(key, decided);
    assert_eq!(destroyed(&bench.plan()), []);
}

/// A controller that was started anew while the breaker of one zone was open; no list has come.
fn started_anew() -> Bench {
    let mut bench = zones();
    let open = Breaker {
        since: at(0),
        last: at(0),
    };
    bench.memory.domain_breakers.insert("a".to_owned(), open);
    bench.seen = Observed::default();
    bench
}

/// It knows how those elsewhere are, and not how those are for whom the breaker is open.
#[test]
fn a_controller_that_was_started_anew_lets_no_zone_go_before_it_has_asked_there() {
    let mut bench = started_anew();
    bench.look();
    for number in 0..15 {
        let id = format!("{}{number}", ["a", "b", "c"][number % 3]);
        if !id.starts_with('a') {
            bench.verdict(&id, Health::Healthy);
        }
    }
    bench.pass(Duration::from_secs(60));
    let is_open = |bench: &mut Bench| bench.plan().memory.domain_breakers.contains_key("a");
    assert!(is_open(&mut bench));
    for id in ["a0", "a3", "a6", "a9", "a12"] {
        bench.verdict(id, Health::Healthy);
    }
    bench.pass(Duration::from_secs(10));
    assert!(!is_open(&mut bench));
}

/// Its plugin says of one there that it goes away: nobody asks it, however long that hangs.
#[test]
fn the_breaker_of_a_zone_does_not_wait_for_one_that_goes_away() {
    let mut bench = started_anew();
    let leaving = bench.list.iter_mut().find(|one| one.id.as_str() == "a0");
    leaving.unwrap().state = infrakit_spi::instance::Lifecycle::Terminating;
    bench.look();
    for number in 1..15 {
        let id = format!("{}{number}", ["a", "b", "c"][number % 3]);
        bench.verdict(&id, Health::Healthy);
    }
    bench.pass(Duration::from_secs(60));
    let plan = bench.plan();
    assert!(plan.memory.domain_breakers.is_empty(), "{:?}", plan.waiting);
}
