//! Creations of which nothing is known, for as long as their provider may take.

use std::time::Duration;

use futures_util::FutureExt as _;
use infrakit_engine::core::{Call, Effect, Event};
use infrakit_plan::Timestamp;
use infrakit_spi::Error;
use infrakit_spi::behaviour::{AnswerMeans, Seconds};
use infrakit_store::Store as _;

use crate::bench::{Bench, Fate, GROUP, cattle, gives_up_after, spec};

fn pets(ids: &str) -> infrakit_spi::group::GroupSpec {
    spec(&format!(r#"{{"LogicalIDs":{ids}}}"#), ("file", "1"), "")
}

/// Three pets whose creations take 40 s; the controller is stopped after 4 s, and started.
#[test]
fn a_creation_that_outlasts_a_restart_is_not_made_twice() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(pets(r#"["a","b","c"]"#));
    bench.wait(4);
    bench.restart();
    bench.wait(36);
    assert_eq!(bench.kept(), 3, "nothing is made beside them");
    bench.come_true();
    bench.fate = Fate::Done;
    bench.wait(60);
    assert!(bench.converged());
    assert_eq!((bench.count("create"), bench.names().len()), (3, 3));
}

/// A plugin that answers as soon as it has taken the request down.
#[test]
fn a_creation_that_was_only_accepted_may_show_as_late_as_it_may_take() {
    for accepted in [true, false] {
        let mut bench = Bench::declaring(|behaviour| {
            if accepted {
                behaviour.create.answer_means = AnswerMeans::Accepted;
            }
            behaviour.create.give_up = Some(Seconds(12.0));
            behaviour.visibility_window.list = Some(Seconds(1.0));
            behaviour.list.lag = Some(Seconds(1.0));
            behaviour.list.relapse = Some(Seconds(1.0));
        });
        bench.arrive(pets(r#"["a","b"]"#));
        bench.stale = Some(bench.instances.clone());
        bench.commit(pets(r#"["a","b","c","d"]"#));
        bench.wait(10);
        bench.stale = None;
        bench.wait(60);
        // One that exists when it is answered would have to show after a second.
        let twice = bench.count("create") > 4;
        assert_eq!(twice, !accepted, "{:?}", bench.made);
    }
}

#[test]
fn how_long_it_is_waited_for_is_counted_from_its_beginning_however_often_the_controller_starts() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Lost;
    bench.commit(cattle(3, "1"));
    bench.fate = Fate::Done;
    for _ in 0..3 {
        bench.wait(200);
        bench.restart();
    }
    bench.wait(10);
    assert_eq!(
        bench.count("create"),
        0,
        "610 s: the last one may not show yet"
    );
    bench.wait(20);
    assert_eq!(bench.count("create"), 3);
    bench.wait(60);
    assert!(bench.converged());
}

#[test]
fn a_clock_that_was_set_back_makes_it_wait_longer_and_not_for_ever() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Lost;
    bench.commit(cattle(1, "1"));
    bench.fate = Fate::Done;
    bench.now = Timestamp(bench.now.0 - 3_600_000_000_000);
    bench.restart();
    bench.wait(600);
    assert_eq!(bench.count("create"), 0);
    bench.wait(60);
    assert_eq!(bench.count("create"), 1);
}

#[test]
fn what_a_plugin_declares_holds_instead() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Lost;
    bench.commit(cattle(1, "1"));
    bench.fate = Fate::Done;
    bench.restart();
    let behaviour = Ok(Box::new(gives_up_after(30)));
    let plugin = "file".into();
    bench
        .core
        .handle(Event::Behaves { plugin, behaviour }, bench.now);
    bench.wait(40);
    assert_eq!(bench.count("create"), 0);
    bench.wait(15);
    assert_eq!(bench.count("create"), 1);
}

#[test]
fn everything_else_goes_on_meanwhile_and_why_says_what_is_waited_for() {
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Lost;
    bench.commit(pets(r#"["a"]"#));
    bench.fate = Fate::Done;
    bench.restart();
    bench.wait(1);
    bench.commit(pets(r#"["a","b","c"]"#));
    bench.wait(5);
    assert_eq!(bench.names().into_iter().collect::<Vec<_>>(), ["b", "c"]);
    let why = bench.why();
    let begun = "2001-09-09T01:46:40Z";
    assert!(
        why.contains(&format!(
            "the answer to the creation of `a` is lost: it was begun at {begun}, \
             `file` may take until 2001-09-09T01:56:55Z"
        )),
        "{why}"
    );
    // Like members are counted, whoever they are.
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Lost;
    bench.commit(cattle(3, "1"));
    bench.fate = Fate::Done;
    bench.restart();
    bench.wait(1);
    bench.commit(cattle(5, "1"));
    bench.wait(30);
    assert_eq!(bench.count("create"), 2);
}

#[test]
fn what_was_refused_is_settled_at_once_and_stays_so_through_a_restart() {
    let mut bench = Bench::undeclared();
    bench.calls_left = Some(2);
    let refusal = Error::refused("no room");
    bench.refused.insert("1".to_owned(), refusal);
    bench.commit(cattle(3, "1"));
    assert_eq!((bench.count("create"), bench.kept()), (2, 1));
    bench.wait(0);
    bench.take_kept();
    bench.calls_left = None;
    bench.refused.clear();
    bench.restart();
    bench.wait(120);
    assert_eq!(bench.ids().len(), 2, "only the third is in doubt");
    bench.wait(600);
    assert_eq!(bench.ids().len(), 3);
    assert!(bench.now > Timestamp(0) + Duration::from_secs(1));
}

/// A slow disk lies between the plan and the call.
#[test]
fn a_creation_is_doubted_from_when_its_call_began() {
    let mut bench = Bench::undeclared();
    bench.arrive(cattle(1, "1"));
    let now = bench.now;
    bench.core.set_size(&GROUP.into(), 2, now).unwrap();
    let mut calls = Vec::new();
    for _ in 0..6 {
        bench.core.plan(bench.now);
        for effect in bench.core.take_effects() {
            match effect {
                Effect::Journal {
                    batch,
                    changes,
                    durability,
                } => {
                    let written = bench.store.commit(changes, durability);
                    let outcome = written.now_or_never().unwrap().map(drop);
                    let outcome = outcome.map_err(|error| panic!("{error}"));
                    // A slow disk.
                    bench.now = bench.now + Duration::from_secs(60);
                    bench
                        .core
                        .handle(Event::Journaled { batch, outcome }, bench.now);
                }
                Effect::Call(call @ Call::Provision { .. }) => calls.push((call, bench.now)),
                Effect::Call(_) | Effect::List { .. } => {}
            }
        }
    }
    let [(Call::Provision { provision, .. }, began)] = &calls[..] else {
        panic!("{calls:?}");
    };
    let (tags, began) = (provision.tags.clone(), *began);
    bench.crash();
    // It comes true within ten minutes of its beginning, and nobody has heard of it.
    while bench.now < began + Duration::from_secs(580) {
        bench.wait(5);
    }
    bench.plant("file", "i-700", tags);
    bench.wait(120);
    let most = bench.count("create");
    assert_eq!(most, 1, "{:?}", bench.made);
}

/// What a creation may take is part of how long one that was only accepted may be missing: it is not
/// counted twice.
#[test]
fn a_creation_of_a_plugin_that_only_accepts_is_waited_for_no_longer_than_it_may_take() {
    let mut bench = Bench::declaring(|behaviour| {
        behaviour.create.answer_means = AnswerMeans::Accepted;
        behaviour.create.give_up = Some(Seconds(60.0));
    });
    bench.fate = Fate::Lost;
    bench.commit(cattle(3, "1"));
    bench.fate = Fate::Done;
    bench.restart();
    bench.wait(90);
    assert_eq!(bench.count("create"), 3, "{}", bench.why());
}

/// Of an answer that cannot be used `why` says what is wrong with it, and whose it is: nothing was lost.
#[test]
fn why_says_what_is_wrong_with_an_answer_that_cannot_be_used() {
    let wrong = "Instance.Provision: unexpected result: invalid type: integer `7`";
    let mut bench = Bench::undeclared();
    bench.fate = Fate::Kept;
    bench.commit(pets(r#"["a"]"#));
    bench.refused.insert("1".to_owned(), Error::unusable(wrong));
    bench.release();
    bench.wait(5);
    let why = bench.why();
    let said = format!("the answer of `file` to the creation of `a` cannot be used ({wrong})");
    assert!(why.contains(&said) && !why.contains("lost"), "{why}");
    let deeds = bench
        .core
        .why(&GROUP.into(), None, bench.now)
        .unwrap()
        .deeds;
    let evidence = &deeds.first().unwrap().evidence;
    assert!(
        evidence.ends_with(&format!("its answer cannot be used: {wrong}")),
        "{evidence}"
    );
}

#[test]
fn so_it_is_with_an_answer_that_has_no_id() {
    let mut bench = Bench::undeclared();
    bench.answered = Some("".into());
    bench.commit(pets(r#"["a"]"#));
    bench.wait(5);
    let why = bench.why();
    let said = "to the creation of `a` cannot be used (`file` answered a creation without an id)";
    assert!(why.contains(said) && !why.contains("lost"), "{why}");
}
