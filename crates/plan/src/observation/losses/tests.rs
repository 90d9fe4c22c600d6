//! Lists that lack many at once.

use infrakit_spi::behaviour::{Behaviour, Completeness};
use infrakit_spi::instance::Description;
use infrakit_spi::tags;

use super::*;
use crate::{Lag, Listed, LossPolicy, Share};

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * 1_000_000_000)
}

fn description(id: &str) -> Description {
    let zone = id.split('-').next().unwrap();
    let tags = [(tags::GROUP, "g"), ("zone", zone)];
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    Description {
        id: id.into(),
        tags: Some(tags.map(owned).into()),
        ..Description::default()
    }
}

fn list(seen: &mut Observed, ids: &[&str], started: u64) -> Seen {
    let circumstances = Listed {
        plugin: &"p".into(),
        started: at(started),
        now: at(started),
        lag: Lag::default(),
    };
    let ids = ids.iter().map(|id| description(id));
    seen.apply(&"g".into(), ids, circumstances, "n")
}

/// A group that was listed long ago, whose plugin behaves like this.
fn group(ids: &[&str], behaviour: &Behaviour) -> Observed {
    let mut seen = Observed::default();
    seen.trust(&"p".into(), Trust::of(behaviour, &LossPolicy::default()));
    list(&mut seen, ids, 1);
    seen
}

fn missed(seen: &Observed) -> usize {
    seen.members().filter(|member| member.missed).count()
}

const SIX: [&str; 6] = ["a-1", "a-2", "b-1", "b-2", "c-1", "c-2"];

#[test]
fn up_to_half_are_believed_to_be_gone_at_once() {
    let mut seen = group(&SIX, &Behaviour::default());
    assert_eq!(list(&mut seen, &SIX[3..], 100).vanished, 3);
    assert_eq!(seen.doubted(), None);
    let mut two = group(&SIX[..2], &Behaviour::default());
    assert_eq!(list(&mut two, &[], 100).vanished, 2);
}

#[test]
fn more_are_believed_when_a_second_list_says_so() {
    let mut seen = group(&SIX, &Behaviour::default());
    let first = list(&mut seen, &SIX[4..], 100);
    assert_eq!((first.vanished, first.look_again), (0, Some(at(102))));
    assert_eq!((seen.len(), missed(&seen)), (6, 4));
    let doubted = seen.doubted().unwrap();
    assert_eq!(
        (doubted.count, doubted.since, doubted.until),
        (4, at(100), Some(at(102)))
    );
    assert_eq!(list(&mut seen, &SIX[4..], 101).vanished, 0, "too soon");
    assert_eq!(seen.unchanged(&"p".into(), at(102), at(102)).vanished, 4);
    assert_eq!((seen.len(), seen.doubted()), (2, None));
}

#[test]
fn a_second_list_that_shows_them_ends_the_doubt() {
    let mut seen = group(&SIX, &Behaviour::default());
    list(&mut seen, &[], 100);
    assert_eq!((seen.len(), missed(&seen)), (6, 6));
    list(&mut seen, &SIX, 103);
    assert_eq!((missed(&seen), seen.doubted()), (0, None));
    // Another time is another doubt.
    assert_eq!(list(&mut seen, &[], 170).vanished, 0);
}

#[test]
fn a_plugin_that_shows_nobody_is_believed_after_a_minute() {
    let mut seen = group(&SIX, &Behaviour::default());
    for second in [100, 102, 130, 159] {
        assert_eq!(list(&mut seen, &[], second).vanished, 0, "{second}");
    }
    assert_eq!(seen.doubted().unwrap().until, Some(at(160)));
    assert_eq!(list(&mut seen, &[], 160).vanished, 6);
}

#[test]
fn a_plugin_that_cannot_forget_is_believed_at_once() {
    let mut behaviour = Behaviour::default();
    behaviour.list.complete = Completeness::Yes;
    let mut forgetful = group(&SIX, &behaviour);
    assert_eq!(list(&mut forgetful, &[], 100).vanished, 0);
    behaviour.list.durable = Some(true);
    let mut durable = group(&SIX, &behaviour);
    assert_eq!(list(&mut durable, &[], 100).vanished, 6);
}

const ZONES: [&str; 12] = [
    "a-1", "a-2", "a-3", "b-1", "b-2", "b-3", "c-1", "c-2", "c-3", "d-1", "d-2", "d-3",
];

/// A quarter of the group is far from half of it, but it is all of a zone.
#[test]
fn a_zone_that_is_out_of_sight_is_one_event() {
    let mut behaviour = Behaviour {
        domain_of: "zone".to_owned(),
        ..Behaviour::default()
    };
    let mut seen = group(&ZONES, &behaviour);
    assert_eq!(list(&mut seen, &ZONES[3..], 100).vanished, 0);
    let doubted = seen.doubted().unwrap();
    assert_eq!((doubted.count, doubted.until), (3, Some(at(160))));
    assert_eq!(doubted.domains, ["a"]);
    // One that dies elsewhere meanwhile is replaced as ever.
    assert_eq!(list(&mut seen, &ZONES[4..], 110).vanished, 1);
    assert_eq!(list(&mut seen, &ZONES[4..], 160).vanished, 3);

    behaviour.list.complete = Completeness::PerDomain;
    behaviour.list.durable = Some(true);
    let mut seen = group(&ZONES, &behaviour);
    let half_of_each = ["a-1", "b-1", "c-1", "d-1"];
    assert_eq!(list(&mut seen, &half_of_each, 100).vanished, 8);
    let mut seen = group(&ZONES, &behaviour);
    assert_eq!(list(&mut seen, &ZONES[3..], 100).vanished, 0);
}

#[test]
fn a_declared_lag_and_the_spec_set_how_long() {
    let mut behaviour = Behaviour::default();
    behaviour.list.lag = Some(infrakit_spi::behaviour::Seconds(30.0));
    let mut seen = group(&SIX, &behaviour);
    list(&mut seen, &SIX[4..], 100);
    assert_eq!(seen.doubted().unwrap().until, Some(at(130)));
    let policy = LossPolicy {
        at_once: Some(Share::Percent(100)),
        silent_after: Some(Duration::from_secs(5)),
        ..LossPolicy::default()
    };
    seen.trust(&"p".into(), Trust::of(&behaviour, &policy));
    assert_eq!(list(&mut seen, &SIX[4..], 101).vanished, 4);
    let mut seen = group(&SIX, &behaviour);
    seen.trust(&"p".into(), Trust::of(&behaviour, &policy));
    list(&mut seen, &[], 100);
    assert_eq!(seen.doubted().unwrap().until, Some(at(105)));
}

/// Lists that do not lag still have to be two.
#[test]
fn without_a_lag_a_second_list_is_asked_for_at_once() {
    let mut behaviour = Behaviour::default();
    behaviour.list.lag = Some(infrakit_spi::behaviour::Seconds(0.0));
    let mut seen = group(&SIX, &behaviour);
    let first = list(&mut seen, &SIX[4..], 100);
    assert_eq!((first.vanished, first.look_again), (0, Some(at(100))));
    assert_eq!(list(&mut seen, &SIX[4..], 101).vanished, 4);
}

#[test]
fn somebody_who_knows_ends_the_doubt() {
    let mut seen = group(&SIX, &Behaviour::default());
    list(&mut seen, &[], 100);
    assert_eq!(seen.confirm_losses(at(101)).vanished, 6);
    assert_eq!((seen.len(), seen.doubted()), (0, None));
    assert_eq!(seen.confirm_losses(at(102)), Seen::default());
}

#[test]
fn who_was_asked_to_go_is_not_doubted() {
    let mut seen = group(&SIX, &Behaviour::default());
    for id in &SIX[..4] {
        let mut member = seen.get_mut(&(*id).into()).unwrap();
        member.departure = Some(crate::Departure {
            reason: crate::Reason::Surplus,
            since: at(90),
            step: crate::Step::Accepted(at(91)),
            taken: Some(at(91)),
        });
    }
    assert_eq!(list(&mut seen, &SIX[4..], 100).vanished, 4);
}
