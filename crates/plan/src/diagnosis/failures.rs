//! Failed creations of a group, by the class of the error.

use std::collections::BTreeMap;

use infrakit_spi::FailureClass;
use serde::{Deserialize, Serialize};

use crate::{Backoff, Timestamp};

/// A configuration error: creations stop until somebody changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Since when.
    pub since: Timestamp,
    /// What the plugin said.
    pub message: String,
}

/// Failed creations of a group.
///
/// Each class of errors has a backoff of its own, so that a quota that is exhausted for an hour
/// does not teach the group to wait minutes after a plugin's restart. A configuration error is not
/// tried again at all: it would fail for ever, and each attempt may cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// Backoff by class.
    #[serde(default)]
    classes: BTreeMap<FailureClass, Backoff>,
    /// Set after a configuration error.
    #[serde(default)]
    stopped: Option<Stopped>,
    /// What the last failure said; empty before the first.
    #[serde(default)]
    last: String,
}

impl Failures {
    /// Notes a failed creation that was begun at `begun`.
    pub fn fail(&mut self, class: FailureClass, message: &str, begun: Timestamp, now: Timestamp) {
        message.clone_into(&mut self.last);
        if class == FailureClass::Configuration {
            self.stopped.get_or_insert_with(|| Stopped {
                since: now,
                message: message.to_owned(),
            });
            return;
        }
        self.classes.entry(class).or_default().fail(begun, now);
    }

    /// Notes a creation that succeeded, begun at `begun`: forgets failures noted before that.
    pub fn succeed(&mut self, begun: Timestamp) {
        for backoff in self.classes.values_mut() {
            backoff.succeed(begun);
        }
        self.classes.retain(|_, backoff| backoff.failures() > 0);
        if self
            .stopped
            .as_ref()
            .is_some_and(|stop| stop.since <= begun)
        {
            self.stopped = None;
        }
        if self.classes.is_empty() && self.stopped.is_none() {
            self.last.clear();
        }
    }

    /// Forgets everything: somebody changed something, and it may be tried anew.
    pub fn forgive(&mut self) {
        *self = Self::default();
    }

    /// Returns the latest moment that some class waits for, if it lies ahead.
    #[must_use]
    pub fn pending(&self, now: Timestamp) -> Option<Timestamp> {
        let pending = self.classes.values();
        pending.filter_map(|backoff| backoff.pending(now)).max()
    }

    /// Returns the configuration error that creations stopped after.
    #[must_use]
    pub fn stopped(&self) -> Option<&Stopped> {
        self.stopped.as_ref()
    }

    /// Returns how many failures came in a row, in the class that has most.
    #[must_use]
    pub fn failures(&self) -> u32 {
        let counts = self.classes.values().map(Backoff::failures);
        counts
            .max()
            .unwrap_or_else(|| u32::from(self.stopped.is_some()))
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

    #[test]
    fn classes_wait_apart_and_the_longest_wait_holds() {
        let mut failures = Failures::default();
        for second in [0, 2, 5] {
            failures.fail(FailureClass::Quota, "quota", at(second), at(second));
        }
        failures.fail(FailureClass::Unavailable, "gone", at(5), at(5));
        assert_eq!(
            (failures.failures(), failures.pending(at(5))),
            (3, Some(at(9)))
        );
        failures.succeed(at(5));
        assert_eq!(failures.failures(), 3, "begun before the pause ended");
        failures.succeed(at(9));
        assert_eq!((failures.failures(), failures.last()), (0, ""));
    }

    #[test]
    fn a_configuration_error_stops_until_it_is_forgiven() {
        let mut failures = Failures::default();
        failures.fail(FailureClass::Configuration, "no such image", at(1), at(2));
        assert_eq!(failures.stopped().map(|stop| stop.since), Some(at(2)));
        assert_eq!(failures.pending(at(2)), None);
        failures.succeed(at(1));
        assert!(failures.stopped().is_some(), "it was begun before");
        failures.forgive();
        assert_eq!(failures, Failures::default());
    }

    #[test]
    fn the_last_message_stays_as_long_as_anything_is_held_against_the_group() {
        let mut failures = Failures::default();
        failures.fail(FailureClass::Other, "out of disks", at(1), at(1));
        failures.fail(FailureClass::Configuration, "no such image", at(5), at(5));
        failures.succeed(at(4));
        let known = (failures.failures(), failures.last());
        assert_eq!(known, (1, "no such image"), "it was begun before");
        failures.fail(FailureClass::Quota, "too many", at(6), at(6));
        failures.succeed(at(5));
        assert!(failures.stopped().is_none());
        assert_eq!(failures.last(), "too many", "quota is still waited for");
    }
}
