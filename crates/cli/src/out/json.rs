//! JSON for people: indented, in the order in which it was written.

use std::io::{self, Write};

/// Writes `json`, which must be one valid document, with two spaces per level.
///
/// Works on the text, so that numbers keep their spelling and keys their order, and a large
/// answer is not built in memory a second time.
pub(crate) fn indent(out: &mut dyn Write, json: &str) -> io::Result<()> {
    let bytes = json.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'"' => {
                let end = string_end(bytes, at);
                write_string(out, &json[at..end])?;
                at = end;
                continue;
            }
            b'{' | b'[' => {
                let close = next_token(bytes, at + 1);
                if matches!(bytes.get(close), Some(b'}' | b']')) {
                    out.write_all(&[byte, bytes[close]])?;
                    at = close + 1;
                    continue;
                }
                depth += 1;
                out.write_all(&[byte])?;
                new_line(out, depth)?;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(out, depth)?;
                out.write_all(&[byte])?;
            }
            b',' => {
                out.write_all(b",")?;
                new_line(out, depth)?;
            }
            b':' => out.write_all(b": ")?,
            _ => out.write_all(&[byte])?,
        }
        at += 1;
    }
    Ok(())
}

fn new_line(out: &mut dyn Write, depth: usize) -> io::Result<()> {
    out.write_all(b"\n")?;
    for _ in 0..depth {
        out.write_all(b"  ")?;
    }
    Ok(())
}

fn next_token(bytes: &[u8], from: usize) -> usize {
    from + bytes
        .get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count()
}

/// Returns the index behind the closing quote of the string that starts at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Writes a string token; the escapes that Go adds for the sake of HTML are undone.
fn write_string(out: &mut dyn Write, token: &str) -> io::Result<()> {
    if !token.contains("\\u00") {
        return out.write_all(token.as_bytes());
    }
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        out.write_all(&rest.as_bytes()[..at])?;
        let plain = [("\\u003c", "<"), ("\\u003e", ">"), ("\\u0026", "&")]
            .into_iter()
            .find(|(escape, _)| rest[at..].starts_with(escape));
        let length = match plain {
            Some((escape, plain)) => {
                out.write_all(plain.as_bytes())?;
                escape.len()
            }
            None => {
                let length = rest[at..].chars().take(2).map(char::len_utf8).sum();
                out.write_all(&rest.as_bytes()[at..at + length])?;
                length
            }
        };
        rest = &rest[at + length..];
    }
    out.write_all(rest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indented(json: &str) -> String {
        let mut out = Vec::new();
        indent(&mut out, json).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn indents_and_keeps_order_and_numbers() {
        assert_eq!(
            indented(r#"{"z":[1.50,{ }],"a" : {"b":[ ]},"s":"x,{\"y\"}: "}"#),
            "{\n  \"z\": [\n    1.50,\n    {}\n  ],\n  \"a\": {\n    \"b\": []\n  },\n  \"s\": \"x,{\\\"y\\\"}: \"\n}"
        );
        assert_eq!(indented("null"), "null");
        assert_eq!(indented("[]"), "[]");
    }

    #[test]
    fn undoes_the_escapes_of_go() {
        assert_eq!(
            indented(r#"["\u003cb\u003e \u0026 \\u003c \" \u000a"]"#),
            "[\n  \"<b> & \\\\u003c \\\" \\u000a\"\n]"
        );
    }
}
