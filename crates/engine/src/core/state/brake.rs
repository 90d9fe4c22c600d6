//! A brake on the calls of one kind: how often a provider that throttles was found to take them.
//!
//! It is additive increase and multiplicative decrease, as in TCP (RFC 5681), with a refusal as the
//! sign of congestion; the way back stops short of the rate that was refused, as in CUBIC (RFC 9438).

use std::time::Duration;

use infrakit_plan::{RateLimit, Timestamp};
use serde::{Deserialize, Serialize};

/// What remains of the rate at which calls were refused, as in CUBIC: twice in a row it is about
/// half, which is what TCP leaves at once.
const NARROWED: f64 = 0.7;
/// The way back ends below the rate that was refused: at that very rate it would be refused again.
const SHY: f64 = 0.95;
/// The way back takes this long: most providers count by the second or by the minute.
const BACK: Duration = Duration::from_secs(60);
/// For so long the rate is not raised beyond that; others who share the account may have gone by then.
/// Gardener's machine controller leaves an exhausted provider alone for ten minutes, too.
const HELD: Duration = Duration::from_secs(600);
/// From then on it grows by this a minute, until nobody refuses it: it doubles in a quarter of an hour.
const PROBE: f64 = 1.05;
/// A brake that lets through so many times what was refused is none any more: it gets there forty
/// minutes after the last refusal.
const LOOSE: f64 = 4.0;
/// Refusals within this time are of one and the same burst, and narrow once: calls that were under way
/// when the first came are mostly answered by then, and a provider that counts by the second counts anew.
const BURST: Duration = Duration::from_secs(1);
/// Calls a second at least: a provider that refuses all is still asked twice a minute.
const LEAST: f64 = 1.0 / 30.0;

/// A brake that was put on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Brake {
    /// When it was put on last.
    since: Timestamp,
    /// Calls a second at that time.
    refused: f64,
    /// Calls a second from then on.
    per_second: f64,
    /// Nothing is let through before.
    until: Timestamp,
}

impl Brake {
    /// Puts a brake on, or puts it on further. `seen` calls a second were made; `hint` is for how
    /// long the plugin wants not to be asked.
    pub(in crate::core) fn put_on(
        former: Option<Self>,
        seen: f64,
        hint: Option<Duration>,
        now: Timestamp,
    ) -> Self {
        let until = now + hint.unwrap_or(BURST);
        if let Some(former) = former
            && now.since(former.since) < BURST
        {
            let until = former.until.max(until);
            return Self { until, ..former };
        }
        let allowed = former.map_or(seen, |former| former.rate(now));
        let refused = seen.min(allowed).max(LEAST);
        Self {
            since: now,
            refused,
            per_second: (refused * NARROWED).max(LEAST),
            until: former.map_or(until, |former| former.until.max(until)),
        }
    }

    /// Returns the brake as a later life takes it up. One that was put on by a clock which was set back
    /// since was put on now: its pause would last, and its rate be held, until that moment comes.
    pub(in crate::core) fn restored(self, now: Timestamp) -> Self {
        if self.since <= now {
            return self;
        }
        let pause = self.until.since(self.since);
        Self {
            since: now,
            until: now + pause,
            ..self
        }
    }

    /// Returns whether `other` lets through less, or nothing for longer: that is worth a write.
    pub(in crate::core) fn is_put_on_by(&self, other: &Self) -> bool {
        other.since != self.since || other.until > self.until + BURST
    }

    /// Returns how many calls a second it lets through.
    fn rate(&self, now: Timestamp) -> f64 {
        let passed = now.since(self.since);
        let rest = (self.refused * SHY).max(self.per_second);
        if passed < BACK {
            let way = passed.as_secs_f64() / BACK.as_secs_f64();
            return self.per_second + (rest - self.per_second) * way;
        }
        let minutes = passed.saturating_sub(HELD).as_secs_f64() / 60.0;
        rest * PROBE.powf(minutes)
    }

    /// Returns the limit that it sets; a second's worth may come at once.
    pub(in crate::core) fn limit(&self, now: Timestamp) -> RateLimit {
        let per_second = self.rate(now);
        RateLimit {
            burst: per_second.max(1.0),
            per_second,
        }
    }

    /// Returns until when nothing is let through, if that lies ahead.
    pub(in crate::core) fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        (self.until > now).then_some(self.until)
    }

    pub(in crate::core) fn is_loose(&self, now: Timestamp) -> bool {
        self.rate(now) > self.refused * LOOSE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_000_000_000_000 + seconds * 1_000_000_000)
    }

    #[test]
    fn a_burst_of_refusals_narrows_once() {
        let first = Brake::put_on(None, 100.0, None, at(0));
        let again = Brake::put_on(Some(first), 100.0, None, at(0));
        assert_eq!(first.rate(at(0)), again.rate(at(0)));
        let third = Brake::put_on(Some(again), 100.0, None, at(1));
        assert!(third.rate(at(1)) < first.rate(at(1)));
    }

    #[test]
    fn the_way_back_stops_short_of_what_was_refused_and_leads_on_later() {
        let brake = Brake::put_on(None, 40.0, None, at(0));
        assert!((brake.rate(at(0)) - 28.0).abs() < 0.1);
        assert!((brake.rate(at(60)) - 38.0).abs() < 0.1);
        assert!((brake.rate(at(600)) - 38.0).abs() < 0.1);
        assert!(brake.rate(at(900)) > 40.0);
        assert!(!brake.is_loose(at(900)));
        assert!(brake.is_loose(at(7_200)));
    }

    #[test]
    fn what_the_plugin_asks_for_is_kept_to() {
        let hint = Some(Duration::from_secs(30));
        let brake = Brake::put_on(None, 40.0, hint, at(0));
        assert_eq!(brake.closed_until(at(29)), Some(at(30)));
        assert_eq!(brake.closed_until(at(30)), None);
        let later = Brake::put_on(Some(brake), 40.0, None, at(5));
        assert_eq!(later.closed_until(at(29)), Some(at(30)));
    }
}
