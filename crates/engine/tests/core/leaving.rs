//! What is said of destructions: why they fail, whom they wait for, and until when.

use infrakit_spi::Error;
use infrakit_spi::behaviour::{Reuse, Seconds};

use crate::bench::{Bench, Fate, GROUP, cattle};

/// What is said of one member.
fn why(bench: &Bench, id: &str) -> String {
    let why = bench.core.why(&GROUP.into(), Some(&id.into()), bench.now);
    why.unwrap().lines.join("\n")
}

#[test]
fn why_a_destruction_fails_is_said_wherever_it_is_said_that_it_does() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    let mut subject = bench.ask_to_go("i-001");
    let busy = "it cannot be drained: volume vol-1 busy";
    for times in 1..=3 {
        bench.answer_destruction(subject.clone(), Err(Error::refused(busy)));
        bench.settle();
        let times = if times == 1 {
            "1 time"
        } else {
            &format!("{times} times")
        };
        let text = format!("that failed {times} with: {busy}; the next try is at 2001-");
        for said in [bench.why(), why(&bench, "i-001")] {
            assert!(said.contains(&text), "{said}");
        }
        bench.wait(60);
        subject = bench.take_destruction();
    }
    bench.answer_destruction(subject, Err(Error::refused(busy)));
    bench.settle();
    let described = bench.core.conditions(&GROUP.into(), bench.now).unwrap();
    let degraded = described
        .iter()
        .find(|one| one.reason == "DestructionsFail");
    let text = "`i-001` cannot be destroyed: it cannot be drained: volume vol-1 busy";
    assert_eq!(degraded.unwrap().message, text);
}

/// The first that goes may be fine.
#[test]
fn the_one_that_fails_is_named_first() {
    let mut bench = Bench::new();
    bench.arrive(cattle(4, "1"));
    bench.ask_to_go("i-001");
    let second = bench.ask_to_go("i-002");
    bench.answer_destruction(second, Err(Error::refused("busy")));
    bench.settle();
    let said = bench.why();
    assert!(said.contains("`i-002` goes since"), "{said}");
}

#[test]
fn while_its_flavor_drains_it_that_is_said_and_until_when() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.ask_to_go("i-001");
    let text = "its flavor `fine` was asked at 2001-09-09T01:51:40Z to drain it, until \
                2001-09-09T02:01:40Z at most; then `file` destroys it";
    for said in [bench.why(), why(&bench, "i-001")] {
        assert!(said.contains(text), "{said}");
    }
    // A rollout may be told not to drain.
    let mut bench = Bench::new();
    let skips = |note| {
        let more = r#","Updating":{"SkipBeforeInstanceDestroy":"drain"}"#;
        crate::bench::spec(r#"{"Size":2}"#, ("file", note), more)
    };
    bench.arrive(skips("1"));
    bench.fate = Fate::Kept;
    bench.commit(skips("2"));
    let said = bench.why();
    assert!(said.contains("; its plugin was asked at "), "{said}");
}

/// A moment that has passed is no answer to when it goes on.
#[test]
fn what_is_due_says_what_it_waits_for() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.id.reused = Reuse::Always;
    });
    bench.arrive(cattle(3, "1"));
    let subject = bench.ask_to_go("i-001");
    bench.fate = Fate::Done;
    bench.answer_destruction(subject, Err(Error::unknown("no answer")));
    bench.hold_lists = true;
    bench.wait(60);
    let said = bench.why();
    let text = "that failed 1 time with: no answer; the next try waits for a list that shows it";
    assert!(said.contains(text), "{said}");
}

/// A restart takes up what was decided before, and has not tried anything yet.
#[test]
fn after_a_restart_nothing_has_failed_yet() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.list.lag = Some(Seconds(30.0));
    });
    bench.arrive(cattle(3, "1"));
    bench.scale(4);
    bench.wait(12);
    bench.ask_to_go("i-004");
    bench.fate = Fate::Done;
    bench.hold_lists = true;
    bench.restart();
    let said = why(&bench, "i-004");
    let text = "that was decided before, it may have gone since, and the next try waits \
                for a list that shows it";
    assert!(said.contains(text), "{said}");
}

#[test]
fn a_request_that_does_not_wait_for_the_budget_is_told_apart() {
    let mut bench = Bench::new();
    bench.arrive(cattle(4, "1"));
    let group = GROUP.into();
    let rule = |bench: &Bench, id: &str| {
        let why = bench.core.why(&GROUP.into(), Some(&id.into()), bench.now);
        let deed = &why.unwrap().deeds[0];
        deed.rule.clone()
    };
    let now = bench.now;
    bench
        .core
        .destroy_instances(&group, &["i-001".into()], now)
        .unwrap();
    bench.settle();
    let asked = "Requested: its destruction was requested";
    assert_eq!(rule(&bench, "i-001"), asked);
    let subject = bench.ask_to_go("i-002");
    let at_once = "its destruction was requested, at once, whoever serves";
    assert_eq!(rule(&bench, "i-002"), format!("RequestedNow: {at_once}"));
    let said = why(&bench, "i-002");
    assert!(said.contains(&format!("because {at_once};")), "{said}");
    bench.fate = Fate::Done;
    bench.answer_destruction(subject, Ok(()));
    // The record of the commit says so for as long as it is kept.
    bench.restart();
    bench.wait(60);
    let history = bench.core.history(&group).unwrap();
    let messages: Vec<&str> = history.iter().map(|one| &*one.message).collect();
    assert_eq!(
        messages,
        [
            "",
            "the destruction of `i-001` was requested",
            "the destruction of `i-002` was requested, at once, whoever serves"
        ]
    );
}

/// A flavor that refuses to drain says nothing of whether its member is there: once nobody is to go any more,
/// everything is as before.
#[test]
fn one_whose_drain_was_refused_stays_as_soon_as_it_is_wanted_again() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(3, "1"));
    bench.wait(300);
    bench.fate = Fate::Kept;
    bench.commit(cattle(3, "2"));
    let subject = bench.take_destruction();
    let refused = Error::refused("it cannot be drained: no").of_another();
    bench.answer_destruction(subject, Err(refused));
    bench.fate = Fate::Done;
    bench.commit(cattle(3, "1"));
    bench.wait(10);
    assert!(bench.converged(), "{}", bench.why());
    assert_eq!(bench.count("destroy"), 0, "{:?}", bench.made);
}
