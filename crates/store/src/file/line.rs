//! One line of the log: eight hex digits of checksum, a space, compact JSON, a line feed.
//!
//! ```text
//! 5a0b1c2d {"v":1,"rev":7,"changes":[{"put":"specs/a","value":{"Size":3}},{"delete":"specs/b"}]}
//! ```
//!
//! A log that was compacted begins with a snapshot: lines with `"snapshot":"more"`, the last one
//! with `"snapshot":"last"`, all of the same `rev`, whose puts name the revision they come from.
//! docs/format-changes.md has the rules for changing any of this.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::crc::crc32;
use crate::state::Transaction;
use crate::{Json, Key, Revision, Versioned};

/// The format that this release writes, and the latest that it reads.
pub(crate) const FORMAT: u64 = 1;

/// Checksum and space in front of the JSON.
const HEAD: usize = 9;

/// Position of a line in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Snapshot {
    /// More lines of it follow.
    More,
    /// The snapshot is complete.
    Last,
}

/// A line, decoded.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) revision: Revision,
    pub(crate) snapshot: Option<Snapshot>,
    /// Each key with its new value, or without when it is deleted.
    pub(crate) changes: Vec<(Key, Option<Versioned>)>,
}

/// Why a line cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not what was written: torn, or changed since.
    Broken,
    /// It is as written, in a later format.
    Newer(u64),
    /// It is as written, and yet makes no sense.
    Senseless(String),
}

/// Appends the line of `transaction` to `out`.
pub(crate) fn encode(transaction: &Transaction, out: &mut Vec<u8>) {
    let start = open(transaction.revision, None, out);
    for (index, effect) in transaction.effects.iter().enumerate() {
        separate(index, out);
        match &effect.value {
            Some(value) => put(&effect.key, None, value, out),
            None => {
                out.extend_from_slice(br#"{"delete":"#);
                string(&effect.key, out);
                out.push(b'}');
            }
        }
    }
    close(start, out);
}

/// Appends a line of the snapshot at `revision` to `out`.
pub(crate) fn encode_snapshot(
    revision: Revision,
    part: Snapshot,
    records: &[(Key, Versioned)],
    out: &mut Vec<u8>,
) {
    let start = open(revision, Some(part), out);
    for (index, (key, versioned)) in records.iter().enumerate() {
        separate(index, out);
        put(key, Some(versioned.revision), &versioned.value, out);
    }
    close(start, out);
}

fn open(revision: Revision, part: Option<Snapshot>, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[b' '; HEAD]);
    let part = match part {
        None => "",
        Some(Snapshot::More) => r#","snapshot":"more""#,
        Some(Snapshot::Last) => r#","snapshot":"last""#,
    };
    append(
        format_args!(r#"{{"v":{FORMAT},"rev":{revision}{part},"changes":["#),
        out,
    );
    start
}

fn close(start: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"]}");
    let sum = crc32(&out[start + HEAD..]);
    out[start..start + HEAD - 1].copy_from_slice(format!("{sum:08x}").as_bytes());
    out.push(b'\n');
}

fn separate(index: usize, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
}

fn put(key: &Key, revision: Option<Revision>, value: &Json, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"put":"#);
    string(key, out);
    if let Some(revision) = revision {
        append(format_args!(r#","rev":{revision}"#), out);
    }
    out.extend_from_slice(br#","value":"#);
    out.extend_from_slice(value.as_str().as_bytes());
    out.push(b'}');
}

fn string(key: &Key, out: &mut Vec<u8>) {
    serde_json::to_writer(out, key.as_str()).expect("a string is JSON and memory takes it");
}

fn append(text: fmt::Arguments<'_>, out: &mut Vec<u8>) {
    std::io::Write::write_fmt(out, text).expect("memory takes any text");
}

#[derive(Deserialize)]
struct Wire<'a> {
    v: u64,
    rev: u64,
    #[serde(default)]
    snapshot: Option<Snapshot>,
    #[serde(borrow)]
    changes: Vec<WireChange<'a>>,
}

#[derive(Deserialize)]
struct WireChange<'a> {
    #[serde(borrow, default)]
    put: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delete: Option<Cow<'a, str>>,
    #[serde(default)]
    rev: Option<u64>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireFormat {
    v: u64,
}

/// Decodes a line with its line feed.
pub(crate) fn decode(line: &[u8]) -> Result<Line, Flaw> {
    let json = checked(line).ok_or(Flaw::Broken)?;
    let wire = match serde_json::from_slice::<Wire<'_>>(json) {
        Ok(wire) if wire.v == FORMAT => wire,
        // A later format may have any shape; that it is later is what matters then.
        other => {
            return Err(match serde_json::from_slice(json) {
                Ok(WireFormat { v }) if v > FORMAT => Flaw::Newer(v),
                _ => Flaw::Senseless(
                    other.map_or_else(|error| error.to_string(), |_| "unknown format".to_owned()),
                ),
            });
        }
    };
    let revision = Revision(wire.rev);
    let changes = wire.changes.into_iter().map(|it| change(it, revision));
    Ok(Line {
        revision,
        snapshot: wire.snapshot,
        changes: changes.collect::<Result<_, _>>()?,
    })
}

fn checked(line: &[u8]) -> Option<&[u8]> {
    let (sum, rest) = line.split_at_checked(HEAD - 1)?;
    let json = rest.strip_prefix(b" ")?.strip_suffix(b"\n")?;
    let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    (sum == crc32(json)).then_some(json)
}

fn change(wire: WireChange<'_>, revision: Revision) -> Result<(Key, Option<Versioned>), Flaw> {
    match (wire.put, wire.delete) {
        (Some(key), None) => {
            let versioned = Versioned {
                value: wire.value.map_or_else(Json::null, Json::from_raw),
                revision: wire.rev.map_or(revision, Revision),
            };
            Ok((Key::new(key), Some(versioned)))
        }
        (None, Some(key)) => Ok((Key::new(key), None)),
        _ => Err(Flaw::Senseless(
            "a change is neither a put nor a delete".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Effect;

    fn sample() -> Vec<u8> {
        let mut out = Vec::new();
        let effects = vec![
            Effect {
                key: Key::from("a\n\"b"),
                value: Some(Json::parse("{\"x\": [1,\n2.50]}".to_owned()).unwrap()),
            },
            Effect {
                key: Key::from("c"),
                value: None,
            },
        ];
        let revision = Revision(7);
        encode(&Transaction { revision, effects }, &mut out);
        out
    }

    #[test]
    fn a_line_has_the_documented_form() {
        let text = String::from_utf8(sample()).unwrap();
        let json = r#"{"v":1,"rev":7,"changes":[{"put":"a\n\"b","value":{"x": [1, 2.50]}},{"delete":"c"}]}"#;
        assert_eq!(text, format!("{:08x} {json}\n", crc32(json.as_bytes())));
    }

    #[test]
    fn a_line_survives_a_round_trip() {
        let line = decode(&sample()).unwrap();
        assert_eq!((line.revision, line.snapshot), (Revision(7), None));
        let [(put, Some(versioned)), (delete, None)] = line.changes.as_slice() else {
            panic!("{line:?}");
        };
        assert_eq!((put.as_str(), delete.as_str()), ("a\n\"b", "c"));
        assert_eq!(versioned.value.as_str(), r#"{"x": [1, 2.50]}"#);
        assert_eq!(versioned.revision, Revision(7));
    }

    #[test]
    fn any_changed_or_missing_byte_is_noticed() {
        let whole = sample();
        for at in 0..whole.len() {
            assert_eq!(
                decode(&whole[..at]).unwrap_err(),
                Flaw::Broken,
                "cut at {at}"
            );
            let mut changed = whole.clone();
            changed[at] ^= 0x01;
            assert_eq!(decode(&changed).unwrap_err(), Flaw::Broken, "byte {at}");
        }
    }

    #[test]
    fn later_formats_and_nonsense_are_told_apart() {
        let line = |json: &str| format!("{:08x} {json}\n", crc32(json.as_bytes()));
        let flaw = |json: &str| decode(line(json).as_bytes()).unwrap_err();
        assert_eq!(flaw(r#"{"v":2,"records":5}"#), Flaw::Newer(2));
        assert!(matches!(flaw(r#"{"v":1}"#), Flaw::Senseless(_)));
        assert!(matches!(
            flaw(r#"{"v":0,"rev":1,"changes":[]}"#),
            Flaw::Senseless(_)
        ));
        assert!(matches!(
            flaw(r#"{"v":1,"rev":1,"changes":[{}]}"#),
            Flaw::Senseless(_)
        ));
        let extra = line(r#"{"v":1,"rev":1,"by":"x","changes":[{"put":"k","ttl":1}]}"#);
        let read = decode(extra.as_bytes()).unwrap();
        assert_eq!(read.changes[0].1.as_ref().unwrap().value.as_str(), "null");
    }
}
