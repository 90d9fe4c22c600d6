//! Writable documents as the metadata protocol has them: paths, look-up, merge, compare-and-set.
//!
//! Everything here is a function of its arguments; who keeps the document, and where, is not its
//! concern. Where the original behaves oddly on purpose or by accident, peers may rely on it, so
//! the oddity is kept and said.

use md5::{Digest as _, Md5};
use serde_json::{Map, Value};

use super::{Change, Proposal};
use crate::hash::canonical;
use crate::{Any, Error, Result};

/// A place in a document: the elements of a path string, cleaned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Splits `text` at `/` and cleans the elements.
    ///
    /// White space, quotes and backslashes around the path are dropped, then `.` and empty
    /// elements, except that a leading `/` and a trailing one leave an empty element; `..` takes
    /// back the element before it. The empty path and `.` are the root, and so is a path whose
    /// `..` takes back the only element: the original forgets what follows.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text =
            text.trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | '\\'));
        let mut elements: Vec<String> = Vec::new();
        let parts: Vec<&str> = text.split('/').collect();
        let last = parts.len() - 1;
        for (index, part) in parts.into_iter().enumerate() {
            match part {
                "" if index == 0 && last > 0 => elements.push(String::new()),
                "" | "." if index == last && index > 0 => elements.push(String::new()),
                "" | "." => {}
                ".." => match elements.pop() {
                    None => elements.push("..".to_owned()),
                    Some(_) if elements.is_empty() => return Self::default(),
                    Some(_) => {}
                },
                name => elements.push(name.to_owned()),
            }
        }
        Self(elements)
    }

    /// Returns the elements that select something, with `name[i]` split into `name` and `[i]`.
    fn steps(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|element| {
            let at = element.find('[').unwrap_or(element.len());
            let (name, index) = element.split_at(at);
            [name, index].into_iter().filter(|step| !step.is_empty())
        })
    }
}

/// Returns what stands at `path`, if anything does.
#[must_use]
pub fn lookup<'a>(root: &'a Value, path: &Path) -> Option<&'a Value> {
    path.steps().try_fold(root, step)
}

fn step<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Object(entries) => entries.get(step),
        Value::Array(items) => {
            let inner = step.strip_prefix('[')?.strip_suffix(']')?;
            match inner.split_once('=') {
                Some((field, want)) => items.iter().find(|item| {
                    let field = Path::parse(field);
                    lookup(item, &field).is_some_and(|found| as_text(found) == want)
                }),
                None => items.get(index(inner.parse().ok()?, items.len())),
            }
        }
        _ => None,
    }
}

/// Returns which element an index means: a negative one counts from the end, and one that is out
/// of range means the first, as in the original.
fn index(wanted: i64, length: usize) -> usize {
    let from_end = |back: i64| {
        let back = usize::try_from(back.unsigned_abs()).ok()?;
        length.checked_sub(back)
    };
    let found = if wanted < 0 {
        from_end(wanted)
    } else {
        usize::try_from(wanted).ok()
    };
    found.filter(|found| *found < length).unwrap_or(0)
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => canonical(other),
    }
}

/// Returns the names below `path`, sorted as text; `None` where nothing stands, nothing for a
/// leaf.
#[must_use]
pub fn keys(root: &Value, path: &Path) -> Option<Vec<String>> {
    match lookup(root, path)? {
        Value::Null => None,
        Value::Object(entries) => Some(entries.keys().cloned().collect()),
        Value::Array(items) => {
            let mut keys: Vec<String> = (0..items.len()).map(|i| format!("[{i}]")).collect();
            keys.sort();
            Some(keys)
        }
        _ => Some(Vec::new()),
    }
}

/// Returns the value at `path` as a document; `None` where nothing stands, or `null` does.
///
/// # Errors
/// Fails for a value that cannot be written as JSON, which no document read from JSON holds.
pub fn get(root: &Value, path: &Path) -> Result<Option<Any>> {
    match lookup(root, path) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => document(&canonical(value)).map(Some),
    }
}

/// Works out what `current` would be after `changes`, and the hash that a commit has to bring.
///
/// The changes are merged over the document: objects merge, everything else replaces. Nothing
/// can be removed; a `null` replaces the value and stays.
///
/// # Errors
/// Refuses to put something else than an object in place of the root, or below a path that ends
/// in `/`, and two changes of which one is inside the other.
pub fn propose(current: &Value, changes: &[Change]) -> Result<Proposal> {
    let mut applied = Value::Object(Map::new());
    let mut seen: Vec<(Vec<&str>, &str)> = Vec::new();
    let paths: Vec<Path> = changes
        .iter()
        .map(|change| Path::parse(&change.path))
        .collect();
    for (change, path) in changes.iter().zip(&paths) {
        let value = change.value.as_ref().map_or(Ok(Value::Null), Any::to_value);
        let value = value.map_err(|error| {
            Error::refused(format!("can't read the value of {}: {error}", change.path))
        })?;
        let steps: Vec<&str> = path.steps().collect();
        let trailing = path.0.len() > 1 && path.0.last().is_some_and(String::is_empty);
        if steps.is_empty() && !value.is_object() || trailing {
            let value = change.value.as_ref().map_or("null", Any::as_str);
            return Err(Error::refused(format!(
                "can't apply change {} {value}",
                change.path
            )));
        }
        if let Some((_, other)) = seen.iter().find(|(other, _)| nested(other, &steps)) {
            return Err(Error::refused(format!(
                "can't apply change {}: it overlaps the change of {other}",
                change.path
            )));
        }
        put(&mut applied, &steps, value);
        seen.push((steps, &change.path));
    }
    let mut proposed = current.clone();
    merge(&mut proposed, applied);
    let (original, proposed) = (canonical(current), canonical(&proposed));
    Ok(Proposal {
        cas: hash(&original, &proposed),
        original: Some(document(&original)?),
        proposed: Some(document(&proposed)?),
    })
}

/// Returns the document to keep when `proposed` is committed on top of `current`.
///
/// # Errors
/// Answers `cas mismatch` when the document changed since the proposal was made, or when the
/// proposal is not the one that was hashed.
pub fn accept(current: &Value, proposed: Option<&Any>, cas: &str) -> Result<Value> {
    // The bytes as received enter the hash, as in the original: a proposal is sent back as it
    // came, not written anew.
    let text = proposed.map_or("null", Any::as_str);
    if hash(&canonical(current), text) != cas {
        return Err(Error::refused("cas mismatch"));
    }
    proposed
        .map_or(Ok(Value::Null), Any::to_value)
        .map_err(|error| Error::refused(format!("can't read the proposal: {error}")))
}

/// Returns whether one path lies strictly inside the other.
fn nested(a: &[&str], b: &[&str]) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    !short.is_empty() && short.len() < long.len() && long.starts_with(short)
}

fn put(target: &mut Value, steps: &[&str], value: Value) {
    match steps.split_first() {
        None => merge(target, value),
        Some((step, rest)) => {
            if !target.is_object() {
                *target = Value::Object(Map::new());
            }
            if let Value::Object(entries) = target {
                let entry = entries.entry(*step).or_insert(Value::Null);
                if rest.is_empty() {
                    *entry = value;
                } else {
                    put(entry, rest, value);
                }
            }
        }
    }
}

/// Merges `over` into `under`; `over` wins.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                match under.get_mut(&key) {
                    Some(old) => merge(old, value),
                    None => {
                        under.insert(key, value);
                    }
                }
            }
        }
        (under, over) => *under = over,
    }
}

/// Hashes two documents the way the original does: white space behind colons, line feeds and
/// tabs do not count, wherever they stand.
fn hash(original: &str, proposed: &str) -> String {
    let mut md5 = Md5::new();
    for text in [original, proposed] {
        md5.update(text.replace(": ", ":").replace(['\n', '\t'], ""));
    }
    let digest = md5.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn document(text: &str) -> Result<Any> {
    Any::parse(text).map_err(|error| Error::refused(format!("can't write the document: {error}")))
}
