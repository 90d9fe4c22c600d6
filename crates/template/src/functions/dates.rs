//! Times. They are texts as Go prints them, or seconds since 1970; both are read everywhere.

use gotmpl::Value;
use infrakit_spi::GoDuration;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use super::args::{Args, to_int};
use super::{Arity, Function, Outcome, layout, made};
use crate::value::text;

/// How Go prints a time.
const GO: &str = "2006-01-02 15:04:05.999999999 -0700 MST";
const HTML: &str = "2006-01-02";

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "now",
        Arity::Exactly(0),
        "func() time.Time",
        "{{ now }}",
        "Returns the time at which the rendering began, in UTC or in the zone of the granted variable TZ.",
        |args| Ok(time(&args_now(args)?)),
    ),
    made(
        "date",
        Arity::Exactly(2),
        "func(string, interface {}) string",
        "{{ date \"2006-01-02\" 1600000000 }}",
        "Writes a time by a layout of Go.",
        |args| Ok(text(layout::format(args.string(0)?, &read(args, 1)?))),
    ),
    made(
        "dateInZone",
        Arity::Exactly(3),
        "func(string, interface {}, string) string",
        "{{ dateInZone \"15:04\" 1600000000 \"Europe/Berlin\" }}",
        "Writes a time by a layout of Go, as it is in a zone.",
        in_zone,
    ),
    made(
        "date_in_zone",
        Arity::Exactly(3),
        "func(string, interface {}, string) string",
        "{{ date_in_zone \"15:04\" 1600000000 \"UTC\" }}",
        "The same as dateInZone.",
        in_zone,
    ),
    made(
        "htmlDate",
        Arity::Exactly(1),
        "func(interface {}) string",
        "{{ htmlDate 1600000000 }}",
        "Writes the day of a time as year, month and day.",
        |args| Ok(text(layout::format(HTML, &read(args, 0)?))),
    ),
    made(
        "htmlDateInZone",
        Arity::Exactly(2),
        "func(interface {}, string) string",
        "{{ htmlDateInZone 1600000000 \"UTC\" }}",
        "Writes the day of a time in a zone.",
        |args| {
            Ok(text(layout::format(
                HTML,
                &read(args, 0)?.with_time_zone(zone(args.string(1)?)?),
            )))
        },
    ),
    made(
        "dateModify",
        Arity::Exactly(2),
        "func(string, time.Time) time.Time",
        "{{ 1600000000 | dateModify \"-1h30m\" | unixEpoch }}",
        "Moves a time by a duration; what is no duration moves nothing.",
        |args| Ok(time(&modify(args).or_else(|_| read(args, 1))?)),
    ),
    made(
        "date_modify",
        Arity::Exactly(2),
        "func(string, time.Time) time.Time",
        "{{ 1600000000 | date_modify \"24h\" | unixEpoch }}",
        "The same as dateModify.",
        |args| Ok(time(&modify(args).or_else(|_| read(args, 1))?)),
    ),
    made(
        "mustDateModify",
        Arity::Exactly(2),
        "func(string, time.Time) (time.Time, error)",
        "{{ 1600000000 | mustDateModify \"24h\" | unixEpoch }}",
        "Moves a time by a duration.",
        |args| Ok(time(&modify(args)?)),
    ),
    made(
        "must_date_modify",
        Arity::Exactly(2),
        "func(string, time.Time) (time.Time, error)",
        "{{ 1600000000 | must_date_modify \"24h\" | unixEpoch }}",
        "The same as mustDateModify.",
        |args| Ok(time(&modify(args)?)),
    ),
    made(
        "toDate",
        Arity::Exactly(2),
        "func(string, string) time.Time",
        "{{ toDate \"2006-01-02\" \"2020-09-13\" | date \"02.01.2006\" }}",
        "Reads a time by a layout of Go; what cannot be read gives the first moment of the year 1.",
        |args| Ok(time(&to_date(args).or_else(|_| first_moment())?)),
    ),
    made(
        "mustToDate",
        Arity::Exactly(2),
        "func(string, string) (time.Time, error)",
        "{{ mustToDate \"2006-01-02\" \"2020-09-13\" | date \"02.01.2006\" }}",
        "Reads a time by a layout of Go.",
        |args| Ok(time(&to_date(args)?)),
    ),
    made(
        "unixEpoch",
        Arity::Exactly(1),
        "func(time.Time) string",
        "{{ unixEpoch 1600000000 }}",
        "Returns the seconds from 1970 to a time, as text.",
        |args| Ok(text(read(args, 0)?.timestamp().as_second().to_string())),
    ),
    made(
        "ago",
        Arity::Exactly(1),
        "func(interface {}) string",
        "{{ ago now }}",
        "Returns the duration from a time until now.",
        |args| {
            let since = args
                .frame
                .run
                .now
                .saturating_sub(read(args, 0)?.timestamp().as_second());
            Ok(text(go_duration(since)))
        },
    ),
    made(
        "duration",
        Arity::Exactly(1),
        "func(interface {}) string",
        "{{ duration 95 }}",
        "Writes a number of seconds as a duration.",
        |args| Ok(text(go_duration(args.int(0)))),
    ),
    made(
        "durationRound",
        Arity::Exactly(1),
        "func(interface {}) string",
        "{{ durationRound \"2h10m5s\" }}",
        "Writes a duration in its largest unit: y, mo, d, h, m or s. A time means the duration since then.",
        duration_round,
    ),
];

fn time(time: &ZonedDateTime) -> Value {
    text(layout::format(GO, time))
}

/// Returns the zone that the template is in.
fn own_zone(args: &Args<'_>) -> TimeZone {
    let access = &args.frame.run.engine.access;
    let name = access.env.as_ref().and_then(|env| env.get("TZ"));
    match name {
        Some(name) if args.frame.is_local() => {
            zone(name.trim_start_matches(':')).unwrap_or(TimeZone::UTC)
        }
        _ => TimeZone::UTC,
    }
}

fn zone(name: &str) -> Result<TimeZone, String> {
    match name {
        // A path would make it read a file.
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        name if name.starts_with('/') || name.contains("..") => {
            Err(format!("`{name}` is no time zone"))
        }
        name => TimeZone::get(name).map_err(|_| format!("there is no time zone `{name}`")),
    }
}

fn at(args: &Args<'_>, seconds: i64) -> Result<ZonedDateTime, String> {
    Timestamp::from_second(seconds)
        .map(|moment| moment.to_zoned_datetime(own_zone(args)))
        .map_err(|_| format!("{seconds} is no time"))
}

fn args_now(args: &Args<'_>) -> Result<ZonedDateTime, String> {
    at(args, args.frame.run.now)
}

fn first_moment() -> Result<ZonedDateTime, String> {
    jiff::civil::Date::constant(1, 1, 1)
        .to_zoned_datetime(TimeZone::UTC)
        .map_err(|error| error.to_string())
}

/// Reads an argument as a time.
fn read(args: &Args<'_>, index: usize) -> Result<ZonedDateTime, String> {
    match args.value(index) {
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => at(args, args.int(index)),
        Value::String(written) => {
            let zone = own_zone(args);
            ["2006-01-02T15:04:05Z07:00", GO, HTML]
                .into_iter()
                .find_map(|layout| layout::parse(layout, written, &zone).ok())
                .ok_or_else(|| {
                    format!("`{written}` is no time: use what `now` or `toDate` return, or seconds since 1970")
                })
        }
        _ => Err(args.mismatch(index, "a time")),
    }
}

fn in_zone(args: &Args<'_>) -> Outcome {
    let time = read(args, 1)?.with_time_zone(zone(args.string(2)?)?);
    Ok(text(layout::format(args.string(0)?, &time)))
}

/// Reads a duration of Go, which may be negative.
fn signed(text: &str) -> Result<SignedDuration, String> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let duration: GoDuration = rest
        .parse()
        .map_err(|error: infrakit_spi::ParseDurationError| error.to_string())?;
    let duration = SignedDuration::try_from(duration.0).map_err(|error| error.to_string())?;
    Ok(if negative { -duration } else { duration })
}

fn modify(args: &Args<'_>) -> Result<ZonedDateTime, String> {
    let by = signed(args.string(0)?)?;
    read(args, 1)?
        .checked_add(by)
        .map_err(|error| error.to_string())
}

fn to_date(args: &Args<'_>) -> Result<ZonedDateTime, String> {
    layout::parse(args.string(0)?, args.string(1)?, &own_zone(args))
}

fn go_duration(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let plain = GoDuration(std::time::Duration::from_secs(seconds.unsigned_abs()));
    format!("{sign}{plain}")
}

fn duration_round(args: &Args<'_>) -> Outcome {
    const UNITS: [(u64, &str); 6] = [
        (365 * 86400, "y"),
        (30 * 86400, "mo"),
        (86400, "d"),
        (3600, "h"),
        (60, "m"),
        (1, "s"),
    ];
    let seconds = match args.value(0) {
        Value::String(written) => match signed(written) {
            Ok(duration) => duration.as_secs(),
            // What `now` returns is a text as well.
            Err(_) => match read(args, 0) {
                Ok(then) => args
                    .frame
                    .run
                    .now
                    .saturating_sub(then.timestamp().as_second()),
                Err(_) => 0,
            },
        },
        // Go counts a number as nanoseconds.
        other => to_int(other) / 1_000_000_000,
    };
    let plain = seconds.unsigned_abs();
    let (size, unit) = UNITS
        .into_iter()
        .find(|(size, _)| plain > *size)
        .unwrap_or((1, "s"));
    Ok(text(format!("{}{unit}", plain / size)))
}
