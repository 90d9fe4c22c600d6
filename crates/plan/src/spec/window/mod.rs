//! Maintenance windows: when replacements may begin.
//!
//! A window opens at the minutes that its cron expression names on the clock of its time zone, and
//! stays open for a length of real time. Where a clock is put forward, a time that it leaves out
//! counts from the moment that would have been that time; where it is put back, a time that comes
//! twice counts once, unless the expression takes every hour as it comes.

mod cron;
#[cfg(test)]
mod tests;

use std::time::Duration;

use infrakit_spi::{Any, suggest};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase, TimeZoneTransition};

use cron::Cron;

use crate::fields::Fields;
use crate::{InvalidSpec, Timestamp};

/// How many windows that follow each other without a gap are looked through for their end. More
/// than a week of hourly ones; the end that is found is asked about again when it comes.
const LINKS: usize = 200;

/// How many changes of the clock a search goes through: two a year, for as long as it may take
/// until a 29 February is a Monday again.
const CHANGES: usize = 100;

/// A time in which replacements may begin, again and again.
#[derive(Clone, Debug)]
pub struct Window {
    cron: String,
    duration: Duration,
    time_zone: Option<String>,
    compiled: Cron,
    zone: TimeZone,
}

/// Whether replacements may begin, and when that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// There are no windows.
    Always,
    /// A window is open.
    Open {
        /// When the last of the windows that follow each other closes, as far as was looked ahead:
        /// ask again then.
        closes: Timestamp,
    },
    /// No window is open.
    Closed {
        /// When the next one opens.
        opens: Timestamp,
    },
}

/// What was written decides; the rest is made from it.
impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        self.cron == other.cron
            && self.duration == other.duration
            && self.time_zone == other.time_zone
    }
}

impl Eq for Window {}

impl Window {
    /// Returns the cron expression as it was written.
    #[must_use]
    pub fn cron(&self) -> &str {
        &self.cron
    }

    /// Returns how long the window stays open.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Returns the name of the time zone; UTC when not given.
    #[must_use]
    pub fn time_zone(&self) -> Option<&str> {
        self.time_zone.as_deref()
    }

    /// Returns whether the window is open.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.closes(now).is_some()
    }

    /// Returns when the window closes that is open now; `None` when none is open.
    #[must_use]
    pub fn closes(&self, now: Timestamp) -> Option<Timestamp> {
        let closes = self.opened(now)? + self.duration;
        (now < closes).then_some(closes)
    }

    /// Returns when the window opens next, after this moment.
    #[must_use]
    pub fn next_opening(&self, now: Timestamp) -> Option<Timestamp> {
        let mut at = moment(now)?
            .checked_add(jiff::SignedDuration::from_nanos(1))
            .ok()?;
        for _ in 0..CHANGES {
            let period = Period::at(&self.zone, at);
            let local = period.offset.to_datetime(at);
            let begin = period.first_of(self.compiled.names_hours);
            let found = self
                .compiled
                .at_or_after(begin.map_or(local, |begin| begin.max(local)))?;
            let found = period.offset.to_timestamp(found).ok()?;
            let skipped = period.gap(self.compiled.names_hours).and_then(|gap| {
                let local = gap.offset.to_datetime(at).max(gap.begin);
                let minute = self.compiled.at_or_after(local)?;
                (minute < gap.end).then(|| gap.offset.to_timestamp(minute).ok())?
            });
            let first = skipped.map_or(found, |skipped| skipped.min(found));
            match period.end {
                Some(end) if first >= end => {
                    // Nothing matches before: periods in between need not be looked at.
                    let near = found.checked_sub(SLACK).unwrap_or(end);
                    at = end.max(near);
                }
                _ => return timestamp(first),
            }
        }
        None
    }

    /// Returns when the window opened last, up to this moment.
    fn opened(&self, now: Timestamp) -> Option<Timestamp> {
        let mut at = moment(now)?;
        for _ in 0..CHANGES {
            let period = Period::at(&self.zone, at);
            let found = self.compiled.at_or_before(period.offset.to_datetime(at))?;
            let counts = period
                .first_of(self.compiled.names_hours)
                .is_none_or(|first| found >= first);
            let found = period.offset.to_timestamp(found).ok()?;
            let skipped = period.gap(self.compiled.names_hours).and_then(|gap| {
                let local = gap.offset.to_datetime(at);
                let minute = self.compiled.at_or_before(local.min(gap.last()))?;
                (minute >= gap.begin).then(|| gap.offset.to_timestamp(minute).ok())?
            });
            let last = counts.then_some(found).max(skipped);
            match period.begin {
                Some(begin) if last.is_none_or(|last| last < begin) => {
                    let before = begin
                        .checked_sub(jiff::SignedDuration::from_nanos(1))
                        .ok()?;
                    let near = found.checked_add(SLACK).unwrap_or(before);
                    at = before.min(near);
                }
                _ => return last.and_then(timestamp),
            }
        }
        None
    }

    /// Decodes an element of `Updating.Windows`.
    pub(super) fn decode(raw: &Any, path: String) -> Result<Self, InvalidSpec> {
        let fields = Fields::of(Some(raw), path, &["Cron", "Duration", "TimeZone"])?;
        let needed = |name: &str, example: &str| {
            InvalidSpec::field(fields.place(name), format!("is needed, like {example}"))
        };
        let cron: String = fields
            .get("Cron", "a string like \"0 22 * * 1-5\"")?
            .ok_or_else(|| needed("Cron", "\"0 22 * * 1-5\""))?;
        let compiled = Cron::parse(&cron)
            .map_err(|problem| InvalidSpec::field(fields.place("Cron"), problem))?;
        let duration = fields
            .duration("Duration")?
            .ok_or_else(|| needed("Duration", "\"4h\""))?;
        let time_zone: Option<String> = fields.get("TimeZone", "a name like \"Europe/Berlin\"")?;
        let zone = match &time_zone {
            None => TimeZone::UTC,
            Some(name) => zone(name)
                .map_err(|problem| InvalidSpec::field(fields.place("TimeZone"), problem))?,
        };
        Ok(Self {
            cron,
            duration,
            time_zone,
            compiled,
            zone,
        })
    }
}

/// More than any clock was ever put forward or back: Samoa left out a day.
const SLACK: jiff::SignedDuration = jiff::SignedDuration::from_hours(48);

/// A time without a change of the clock, and the change that it began with.
struct Period {
    offset: Offset,
    begin: Option<jiff::Timestamp>,
    end: Option<jiff::Timestamp>,
    /// The offset before it began.
    former: Offset,
}

/// Times that the clock left out when it was put forward.
struct Gap {
    begin: DateTime,
    end: DateTime,
    offset: Offset,
}

impl Gap {
    fn last(&self) -> DateTime {
        self.end
            .checked_sub(jiff::SignedDuration::from_nanos(1))
            .unwrap_or(self.begin)
    }
}

impl Period {
    fn at(zone: &TimeZone, at: jiff::Timestamp) -> Self {
        // A change at this very moment belongs to the period.
        let after = at
            .checked_add(jiff::SignedDuration::from_nanos(1))
            .unwrap_or(at);
        let timestamp = |change: TimeZoneTransition<'_>| change.timestamp();
        let begin = zone.preceding(after).next().map(timestamp);
        let offset = zone.to_offset(at);
        let former = begin
            .and_then(|begin| begin.checked_sub(jiff::SignedDuration::from_nanos(1)).ok())
            .map_or(offset, |before| zone.to_offset(before));
        Self {
            offset,
            begin,
            end: zone.following(at).next().map(timestamp),
            former,
        }
    }

    /// Returns the first time that counts, where the clock was put back.
    fn first_of(&self, named: bool) -> Option<DateTime> {
        let begin = self.begin.filter(|_| named && self.former > self.offset)?;
        Some(self.former.to_datetime(begin))
    }

    /// Returns the times that were left out, where the clock was put forward.
    fn gap(&self, named: bool) -> Option<Gap> {
        let begin = self.begin.filter(|_| named && self.former < self.offset)?;
        Some(Gap {
            begin: self.former.to_datetime(begin),
            end: self.offset.to_datetime(begin),
            offset: self.former,
        })
    }
}

/// Finds a time zone in the database that comes with the program: nothing is read from files.
fn zone(name: &str) -> Result<TimeZone, String> {
    let database = TimeZoneDatabase::bundled();
    database.get(name).map_err(|_| {
        let names: Vec<String> = database.available().map(|name| name.to_string()).collect();
        match suggest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("unknown time zone `{name}`; did you mean `{near}`?"),
            None => format!("unknown time zone `{name}`; expected one like \"Europe/Berlin\""),
        }
    })
}

/// Returns whether one of the windows is open.
pub(super) fn opening(windows: &[Window], now: Timestamp) -> Opening {
    if windows.is_empty() {
        return Opening::Always;
    }
    let latest = |at: Timestamp| windows.iter().filter_map(|window| window.closes(at)).max();
    let Some(mut closes) = latest(now) else {
        let opens = windows
            .iter()
            .filter_map(|window| window.next_opening(now))
            .min()
            .unwrap_or(Timestamp(u64::MAX));
        return Opening::Closed { opens };
    };
    for _ in 0..LINKS {
        match latest(closes) {
            Some(later) => closes = later,
            None => break,
        }
    }
    Opening::Open { closes }
}

fn moment(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_nanosecond(i128::from(at.0)).ok()
}

fn timestamp(at: jiff::Timestamp) -> Option<Timestamp> {
    u64::try_from(at.as_nanosecond()).ok().map(Timestamp)
}
