//! Reading a time that is written by a layout.

use jiff::ZonedDateTime;
use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};

use super::{DAYS, MONTHS, OffsetStyle, Pad, Part, parts};

/// What was read of a time.
struct Read {
    year: i16,
    month: i8,
    day: i8,
    day_of_year: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    afternoon: Option<bool>,
    zone: Option<TimeZone>,
}

/// Reads `text` as `layout` shows it; without a zone in it, in `zone`.
pub(in crate::functions) fn parse(
    layout: &str,
    text: &str,
    zone: &TimeZone,
) -> Result<ZonedDateTime, String> {
    let mut read = Read {
        year: 0,
        month: 1,
        day: 1,
        day_of_year: None,
        hour: 0,
        minute: 0,
        second: 0,
        nanosecond: 0,
        afternoon: None,
        zone: None,
    };
    let mut rest = text;
    for part in parts(layout) {
        rest = take(part, rest, &mut read)
            .ok_or_else(|| format!("`{text}` is not written as `{layout}`, at `{rest}`"))?;
        // Go takes a fraction behind the seconds even where the layout has none.
        if matches!(part, Part::Second(_))
            && rest.starts_with(['.', ','])
            && !layout.contains(".0")
            && !layout.contains(".9")
        {
            let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                read.nanosecond = nanoseconds(&rest[1..=digits]);
                rest = &rest[1 + digits..];
            }
        }
    }
    if !rest.is_empty() {
        return Err(format!("`{text}` goes on behind `{layout}`, with `{rest}`"));
    }
    assemble(&read, zone).map_err(|error| format!("`{text}` is no time: {error}"))
}

fn assemble(read: &Read, zone: &TimeZone) -> Result<ZonedDateTime, jiff::Error> {
    let hour = match (read.afternoon, read.hour) {
        (Some(true), hour) if hour < 12 => hour + 12,
        (Some(false), 12) => 0,
        (_, hour) => hour,
    };
    let date = match read.day_of_year {
        Some(day) => Date::new(read.year, 1, 1)?
            .with()
            .day_of_year(day)
            .build()?,
        None => Date::new(read.year, read.month, read.day)?,
    };
    let time = Time::new(hour, read.minute, read.second, read.nanosecond)?;
    let zone = read.zone.clone().unwrap_or_else(|| zone.clone());
    date.to_datetime(time).to_zoned_datetime(zone)
}

fn nanoseconds(digits: &str) -> i32 {
    let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
    nine.parse().unwrap_or(0)
}

/// Takes a number of `least` to `most` digits from the front of `rest`.
fn number(rest: &str, least: usize, most: usize) -> Option<(i64, &str)> {
    let digits = rest
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if digits < least {
        return None;
    }
    Some((rest[..digits].parse().ok()?, &rest[digits..]))
}

/// Takes one of `names`, by its first letters or in full, from the front of `rest`.
fn named<'a>(rest: &'a str, names: &[&str], letters: Option<usize>) -> Option<(usize, &'a str)> {
    names.iter().enumerate().find_map(|(at, name)| {
        let name = &name[..letters.unwrap_or(name.len())];
        let head = rest.get(..name.len())?;
        head.eq_ignore_ascii_case(name)
            .then(|| (at, &rest[name.len()..]))
    })
}

fn take<'a>(part: Part<'_>, rest: &'a str, read: &mut Read) -> Option<&'a str> {
    let digits = |pad: Pad| if pad == Pad::Zero { (2, 2) } else { (1, 2) };
    let small = |rest: &'a str, pad: Pad| {
        let rest = if pad == Pad::Space {
            rest.trim_start_matches(' ')
        } else {
            rest
        };
        let (least, most) = digits(pad);
        number(rest, least, most)
            .and_then(|(number, rest)| Some((i8::try_from(number).ok()?, rest)))
    };
    let left;
    match part {
        Part::Text(text) => left = rest.strip_prefix(text)?,
        Part::LongYear => {
            let (year, rest) = number(rest, 4, 4)?;
            (read.year, left) = (i16::try_from(year).ok()?, rest);
        }
        Part::ShortYear => {
            let (year, rest) = number(rest, 2, 2)?;
            let century = if year >= 69 { 1900 } else { 2000 };
            (read.year, left) = (i16::try_from(year).ok()? + century, rest);
        }
        Part::LongMonth | Part::ShortMonth => {
            let letters = (part == Part::ShortMonth).then_some(3);
            let (at, rest) = named(rest, &MONTHS, letters)?;
            (read.month, left) = (i8::try_from(at).ok()? + 1, rest);
        }
        Part::LongWeekday => left = named(rest, &DAYS, None)?.1,
        Part::ShortWeekday => left = named(rest, &DAYS, Some(3))?.1,
        Part::Month(pad) => (read.month, left) = small(rest, pad)?,
        Part::Day(pad) => (read.day, left) = small(rest, pad)?,
        Part::DayOfYear(pad) => {
            let rest = if pad == Pad::Space {
                rest.trim_start_matches(' ')
            } else {
                rest
            };
            let (day, rest) = number(rest, 1, 3)?;
            (read.day_of_year, left) = (Some(i16::try_from(day).ok()?), rest);
        }
        Part::Hour => (read.hour, left) = small(rest, Pad::None)?,
        Part::HalfHour(pad) => (read.hour, left) = small(rest, pad)?,
        Part::Minute(pad) => (read.minute, left) = small(rest, pad)?,
        Part::Second(pad) => (read.second, left) = small(rest, pad)?,
        Part::Fraction(_, most, trimmed) => {
            let Some(tail) = rest.strip_prefix(['.', ',']) else {
                return trimmed.then_some(rest);
            };
            let count = tail.bytes().take_while(u8::is_ascii_digit).count();
            if count == 0 || (!trimmed && count != most) {
                return None;
            }
            read.nanosecond = nanoseconds(&tail[..count]);
            left = &tail[count..];
        }
        Part::Half(_) => {
            let (half, rest) = named(rest, &["AM", "PM"], None)?;
            (read.afternoon, left) = (Some(half == 1), rest);
        }
        Part::Zone => left = take_zone(rest, read)?,
        Part::Offset(style) => left = take_offset(rest, style, read)?,
    }
    Some(left)
}

fn take_zone<'a>(rest: &'a str, read: &mut Read) -> Option<&'a str> {
    let letters = rest.bytes().take_while(u8::is_ascii_uppercase).count();
    if letters == 0 {
        // An offset in the place of a name, as Go writes one without name.
        let style = OffsetStyle {
            z: false,
            colon: false,
            minutes: rest.bytes().skip(1).take_while(u8::is_ascii_digit).count() > 2,
            seconds: false,
        };
        return take_offset(rest, style, read);
    }
    // An abbreviation means no place on its own: only those of UTC are certain.
    if read.zone.is_none() && matches!(&rest[..letters], "UTC" | "GMT" | "Z") {
        read.zone = Some(TimeZone::UTC);
    }
    Some(&rest[letters..])
}

fn take_offset<'a>(rest: &'a str, style: OffsetStyle, read: &mut Read) -> Option<&'a str> {
    if style.z
        && let Some(rest) = rest.strip_prefix('Z')
    {
        read.zone = Some(TimeZone::UTC);
        return Some(rest);
    }
    let (sign, rest) = match rest.chars().next()? {
        '+' => (1, &rest[1..]),
        '-' => (-1, &rest[1..]),
        _ => return None,
    };
    let (hours, mut rest) = number(rest, 2, 2)?;
    let mut seconds = hours * 3600;
    for (wanted, unit) in [(style.minutes, 60), (style.seconds, 1)] {
        if wanted {
            if style.colon {
                rest = rest.strip_prefix(':')?;
            }
            let (count, tail) = number(rest, 2, 2)?;
            seconds += count * unit;
            rest = tail;
        }
    }
    let offset = Offset::from_seconds(i32::try_from(sign * seconds).ok()?).ok()?;
    read.zone = Some(TimeZone::fixed(offset));
    Some(rest)
}
