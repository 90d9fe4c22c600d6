//! Creations that fail, members that fail, and what is learned from both.

use infrakit_engine::core::Event;
use infrakit_spi::behaviour::{Behaviour, Completeness};
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

/// Plugins of the original say no class, and their words mean this or that.
#[test]
fn words_of_a_configuration_error_stop_nothing() {
    for words in [
        "InvalidAMIID.NotFound: The image id does not exist",
        "Error response from daemon: No such image: web:1",
        "invalid character",
        "403 Forbidden: rate limit",
        "unauthorized: the token has expired",
        "500 the VM does not exist",
    ] {
        let mut bench = Bench::new();
        let error = Error::refused(words);
        bench.refused.insert("\"1\"".to_owned(), error);
        bench.commit(cattle(3, "1"));
        bench.wait(4);
        assert!(!bench.converged() && bench.count("create") >= 3);
        bench.refused.clear();
        bench.wait(30);
        assert!(bench.converged(), "{words}");
        assert_eq!(bench.memory().creation.failures(), 0, "{words}");
    }
}

/// Instances that vanish as soon as they were made.
#[test]
fn what_vanishes_at_birth_is_made_again_ever_more_rarely_and_says_so() {
    let mut bench = Bench::new();
    // Where lists are doubted, all three missing at once is not believed for a minute, which is slow
    // enough by itself.
    let mut behaviour = Behaviour::default();
    behaviour.list.complete = Completeness::Yes;
    behaviour.list.durable = Some(true);
    let behaviour = Ok(Box::new(behaviour));
    let plugin = "file".into();
    let declared = Event::Behaves { plugin, behaviour };
    bench.core.handle(declared, bench.now);
    bench.commit(cattle(3, "1"));
    let mut half = 0;
    for second in 0..3_600 {
        bench.wait(1);
        for id in bench
            .ids()
            .iter()
            .map(|id| (*id).to_owned())
            .collect::<Vec<_>>()
        {
            bench.lose(&id);
        }
        if second == 1_800 {
            half = bench.count("create");
        }
    }
    let all = bench.count("create");
    // Three at a time, and at last every five minutes.
    assert!(all - half <= 30, "{half} and then {all}");
    let conditions = bench.memory().conditions;
    let degraded = conditions.get(infrakit_plan::ConditionKind::Degraded);
    let degraded = degraded.unwrap();
    assert_eq!(degraded.reason, "CrashLoop");
    assert!(
        degraded.message.contains("was gone"),
        "{}",
        degraded.message
    );
    // What was wrong is mended: the next ones live.
    bench.wait(400);
    assert!(bench.converged(), "{:?}", bench.memory().conditions);
}

/// Somebody who tries the program deletes what it made.
#[test]
fn a_few_that_are_deleted_come_back_at_once() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    for _ in 0..5 {
        let first = bench.ids()[0].to_owned();
        bench.lose(&first);
        bench.wait(12);
        assert_eq!(bench.ids().len(), 3);
    }
    assert!(bench.converged());
}
