//! Between JSON and template values, and how large a value may be.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;
use infrakit_spi::hash::go_float;

/// Deepest nesting of a value. Printing and dropping a value recurse, so its depth is stack.
const DEEPEST: usize = 128;
/// What one value may weigh: its bytes of text plus [`NODE`] for each part.
pub(crate) const HEAVIEST: usize = 8 * 1024 * 1024;
/// What is said of a value that is heavier.
pub(crate) const TOO_LARGE: &str = "a value is larger than 8 MiB";
/// Weight of a part of a value beside its text.
const NODE: usize = 8;

/// Returns `text` as a value.
pub(crate) fn text(text: impl Into<Arc<str>>) -> Value {
    Value::String(text.into())
}

/// Returns JSON as the value that Go's decoder would make of it: every number is a float64.
#[must_use]
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::String(text.as_str().into()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => Value::Map(Arc::new(
            entries
                .iter()
                .map(|(key, item)| (key.as_str().into(), from_json(item)))
                .collect(),
        )),
    }
}

/// Returns a value as JSON; a function, which JSON cannot hold, becomes `null`.
#[must_use]
pub fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil | Value::Function(_) => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Uint(number) => (*number).into(),
        // A whole number is written as one, as Go does.
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            (*number as i64).into()
        }
        Value::Float(number) => (*number).into(),
        Value::String(text) => text.as_ref().into(),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, item)| (key.as_ref().to_owned(), to_json(item)))
            .collect(),
    }
}

/// How JSON is laid out.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// What a line begins with, and by how much it is indented for each level; nothing for one
    /// line.
    pub(crate) lines: Option<(&'a str, &'a str)>,
    /// Whether `<`, `>` and `&` are escaped, as Go does.
    pub(crate) html: bool,
}

/// All on one line, as Go's encoder writes it.
pub(crate) const COMPACT: Layout<'_> = Layout {
    lines: None,
    html: true,
};

/// Appends `value` as Go's encoder writes it: sorted keys, HTML escapes.
pub(crate) fn write_json(
    out: &mut String,
    value: &Value,
    layout: Layout<'_>,
    depth: usize,
) -> Result<(), String> {
    if out.len() > HEAVIEST {
        return Err(TOO_LARGE.to_owned());
    }
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Uint(number) => out.push_str(&number.to_string()),
        Value::Float(number) if number.is_finite() => out.push_str(&go_float(*number)),
        Value::Float(number) => return Err(format!("{number} cannot be written as JSON")),
        Value::Function(_) => return Err("a function cannot be written as JSON".to_owned()),
        Value::String(text) => write_json_text(out, text, layout)?,
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, index, layout, depth + 1);
                write_json(out, item, layout, depth + 1)?;
            }
            close(out, ']', items.is_empty(), layout, depth);
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                separate(out, index, layout, depth + 1);
                write_json_text(out, key, layout)?;
                out.push_str(if layout.lines.is_some() { ": " } else { ":" });
                write_json(out, item, layout, depth + 1)?;
            }
            close(out, '}', entries.is_empty(), layout, depth);
        }
    }
    Ok(())
}

fn separate(out: &mut String, index: usize, layout: Layout<'_>, depth: usize) {
    if index > 0 {
        out.push(',');
    }
    start_line(out, layout, depth);
}

fn close(out: &mut String, mark: char, empty: bool, layout: Layout<'_>, depth: usize) {
    if !empty {
        start_line(out, layout, depth);
    }
    out.push(mark);
}

fn start_line(out: &mut String, layout: Layout<'_>, depth: usize) {
    if let Some((prefix, indent)) = layout.lines {
        out.push('\n');
        out.push_str(prefix);
        out.push_str(&indent.repeat(depth));
    }
}

fn write_json_text(out: &mut String, text: &str, layout: Layout<'_>) -> Result<(), String> {
    let quoted = serde_json::to_string(text).map_err(|error| error.to_string())?;
    if !layout.html {
        out.push_str(&quoted);
        return Ok(());
    }
    let quoted = infrakit_spi::compact(quoted.as_bytes());
    out.push_str(&String::from_utf8_lossy(&quoted));
    Ok(())
}

/// Returns a value as text: a string as it is, all else as Go prints it.
pub(crate) fn to_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => {
            let mut out = String::new();
            write_text(&mut out, other);
            Cow::Owned(out)
        }
    }
}

fn write_text(out: &mut String, value: &Value) {
    match value {
        Value::Float(number) => out.push_str(&float_text(*number)),
        Value::String(text) => out.push_str(text),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { " " } else { "" });
                write_text(out, item);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push_str("map[");
            for (index, (key, item)) in entries.iter().enumerate() {
                out.push_str(if index > 0 { " " } else { "" });
                out.push_str(key);
                out.push(':');
                write_text(out, item);
            }
            out.push(']');
        }
        Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Function(_) => {
            out.push_str(&value.to_string());
        }
    }
}

/// Writes a float as Go's `%v`: the fewest digits that tell it apart, with an exponent of two
/// digits for numbers below 1e-4 or from 1e6 on.
fn float_text(number: f64) -> String {
    if !number.is_finite() {
        let name = if number.is_nan() { "NaN" } else { "+Inf" };
        return if number == f64::NEG_INFINITY {
            "-Inf".to_owned()
        } else {
            name.to_owned()
        };
    }
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if number == 0.0 || (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Returns a copy whose dicts are others than those of `value`: changing one does not change the
/// other. What is nested too deep to be printed is left as it is.
pub(crate) fn deep_copy(value: &Value) -> Value {
    fn copy(value: &Value, depth: usize) -> Value {
        match value {
            _ if depth > DEEPEST => value.clone(),
            Value::List(items) => {
                Value::List(items.iter().map(|item| copy(item, depth + 1)).collect())
            }
            Value::Map(entries) => Value::Map(Arc::new(
                entries
                    .iter()
                    .map(|(key, item)| (Arc::clone(key), copy(item, depth + 1)))
                    .collect(),
            )),
            other => other.clone(),
        }
    }
    copy(value, 0)
}

/// Returns the name of a value's type in Go.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "<nil>",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Uint(_) => "uint",
        Value::Float(_) => "float64",
        Value::String(_) => "string",
        Value::List(_) => "[]interface {}",
        Value::Map(_) => "map[string]interface {}",
        Value::Function(_) => "func()",
    }
}

/// Returns the weight of `value`, or what is wrong with its size. Looks at no more than what is
/// allowed: a small program can build a value whose parts are shared a billionfold.
pub(crate) fn weigh(value: &Value) -> Result<usize, &'static str> {
    let mut left = HEAVIEST;
    subtract(value, 0, &mut left)?;
    Ok(HEAVIEST - left)
}

fn subtract(value: &Value, depth: usize, left: &mut usize) -> Result<(), &'static str> {
    if depth > DEEPEST {
        return Err("a value is nested more than 128 deep");
    }
    let mut take = |weight: usize| {
        *left = left.checked_sub(weight).ok_or(TOO_LARGE)?;
        Ok::<(), &'static str>(())
    };
    take(NODE)?;
    match value {
        Value::String(text) => take(text.len())?,
        Value::List(items) => {
            for item in items.iter() {
                subtract(item, depth + 1, left)?;
            }
        }
        Value::Map(entries) => {
            for (key, item) in entries.iter() {
                *left = left.checked_sub(key.len()).ok_or(TOO_LARGE)?;
                subtract(item, depth + 1, left)?;
            }
        }
        Value::Nil
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Uint(_)
        | Value::Float(_)
        | Value::Function(_) => {}
    }
    Ok(())
}

/// Returns a map of `entries`.
pub(crate) fn map<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
    let entries: BTreeMap<Arc<str>, Value> = entries
        .into_iter()
        .map(|(key, item)| (key.into(), item))
        .collect();
    Value::Map(Arc::new(entries))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json_of(value: &Value) -> String {
        let mut out = String::new();
        write_json(&mut out, value, COMPACT, 0).unwrap();
        out
    }

    #[test]
    fn json_is_written_as_go_writes_it() {
        let value =
            from_json(&serde_json::json!({"b": [1, 2.5, 1e21, 1e-7], "a": "<&>", "n": null}));
        assert_eq!(
            json_of(&value),
            r#"{"a":"\u003c\u0026\u003e","b":[1,2.5,1e+21,1e-7],"n":null}"#
        );
    }

    #[test]
    fn floats_are_printed_as_go_prints_them() {
        for (number, want) in [
            (3.0, "3"),
            (-2.5, "-2.5"),
            (0.0, "0"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (12_345_678_901.0, "1.2345678901e+10"),
            (0.0001, "0.0001"),
            (0.000_012, "1.2e-05"),
            (1e100, "1e+100"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(to_text(&Value::Float(number)), want);
        }
        let nested = from_json(&serde_json::json!({"b": [1e6, null, "x"], "a": {}}));
        assert_eq!(to_text(&nested), "map[a:map[] b:[1e+06 <nil> x]]");
    }

    #[test]
    fn shared_parts_cannot_hide_size() {
        let mut value = text("x");
        for _ in 0..60 {
            value = Value::List([value.clone(), value].into());
        }
        assert_eq!(weigh(&value), Err("a value is larger than 8 MiB"));
        let mut deep = Value::Nil;
        for _ in 0..200 {
            deep = Value::List([deep].into());
        }
        assert_eq!(weigh(&deep), Err("a value is nested more than 128 deep"));
    }

    proptest! {
        #[test]
        fn text_survives_json(text in ".*") {
            let json = json_of(&super::text(text.as_str()));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
