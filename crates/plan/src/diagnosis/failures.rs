//! Failed creations of a group, by configuration and by the class of the error.

use std::collections::BTreeMap;

use infrakit_spi::FailureClass;
use infrakit_spi::hash::ConfigHash;
use serde::{Deserialize, Serialize};

use crate::diagnosis::crashes::{AT_ONCE, Crashes, EarlyDeath};
use crate::{Backoff, Timestamp, Token};

/// Who says of which class a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The plugin declared it.
    Declared,
    /// It was guessed, from the words of the message or from how the call failed.
    Guessed,
}

/// A creation that failed.
#[derive(Clone, Debug)]
pub struct FailedCreation<'a> {
    /// Its token.
    pub token: Token,
    /// The configuration that it was to be made from.
    pub hash: &'a ConfigHash,
    /// What has to change before it can succeed.
    pub class: FailureClass,
    /// Who says so.
    pub told: Told,
    /// What the plugin said.
    pub message: &'a str,
    /// When it was begun.
    pub begun: Timestamp,
}

/// A configuration error: creations stop until somebody changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Since when.
    pub since: Timestamp,
    /// What the plugin said.
    pub message: String,
}

/// Failed creations of one configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Failing {
    /// Backoff by class.
    #[serde(default)]
    classes: BTreeMap<FailureClass, Backoff>,
    /// Set after a configuration error that the plugin declared.
    #[serde(default)]
    stopped: Option<Stopped>,
}

impl Failing {
    fn failures(&self) -> u32 {
        let counts = self.classes.values().map(Backoff::failures);
        counts
            .max()
            .unwrap_or_else(|| u32::from(self.stopped.is_some()))
    }

    fn succeed(&mut self, begun: Timestamp) {
        for backoff in self.classes.values_mut() {
            backoff.succeed(begun);
        }
        self.classes.retain(|_, backoff| backoff.failures() > 0);
        let stop = self.stopped.as_ref();
        if stop.is_some_and(|stop| stop.since <= begun) {
            self.stopped = None;
        }
    }
}

/// Failed creations of a group.
///
/// Each configuration has failures of its own, so that what is wrong with the one that is being
/// rolled out does not hold up members of the other one. In each, each class of errors has a backoff
/// of its own, so that a quota that is exhausted for an hour does not teach the group to wait minutes
/// after a plugin's restart.
///
/// A configuration error is not tried again at all: it would fail for ever, and each attempt may
/// cost. But only the plugin can know that it is one. Words never stop a group: "does not exist" is
/// said of an image that nobody ever made, and of one whose registry is being restarted. Where they
/// are all there is, they only tell which failures are alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// By configuration. The first releases kept `classes` and `stopped` here, for the whole group
    /// and by the words of errors: they are not read any more, since a stop among them may be one
    /// that no plugin asked for.
    #[serde(default)]
    configurations: BTreeMap<ConfigHash, Failing>,
    /// What the last failure said; empty before the first.
    #[serde(default)]
    last: String,
    /// Members that died as soon as they were made.
    #[serde(default)]
    crashes: Crashes,
}

impl Failures {
    /// Notes a failed creation.
    pub fn fail(&mut self, failed: &FailedCreation<'_>, now: Timestamp) {
        failed.message.clone_into(&mut self.last);
        let failing = self.configurations.entry(failed.hash.clone()).or_default();
        if (failed.class, failed.told) == (FailureClass::Configuration, Told::Declared) {
            failing.stopped.get_or_insert_with(|| Stopped {
                since: now,
                message: failed.message.to_owned(),
            });
            return;
        }
        let backoff = failing.classes.entry(failed.class).or_default();
        backoff.fail(failed.begun, &failed.token, now);
    }

    /// Notes a creation that was refused since too much is asked of its plugin. That says nothing of the
    /// group, and is held against none: all of them get their turns at what the plugin takes.
    pub fn throttled(&mut self, message: &str) {
        message.clone_into(&mut self.last);
    }

    /// Notes that a member died early, in a group of this size; `next` is the number of its next
    /// creation.
    pub fn die(&mut self, died: (&EarlyDeath, &Token), size: u64, next: u64, now: Timestamp) {
        self.crashes.note(died, size, next, now);
    }

    pub(crate) fn crashes(&self) -> &Crashes {
        &self.crashes
    }

    pub(crate) fn crashes_mut(&mut self) -> &mut Crashes {
        &mut self.crashes
    }

    /// Returns what is known of the end of the last member that died early, where members from this
    /// configuration do so over and over.
    #[must_use]
    pub fn crash_loop(&self, hash: &ConfigHash) -> Option<&str> {
        let crash = self.crashes.of(hash).filter(|crash| crash.loops())?;
        Some(crash.last())
    }

    /// Returns whether something is held against a configuration, so that it is worth saying that
    /// creations are tried again.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        !self.configurations.is_empty() || self.crashes.looping().next().is_some()
    }

    /// Notes that a creation from `hash` succeeded, begun at `begun`: forgets failures of that
    /// configuration noted before that.
    pub fn succeed(&mut self, hash: &ConfigHash, begun: Timestamp) {
        if let Some(failing) = self.configurations.get_mut(hash) {
            failing.succeed(begun);
            if *failing == Failing::default() {
                self.configurations.remove(hash);
            }
        }
        if self.configurations.is_empty() {
            self.last.clear();
        }
    }

    /// Forgets everything: somebody changed something, and it may be tried anew.
    pub fn forgive(&mut self) {
        *self = Self::default();
    }

    /// Returns the latest moment that some class waits for before more is made from `hash`, if it
    /// lies ahead.
    #[must_use]
    pub fn pending(&self, hash: &ConfigHash, now: Timestamp) -> Option<Timestamp> {
        let classes = self.configurations.get(hash)?.classes.values();
        classes.filter_map(|backoff| backoff.pending(now)).max()
    }

    /// Returns how many creations from `hash` may be under way of those begun since the last failure, and since
    /// when that is; `None` where nothing is held against it. Half as many as after the failure before it, so
    /// that what cannot succeed is not tried by a whole group each time, and what was put right comes
    /// back with half of it at once after the first. As many as may die early at once in any case: small groups
    /// are up again as soon as large ones.
    #[must_use]
    pub fn tries(&self, hash: &ConfigHash, size: u64) -> Option<(usize, Timestamp)> {
        let classes = self.configurations.get(hash)?.classes.values();
        let failed = classes.filter(|backoff| backoff.failures() > 0);
        let most = failed.max_by_key(|backoff| backoff.failures())?;
        let tries = size.checked_shr(most.failures()).unwrap_or_default();
        let tries = usize::try_from(tries.max(AT_ONCE)).unwrap_or(usize::MAX);
        Some((tries, most.until()?))
    }

    /// Returns the configuration error after which nothing is made from `hash` any more.
    #[must_use]
    pub fn stopped(&self, hash: &ConfigHash) -> Option<&Stopped> {
        self.configurations.get(hash)?.stopped.as_ref()
    }

    /// Returns how many failures came in a row, in the configuration and the class that have most.
    #[must_use]
    pub fn failures(&self) -> u32 {
        let counts = self.configurations.values().map(Failing::failures);
        counts.max().unwrap_or_default()
    }

    /// Returns what the last failure said; empty when there is none to tell of.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000_000_000)
    }

    fn hash(note: &str) -> ConfigHash {
        ConfigHash::from_tag(note)
    }

    fn fail(failures: &mut Failures, note: &str, (class, told): (FailureClass, Told), second: u64) {
        let failed = FailedCreation {
            token: Token::new("n", second),
            hash: &hash(note),
            class,
            told,
            message: class.as_str(),
            begun: at(second),
        };
        failures.fail(&failed, at(second));
    }

    const QUOTA: (FailureClass, Told) = (FailureClass::Quota, Told::Guessed);
    const GONE: (FailureClass, Told) = (FailureClass::Unavailable, Told::Declared);
    const WRONG: (FailureClass, Told) = (FailureClass::Configuration, Told::Declared);

    #[test]
    fn classes_wait_apart_and_the_longest_wait_holds() {
        let mut failures = Failures::default();
        for second in [0, 2, 5] {
            fail(&mut failures, "a", QUOTA, second);
        }
        fail(&mut failures, "a", GONE, 5);
        let until = failures.pending(&hash("a"), at(5)).unwrap();
        assert!(failures.failures() == 3 && until > at(8) && until <= at(9));
        failures.succeed(&hash("a"), at(6));
        assert_eq!(failures.failures(), 3, "begun before the pause ended");
        failures.succeed(&hash("a"), at(9));
        assert_eq!((failures.failures(), failures.last()), (0, ""));
    }

    #[test]
    fn each_try_asks_for_half_as_many_as_the_one_before() {
        let mut failures = Failures::default();
        assert_eq!(failures.tries(&hash("a"), 100), None);
        let tries = [0, 2, 5, 20, 60, 600].map(|second| {
            fail(&mut failures, "a", QUOTA, second);
            failures.tries(&hash("a"), 100).unwrap().0
        });
        assert_eq!(tries, [50, 25, 12, 6, 5, 5]);
        assert_eq!(failures.tries(&hash("a"), 1).unwrap().0, 5);
        assert_eq!(failures.tries(&hash("b"), 100), None);
        failures.succeed(&hash("a"), at(9000));
        assert_eq!(failures.tries(&hash("a"), 100), None);
    }

    #[test]
    fn configurations_wait_apart() {
        let mut failures = Failures::default();
        fail(&mut failures, "a", QUOTA, 0);
        fail(&mut failures, "b", WRONG, 0);
        assert!(failures.pending(&hash("a"), at(0)).is_some());
        assert_eq!(failures.pending(&hash("b"), at(0)), None);
        assert!(failures.stopped(&hash("a")).is_none());
        assert!(failures.stopped(&hash("b")).is_some());
        failures.succeed(&hash("a"), at(9));
        assert!(failures.stopped(&hash("b")).is_some());
        assert_eq!(failures.last(), "configuration");
    }

    #[test]
    fn a_declared_configuration_error_stops_until_it_is_forgiven() {
        let mut failures = Failures::default();
        fail(&mut failures, "a", WRONG, 2);
        let stopped = failures.stopped(&hash("a"));
        assert_eq!(stopped.map(|stop| stop.since), Some(at(2)));
        assert_eq!(failures.pending(&hash("a"), at(2)), None);
        failures.succeed(&hash("a"), at(1));
        assert!(
            failures.stopped(&hash("a")).is_some(),
            "it was begun before"
        );
        failures.forgive();
        assert_eq!(failures, Failures::default());
    }

    #[test]
    fn what_only_sounds_like_a_configuration_error_is_tried_again() {
        let mut failures = Failures::default();
        fail(
            &mut failures,
            "a",
            (FailureClass::Configuration, Told::Guessed),
            2,
        );
        assert!(failures.stopped(&hash("a")).is_none());
        assert!(failures.pending(&hash("a"), at(2)).unwrap() <= at(3));
    }

    #[test]
    fn that_too_much_is_asked_of_a_plugin_is_said_and_held_against_no_group() {
        let mut failures = Failures::default();
        failures.throttled("slow down");
        assert_eq!((failures.failures(), failures.last()), (0, "slow down"));
        assert_eq!(failures.pending(&hash("a"), at(0)), None);
        failures.succeed(&hash("a"), at(1));
        assert_eq!(failures.last(), "");
    }

    /// A stop in it may have come from words.
    #[test]
    fn what_the_first_releases_kept_is_forgotten() {
        let old = r#"{"classes":{"quota":{"failures":3,"until":9}},"stopped":{"since":1,"message":"no"},"last":"no"}"#;
        let failures: Failures = serde_json::from_str(old).unwrap();
        assert!(failures.stopped(&hash("a")).is_none());
        assert_eq!((failures.failures(), failures.last()), (0, "no"));
    }

    #[test]
    fn the_last_message_stays_as_long_as_anything_is_held_against_the_group() {
        let mut failures = Failures::default();
        fail(&mut failures, "a", GONE, 1);
        fail(&mut failures, "a", WRONG, 5);
        failures.succeed(&hash("a"), at(4));
        let known = (failures.failures(), failures.last());
        assert_eq!(known, (1, "configuration"), "it was begun before");
        fail(&mut failures, "a", QUOTA, 6);
        failures.succeed(&hash("a"), at(5));
        assert!(failures.stopped(&hash("a")).is_none());
        assert_eq!(failures.last(), "quota", "quota is still waited for");
    }
}
