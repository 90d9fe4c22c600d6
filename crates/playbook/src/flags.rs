//! Flags of a command: their types, and reading a value of each type.

use std::net::IpAddr;

use infrakit_spi::GoDuration;
use infrakit_template::Value;

/// Names that every command has already.
pub const RESERVED: [&str; 4] = ["accept-defaults", "help", "print-only", "test"];

/// Type of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// An IP address.
    Ip,
    /// A duration, as in `1m30s`.
    Duration,
}

impl Kind {
    /// Reads the word that a template uses for it.
    ///
    /// # Errors
    /// Names the words that there are.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word {
            "string" => Ok(Self::Text),
            "int" => Ok(Self::Int),
            "float" => Ok(Self::Float),
            "bool" => Ok(Self::Bool),
            "ip" => Ok(Self::Ip),
            "duration" => Ok(Self::Duration),
            "" => Err("the type is missing".to_owned()),
            _ => Err(format!(
                "type `{}` is not known, use string, int, float, bool, ip or duration",
                word.escape_debug()
            )),
        }
    }

    /// Returns the word that a template uses for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Ip => "ip",
            Self::Duration => "duration",
        }
    }

    /// Reads a value that a person typed.
    ///
    /// # Errors
    /// Says what is wanted instead.
    pub fn read(self, text: &str) -> Result<Setting, String> {
        let shown = || text.escape_debug().take(60).collect::<String>();
        match self {
            Self::Text => Ok(Setting::Text(text.to_owned())),
            Self::Int => text
                .parse()
                .map(Setting::Int)
                .map_err(|_| format!("`{}` is not a whole number", shown())),
            Self::Float => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Setting::Float(number)),
                _ => Err(format!("`{}` is not a number", shown())),
            },
            Self::Bool => truth(text)
                .map(Setting::Bool)
                .ok_or_else(|| format!("`{}` is neither true nor false", shown())),
            Self::Ip => text
                .parse::<IpAddr>()
                .map(|address| Setting::Text(address.to_string()))
                .map_err(|_| format!("`{}` is not an IP address", shown())),
            Self::Duration => text
                .parse::<GoDuration>()
                .map(|duration| Setting::Text(duration.to_string()))
                .map_err(|error| error.to_string()),
        }
    }

    /// Reads a default that a template gave.
    pub(crate) fn coerce(self, value: &Value) -> Result<Option<Setting>, String> {
        let wrong = || {
            Err(format!(
                "the default `{value}` is not of type {}",
                self.word()
            ))
        };
        match (self, value) {
            (_, Value::Nil) => Ok(None),
            (Self::Bool, Value::Bool(flag)) => Ok(Some(Setting::Bool(*flag))),
            (Self::Int, Value::Int(number)) => Ok(Some(Setting::Int(*number))),
            (Self::Float, Value::Float(number)) => Ok(Some(Setting::Float(*number))),
            #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
            (Self::Float, Value::Int(number)) => Ok(Some(Setting::Float(*number as f64))),
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole")]
            (Self::Int, Value::Float(number)) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Ok(Some(Setting::Int(*number as i64)))
            }
            (Self::Text, Value::String(text)) => Ok(Some(Setting::Text(text.as_ref().to_owned()))),
            (Self::Text, Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Uint(_)) => {
                Ok(Some(Setting::Text(value.to_string())))
            }
            // Nothing was meant: the address or number is left open.
            (
                Self::Int | Self::Float | Self::Ip | Self::Duration | Self::Bool,
                Value::String(text),
            ) if text.is_empty() => Ok(None),
            (_, Value::String(text)) => self.read(text).map(Some).or_else(|_| wrong()),
            _ => wrong(),
        }
    }

    /// Returns what stands for a value that nobody gave.
    pub(crate) fn missing(self) -> Value {
        match self {
            Self::Text | Self::Bool | Self::Ip | Self::Duration => Value::String("".into()),
            Self::Int | Self::Float => Value::Nil,
        }
    }

    /// Returns a harmless value, for finding out which flags a template has.
    pub(crate) fn harmless(self) -> Value {
        match self {
            Self::Text | Self::Bool | Self::Ip | Self::Duration => Value::String("".into()),
            Self::Int => Value::Int(0),
            Self::Float => Value::Float(0.0),
        }
    }
}

/// Returns whether a value stands for one that nobody gave.
pub(crate) fn is_missing(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::String(text) => text.is_empty(),
        Value::List(items) => items.iter().all(is_missing),
        _ => false,
    }
}

/// Reads the words for yes and no.
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "y" | "yes" | "ok" => Some(true),
        "false" | "f" | "n" | "no" | "nope" => Some(false),
        number => number.parse::<i64>().ok().map(|number| number > 0),
    }
}

/// A value of a flag.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Text, an address, a duration.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Several values of one flag.
    Many(Vec<String>),
}

impl Setting {
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.as_str().into()),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Many(items) => items
                .iter()
                .map(|item| Value::String(item.as_str().into()))
                .collect::<Vec<_>>()
                .into(),
        }
    }

    /// Returns the values of a list: what stands between commas.
    pub(crate) fn list(&self) -> Value {
        let text = self.to_string();
        let parts: Vec<Value> = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| Value::String(part.into()))
            .collect();
        Value::List(parts.into())
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Bool(flag) => flag.fmt(f),
            Self::Many(items) => f.write_str(&items.join(",")),
        }
    }
}

/// How many values a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// One.
    One,
    /// One text with commas, which the template sees as a list.
    List,
    /// One at a time, as often as it is given.
    Repeated,
}

/// A flag of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// How many values it takes.
    pub values: Values,
    /// What it is for.
    pub about: String,
    /// Its value where none is given.
    pub default: Option<Setting>,
}

/// Says why a flag cannot have this name, if it cannot.
#[must_use]
pub fn unfit_flag(name: &str) -> Option<&'static str> {
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if name.is_empty() {
        Some("it is empty")
    } else if name.starts_with('-') || !plain {
        Some("it contains something else than letters, digits, `-`, `_` and `.`")
    } else if RESERVED.contains(&name) {
        Some("every command has a flag of this name")
    } else {
        (name.len() > 100).then_some("it is longer than 100 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_type() {
        for (kind, text, want) in [
            (Kind::Int, "3", Some("3")),
            (Kind::Int, "3.5", None),
            (Kind::Float, "1.5", Some("1.5")),
            (Kind::Float, "nan", None),
            (Kind::Bool, "nope", Some("false")),
            (Kind::Bool, "OK", Some("true")),
            (Kind::Bool, "2", Some("true")),
            (Kind::Bool, "maybe", None),
            (Kind::Ip, "1.2.3.4", Some("1.2.3.4")),
            (Kind::Ip, "::1", Some("::1")),
            (Kind::Ip, "localhost", None),
            (Kind::Duration, "90s", Some("1m30s")),
            (Kind::Duration, "soon", None),
            (Kind::Text, "", Some("")),
        ] {
            let got = kind.read(text).ok().map(|setting| setting.to_string());
            assert_eq!(got.as_deref(), want, "{kind:?} {text}");
        }
        assert!(Kind::parse("sting").unwrap_err().contains("`sting`"));
    }

    #[test]
    fn defaults_of_templates_are_taken_as_they_are_meant() {
        let text = |text: &str| Value::String(text.into());
        for (kind, value, want) in [
            (Kind::Int, Value::Int(5), Some("5")),
            (Kind::Int, Value::Float(5.0), Some("5")),
            (Kind::Int, text("5"), Some("5")),
            (Kind::Bool, text("true"), Some("true")),
            (Kind::Text, Value::Int(1), Some("1")),
            (Kind::Text, text(""), Some("")),
            (Kind::Ip, text(""), None),
            (Kind::Int, Value::Nil, None),
        ] {
            let got = kind
                .coerce(&value)
                .unwrap()
                .map(|setting| setting.to_string());
            assert_eq!(got.as_deref(), want, "{kind:?} {value}");
        }
        assert!(Kind::Int.coerce(&Value::Float(5.5)).is_err());
        assert!(Kind::Bool.coerce(&text("perhaps")).is_err());
    }

    #[test]
    fn names_that_the_command_line_cannot_have_are_refused() {
        for name in ["", "-x", "a b", "a=b", "test", "help", "a\n"] {
            assert!(unfit_flag(name).is_some(), "{name}");
        }
        assert_eq!(unfit_flag("start-aws_2.x"), None);
    }
}
