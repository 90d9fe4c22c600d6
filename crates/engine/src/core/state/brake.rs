//! A brake on the calls of one kind: how often a provider that throttles was found to take them.
//!
//! It is additive increase and multiplicative decrease, as in TCP (RFC 5681), with a refusal as the
//! sign of congestion; the way back stops short of the rate that was refused, as in CUBIC (RFC 9438).
//!
//! Where most of what was asked for at once is refused, that rate tells nothing of what the provider takes.
//! What got through is gone back to then, and from there each call that is taken lets the next ones come a
//! little sooner, until one is refused: slow start, as in TCP.

use std::time::Duration;

use infrakit_plan::{RateLimit, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::state::meter::Asked;

/// What remains of the rate at which calls were refused: three quarters of what was too much are
/// most often enough, and twice in a row it is about half.
const NARROWED: f64 = 0.7;
/// The way back ends below the rate that was refused.
const SHY: f64 = 0.95;
/// The way back takes this long: most providers count by the second or by the minute.
const BACK: Duration = Duration::from_secs(60);
/// For so long the rate is not raised beyond that; others who share the account may have gone by then.
const HELD: Duration = Duration::from_secs(600);
/// From then on it grows by this a minute, until nobody refuses it: it doubles in a quarter of an hour.
const PROBE: f64 = 1.05;
/// A brake that lets through so many times what was refused is none any more.
const LOOSE: f64 = 4.0;
/// Refusals within this time are of one and the same burst, and narrow once.
const BURST: Duration = Duration::from_secs(1);
/// Calls a second at least: a provider that refuses all is still asked twice a minute.
const LEAST: f64 = 1.0 / 30.0;
/// Where nothing is known of what it takes, and nothing got through, it is asked once a second at first.
const FIRST: f64 = 1.0;
/// In slow start each call that is taken adds as much as makes the rate grow by a factor of e in this time.
/// From one call a second it takes 37 s to 40 a second, which leaves time to notice that it is learned within
/// a minute; and what is begun in the tenth of a second that a refusal takes is one call of a hundred.
const GROWTH: Duration = Duration::from_secs(10);
/// After a pause that a plugin asked for the first second is for few calls: one, and twice as many each time
/// that such a stretch passes without a refusal. A refusal costs a provider next to nothing and is there in
/// less; beyond three seconds it holds nothing back, whatever the rate.
const STEP: Duration = Duration::from_millis(500);

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
    /// How it gets from there to more.
    #[serde(default)]
    way: Way,
    /// Calls that it has let through since.
    #[serde(default)]
    taken: u32,
}

/// How calls become more frequent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    /// Most of what was asked for was taken: back to a little less, by the clock.
    #[default]
    Back,
    /// Hardly anything was: nobody knows how much would be. More with each call that is taken.
    Search,
}

impl Brake {
    /// Puts a brake on, or puts it on further. `hint` is for how long the plugin wants not to be asked.
    pub(in crate::core) fn put_on(
        former: Option<Self>,
        asked: Asked,
        hint: Option<Duration>,
        now: Timestamp,
    ) -> Self {
        if let Some(former) = former
            && (now.since(former.since) < BURST || asked.begun < former.until)
        {
            let until = hint.map_or(former.until, |hint| former.until.max(now + hint));
            let same = Self { until, ..former };
            return same.searching(asked.through);
        }
        let until = now + hint.unwrap_or(BURST);
        // That call was not taken.
        let former = former.map(|former| Self {
            taken: former.taken.saturating_sub(1),
            ..former
        });
        let allowed = former.map_or(asked.per_second, |former| former.rate(now));
        let refused = asked.per_second.min(allowed).max(LEAST);
        // As long as nothing was taken, nothing was found.
        let searched = former.filter(|former| former.taken == 0);
        let new = Self {
            since: now,
            refused,
            per_second: (refused * NARROWED).max(LEAST),
            until,
            way: searched.map_or(Way::Back, |former| former.way),
            taken: 0,
        };
        new.searching(asked.through)
    }

    /// Goes back to what got through, where that was little of what was asked for.
    fn searching(self, through: Option<f64>) -> Self {
        let Some(through) = through else {
            return self;
        };
        let found = (through * NARROWED).max(FIRST);
        Self {
            per_second: self.per_second.min(found),
            way: Way::Search,
            ..self
        }
    }

    /// Notes a call that it lets through.
    pub(in crate::core) fn draw(&mut self) {
        self.taken = self.taken.saturating_add(1);
    }

    /// Notes that a call which it let through never began.
    pub(in crate::core) fn give_back(&mut self) {
        self.taken = self.taken.saturating_sub(1);
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
        let longer = other.until > self.until + BURST;
        other.since != self.since || other.way != self.way || longer
    }

    /// Returns how many calls a second it lets through.
    fn rate(&self, now: Timestamp) -> f64 {
        let rate = match self.way {
            Way::Back => self.rate_back(now),
            Way::Search => self.per_second + f64::from(self.taken) / GROWTH.as_secs_f64(),
        };
        if !self.was_asked_for() {
            return rate;
        }
        let steps = now.since(self.until).as_secs_f64() / STEP.as_secs_f64();
        rate.min(steps.exp2())
    }

    /// Returns whether the plugin said for how long it wants not to be asked.
    fn was_asked_for(&self) -> bool {
        self.until.since(self.since) > BURST
    }

    fn rate_back(&self, now: Timestamp) -> f64 {
        let begun = if self.was_asked_for() {
            self.until
        } else {
            self.since
        };
        let passed = now.since(begun);
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

    fn millis(millis: u64) -> Timestamp {
        at(0) + Duration::from_millis(millis)
    }

    /// So many calls a second were made, one of which was refused at once.
    fn asked(per_second: f64, now: Timestamp) -> Asked {
        Asked {
            per_second,
            through: None,
            begun: now,
        }
    }

    /// Of so many calls a second all but a few were refused.
    fn rout(per_second: f64, through: f64, now: Timestamp) -> Asked {
        Asked {
            through: Some(through),
            ..asked(per_second, now)
        }
    }

    #[test]
    fn a_burst_of_refusals_narrows_once() {
        let first = Brake::put_on(None, asked(100.0, at(0)), None, at(0));
        let again = Brake::put_on(Some(first), asked(100.0, at(0)), None, at(0));
        assert_eq!(first.rate(at(0)), again.rate(at(0)));
        let third = Brake::put_on(Some(again), asked(100.0, at(1)), None, at(1));
        assert!(third.rate(at(1)) < first.rate(at(1)));
        // It began before, and took long to be refused.
        let late = Brake::put_on(Some(third), asked(100.0, at(0)), None, at(9));
        assert_eq!(third.rate(at(9)), late.rate(at(9)));
    }

    #[test]
    fn the_way_back_stops_short_of_what_was_refused_and_leads_on_later() {
        let brake = Brake::put_on(None, asked(40.0, at(0)), None, at(0));
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
        let brake = Brake::put_on(None, asked(40.0, at(0)), hint, at(0));
        assert_eq!(brake.closed_until(at(29)), Some(at(30)));
        assert_eq!(brake.closed_until(at(30)), None);
        let later = Brake::put_on(Some(brake), asked(40.0, at(5)), None, at(5));
        assert_eq!(later.closed_until(at(29)), Some(at(30)));
    }

    #[test]
    fn after_a_pause_that_was_asked_for_few_come_at_first_and_soon_as_many_as_before() {
        let hint = Some(Duration::from_secs(8));
        let brake = Brake::put_on(None, asked(40.0, at(0)), hint, at(0));
        let rates = [8_000, 8_500, 9_000, 10_000, 11_000].map(|at| brake.rate(millis(at)).round());
        assert_eq!(rates, [1.0, 2.0, 4.0, 16.0, 29.0]);
        assert!((brake.rate(at(68)) - 38.0).abs() < 0.1);
    }

    #[test]
    fn where_most_is_refused_it_goes_back_to_what_got_through_and_on_with_what_is_taken() {
        let mut brake = Brake::put_on(None, asked(80.0, at(0)), None, at(0));
        for through in [39.0, 20.0, 5.0] {
            brake = Brake::put_on(Some(brake), rout(80.0, through, at(0)), None, at(0));
        }
        assert!((brake.rate(at(1)) - 3.5).abs() < 0.1);
        assert!(
            (brake.rate(at(600)) - 3.5).abs() < 0.1,
            "nothing was asked for"
        );
        (0..100).for_each(|_| brake.draw());
        assert!((brake.rate(at(30)) - 13.5).abs() < 0.1);
        // Now it is known.
        let known = Brake::put_on(Some(brake), asked(13.0, at(30)), None, at(30));
        assert!((known.rate(at(30)) - 9.1).abs() < 0.1);
        assert!((known.rate(at(95)) - 12.35).abs() < 0.1);
    }

    /// It may be back at any moment, and what it took before says how much it takes then.
    #[test]
    fn a_provider_that_refuses_all_is_asked_ever_more_rarely_and_quickly_again_once_it_takes_calls()
    {
        let mut brake = Brake::put_on(None, rout(80.0, 0.0, at(0)), None, at(0));
        assert!((brake.rate(at(1)) - FIRST).abs() < 0.1);
        for second in 1..30 {
            brake.draw();
            brake = Brake::put_on(
                Some(brake),
                asked(1.0, at(10 * second)),
                None,
                at(10 * second),
            );
        }
        assert!((brake.rate(at(300)) - LEAST).abs() < 0.01);
        (0..400).for_each(|_| brake.draw());
        assert!(brake.rate(at(300)) > 40.0);
    }
}
