//! A number of members, said as a count or as a share of the group's size.

use std::fmt;

use infrakit_spi::Any;

use crate::InvalidSpec;
use crate::fields::{Fields, shown};

/// A number of members, or a share of the group's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// That many members.
    Count(u64),
    /// So many hundredths of the group's size.
    Percent(u8),
}

impl Share {
    /// Returns the number of members, rounded down. A count is returned as it is, also when it is
    /// more than the group has.
    #[must_use]
    pub fn floor(self, size: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => hundredths(size, percent) / 100,
        }
    }

    /// Returns the number of members, rounded up. A count is returned as it is, also when it is more
    /// than the group has.
    #[must_use]
    pub fn ceil(self, size: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => hundredths(size, percent).div_ceil(100),
        }
    }

    /// Decodes a number, or a string with a number and an optional `%`.
    ///
    /// Templates often make a string of a number, so `"3"` is taken for 3.
    fn decode(raw: &Any, path: &str) -> Result<Self, InvalidSpec> {
        let refuse = |reason: &str| {
            InvalidSpec::field(
                path,
                format!(
                    "expected a count like 2 or a percentage like \"10%\", found {}{reason}",
                    shown(raw)
                ),
            )
        };
        if let Ok(count) = raw.decode() {
            return Ok(Self::Count(count));
        }
        let text: String = match raw.decode::<f64>() {
            // The number as it is written, to say what is wrong with it.
            Ok(_) => raw.as_str().to_owned(),
            Err(_) => raw.decode().map_err(|_| refuse(""))?,
        };
        let (digits, percent) = match text.strip_suffix('%') {
            Some(digits) => (digits, true),
            None => (text.as_str(), false),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse(fault(digits)));
        }
        let number: u64 = digits.parse().map_err(|_| refuse(""))?;
        if !percent {
            return Ok(Self::Count(number));
        }
        match u8::try_from(number) {
            Ok(percent @ 0..=100) => Ok(Self::Percent(percent)),
            _ => Err(refuse(", which is more than all")),
        }
    }

    /// Returns the share as it is written in a spec.
    pub(super) fn canonical(self) -> Any {
        match self {
            Self::Count(count) => Any::from_value(&count),
            Self::Percent(percent) => Any::from_value(&format!("{percent}%")),
        }
        .expect("numbers and strings are JSON")
    }
}

impl Fields {
    /// Returns a number of members or a share of the group's size.
    pub(crate) fn share(&self, name: &'static str) -> Result<Option<Share>, InvalidSpec> {
        self.raw(name)
            .map(|raw| Share::decode(raw, &self.place(name)))
            .transpose()
    }
}

/// Says what is wrong with the number of a share.
fn fault(number: &str) -> &'static str {
    if number.contains(char::is_whitespace) {
        ", which has blanks in it"
    } else if number.parse::<f64>().is_ok_and(|number| number < 0.0) {
        ", which is negative"
    } else if number.parse::<f64>().is_ok() {
        ", which is not a whole number"
    } else {
        ""
    }
}

fn hundredths(size: u64, percent: u8) -> u64 {
    size.saturating_mul(u64::from(percent))
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}
