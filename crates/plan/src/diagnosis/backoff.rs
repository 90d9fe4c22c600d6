//! Exponential backoff, kept as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// First delay. Short, so that a plugin that was just being restarted costs little.
const FIRST: Duration = Duration::from_secs(1);
/// Longest delay. Five minutes is what Kubernetes settled on for crashing containers.
const LONGEST: Duration = Duration::from_secs(300);

/// How often something failed in a row, and when it may be tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    failures: u32,
    until: Option<Timestamp>,
}

impl Backoff {
    /// Notes a failure of something begun at `begun`. Failures of one burst, begun before the last
    /// one was noted, count once.
    pub fn fail(&mut self, begun: Timestamp, now: Timestamp) {
        if self
            .until
            .is_some_and(|until| begun < until && until <= now + LONGEST)
        {
            return;
        }
        let delay = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + delay);
    }

    /// Notes a success of something begun at `begun`: forgets failures noted before that.
    pub fn succeed(&mut self, begun: Timestamp) {
        if self.until.is_none_or(|until| begun >= until) {
            *self = Self::default();
        }
    }

    /// Returns the moment to wait for, if it lies ahead of `now`. One further ahead than any pause
    /// lasts was noted by a clock that has been set back since; it is not waited for.
    #[must_use]
    pub fn pending(&self, now: Timestamp) -> Option<Timestamp> {
        self.until
            .filter(|until| *until > now && *until <= now + LONGEST)
    }

    /// Returns how many failures came in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000_000_000)
    }

    #[test]
    fn doubles_up_to_five_minutes_and_counts_a_burst_once() {
        let mut backoff = Backoff::default();
        backoff.fail(at(0), at(1));
        backoff.fail(at(0), at(1));
        assert_eq!(
            (backoff.failures(), backoff.pending(at(1))),
            (1, Some(at(2)))
        );
        backoff.fail(at(2), at(3));
        assert_eq!(backoff.pending(at(3)), Some(at(5)));
        let mut now = at(5);
        for _ in 0..40 {
            backoff.fail(now, now);
            now = backoff.pending(now).unwrap();
        }
        backoff.fail(now, now);
        assert_eq!(backoff.pending(now), Some(now + LONGEST));
    }

    #[test]
    fn a_clock_set_back_stops_nothing_for_long() {
        let mut backoff = Backoff::default();
        backoff.fail(at(1_000_000), at(1_000_000));
        assert_eq!(backoff.pending(at(10)), None);
        backoff.fail(at(10), at(10));
        assert_eq!(backoff.pending(at(10)), Some(at(12)));
    }

    #[test]
    fn a_success_begun_before_the_failure_proves_nothing() {
        let mut backoff = Backoff::default();
        backoff.fail(at(10), at(10));
        backoff.succeed(at(9));
        assert_eq!(backoff.failures(), 1);
        backoff.succeed(at(11));
        assert_eq!(backoff.failures(), 0);
    }
}
