//! Token buckets: at most so many calls of one kind, for all groups together. Kept as data, so that
//! a restart does not hand out a fresh one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A limit on how often something is called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Calls that may come at once.
    pub burst: f64,
    /// Calls that each second lets through beyond that.
    pub per_second: f64,
}

impl RateLimit {
    /// So many a minute, and a minute's worth at once.
    #[must_use]
    pub fn per_minute(calls: u32) -> Self {
        Self {
            burst: f64::from(calls),
            per_second: f64::from(calls) / 60.0,
        }
    }
}

/// What a limit has left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Calls that may be made now.
    saved: f64,
    /// When that was counted.
    counted: Timestamp,
}

/// Sums of fractions of calls are off by less than this: a bucket of a million calls that is counted a
/// thousand times is off by a ten-millionth. At a call a second it lets one through a microsecond early.
const ROUNDING: f64 = 1e-6;

/// A bucket that was counted further ahead than this was counted by a clock that was wrong. It would
/// give nothing until that moment comes, which may be years ahead. Clocks that are kept right are set
/// back by less, by half a minute at hypervisors: then the bucket keeps what it owes the provider.
const CLOCK_STEP: Duration = Duration::from_secs(60);

impl Bucket {
    /// A bucket from which nothing was drawn yet.
    #[must_use]
    pub fn full(limit: RateLimit) -> Self {
        Self {
            saved: limit.burst,
            counted: Timestamp::default(),
        }
    }

    /// Returns when it was looked at last.
    #[must_use]
    pub fn counted(&self) -> Timestamp {
        self.counted
    }

    /// Returns how many calls may be made now.
    pub fn left(&mut self, limit: RateLimit, now: Timestamp) -> usize {
        if self.counted > now + CLOCK_STEP {
            self.counted = now;
        }
        let passed = now.since(self.counted).as_secs_f64();
        self.saved = (self.saved + passed * limit.per_second).min(limit.burst);
        self.counted = self.counted.max(now);
        whole(self.saved)
    }

    /// Notes a call that is made.
    pub fn spend(&mut self) {
        self.saved = (self.saved - 1.0).max(0.0);
    }

    /// Notes that a call which was noted is not made after all.
    pub fn give_back(&mut self) {
        self.saved += 1.0;
    }

    /// Returns when so many calls may be made, as of the last [`left`](Self::left).
    #[must_use]
    pub fn next(&self, limit: RateLimit, calls: usize) -> Timestamp {
        if limit.per_second <= 0.0 {
            return self.counted;
        }
        #[expect(clippy::cast_precision_loss, reason = "no group has 2^52 members")]
        let missing = (calls as f64 - self.saved).max(0.0) / limit.per_second;
        let missing = Duration::try_from_secs_f64(missing).unwrap_or(Duration::MAX);
        self.counted + missing.saturating_add(Duration::from_nanos(1))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never below zero, and casts of floats saturate"
)]
fn whole(saved: f64) -> usize {
    (saved + ROUNDING) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_000_000_000_000 + seconds * 1_000_000_000)
    }

    fn spend(bucket: &mut Bucket, calls: usize) {
        for _ in 0..calls {
            bucket.spend();
        }
    }

    #[test]
    fn a_minutes_worth_at_once_then_at_the_pace() {
        let limit = RateLimit::per_minute(6);
        let mut bucket = Bucket::full(limit);
        assert_eq!(bucket.left(limit, at(0)), 6);
        spend(&mut bucket, 6);
        assert_eq!(bucket.left(limit, at(0)), 0);
        let next = bucket.next(limit, 1);
        assert!(next > at(9) && next <= at(10) + Duration::from_nanos(1));
        assert_eq!(bucket.left(limit, next), 1);
        assert!(bucket.next(limit, 3) > at(29));
        let later = bucket.left(limit, at(500));
        assert_eq!(later, 6, "no more than a minute's worth");
    }

    #[test]
    fn a_clock_that_is_set_back_a_little_gives_nothing_twice() {
        let limit = RateLimit::per_minute(60);
        let mut bucket = Bucket::full(limit);
        bucket.left(limit, at(100));
        spend(&mut bucket, 60);
        assert_eq!(bucket.left(limit, at(50)), 0);
        assert_eq!(bucket.left(limit, at(101)), 1);
        assert_eq!(bucket.left(limit, at(0)), 1);
        assert_eq!(bucket.left(limit, at(2)), 3, "the clock was wrong before");
    }

    #[test]
    fn a_limit_that_lets_nothing_through_names_no_moment() {
        let limit = RateLimit::per_minute(0);
        let mut bucket = Bucket::full(limit);
        assert_eq!(bucket.left(limit, at(7)), 0);
        assert_eq!(bucket.next(limit, 1), at(7));
        assert_eq!(bucket.left(limit, at(700)), 0);
    }
}
