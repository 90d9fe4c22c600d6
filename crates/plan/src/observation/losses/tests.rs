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
        domain_of: Some("zone".to_owned()),
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
    leave(&mut seen, &SIX[..4]);
    assert_eq!(list(&mut seen, &SIX[4..], 100).vanished, 4);
}

fn leave(seen: &mut Observed, ids: &[&str]) {
    for id in ids {
        let mut member = seen.get_mut(&(*id).into()).unwrap();
        member.departure = Some(crate::Departure {
            reason: crate::Reason::Surplus,
            since: at(90),
            step: crate::Step::Accepted(at(91)),
            taken: Some(at(91)),
        });
    }
}

/// A plugin that has lost its memory lacks them as it lacks all others.
#[test]
fn who_was_asked_to_go_counts_until_a_list_is_believed() {
    let mut seen = group(&SIX, &Behaviour::default());
    leave(&mut seen, &SIX[..1]);
    // One stays in sight: five of six are missing, which two lists have to say.
    assert_eq!(list(&mut seen, &SIX[5..], 100).vanished, 0);
    assert_eq!(list(&mut seen, &SIX[5..], 102).vanished, 5);
}

/// A group that is ended while its plugin shows nobody is not gone because it is asked to go.
#[test]
fn a_loss_that_is_doubted_is_not_believed_since_the_lost_are_asked_to_go() {
    let mut seen = group(&SIX[..3], &Behaviour::default());
    assert_eq!(list(&mut seen, &[], 80).vanished, 0);
    leave(&mut seen, &SIX[..3]);
    assert_eq!(list(&mut seen, &[], 100).vanished, 0);
    assert_eq!(list(&mut seen, &[], 139).vanished, 0);
    assert_eq!(list(&mut seen, &[], 140).vanished, 3);
}

#[test]
fn who_was_asked_to_go_counts_as_long_as_all_others_are_too_young_to_be_missed() {
    let mut seen = Observed::default();
    seen.trust(
        &"p".into(),
        Trust::of(&Behaviour::default(), &LossPolicy::default()),
    );
    for (number, id) in SIX.into_iter().enumerate() {
        let mut one = description(id);
        let token = (tags::TOKEN.to_owned(), format!("n-{number}"));
        one.tags.get_or_insert_default().extend([token]);
        let origin = crate::observation::Origin::Provisioned(at(99));
        let made = Member::new(one, &"p".into(), origin, "n", at(99));
        seen.provisioned(made);
    }
    let mut old = description("a-0");
    let token = (tags::TOKEN.to_owned(), "n-9".to_owned());
    old.tags.get_or_insert_default().extend([token]);
    let origin = crate::observation::Origin::Provisioned(at(1));
    seen.provisioned(Member::new(old, &"p".into(), origin, "n", at(1)));
    leave(&mut seen, &["a-0"]);
    let first = list(&mut seen, &[], 100);
    assert_eq!((first.vanished, seen.len()), (0, 7));
}

#[test]
fn who_was_asked_to_go_and_is_shown_again_still_goes() {
    let mut seen = Observed::default();
    seen.trust(
        &"p".into(),
        Trust::of(&Behaviour::default(), &LossPolicy::default()),
    );
    let tagged = |id: &str, token: &str| {
        let mut one = description(id);
        let token = (tags::TOKEN.to_owned(), token.to_owned());
        one.tags.get_or_insert_default().extend([token]);
        one
    };
    let all = |tokens: [&str; 3]| [0, 1, 2].map(|number| tagged(SIX[number], tokens[number]));
    let look = |seen: &mut Observed, list: &[Description], started| {
        let circumstances = Listed {
            plugin: &"p".into(),
            started: at(started),
            now: at(started),
            lag: Lag::NONE,
        };
        seen.apply(&"g".into(), list.to_vec(), circumstances, "n")
    };
    look(&mut seen, &all(["n-0", "n-1", "n-2"]), 1);
    leave(&mut seen, &SIX[..2]);
    look(&mut seen, &[], 100);
    assert_eq!(look(&mut seen, &[], 160).vanished, 3);
    // The second is another one by now: its id was given again.
    assert_eq!(
        look(&mut seen, &all(["n-0", "n-7", "n-2"]), 200).appeared,
        3
    );
    let going = seen.members().map(|member| member.departure.is_some());
    assert_eq!(going.collect::<Vec<_>>(), [true, false, false]);
}

/// What was made in place of those that were believed to be gone is missing for the same reason, a
/// restart in between or not.
#[test]
fn a_restart_does_not_forget_that_a_plugin_shows_nobody() {
    let mut former = group(&SIX[..2], &Behaviour::default());
    assert_eq!(list(&mut former, &[], 100).vanished, 2);
    let missing = former.missing();
    assert_eq!(missing[&"p".into()].believed, Some(at(100)));
    let mut seen = Observed::default();
    seen.recall_missing(missing);
    for id in &SIX[2..4] {
        let origin = crate::observation::Origin::Provisioned(at(101));
        let made = Member::new(description(id), &"p".into(), origin, "n", at(101));
        seen.provisioned(made);
    }
    assert_eq!(list(&mut seen, &[], 150).vanished, 0);
    assert_eq!(list(&mut seen, &[], 210).vanished, 2);
    assert!(list(&mut seen, &[], 300).vanished == 0 && seen.missing().is_empty());
}

/// What is made in their place may come to be in the same zone.
#[test]
fn a_zone_that_shows_nobody_is_doubted_again() {
    let behaviour = Behaviour {
        domain_of: Some("zone".to_owned()),
        ..Behaviour::default()
    };
    let mut seen = group(&ZONES, &behaviour);
    list(&mut seen, &ZONES[3..], 100);
    assert_eq!(list(&mut seen, &ZONES[3..], 160).vanished, 3);
    let origin = crate::observation::Origin::Provisioned(at(161));
    let made = Member::new(description("a-9"), &"p".into(), origin, "n", at(161));
    seen.provisioned(made);
    assert_eq!(list(&mut seen, &ZONES[3..], 190).vanished, 0);
    // One that dies where others are shown is believed to be gone.
    assert_eq!(list(&mut seen, &ZONES[4..], 191).vanished, 1);
    assert_eq!(list(&mut seen, &ZONES[4..], 250).vanished, 1);
}

/// One zone goes out of sight as another comes back.
#[test]
fn who_comes_to_light_does_not_make_a_loss_smaller() {
    let mut seen = group(&SIX, &Behaviour::default());
    let others = ["c-2", "c-3", "c-4", "c-5", "d-1", "d-2"];
    // Five of six are missing, which is too many however many there are now.
    assert_eq!(list(&mut seen, &others, 100).vanished, 0);
    assert_eq!(seen.doubted().map(|doubted| doubted.count), Some(5));
}

/// What is doubted of a plugin that nobody looks at any more would be doubted for ever.
#[test]
fn of_a_plugin_that_is_watched_no_longer_nothing_is_doubted_or_kept() {
    let plugin = "p".into();
    let mut seen = Observed::default();
    seen.former.insert("p".into(), super::super::Former::of(6));
    list(&mut seen, &[], 10);
    assert!(seen.doubted().is_some());
    seen.unwatch(&plugin);
    assert_eq!((seen.doubted(), seen.missing().len()), (None, 0));
    let mut seen = group(&SIX, &Behaviour::default());
    list(&mut seen, &[], 20);
    list(&mut seen, &[], 90);
    assert_eq!(seen.missing().len(), 1, "they are believed to be gone");
    seen.unwatch(&plugin);
    assert_eq!(seen.missing().len(), 0);
}
