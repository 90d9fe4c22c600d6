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
    /// Calls that were drawn and have not begun: they wait for a disk, or for a slot. To the provider,
    /// whose own bucket cannot be more than full, they have still to come. So nothing is saved up
    /// beside them beyond what makes the bucket full.
    #[serde(skip)]
    waiting: u32,
    /// When the last of them was drawn.
    #[serde(skip)]
    drawn: Timestamp,
}

/// Sums of fractions of calls are off by less than this: a bucket of a million calls that is counted a
/// thousand times is off by a ten-millionth. At a call a second it lets one through a microsecond early.
const ROUNDING: f64 = 1e-6;

/// A bucket that was counted further ahead than this was counted by a clock that was wrong. It would
/// give nothing until that moment comes, which may be years ahead. Clocks that are kept right are set
/// back by less, by half a minute at hypervisors: then the bucket keeps what it owes the provider.
const CLOCK_STEP: Duration = Duration::from_secs(60);

/// Nothing that was drawn waits for longer: it has begun or was taken back seconds after it was written
/// down, and a disk that takes this long is waited for by nobody. Where a plugin declares other limits
/// meanwhile, what is drawn of one may begin as of another, and would be counted on for good.
const WAITED: Duration = Duration::from_secs(60);

impl Bucket {
    /// A bucket from which nothing was drawn yet.
    #[must_use]
    pub fn full(limit: RateLimit) -> Self {
        Self {
            saved: limit.burst,
            counted: Timestamp::default(),
            waiting: 0,
            drawn: Timestamp::default(),
        }
    }

    /// Returns when it was looked at last.
    #[must_use]
    pub fn counted(&self) -> Timestamp {
        self.counted
    }

    /// Takes in that what was drawn began later than its record says by as much as this: until then the
    /// provider, whose own bucket cannot be more than full, has saved nothing up.
    #[must_use]
    pub fn begun_late(self, late: Duration) -> Self {
        Self {
            counted: self.counted + late,
            ..self
        }
    }

    /// Returns how many calls may be made now.
    pub fn left(&mut self, limit: RateLimit, now: Timestamp) -> usize {
        if self.counted > now + CLOCK_STEP {
            self.counted = now;
        }
        let passed = now.since(self.counted).as_secs_f64();
        if now.since(self.drawn) > WAITED {
            self.waiting = 0;
        }
        let most = (limit.burst - f64::from(self.waiting)).max(0.0);
        self.saved = (self.saved + passed * limit.per_second).min(most);
        self.counted = self.counted.max(now);
        whole(self.saved)
    }

    /// Draws a call that is to begin.
    pub fn draw(&mut self) {
        self.saved = (self.saved - 1.0).max(0.0);
        self.waiting = self.waiting.saturating_add(1);
        self.drawn = self.counted;
    }

    /// Notes that a call which was drawn begins.
    pub fn begin(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// Notes that a call which was drawn does not begin after all.
    pub fn give_back(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
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
            bucket.draw();
            bucket.begin();
        }
    }

    /// Calls are written down, and begin some time after that; a restart comes in between.
    #[test]
    fn nothing_is_saved_up_before_what_was_drawn_has_begun() {
        let limit = RateLimit::per_minute(20);
        let mut bucket = Bucket::full(limit);
        bucket.left(limit, at(0));
        (0..20).for_each(|_| bucket.draw());
        let written = serde_json::to_string(&bucket).unwrap();
        let read: Bucket = serde_json::from_str(&written).unwrap();
        let mut read = read.begun_late(Duration::from_secs(2));
        assert_eq!((read.left(limit, at(4)), read.left(limit, at(5))), (0, 1));
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

    /// The provider would see those that waited and those that were saved up meanwhile at once.
    #[test]
    fn calls_that_wait_for_a_slow_disk_save_up_no_others() {
        let limit = RateLimit::per_minute(60);
        let mut bucket = Bucket::full(limit);
        assert_eq!(bucket.left(limit, at(0)), 60);
        for _ in 0..20 {
            bucket.draw();
        }
        assert_eq!(bucket.left(limit, at(30)), 40);
        for _ in 0..15 {
            bucket.begin();
        }
        assert_eq!(bucket.left(limit, at(31)), 41, "saved up from now on");
        assert_eq!(bucket.left(limit, at(50)), 55);
        for _ in 0..4 {
            bucket.give_back();
        }
        assert_eq!(bucket.left(limit, at(50)), 59);
        assert_eq!(bucket.left(limit, at(61)), 60, "nothing waits for a minute");
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
