//! Changing a document: merge, and the hash that guards a commit.

use md5::{Digest as _, Md5};
use serde_json::{Map, Value};

use super::{Change, Proposal, tree};
use crate::{Any, Error, Result, hash};

/// Works out what `current` would be after `changes`.
///
/// Changes win over what is there; objects merge, everything else replaces; keys are never removed.
/// Elements of a list cannot be addressed.
///
/// # Errors
/// Refuses a change of the root to something that is no object, a path that ends in `/` or
/// addresses a list element, and two changes of which one lies inside the other.
pub fn propose(current: &Value, changes: &[Change]) -> Result<Proposal> {
    let mut applied = Value::Object(Map::new());
    for change in changes {
        let value = match &change.value {
            Some(raw) => raw.to_value().map_err(|e| Error::refused(e.to_string()))?,
            None => Value::Null,
        };
        let refuse = || {
            let value = hash::canonical(&value);
            Error::refused(format!("can't apply change {} {value}", change.path))
        };
        let path = tree::parse(&change.path);
        if change.path.len() > 1 && change.path.ends_with('/')
            || path.is_empty() && !value.is_object()
        {
            return Err(refuse());
        }
        if path.iter().any(|element| element.contains('[')) {
            let message = format!(
                "can't apply change {}: elements of a list cannot be addressed; change the whole list",
                change.path
            );
            return Err(Error::refused(message));
        }
        if path.is_empty() {
            merge(&mut applied, value);
        } else {
            put(&mut applied, &path, value).ok_or_else(|| {
                Error::refused(format!(
                    "can't apply change {}: another change lies above or below it",
                    change.path
                ))
            })?;
        }
    }
    let mut proposed = current.clone();
    merge(&mut proposed, applied);
    let (original, proposed) = (hash::canonical(current), hash::canonical(&proposed));
    let cas = digest(&original, &proposed);
    let raw = |text: &str| Any::parse(text).map_err(|e| Error::refused(e.to_string()));
    Ok(Proposal {
        original: Some(raw(&original)?),
        proposed: Some(raw(&proposed)?),
        cas,
    })
}

/// Returns the hash over a document as it is and as it shall be, whatever their spelling.
#[must_use]
pub fn cas(current: &Value, proposed: &Value) -> String {
    digest(&hash::canonical(current), &hash::canonical(proposed))
}

fn digest(original: &str, proposed: &str) -> String {
    let mut md5 = Md5::new();
    md5.update(original.as_bytes());
    md5.update(proposed.as_bytes());
    data_encoding::HEXLOWER.encode(&md5.finalize())
}

/// Puts `value` at `path`; `None` when another change already made the path end earlier or later.
fn put(document: &mut Value, path: &[&str], value: Value) -> Option<()> {
    let entries = document.as_object_mut()?;
    match path {
        [] => None,
        [last] => match entries.get(*last) {
            Some(_) => None,
            None => {
                entries.insert((*last).to_owned(), value);
                Some(())
            }
        },
        [first, rest @ ..] => {
            let below = entries
                .entry(*first)
                .or_insert_with(|| Value::Object(Map::new()));
            put(below, rest, value)
        }
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(path: &str, value: Value) -> Change {
        Change {
            path: path.to_owned(),
            value: Any::from_value(&value).ok(),
        }
    }

    #[test]
    fn the_guard_is_the_originals() {
        let proposed = json!({"a": {"b": 1, "c": "str"}, "list": [1, {"k": "v"}], "obj": {"n": null, "x": true}});
        assert_eq!(
            cas(&json!({}), &proposed),
            "aa36f8e00b3c0b72e474dd83d30f8b3e"
        );
    }

    #[test]
    fn changes_win_and_objects_merge() {
        let current = json!({"a": {"b": 1, "c": 2}, "l": [1, 2]});
        let proposal = propose(
            &current,
            &[
                change("a/b", json!(0)),
                change("l", json!([])),
                change("n/e/w", json!("x")),
            ],
        )
        .unwrap();
        let want = r#"{"a":{"b":0,"c":2},"l":[],"n":{"e":{"w":"x"}}}"#;
        assert_eq!(proposal.proposed.unwrap().as_str(), want);
    }

    #[test]
    fn faulty_changes_are_refused() {
        let current = json!({});
        for changes in [
            vec![change(".", json!(1))],
            vec![change("a/", json!(1))],
            vec![change("l[0]", json!(1))],
            vec![change("a", json!(1)), change("a/b", json!(2))],
            vec![change("a/b", json!(1)), change("a", json!(2))],
        ] {
            assert!(propose(&current, &changes).is_err(), "{changes:?}");
        }
    }
}
