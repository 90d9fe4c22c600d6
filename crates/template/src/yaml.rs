//! YAML for people, in the block style that the original prints: sorted keys, lists not indented
//! below their key, text of several lines as a block.

use std::io::{self, Write};

use serde_json::Value;

/// Writes `value` as one YAML document, ending with a line break.
///
/// # Errors
/// Returns what `out` fails with.
pub fn write_yaml(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    match value {
        Value::Object(map) if !map.is_empty() => object(out, value, 0, false),
        Value::Array(list) if !list.is_empty() => array(out, list, 0, false),
        scalar => {
            self::scalar(out, scalar, 0)?;
            out.write_all(b"\n")
        }
    }
}

fn pad(out: &mut dyn Write, depth: usize) -> io::Result<()> {
    for _ in 0..depth {
        out.write_all(b"  ")?;
    }
    Ok(())
}

/// Writes a map; `started` says that the first line has its indentation already.
fn object(out: &mut dyn Write, value: &Value, depth: usize, started: bool) -> io::Result<()> {
    let Value::Object(map) = value else {
        return Ok(());
    };
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 || !started {
            pad(out, depth)?;
        }
        text(out, key, depth + 1, Place::Key)?;
        out.write_all(b":")?;
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                out.write_all(b"\n")?;
                object(out, value, depth + 1, false)?;
            }
            Value::Array(list) if !list.is_empty() => {
                out.write_all(b"\n")?;
                array(out, list, depth, false)?;
            }
            _ => {
                out.write_all(b" ")?;
                scalar(out, value, depth + 1)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}

fn array(out: &mut dyn Write, list: &[Value], depth: usize, started: bool) -> io::Result<()> {
    for (index, value) in list.iter().enumerate() {
        if index > 0 || !started {
            pad(out, depth)?;
        }
        out.write_all(b"- ")?;
        match value {
            Value::Object(inner) if !inner.is_empty() => object(out, value, depth + 1, true)?,
            Value::Array(inner) if !inner.is_empty() => array(out, inner, depth + 1, true)?,
            _ => {
                scalar(out, value, depth + 1)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}

fn scalar(out: &mut dyn Write, value: &Value, depth: usize) -> io::Result<()> {
    match value {
        Value::Null => out.write_all(b"null"),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::Number(number) => write!(out, "{number}"),
        Value::String(string) => text(out, string, depth, Place::Value),
        Value::Array(_) => out.write_all(b"[]"),
        Value::Object(_) => out.write_all(b"{}"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Value,
}

fn text(out: &mut dyn Write, text: &str, depth: usize, place: Place) -> io::Result<()> {
    if place == Place::Value && blockable(text) {
        let body = text.strip_suffix('\n').unwrap_or(text);
        out.write_all(if body.len() == text.len() {
            b"|-"
        } else {
            b"|"
        })?;
        for line in body.split('\n') {
            out.write_all(b"\n")?;
            if !line.is_empty() {
                pad(out, depth)?;
                out.write_all(line.as_bytes())?;
            }
        }
        return Ok(());
    }
    if plain(text) {
        return out.write_all(text.as_bytes());
    }
    // A JSON string is a YAML double-quoted string.
    serde_json::to_writer(out, text).map_err(io::Error::from)
}

/// Returns whether `text` reads well, and unchanged, as a block of lines.
fn blockable(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !body.starts_with([' ', '\n', '\t'])
        && text
            .chars()
            .all(|c| c == '\n' || c == '\t' || !c.is_control())
        && !text.contains(['\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'])
}

/// Returns whether `text` means itself without quotes, for readers of YAML 1.1 as well.
fn plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let word = text.to_ascii_lowercase();
    let keyword = matches!(
        word.as_str(),
        "null"
            | "~"
            | "true"
            | "false"
            | "yes"
            | "no"
            | "on"
            | "off"
            | "y"
            | "n"
            | "<<"
            | "="
            | ".nan"
            | ".inf"
            | "-.inf"
            | "+.inf"
    );
    let safe_start = first.is_alphabetic()
        || matches!(first, '_' | '/' | '.' | '$' | '(' | '^' | '+' | ';')
        || (first.is_ascii_digit() && !numeric(text));
    safe_start
        && !keyword
        && !numeric(text)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'))
}

/// Returns whether a reader could take `text` for a number or a time.
fn numeric(text: &str) -> bool {
    let digits = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-'));
    digits
        && text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| {
            c.is_ascii_hexdigit()
                || matches!(c, '.' | '+' | '-' | '_' | ':' | 'x' | 'o' | 'T' | 'Z' | ' ')
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn yaml(value: &Value) -> String {
        let mut out = Vec::new();
        write_yaml(&mut out, value).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn prints_the_style_of_the_original() {
        let value = json!([{
            "ID": "i-1",
            "LogicalID": null,
            "Properties": {"Attachments": [{"ID": "a", "Type": "t"}], "Init": "one\ntwo"},
            "Tags": {"infrakit.group": "cattle"}
        }]);
        let want = "\
- ID: i-1
  LogicalID: null
  Properties:
    Attachments:
    - ID: a
      Type: t
    Init: |-
      one
      two
  Tags:
    infrakit.group: cattle
";
        assert_eq!(yaml(&value), want);
    }

    #[test]
    fn survives_a_round_trip() {
        let value = json!({
            "strings": ["", " ", "no", "1", "0x1f", "1e3", "12:30", "a: b", "a #b", "- x", "#", "x\n",
                "x\n\ny\n", "\n", " x\ny", "a\tb", "\u{1}", "é", "2026-11-21", "null", "{{ x }}", "'", "\"", "@x",
                "*", "&a", "!t", "%", "x:", "?", "a\r\nb", "~", "1_000", "-1", "+1", ".5", "deadbeef", "\u{2028}"],
            "nested": [[1, [2]], [], {}, {"a": {}}, true, null, -1.5, 12345678901234567890u64],
            "odd keys": {"": 1, "a: b": 2, "yes": 3, "1": 4}
        });
        let text = yaml(&value);
        let back: Value = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(back, value, "{text}");
    }

    #[test]
    fn scalars_stand_alone() {
        assert_eq!(yaml(&json!(null)), "null\n");
        assert_eq!(yaml(&json!([])), "[]\n");
        assert_eq!(yaml(&json!("x")), "x\n");
    }
}
