//! Raw JSON that is carried, not interpreted: `Any` and the compaction that Go applies to it.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON document kept as the bytes that its author wrote.
///
/// Key order and the spelling of numbers survive. `null` and an absent document are both
/// `None` of an `Option<Any>`; an `Any` is never empty.
#[derive(Clone)]
pub struct Any(Box<RawValue>);

impl Any {
    /// Parses `text` as one JSON document.
    ///
    /// # Errors
    /// Returns the decoder's error when `text` is not exactly one JSON value.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(Self)
    }

    /// Returns the document that `value` serialises to.
    ///
    /// # Errors
    /// Returns the serialiser's error, for example for a map with keys that are not strings.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// Returns the JSON text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Decodes the document into `T`.
    ///
    /// # Errors
    /// Returns the decoder's error when the document has another shape than `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.as_str())
    }

    /// Returns the document as a generic value.
    ///
    /// # Errors
    /// Fails only for documents nested more than 128 deep.
    pub fn to_value(&self) -> serde_json::Result<serde_json::Value> {
        self.decode()
    }
}

impl fmt::Debug for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Any {
    /// Compares the text, apart from white space between tokens.
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
            || compact(self.as_str().as_bytes()) == compact(other.as_str().as_bytes())
    }
}

impl Eq for Any {}

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

/// Returns `json` the way Go's encoder emits it: no white space between tokens, and `<`, `>`,
/// `&`, U+2028 and U+2029 inside strings as `\u00XX` escapes.
///
/// `json` must be valid JSON; other bytes come back in an unspecified form. Borrows when there
/// is nothing to change, which is the common case.
#[must_use]
pub fn compact(json: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = first_change(json) else {
        return Cow::Borrowed(json);
    };
    let mut out = Vec::with_capacity(json.len() + 64);
    out.extend_from_slice(&json[..first.at]);
    let mut in_string = first.in_string;
    let mut rest = json[first.at..].iter().copied().enumerate();
    while let Some((at, byte)) = rest.next() {
        if !in_string {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {}
                b'"' => {
                    in_string = true;
                    out.push(byte);
                }
                _ => out.push(byte),
            }
            continue;
        }
        match byte {
            b'\\' => {
                out.push(byte);
                if let Some((_, escaped)) = rest.next() {
                    out.push(escaped);
                }
            }
            b'"' => {
                in_string = false;
                out.push(byte);
            }
            b'<' => out.extend_from_slice(br"\u003c"),
            b'>' => out.extend_from_slice(br"\u003e"),
            b'&' => out.extend_from_slice(br"\u0026"),
            0xE2 => match json[first.at + at..].get(1..3) {
                Some(&[0x80, last @ (0xA8 | 0xA9)]) => {
                    out.extend_from_slice(if last == 0xA8 { br"\u2028" } else { br"\u2029" });
                    rest.next();
                    rest.next();
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

struct FirstChange {
    at: usize,
    in_string: bool,
}

/// Finds the first byte that compaction would change, without copying anything.
fn first_change(json: &[u8]) -> Option<FirstChange> {
    let mut in_string = false;
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        if in_string {
            match byte {
                b'\\' => at += 1,
                b'"' => in_string = false,
                b'<' | b'>' | b'&' => return Some(FirstChange { at, in_string }),
                0xE2 if matches!(json.get(at + 1..at + 3), Some(&[0x80, 0xA8 | 0xA9])) => {
                    return Some(FirstChange { at, in_string });
                }
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_string = true,
                b' ' | b'\t' | b'\n' | b'\r' => return Some(FirstChange { at, in_string }),
                _ => {}
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_number_spelling_and_key_order() {
        let any = Any::parse(r#"{"z":1.50,"a":12345678901234567890}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&any).unwrap(),
            r#"{"z":1.50,"a":12345678901234567890}"#
        );
    }

    #[test]
    fn compacts_like_go() {
        let input = "{ \"a b\" : [ 1,\n2 ] , \"h\":\"<x> & \u{2028} \\\" <\" }";
        let want = r#"{"a b":[1,2],"h":"\u003cx\u003e \u0026 \u2028 \" \u003c"}"#;
        assert_eq!(String::from_utf8_lossy(&compact(input.as_bytes())), want);
    }

    #[test]
    fn borrows_what_is_compact() {
        assert!(matches!(compact(br#"{"a":["b c",1]}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn equality_ignores_white_space_only() {
        assert_eq!(
            Any::parse("{\"a\": 1}").unwrap(),
            Any::parse("{\"a\":1}").unwrap()
        );
        assert_ne!(
            Any::parse("{\"a\":1.0}").unwrap(),
            Any::parse("{\"a\":1}").unwrap()
        );
    }

    #[test]
    fn null_is_no_document() {
        assert!(
            serde_json::from_str::<Option<Any>>("null")
                .unwrap()
                .is_none()
        );
    }
}
