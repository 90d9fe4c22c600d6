//! Creations whose answers are lost, at providers that know them by their tokens: they are asked for
//! again.

use infrakit_engine::core::Override;
use infrakit_spi::behaviour::{Behaviour, IdempotencyKind, Seconds};
use infrakit_spi::{Error, FailureClass};

use crate::bench::{Bench, Fate, cattle};

/// Creations take up to an hour, and are known by their tokens for so many seconds.
fn knowing(bench: &mut Bench, seconds: f64) {
    let mut behaviour = Behaviour::default();
    behaviour.idempotency.kind = IdempotencyKind::Token;
    behaviour.idempotency.ttl = Some(Seconds(seconds));
    behaviour.create.give_up = Some(Seconds(3600.0));
    let set = [("file".into(), Override::from(behaviour))];
    bench
        .core
        .override_plugins(set.into_iter().collect(), bench.now);
}

fn created(bench: &Bench) -> usize {
    let made = bench.made.iter();
    made.filter(|call| call.starts_with("create")).count()
}

/// A group of one whose creation gets no answer, and never began.
fn unanswered(seconds: f64) -> Bench {
    let mut bench = Bench::undeclared();
    knowing(&mut bench, seconds);
    bench.arrive(cattle(0, "1"));
    bench
        .refused
        .insert("1".to_owned(), Error::unknown("no answer"));
    bench.commit(cattle(1, "1"));
    assert_eq!((created(&bench), bench.instances.len()), (1, 0));
    bench
}

#[test]
fn it_is_asked_for_again_and_comes() {
    let mut bench = unanswered(86_400.0);
    bench.wait(20);
    // After 1, 2, 4 and 8 s.
    assert_eq!((created(&bench), bench.instances.len()), (5, 0));
    let said = bench.why();
    assert!(said.contains("asked again 4 times"), "{said}");
    bench.refused.clear();
    bench.wait(20);
    assert_eq!((created(&bench), bench.instances.len()), (6, 1));
    bench.wait(600);
    assert_eq!((created(&bench), bench.instances.len()), (6, 1));
}

#[test]
fn a_restart_asks_again_and_nothing_is_doubled() {
    let mut bench = Bench::undeclared();
    knowing(&mut bench, 86_400.0);
    bench.arrive(cattle(2, "1"));
    bench.stale = Some(bench.instances.clone());
    bench.fate = Fate::Unheard;
    bench.commit(cattle(5, "1"));
    assert_eq!(bench.instances.len(), 5);
    bench.crash();
    knowing(&mut bench, 86_400.0);
    bench.made.clear();
    bench.wait(10);
    assert_eq!((created(&bench), bench.instances.len()), (3, 5));
    bench.stale = None;
    bench.wait(60);
    assert_eq!((created(&bench), bench.instances.len()), (3, 5));
}

#[test]
fn a_provider_that_has_forgotten_the_token_is_not_asked() {
    let mut bench = unanswered(10.0);
    bench.wait(600);
    assert_eq!(created(&bench), 4, "after 1, 2 and 4 s");
    // Until then it may still come.
    bench.refused.clear();
    bench.wait(3_000);
    assert_eq!(bench.instances.len(), 0);
    bench.wait(60);
    assert_eq!(bench.instances.len(), 1);
}

/// The flavor is shown the whole specification: with another one it may make something else.
#[test]
fn after_a_commit_the_same_cannot_be_asked_for() {
    let mut bench = unanswered(86_400.0);
    bench.refused.clear();
    bench.commit(cattle(2, "1"));
    bench.wait(600);
    assert_eq!((created(&bench), bench.instances.len()), (2, 1));
}

#[test]
fn a_plugin_that_refuses_a_token_for_its_content_is_named_and_not_asked_again() {
    let mut bench = unanswered(86_400.0);
    let mismatch = Error::refused("IdempotentParameterMismatch");
    bench.refused.insert("1".to_owned(), mismatch);
    bench.wait(600);
    assert_eq!(created(&bench), 2);
    let said = bench.why();
    let expected = "`file` declares that it knows creations by their tokens, and refuses one that it \
                    was asked for before: IdempotentParameterMismatch";
    assert!(said.contains(expected), "{said}");
    assert_eq!(
        bench.instances.len(),
        0,
        "it may have come of the first call"
    );
}

#[test]
fn a_plugin_that_is_busy_is_asked_later() {
    let mut bench = unanswered(86_400.0);
    let busy = Error::refused("busy").with_class(FailureClass::Unavailable);
    bench.refused.insert("1".to_owned(), busy);
    bench.wait(20);
    assert_eq!((created(&bench), bench.instances.len()), (5, 0));
    bench.refused.clear();
    bench.wait(20);
    assert_eq!((created(&bench), bench.instances.len()), (6, 1));
}

/// What waits for a slot was not asked: it is in doubt as before.
#[test]
fn a_commit_takes_back_that_it_is_asked_for_again() {
    let mut bench = unanswered(86_400.0);
    bench.fate = Fate::Kept;
    bench.wait(2);
    bench.full = true;
    bench.wait(10);
    bench.full = false;
    bench.fate = Fate::Done;
    bench.take_kept();
    bench.crash();
    knowing(&mut bench, 86_400.0);
    bench.refused.clear();
    bench.wait(30);
    assert_eq!(bench.instances.len(), 1);
}

#[test]
fn a_plugin_that_makes_two_with_one_token_is_named_and_not_asked_again() {
    let mut bench = unanswered(86_400.0);
    bench.refused.clear();
    bench.wait(10);
    assert_eq!(bench.instances.len(), 1);
    let (_, first) = bench.instances.first_key_value().unwrap();
    let tags = first.tags.clone().unwrap();
    bench.plant("file", "twin", tags);
    bench.wait(30);
    assert_eq!(bench.instances.len(), 1, "one of them is one too many");
    let said = bench.why();
    let expected = "`file` declares that it knows creations by their tokens, and made two with one, \
                    `i-001` and `twin`";
    assert!(said.contains(expected), "{said}");
    bench
        .refused
        .insert("1".to_owned(), Error::unknown("no answer"));
    bench.made.clear();
    bench.commit(cattle(2, "1"));
    bench.wait(600);
    assert_eq!(created(&bench), 1);
}
