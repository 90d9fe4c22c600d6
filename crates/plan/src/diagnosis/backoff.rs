//! Exponential backoff, kept as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observation::spread;
use crate::{Timestamp, Token};

/// First delay. Short, so that a plugin that was just being restarted costs little.
const FIRST: Duration = Duration::from_secs(1);
/// Longest delay. Five minutes is what Kubernetes settled on for crashing containers; whoever has
/// mended something waits no longer than that to see it.
const LONGEST: Duration = Duration::from_secs(300);
/// The part of a delay that the token draws from: groups that failed together, when a provider went
/// away, come back one by one, and none of them notably earlier than the delay says. Of a pause of five
/// minutes it is more than one: longer than any limit takes that is counted by the minute.
const JITTER: f64 = 0.25;
/// Doublings after which the longest delay is reached in any case, as nine of a second are more than it;
/// from thirty-two on they would overflow the factor.
const DOUBLINGS: u32 = 16;

/// How often something failed in a row, and when it may be tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    failures: u32,
    until: Option<Timestamp>,
}

impl Backoff {
    /// Notes a failure of something begun at `begun`. Failures of one burst, begun before the last
    /// one was noted, count once. The token of what failed draws a part of the delay, so that the
    /// same failures lead to the same delays.
    pub fn fail(&mut self, begun: Timestamp, token: &Token, now: Timestamp) {
        if self
            .until
            .is_some_and(|until| begun < until && until <= now + LONGEST)
        {
            return;
        }
        let delay = FIRST
            .saturating_mul(1 << self.failures.min(DOUBLINGS))
            .min(LONGEST);
        let drawn = f64::from(spread(&token.to_string())) / f64::from(u32::MAX);
        let delay = delay.mul_f64(1.0 - JITTER * drawn);
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

    /// Returns when it may be tried again, or could since.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
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

    fn token(number: u64) -> Token {
        Token::new("n", number)
    }

    /// Returns the pause that is left, in milliseconds.
    fn pause(backoff: &Backoff, now: Timestamp) -> u128 {
        let until = backoff.pending(now);
        until.map_or(0, |until| until.since(now).as_millis())
    }

    #[test]
    fn doubles_up_to_five_minutes_and_counts_a_burst_once() {
        let mut backoff = Backoff::default();
        backoff.fail(at(0), &token(1), at(1));
        let first = backoff.clone();
        backoff.fail(at(0), &token(2), at(1));
        assert_eq!(backoff, first, "one burst");
        assert!((750..=1000).contains(&pause(&backoff, at(1))));
        backoff.fail(at(2), &token(3), at(3));
        assert!((1500..=2000).contains(&pause(&backoff, at(3))));
        let mut now = at(5);
        for number in 0..40 {
            backoff.fail(now, &token(number), now);
            now = backoff.pending(now).unwrap();
        }
        backoff.fail(now, &token(50), now);
        assert!((225_000..=300_000).contains(&pause(&backoff, now)));
    }

    #[test]
    fn the_token_draws_a_part_of_the_pause_and_always_the_same() {
        let pauses: std::collections::BTreeSet<u128> = (0..20)
            .map(|number| {
                let mut backoff = Backoff::default();
                backoff.fail(at(0), &token(number), at(0));
                let mut again = Backoff::default();
                again.fail(at(0), &token(number), at(0));
                assert_eq!(backoff, again);
                pause(&backoff, at(0))
            })
            .collect();
        assert!(pauses.len() > 15, "{pauses:?}");
        let (least, most) = (pauses.first().unwrap(), pauses.last().unwrap());
        assert!(most - least > 150, "{pauses:?}");
    }

    #[test]
    fn a_clock_set_back_stops_nothing_for_long() {
        let mut backoff = Backoff::default();
        backoff.fail(at(1_000_000), &token(1), at(1_000_000));
        assert_eq!(backoff.pending(at(10)), None);
        backoff.fail(at(10), &token(2), at(10));
        assert!((1500..=2000).contains(&pause(&backoff, at(10))));
    }

    #[test]
    fn a_success_begun_before_the_failure_proves_nothing() {
        let mut backoff = Backoff::default();
        backoff.fail(at(10), &token(1), at(10));
        backoff.succeed(at(9));
        assert_eq!(backoff.failures(), 1);
        backoff.succeed(at(11));
        assert_eq!(backoff.failures(), 0);
    }
}
