//! Members that die as soon as they were made: by configuration, with a pause that grows.
//!
//! It is not the creations that fail here. Each is answered with an instance, which then goes, or
//! never gets well: made again at once, it would go on like that for ever, at full rate.

use std::collections::BTreeMap;
use std::time::Duration;

use infrakit_spi::flavor::Health;
use infrakit_spi::hash::ConfigHash;
use serde::{Deserialize, Serialize};

use crate::observation::member::{Member, Origin};
use crate::{Backoff, HealthPolicy, Timestamp, Token};

/// A member that is gone within so long of its creation died early, whatever it had proved: what
/// starts and crashes does so within seconds, and is found well in between often enough.
pub(crate) const EARLY: Duration = Duration::from_secs(10);
/// Time over which early deaths are counted that are made good at once.
const MINUTE: Duration = Duration::from_secs(60);
/// Early deaths a minute that are made good at once in the smallest group: whoever tries the program
/// deletes a few files, and sees them come back.
pub(crate) const AT_ONCE: u64 = 5;
/// The same as a part of the size, in large groups: a rack that goes while it is being filled is no
/// fault of the configuration.
const SHARE: u64 = 10;

/// After so long without an early death nothing is held against a configuration any more, even if
/// no member was made from it since. Members that are given up as never well die no more rarely: the
/// usual grace period and the longest pause are ten minutes together, and bare metal takes up to forty
/// to run at all. With half of it each of those would be the first to die.
const CALM: Duration = Duration::from_secs(3600);

/// A member that went, or was given up, as soon as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyDeath {
    /// Number of the creation that made it.
    pub number: u64,
    /// The configuration that it was made from.
    pub hash: ConfigHash,
    /// When its creation was answered.
    pub answered: Timestamp,
    /// What is known of its end.
    pub message: String,
}

/// Returns the death of a member that is gone without our doing, if it died early: before it was
/// ready, or within ten seconds of its creation. `last_shown` is when the last list was asked for
/// that showed it; `None` when none ever did. How old a member is that was there before the
/// controller started nobody knows, and it did not die early.
pub(crate) fn early_death(
    member: &Member,
    last_shown: Option<Timestamp>,
    policy: &HealthPolicy,
) -> Option<EarlyDeath> {
    let (number, answered) = (member.token?, member.answered?);
    if member.departure.is_some() {
        return None;
    }
    let age = last_shown.map(|shown| shown.since(answered));
    let getting_ready = EARLY.max(policy.grace_period);
    let how = match age {
        None => "before any list showed it".to_owned(),
        Some(age) if age < EARLY => format!("within {} s of its creation", EARLY.as_secs()),
        Some(age) if age < getting_ready && !member.health.ever_healthy() => {
            "before it was ready".to_owned()
        }
        Some(_) => return None,
    };
    Some(EarlyDeath {
        number,
        hash: member.hash.clone()?,
        answered,
        message: format!("`{}` was gone {how}", member.id),
    })
}

/// Returns the death of a member that is given up as sick, if it never was well.
pub(crate) fn given_up(member: &Member) -> Option<EarlyDeath> {
    if member.health.ever_healthy() {
        return None;
    }
    Some(EarlyDeath {
        number: member.token?,
        hash: member.hash.clone()?,
        answered: member.answered?,
        message: format!("`{}` never got well", member.id),
    })
}

/// Returns whether a member has outlived what takes those that die early. What counts is the age at
/// which a list showed it, asked for at `listed`: by now it may be gone.
pub(crate) fn lives(member: &Member, policy: &HealthPolicy, listed: Timestamp) -> bool {
    let age = listed.since(member.answered.unwrap_or(member.created));
    let ready = member.health.ever_healthy() || age >= policy.grace_period;
    let shown = member.origin == Origin::Listed && !member.missed;
    shown && age >= EARLY && ready && member.health.last() != Health::Unhealthy
}

/// Early deaths of one configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crash {
    /// When the minute began over which they are counted.
    since: Timestamp,
    /// How many there were in it.
    deaths: u64,
    /// Grows once there were more than are made good at once.
    backoff: Backoff,
    /// The last of them.
    last: String,
    /// Number of the first creation that was not begun when the pause began.
    next: u64,
}

impl Crash {
    /// Returns whether so many died that those made next are on trial.
    pub(crate) fn loops(&self) -> bool {
        self.backoff.failures() > 0
    }

    /// Returns until when nothing is made.
    pub(crate) fn pending(&self, now: Timestamp) -> Option<Timestamp> {
        self.backoff.pending(now)
    }

    /// Returns what is known of the last one's end.
    pub(crate) fn last(&self) -> &str {
        &self.last
    }

    /// Returns the number from which on creations are on trial.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }
}

/// Returns how many early deaths a minute are made good at once in a group of this size. As many may
/// be on trial after a pause.
pub(crate) fn at_once(size: u64) -> u64 {
    AT_ONCE.max(size.div_ceil(SHARE))
}

/// Early deaths of a group's members, by configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Crashes(BTreeMap<ConfigHash, Crash>);

impl Crashes {
    /// Notes an early death in a group of this size; `next` is the number of its next creation.
    pub(crate) fn note(
        &mut self,
        (death, token): (&EarlyDeath, &Token),
        size: u64,
        next: u64,
        now: Timestamp,
    ) {
        let crash = self.0.entry(death.hash.clone()).or_default();
        if now < crash.since || now >= crash.since + MINUTE {
            (crash.since, crash.deaths) = (now, 0);
        }
        crash.deaths += 1;
        crash.last.clone_from(&death.message);
        if crash.deaths > at_once(size) || crash.loops() {
            let before = crash.backoff.failures();
            crash.backoff.fail(death.answered, token, now);
            if crash.backoff.failures() > before {
                crash.next = next;
            }
        }
    }

    /// Returns the early deaths of a configuration.
    pub(crate) fn of(&self, hash: &ConfigHash) -> Option<&Crash> {
        self.0.get(hash)
    }

    /// Returns the configurations whose members die early, over and over.
    pub(crate) fn looping(&self) -> impl Iterator<Item = (&ConfigHash, &Crash)> {
        self.0.iter().filter(|(_, crash)| crash.loops())
    }

    /// Forgets the pause of a configuration of which a member lives.
    pub(crate) fn forgive(&mut self, hash: &ConfigHash) {
        if let Some(crash) = self.0.get_mut(hash) {
            crash.backoff = Backoff::default();
        }
    }

    /// Forgets what is of no consequence any more.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        self.0.retain(|_, crash| {
            let counts = if crash.loops() { CALM } else { MINUTE };
            now >= crash.since && now < crash.since + counts
        });
    }

    /// Returns whether nobody died early lately.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp((1_000 + seconds) * 1_000_000_000)
    }

    fn die(crashes: &mut Crashes, number: u64, second: u64, size: u64) {
        let death = EarlyDeath {
            number,
            hash: ConfigHash::from_tag("h"),
            answered: at(second),
            message: format!("`i-{number}` was gone"),
        };
        let token = Token::new("n", number);
        crashes.note((&death, &token), size, number + 1, at(second));
    }

    #[test]
    fn the_first_few_a_minute_are_free_and_then_the_pause_doubles() {
        for (size, free) in [(1, 5), (50, 5), (51, 6), (1_000, 100)] {
            let mut crashes = Crashes::default();
            for number in 0..free {
                die(&mut crashes, number, 0, size);
            }
            assert_eq!(crashes.looping().count(), 0, "{size}");
            die(&mut crashes, free, 1, size);
            let (_, crash) = crashes.looping().next().unwrap();
            let first = crash.pending(at(1)).unwrap();
            assert!(first <= at(2), "{size}");
            // A minute later nothing is free any more: none of them lived.
            die(&mut crashes, free + 1, 90, size);
            let (_, crash) = crashes.looping().next().unwrap();
            let second = crash.pending(at(90)).unwrap().since(at(90));
            assert!(second > Duration::from_secs(1), "{size}: {second:?}");
            assert_eq!(crash.next(), free + 2);
        }
    }

    #[test]
    fn deaths_of_more_than_a_minute_are_not_added_up() {
        let mut crashes = Crashes::default();
        for number in 0..50 {
            die(&mut crashes, number, number * 13, 3);
        }
        assert_eq!(crashes.looping().count(), 0);
        crashes.expire(at(2_000));
        assert!(crashes.is_empty());
    }

    #[test]
    fn a_member_that_lives_ends_the_pause() {
        let mut crashes = Crashes::default();
        for number in 0..20 {
            die(&mut crashes, number, number, 3);
        }
        assert_eq!(crashes.looping().count(), 1);
        crashes.forgive(&ConfigHash::from_tag("h"));
        assert_eq!(crashes.looping().count(), 0);
    }
}
