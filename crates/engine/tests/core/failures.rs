//! Creations that fail, members that fail, and what is learned from both.

use infrakit_spi::{Error, FailureClass};

use crate::bench::{Bench, cattle, spec};

#[test]
fn a_configuration_error_stops_and_a_commit_forgives_it() {
    let mut bench = Bench::new();
    let error = Error::refused("no such image").with_class(FailureClass::Configuration);
    bench.refused.insert("\"1\"".to_owned(), error);
    bench.commit(cattle(2, "1"));
    bench.wait(3_600);
    assert_eq!(bench.count("create"), 2, "it would fail for ever");
    bench.commit(cattle(2, "1"));
    bench.wait(60);
    assert_eq!(
        bench.count("create"),
        4,
        "somebody says that it is worth a try"
    );
    bench.crash();
    bench.wait(60);
    assert_eq!(bench.count("create"), 4, "a restart is no reason");
    bench.refused.clear();
    bench.commit(cattle(2, "1"));
    bench.wait(60);
    assert!(bench.converged());
}

#[test]
fn a_quota_is_tried_again_ever_more_rarely() {
    let mut bench = Bench::new();
    let error = Error::refused("enough").with_class(FailureClass::Quota);
    bench.refused.insert("\"1\"".to_owned(), error);
    bench.commit(cattle(1, "1"));
    bench.wait(600);
    let tries = bench.count("create");
    assert!((9..=11).contains(&tries), "{tries}");
    bench.refused.clear();
    bench.wait(300);
    assert!(bench.converged());
    assert_eq!(bench.memory().creation.failures(), 0);
}

#[test]
fn new_members_that_die_at_birth_fail_a_rollout() {
    let mut bench = Bench::new();
    let more = r#","Updating":{"OnFailure":"pause","FailureThreshold":2,"Count":3}"#;
    let group = |note: &str| spec(r#"{"Size":4}"#, ("file", note), more);
    bench.arrive(group("1"));
    bench.commit(group("2"));
    for _ in 0..200 {
        bench.wait(1);
        // Whatever is new dies before it has proved itself.
        let young: Vec<String> = bench.ids()[..]
            .iter()
            .filter(|id| **id > "i-004")
            .map(|id| (*id).to_owned())
            .collect();
        bench.wait(1);
        for id in young {
            bench.lose(&id);
        }
    }
    let roll = bench.memory().roll.unwrap();
    assert!((2..=3).contains(&roll.failed), "{roll:?}");
    assert!(roll.paused.is_some());
}

#[test]
fn a_sick_new_member_fails_a_rollout_once() {
    let mut bench = Bench::new();
    let more = r#","Updating":{"FailureThreshold":3,"OnFailure":"pause"},"Health":{"GracePeriod":"1s","MaxUnhealthy":"60%"}"#;
    let group = |note: &str| spec(r#"{"Size":4}"#, ("file", note), more);
    bench.arrive(group("1"));
    bench.sick.insert("i-005".into());
    bench.commit(group("2"));
    bench.wait(300);
    assert!(!bench.ids().contains(&"i-005"), "it was replaced");
    assert!(bench.converged());
    let destroyed = bench.made.iter().filter(|call| call.contains("i-005"));
    assert_eq!(destroyed.count(), 1);
    // The rollout is over; what it counted was read while it went on.
    bench.sick.extend(["i-009".into(), "i-010".into()]);
    bench.commit(group("3"));
    bench.wait(20);
    bench.crash();
    bench.wait(20);
    let failed = bench.memory().roll.map(|roll| roll.failed);
    assert!(failed.is_none_or(|failed| failed <= 2), "{failed:?}");
}

#[test]
fn how_long_things_take_is_measured() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.arrive(cattle(3, "2"));
    let measured = bench.memory().measured;
    assert!(measured.provision.count >= 4, "{measured:?}");
    assert!(measured.proof.count >= 3, "{measured:?}");
    assert!(measured.departure.count >= 2, "{measured:?}");
}
