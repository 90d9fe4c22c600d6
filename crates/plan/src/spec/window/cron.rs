//! The five fields of a cron expression: which minutes of a calendar match.
//!
//! It knows calendars, not time zones: those are `window.rs`.

use jiff::Unit;
use jiff::civil::{Date, DateTime, Time, date};

/// A compiled expression, each field as a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: u64,
    hours: u32,
    days: u32,
    months: u16,
    weekdays: u8,
    /// Whether a day must suit both fields of days, or just one of them.
    both_days: bool,
    /// Whether it names hours, or takes each one as it comes.
    pub(super) names_hours: bool,
}

/// The fields, with the numbers that they take and the names that stand for numbers.
const FIELDS: [Field; 5] = [
    Field::new("minute", 0, 59, &[]),
    Field::new("hour", 0, 23, &[]),
    Field::new("day of the month", 1, 31, &[]),
    Field::new("month", 1, 12, &MONTHS),
    // Sunday is 0 and 7.
    Field::new("day of the week", 0, 7, &WEEKDAYS),
];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Days within which each expression that ever matches does so: a 29 February comes again after at
/// most eight years, and on a given day of the week after at most forty.
const HORIZON: u32 = 366 * 41;

struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
}

impl Cron {
    /// Compiles an expression, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(format!(
                "expected five fields (minute, hour, day of the month, month, day of the week) \
                 like \"0 22 * * 1-5\", found `{text}`"
            ));
        };
        let sets: Vec<u64> = FIELDS
            .iter()
            .zip([minutes, hours, days, months, weekdays])
            .map(|(field, text)| field.parse(text))
            .collect::<Result<_, _>>()?;
        let set = |index: usize| sets.get(index).copied().unwrap_or_default();
        let cron = Self {
            minutes: set(0),
            hours: set(1) as u32,
            days: set(2) as u32,
            months: set(3) as u16,
            weekdays: (set(4) | set(4) >> 7) as u8 & 0x7f,
            // As in every cron: two restricted fields of days mean either, one restricts alone.
            both_days: days.starts_with('*') || weekdays.starts_with('*'),
            names_hours: !hours.starts_with('*'),
        };
        if cron.at_or_after(date(2000, 1, 1).at(0, 0, 0, 0)).is_none() {
            return Err(format!(
                "`{text}` names a day that no calendar has, so it never opens; expected one like \
                 \"0 22 * * 1-5\""
            ));
        }
        Ok(cron)
    }

    /// Returns the first minute that matches, at this moment or later.
    pub(super) fn at_or_after(&self, from: DateTime) -> Option<DateTime> {
        let minute = from.round(Unit::Minute).ok()?;
        let from = if minute < from {
            minute.checked_add(jiff::Span::new().minutes(1)).ok()?
        } else {
            minute
        };
        let mut day = from.date();
        let mut earliest = Some(from.time());
        for _ in 0..HORIZON {
            if self.months & 1 << day.month() == 0 {
                day = day.last_of_month().tomorrow().ok()?;
                earliest = Some(Time::midnight());
                continue;
            }
            if self.matches(day)
                && let Some(time) = earliest.and_then(|time| self.from(time))
            {
                return Some(day.to_datetime(time));
            }
            day = day.tomorrow().ok()?;
            earliest = Some(Time::midnight());
        }
        None
    }

    /// Returns the last minute that matches, at this moment or earlier.
    pub(super) fn at_or_before(&self, from: DateTime) -> Option<DateTime> {
        let mut day = from.date();
        let mut latest = from.time();
        for _ in 0..HORIZON {
            if self.months & 1 << day.month() == 0 {
                day = day.first_of_month().yesterday().ok()?;
            } else if self.matches(day)
                && let Some(time) = self.until(latest)
            {
                return Some(day.to_datetime(time));
            } else {
                day = day.yesterday().ok()?;
            }
            latest = Time::MAX;
        }
        None
    }

    fn matches(&self, day: Date) -> bool {
        let in_month = self.days & 1 << day.day() != 0;
        let in_week = self.weekdays & 1 << day.weekday().to_sunday_zero_offset() != 0;
        if self.both_days {
            in_month && in_week
        } else {
            in_month || in_week
        }
    }

    /// Returns the first time of a day that matches, from a full minute on.
    fn from(&self, time: Time) -> Option<Time> {
        let hour = u32::from(time.hour().unsigned_abs());
        let minute = u32::from(time.minute().unsigned_abs());
        if self.hours & 1 << hour != 0
            && let Some(minute) = lowest(self.minutes & u64::MAX << minute)
        {
            return clock(hour, minute);
        }
        let later = lowest(u64::from(self.hours) & (u64::MAX << 1) << hour)?;
        clock(later, lowest(self.minutes)?)
    }

    /// Returns the last time of a day that matches, up to a time.
    fn until(&self, time: Time) -> Option<Time> {
        let hour = u32::from(time.hour().unsigned_abs());
        let minute = u32::from(time.minute().unsigned_abs());
        if self.hours & 1 << hour != 0
            && let Some(minute) = highest(self.minutes & !((u64::MAX << 1) << minute))
        {
            return clock(hour, minute);
        }
        let earlier = highest(u64::from(self.hours) & !(u64::MAX << hour))?;
        clock(earlier, highest(self.minutes)?)
    }
}

fn lowest(set: u64) -> Option<u32> {
    (set != 0).then(|| set.trailing_zeros())
}

fn highest(set: u64) -> Option<u32> {
    set.checked_ilog2()
}

fn clock(hour: u32, minute: u32) -> Option<Time> {
    Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()
}

impl Field {
    const fn new(name: &'static str, least: u8, most: u8, names: &'static [&'static str]) -> Self {
        Self {
            name,
            least,
            most,
            names,
        }
    }

    /// Returns the set of numbers that a field such as `1-5`, `*/15` or `mon,fri` names.
    fn parse(&self, text: &str) -> Result<u64, String> {
        text.split(',')
            .map(|part| self.part(part))
            .try_fold(0, |set, part| Some(set | part?))
            .ok_or_else(|| {
                let Self {
                    name, least, most, ..
                } = self;
                let names = match self.names {
                    [first, .., last] => format!(" or names from `{first}` to `{last}`"),
                    _ => String::new(),
                };
                format!(
                    "the {name} is `{text}`; expected numbers from {least} to {most}{names}, \
                     like `*`, `{least}`, `{least}-{most}`, `*/2` or `{least},{most}`"
                )
            })
    }

    fn part(&self, part: &str) -> Option<u64> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (
                range,
                Some(step.parse::<u8>().ok().filter(|step| *step > 0)?),
            ),
            None => (part, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((first, last)) => (self.number(first)?, self.number(last)?),
            // `5/10` means from 5 on.
            None => {
                let first = self.number(range)?;
                (first, step.map_or(first, |_| self.most))
            }
        };
        if first > last {
            return None;
        }
        Some(
            (first..=last)
                .step_by(usize::from(step.unwrap_or(1)))
                .fold(0, |set, number| set | 1 << number),
        )
    }

    fn number(&self, text: &str) -> Option<u8> {
        let named = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text));
        let number = match named {
            Some(index) => u8::try_from(index).ok()? + self.least,
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (self.least..=self.most).contains(&number).then_some(number)
    }
}
