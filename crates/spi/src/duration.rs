//! Durations in Go's notation: `1m30s`, `250ms`, `0s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration that travels as a string in Go's notation. Negative ones are refused: nothing in
/// InfraKit waits for less than no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(pub Duration);

/// A text that is not a duration in Go's notation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration `{text}`: {reason}, as in `30s`, `1m30s` or `250ms`")]
pub struct ParseDurationError {
    text: String,
    reason: &'static str,
}

/// Units from the longest to the shortest, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("h", 3_600_000_000_000),
    ("ms", 1_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ns", 1),
];

impl FromStr for GoDuration {
    type Err = ParseDurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |reason| ParseDurationError {
            text: text.chars().take(40).collect(),
            reason,
        };
        if text == "0" {
            return Ok(Self::default());
        }
        if text.starts_with('-') {
            return Err(fail("it must not be negative"));
        }
        let mut rest = text.strip_prefix('+').unwrap_or(text);
        if rest.is_empty() {
            return Err(fail("it needs a number and a unit"));
        }
        let mut total = Duration::ZERO;
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
                return Err(fail("it needs a number before each unit"));
            }
            let (unit, nanos) = UNITS
                .iter()
                .find(|(unit, _)| tail.starts_with(unit))
                .ok_or_else(|| fail("it needs a unit behind each number"))?;
            let part = parse_part(whole, fraction, *nanos).ok_or_else(|| fail("it is too long"))?;
            total = total
                .checked_add(part)
                .ok_or_else(|| fail("it is too long"))?;
            rest = &tail[unit.len()..];
        }
        // Go keeps durations in an i64 of nanoseconds, about 292 years.
        if total.as_nanos() > i64::MAX as u128 {
            return Err(fail("it is too long"));
        }
        Ok(Self(total))
    }
}

fn parse_part(whole: &str, fraction: &str, unit: u64) -> Option<Duration> {
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanos = u128::from(whole) * u128::from(unit);
    let mut weight = u128::from(unit);
    for digit in fraction.bytes().take(18) {
        // Each further digit is worth a tenth; below a nanosecond it is dropped, as in Go.
        nanos += u128::from(digit - b'0') * weight / 10;
        weight /= 10;
    }
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let fraction = |f: &mut fmt::Formatter<'_>, value: u128, unit: u128, name: &str| {
            let digits = format!("{:0width$}", value % unit, width = unit.ilog10() as usize);
            let digits = digits.trim_end_matches('0');
            let point = if digits.is_empty() || unit == 1 {
                ""
            } else {
                "."
            };
            let digits = if unit == 1 { "" } else { digits };
            write!(f, "{}{point}{digits}{name}", value / unit)
        };
        match nanos {
            0 => f.write_str("0s"),
            1..1_000 => fraction(f, nanos, 1, "ns"),
            1_000..1_000_000 => fraction(f, nanos, 1_000, "µs"),
            1_000_000..1_000_000_000 => fraction(f, nanos, 1_000_000, "ms"),
            _ => {
                let minutes = nanos / 60_000_000_000;
                if minutes >= 60 {
                    write!(f, "{}h", minutes / 60)?;
                }
                if minutes > 0 {
                    write!(f, "{}m", minutes % 60)?;
                }
                fraction(f, nanos % 60_000_000_000, 1_000_000_000, "s")
            }
        }
    }
}

impl Serialize for GoDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GoDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = GoDuration;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration as a string, like \"30s\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<GoDuration, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_and_writes_go_notation() {
        for (text, want) in [
            ("10s", "10s"),
            ("1m", "1m0s"),
            ("90m", "1h30m0s"),
            ("1.5s", "1.5s"),
            ("250ms", "250ms"),
            ("1h2m3.004s", "1h2m3.004s"),
            ("0", "0s"),
            ("15us", "15µs"),
            ("7ns", "7ns"),
            (".5s", "500ms"),
        ] {
            assert_eq!(
                text.parse::<GoDuration>().unwrap().to_string(),
                want,
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_go_refuses_and_negatives() {
        for text in ["", "10", "ten", "s", "1.2.3s", "-5s", "1x", "9999999h"] {
            assert!(text.parse::<GoDuration>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn survives_a_round_trip(nanos in 0..=i64::MAX as u64) {
            let duration = GoDuration(Duration::from_nanos(nanos));
            prop_assert_eq!(duration.to_string().parse::<GoDuration>().unwrap(), duration);
        }
    }
}
