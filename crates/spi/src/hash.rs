//! The config hash, computed bit for bit as the original does, so that a live group can be
//! adopted without rolling it.
//!
//! `hash = lower(base32(sha1(canonical(Instance) ‖ canonical(Flavor))))` without padding, where
//! `canonical` is Go's `json.MarshalIndent(v, "  ", "  ")` of the generic value: sorted keys,
//! numbers as float64, HTML escapes, every line but the first prefixed by two spaces.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha1::{Digest as _, Sha1};

use crate::{Any, PluginName};

/// The config hash of a group: 32 characters of `a`-`z` and `2`-`7`, or whatever text a peer
/// wrote into the tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfigHash(Arc<str>);

impl ConfigHash {
    /// Wraps the text of a tag.
    #[must_use]
    pub fn from_tag(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConfigHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A plugin with its properties, as it enters the hash.
#[derive(Clone, Copy, Debug)]
pub struct Hashed<'a> {
    /// Name of the plugin.
    pub plugin: &'a PluginName,
    /// Properties handed to it; absent ones count as `null`.
    pub properties: Option<&'a Any>,
}

/// Computes the config hash of a group that is made of `instance` and `flavor`.
///
/// # Errors
/// Fails when properties are nested more than 128 deep or hold a number beyond float64.
pub fn config_hash(instance: Hashed<'_>, flavor: Hashed<'_>) -> serde_json::Result<ConfigHash> {
    let mut sha = Sha1::new();
    for part in [instance, flavor] {
        let properties = part.properties.map_or(Ok(Value::Null), Any::to_value)?;
        let mut text = String::from("{\n    \"Plugin\": ");
        write_string(&mut text, part.plugin.as_str());
        text.push_str(",\n    \"Properties\": ");
        write_value(&mut text, &properties, 1);
        text.push_str("\n  }");
        sha.update(text.as_bytes());
    }
    let digest = data_encoding::BASE32_NOPAD.encode(&sha.finalize());
    Ok(ConfigHash(digest.to_ascii_lowercase().into()))
}

/// Writes `value` in Go's indented form, two spaces per level behind a prefix of two.
fn write_value(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&go_float(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) => write_string(out, text),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                new_line(out, index, depth + 1);
                write_value(out, item, depth + 1);
            }
            new_line(out, 0, depth);
            out.push(']');
        }
        Value::Object(entries) if entries.is_empty() => out.push_str("{}"),
        Value::Object(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                new_line(out, index, depth + 1);
                write_string(out, key);
                out.push_str(": ");
                write_value(out, item, depth + 1);
            }
            new_line(out, 0, depth);
            out.push('}');
        }
    }
}

/// Writes `value` without white space, with sorted keys, and numbers and strings as Go writes them:
/// the form in which two documents are compared byte by byte.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_compact(&mut out, value);
    out
}

fn write_compact(out: &mut String, value: &Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => write_value(out, value, 0),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_compact(out, item);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write_compact(out, item);
            }
            out.push('}');
        }
    }
}

fn new_line(out: &mut String, index: usize, depth: usize) {
    if index > 0 {
        out.push(',');
    }
    out.push_str("\n  ");
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

/// Formats a float the way Go's `encoding/json` does: shortest digits that round-trip, exponent
/// form below 1e-6 and from 1e21 on.
#[must_use]
pub fn go_float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        return match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                format!("{digits}e+{exponent}")
            }
            _ => text,
        };
    }
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(instance: &str, flavor: &str) -> String {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Part {
            #[serde(default)]
            plugin: PluginName,
            #[serde(default)]
            properties: Option<Any>,
        }
        let parts = [instance, flavor].map(|text| serde_json::from_str::<Part>(text).unwrap());
        let [instance, flavor] = &parts;
        let [instance, flavor] = [instance, flavor].map(|part| Hashed {
            plugin: &part.plugin,
            properties: part.properties.as_ref(),
        });
        config_hash(instance, flavor).unwrap().to_string()
    }

    #[test]
    fn reproduces_the_originals_hashes() {
        let vanilla = r#"{"Plugin":"vanilla","Properties":{"Init":["l1"],"Tags":{"tier":"web"}}}"#;
        for (instance, flavor, want) in [
            (
                r#"{"Plugin":"file","Properties":{"Note":"n"}}"#,
                vanilla,
                "oinl36bwh4m6din5wcyq7ywz65cr5ers",
            ),
            (
                r#"{"Plugin":"file","Properties":{"Note":"changed"}}"#,
                vanilla,
                "3aqercqnrakt2qpt2vhhm3skczsk52em",
            ),
            (
                r#"{"Plugin":"simulator/net","Properties":{"Note":"hello"}}"#,
                r#"{"Plugin":"vanilla","Properties":{"Init":["echo hi"]}}"#,
                "flfka6pcgsmgo3own2uarnbejyposc2z",
            ),
            (
                r#"{"Plugin":"file"}"#,
                "{}",
                "44mgaihrkkz4xhnjedqigijsamqjrbtq",
            ),
            (
                r#"{"Plugin":"file","Properties":{"a":1.50,"big":12345678901234567890,"exp":1e21,"small":1e-7,"neg":-0.0,"html":"<a>&b\u2028é\u0007\t\"/","nul":null,"arr":[],"obj":{},"n":[[],{}],"t":true}}"#,
                r#"{"Plugin":"vanilla"}"#,
                "wj6bmtwsadl2hpma5idneyihajmvkcvh",
            ),
        ] {
            assert_eq!(hash(instance, flavor), want, "{instance}");
        }
    }

    #[test]
    fn reproduces_the_tutorials_hashes() {
        let flavor = r#"{"Plugin":"flavor-vanilla","Properties":{"Init":["docker pull nginx:alpine","docker run -d -p 80:80 nginx-alpine"],"Tags":{"tier":"web","project":"infrakit"},"Attachments":[{"ID":"attachid","Type":"attachtype"}]}}"#;
        for (note, want) in [
            (
                "Instance properties version 1.0",
                "x4nrsdaibscmj7awpkxzx5vvpt6pilw2",
            ),
            (
                "Instance properties version 2.0",
                "jpfedp4sefvncwye5b6yre5qoz2odtnd",
            ),
        ] {
            let instance =
                format!(r#"{{"Plugin":"instance-file","Properties":{{"Note":"{note}"}}}}"#);
            assert_eq!(hash(&instance, flavor), want);
        }
    }

    #[test]
    fn order_of_keys_and_spelling_of_numbers_do_not_matter() {
        let a = hash(r#"{"Plugin":"p","Properties":{"a":1.0,"b":2}}"#, "{}");
        assert_eq!(
            a,
            hash(r#"{"Plugin":"p","Properties":{"b":2e0,"a":1}}"#, "{}")
        );
    }

    #[test]
    fn maps_are_sorted_in_this_build() {
        // Guards the workspace setting that `preserve_order` of serde_json stays off.
        let value: Value = serde_json::from_str(r#"{"b":1,"a":2}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"a":2,"b":1}"#);
    }
}
