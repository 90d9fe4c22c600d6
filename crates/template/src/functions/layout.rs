//! Go's layouts of times: an example, `Mon Jan 2 15:04:05 MST 2006`, instead of letters.

mod read;

use jiff::ZonedDateTime;
use jiff::tz::Offset;

pub(super) use read::parse;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// One part of a layout.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part<'a> {
    Text(&'a str),
    LongYear,
    ShortYear,
    LongMonth,
    ShortMonth,
    Month(Pad),
    Day(Pad),
    DayOfYear(Pad),
    LongWeekday,
    ShortWeekday,
    Hour,
    HalfHour(Pad),
    Minute(Pad),
    Second(Pad),
    /// Digits behind the mark, and whether zeros at the end are left out.
    Fraction(char, usize, bool),
    /// `AM` or `am`.
    Half(bool),
    Zone,
    Offset(OffsetStyle),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Pad {
    None,
    Zero,
    Space,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct OffsetStyle {
    /// `Z` for no offset.
    z: bool,
    colon: bool,
    minutes: bool,
    seconds: bool,
}

/// The examples, those first that others begin with.
const EXAMPLES: [(&str, Part<'static>); 45] = {
    use Part::{
        Day, DayOfYear, Half, HalfHour, Hour, LongMonth, LongWeekday, LongYear, Minute, Month,
        Second, ShortMonth, ShortWeekday, ShortYear, Zone,
    };
    const fn offset(z: bool, colon: bool, minutes: bool, seconds: bool) -> Part<'static> {
        Part::Offset(OffsetStyle {
            z,
            colon,
            minutes,
            seconds,
        })
    }
    [
        ("January", LongMonth),
        ("Jan", ShortMonth),
        ("Monday", LongWeekday),
        ("Mon", ShortWeekday),
        ("MST", Zone),
        ("01", Month(Pad::Zero)),
        ("002", DayOfYear(Pad::Zero)),
        ("02", Day(Pad::Zero)),
        ("03", HalfHour(Pad::Zero)),
        ("04", Minute(Pad::Zero)),
        ("05", Second(Pad::Zero)),
        ("06", ShortYear),
        ("15", Hour),
        ("1", Month(Pad::None)),
        ("2006", LongYear),
        ("2", Day(Pad::None)),
        ("_2006", Part::Text("_2006")),
        ("__2", DayOfYear(Pad::Space)),
        ("_2", Day(Pad::Space)),
        ("3", HalfHour(Pad::None)),
        ("4", Minute(Pad::None)),
        ("5", Second(Pad::None)),
        ("PM", Half(true)),
        ("pm", Half(false)),
        ("-07:00:00", offset(false, true, true, true)),
        ("-070000", offset(false, false, true, true)),
        ("-07:00", offset(false, true, true, false)),
        ("-0700", offset(false, false, true, false)),
        ("-07", offset(false, false, false, false)),
        ("Z07:00:00", offset(true, true, true, true)),
        ("Z070000", offset(true, false, true, true)),
        ("Z07:00", offset(true, true, true, false)),
        ("Z0700", offset(true, false, true, false)),
        ("Z07", offset(true, false, false, false)),
        // Fractions are read apart; these keep the table's length honest.
        (".000000000", Part::Fraction('.', 9, false)),
        (".000000", Part::Fraction('.', 6, false)),
        (".000", Part::Fraction('.', 3, false)),
        (".00", Part::Fraction('.', 2, false)),
        (".0", Part::Fraction('.', 1, false)),
        (".999999999", Part::Fraction('.', 9, true)),
        (".999999", Part::Fraction('.', 6, true)),
        (".999", Part::Fraction('.', 3, true)),
        (".99", Part::Fraction('.', 2, true)),
        (".9", Part::Fraction('.', 1, true)),
        (",000", Part::Fraction(',', 3, false)),
    ]
};

/// Returns the example that `rest` begins with, and its length.
fn example(rest: &str) -> Option<(Part<'static>, usize)> {
    if rest.starts_with("_2006") {
        return None;
    }
    let (text, part) = EXAMPLES.iter().find(|(text, _)| rest.starts_with(text))?;
    let next = rest[text.len()..].chars().next();
    let fits = match part {
        // `Month` and `Monty` are words, not examples.
        Part::ShortMonth | Part::ShortWeekday => !next.is_some_and(char::is_lowercase),
        Part::Fraction(..) => !next.is_some_and(|next| next.is_ascii_digit()),
        _ => true,
    };
    fits.then_some((*part, text.len()))
}

fn parts(layout: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < layout.len() {
        if !layout.is_char_boundary(at) {
            at += 1;
            continue;
        }
        match example(&layout[at..]) {
            Some((part, length)) => {
                if start < at {
                    parts.push(Part::Text(&layout[start..at]));
                }
                parts.push(part);
                at += length;
                start = at;
            }
            None => at += 1,
        }
    }
    if start < layout.len() {
        parts.push(Part::Text(&layout[start..]));
    }
    parts
}

/// Writes a time as `layout` shows.
pub(super) fn format(layout: &str, time: &ZonedDateTime) -> String {
    parts(layout)
        .into_iter()
        .map(|part| write(part, time))
        .collect()
}

fn padded(number: i64, width: usize, pad: Pad) -> String {
    match pad {
        Pad::None => number.to_string(),
        Pad::Zero => format!("{number:0width$}"),
        Pad::Space => format!("{number:width$}"),
    }
}

fn write(part: Part<'_>, time: &ZonedDateTime) -> String {
    let month = MONTHS
        .get(usize::try_from(time.month() - 1).unwrap_or(0))
        .copied()
        .unwrap_or_default();
    let day = DAYS
        .get(usize::try_from(time.weekday().to_sunday_zero_offset()).unwrap_or(0))
        .copied()
        .unwrap_or_default();
    let half_hour = (time.hour() + 11) % 12 + 1;
    match part {
        Part::Text(text) => text.to_owned(),
        Part::LongYear => format!("{:04}", time.year()),
        Part::ShortYear => format!("{:02}", time.year().rem_euclid(100)),
        Part::LongMonth => month.to_owned(),
        Part::ShortMonth => month[..3].to_owned(),
        Part::Month(pad) => padded(time.month().into(), 2, pad),
        Part::Day(pad) => padded(time.day().into(), 2, pad),
        Part::DayOfYear(pad) => padded(time.day_of_year().into(), 3, pad),
        Part::LongWeekday => day.to_owned(),
        Part::ShortWeekday => day[..3].to_owned(),
        Part::Hour => format!("{:02}", time.hour()),
        Part::HalfHour(pad) => padded(half_hour.into(), 2, pad),
        Part::Minute(pad) => padded(time.minute().into(), 2, pad),
        Part::Second(pad) => padded(time.second().into(), 2, pad),
        Part::Fraction(mark, digits, trimmed) => {
            let all = format!("{:09}", time.subsec_nanosecond());
            let kept = &all[..digits];
            let kept = if trimmed {
                kept.trim_end_matches('0')
            } else {
                kept
            };
            if kept.is_empty() {
                String::new()
            } else {
                format!("{mark}{kept}")
            }
        }
        Part::Half(upper) => match (time.hour() < 12, upper) {
            (true, true) => "AM",
            (true, false) => "am",
            (false, true) => "PM",
            (false, false) => "pm",
        }
        .to_owned(),
        Part::Zone => zone_name(time),
        Part::Offset(style) => offset(time.offset(), style),
    }
}

fn zone_name(time: &ZonedDateTime) -> String {
    let info = time.time_zone().to_offset_info(time.timestamp());
    let name = info.abbreviation();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return name.to_owned();
    }
    if time.offset().is_zero() {
        return "UTC".to_owned();
    }
    // Go names an offset that has no name by its hours, and minutes where there are any.
    let style = OffsetStyle {
        z: false,
        colon: false,
        minutes: time.offset().seconds() % 3600 != 0,
        seconds: false,
    };
    offset(time.offset(), style)
}

fn offset(offset: Offset, style: OffsetStyle) -> String {
    let seconds = offset.seconds();
    if style.z && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let colon = if style.colon { ":" } else { "" };
    let seconds = seconds.unsigned_abs();
    let mut out = format!("{sign}{:02}", seconds / 3600);
    if style.minutes {
        out.push_str(&format!("{colon}{:02}", seconds / 60 % 60));
    }
    if style.seconds {
        out.push_str(&format!("{colon}{:02}", seconds % 60));
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn layouts_write_as_go_does() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let time = Date::constant(2009, 2, 4)
            .at(21, 0, 57, 12_345_600)
            .to_zoned_datetime(zone)
            .unwrap();

        for (layout, want) in [
            ("Mon Jan _2 15:04:05 2006", "Wed Feb  4 21:00:57 2009"),
            (
                "Monday, 02-Jan-06 15:04:05 MST",
                "Wednesday, 04-Feb-09 21:00:57 CET",
            ),
            ("2006-01-02T15:04:05Z07:00", "2009-02-04T21:00:57+01:00"),
            ("3:04PM 03:04pm", "9:00PM 09:00pm"),
            ("2006-1-2 __2 002", "2009-2-4  35 035"),
            ("15:04:05.000 .999999999 .00", "21:00:57.012 .0123456 .01"),
            ("-0700 -07 -07:00:00 Z0700", "+0100 +01 +01:00:00 +0100"),
            ("Month Monty", "Month Monty"),
            ("January", "February"),
            ("é2006é", "é2009é"),
        ] {
            assert_eq!(format(layout, &time), want, "{layout}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let time = Date::constant(2009, 2, 4)
            .at(9, 5, 7, 120_000_000)
            .to_zoned_datetime(TimeZone::fixed(Offset::from_seconds(-5400).unwrap()))
            .unwrap();
        for layout in [
            "2006-01-02T15:04:05.999999999Z07:00",
            "Mon Jan _2 3:04:05.00 PM 2006 -0700",
            "2006 002 15:04:05.000 -07:00:00",
            "2006-01-02 15:04:05.999999999 -0700 MST",
            "2006-01-02 15:04:05 -0700",
        ] {
            let text = format(layout, &time);
            let back = parse(layout, &text, &TimeZone::UTC).unwrap();
            let lost = if layout.contains(".") { 0 } else { 120_000_000 };
            assert_eq!(
                time.timestamp().as_nanosecond() - back.timestamp().as_nanosecond(),
                lost,
                "{layout}: {text}"
            );
        }
        for (layout, text) in [
            ("2006-01-02", "2009-13-01"),
            ("2006-01-02", "2009-1-1"),
            ("2006-01-02", "2009-01-01x"),
            ("15:04", "25:00"),
        ] {
            assert!(parse(layout, text, &TimeZone::UTC).is_err(), "{text}");
        }
    }
}
