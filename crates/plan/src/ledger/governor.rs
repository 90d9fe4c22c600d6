//! The governor: at most so many creations and destructions a minute on one plugin, for all groups
//! together. A token bucket that holds a minute's worth, kept as data.

use std::time::Duration;

use crate::Timestamp;

/// How many calls of one kind a plugin gets a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Governor {
    per_minute: Option<u32>,
    /// Calls that may be made now, in billionths.
    saved: u128,
    counted: Timestamp,
}

const ONE: u128 = 1_000_000_000;
const MINUTE: u128 = 60 * 1_000_000_000;

impl Governor {
    /// Lets `per_minute` calls through a minute; `None` lets through all.
    #[must_use]
    pub fn new(per_minute: Option<u32>) -> Self {
        Self {
            per_minute,
            saved: u128::from(per_minute.unwrap_or_default()) * ONE,
            counted: Timestamp::default(),
        }
    }

    /// Returns how many calls may be made now; `None` when there is no limit.
    pub fn allowance(&mut self, now: Timestamp) -> Option<usize> {
        let most = self.per_minute?;
        let passed = u128::from(now.0.saturating_sub(self.counted.0));
        let earned = passed * u128::from(most) * ONE / MINUTE;
        self.saved = (self.saved + earned).min(u128::from(most) * ONE);
        self.counted = self.counted.max(now);
        Some(usize::try_from(self.saved / ONE).unwrap_or(usize::MAX))
    }

    /// Notes calls that are made.
    pub fn spend(&mut self, calls: usize) {
        self.saved = self.saved.saturating_sub(calls as u128 * ONE);
    }

    /// Notes that a call which was noted is not made after all.
    pub fn give_back(&mut self) {
        self.saved += ONE;
    }

    /// Returns when the next call may be made, as of the last [`allowance`](Self::allowance).
    #[must_use]
    pub fn next(&self) -> Timestamp {
        let Some(most) = self.per_minute.filter(|most| *most > 0) else {
            return self.counted;
        };
        let missing = ONE.saturating_sub(self.saved) * MINUTE / (u128::from(most) * ONE);
        let missing = u64::try_from(missing).unwrap_or(u64::MAX).saturating_add(1);
        self.counted + Duration::from_nanos(missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_000_000_000_000 + seconds * 1_000_000_000)
    }

    #[test]
    fn a_minutes_worth_at_once_then_at_the_pace() {
        let mut governor = Governor::new(Some(6));
        assert_eq!(governor.allowance(at(0)), Some(6));
        governor.spend(6);
        assert_eq!(governor.allowance(at(0)), Some(0));
        let next = governor.next();
        assert!(next > at(9) && next <= at(10) + Duration::from_nanos(1));
        assert_eq!(governor.allowance(next), Some(1));
        assert_eq!(
            governor.allowance(at(500)),
            Some(6),
            "no more than a minute's worth"
        );
    }

    #[test]
    fn no_limit_and_a_clock_set_back() {
        assert_eq!(Governor::new(None).allowance(at(0)), None);
        let mut governor = Governor::new(Some(60));
        governor.allowance(at(100));
        governor.spend(60);
        assert_eq!(governor.allowance(at(50)), Some(0));
        assert_eq!(governor.allowance(at(101)), Some(1));
    }

    #[test]
    fn a_governor_that_lets_nothing_through_names_no_moment() {
        let mut governor = Governor::new(Some(0));
        assert_eq!(governor.allowance(at(7)), Some(0));
        assert_eq!(governor.next(), at(7));
        assert_eq!(governor.allowance(at(700)), Some(0));
    }
}
