//! How two answers compare: what is taken out of them first, and where they differ.

use serde_json::{Map, Value};

/// Written by us only: marks the creation that made an instance.
const TOKEN: &str = "infrakit.token";
/// Where texts begin that depend on the language and version of the decoder.
const DECODER: [&str; 2] = ["json: ", "time: "];

/// Takes out what differs from run to run: the token among tags, times used as ids, and the order
/// in which a greeting lists objects.
pub(crate) fn normalise(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Object(tags)) = fields.get_mut("Tags") {
                tags.remove(TOKEN);
            }
            if let Some(id) = fields.get_mut("id")
                && id.as_str().is_some_and(is_time)
            {
                *id = Value::from("a time");
            }
            fields.values_mut().for_each(normalise);
        }
        Value::Array(items) => {
            items.iter_mut().for_each(normalise);
            if items.iter().all(|item| item.get("ProxyFor").is_some()) {
                items.sort_by_cached_key(|object| object["Name"].to_string());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Removes what a JSON pointer leads to.
pub(crate) fn cut(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    if let Some(Value::Object(fields)) = value.pointer_mut(parent) {
        fields.remove(&key);
    }
}

fn is_time(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Takes our message for the recorded one, if that ends in the words of a decoder and ours
/// agrees up to there and goes on with words of its own. Returns whether it did.
pub(crate) fn soften(expected: &mut Value, actual: &Value) -> bool {
    let (Some(message), Some(ours)) = (
        expected.pointer_mut("/error/message"),
        actual.pointer("/error/message"),
    ) else {
        return false;
    };
    let (Some(recorded), Some(text)) = (message.as_str(), ours.as_str()) else {
        return false;
    };
    let place = DECODER.iter().find_map(|mark| recorded.find(mark));
    let agreed = place.and_then(|place| recorded.get(..place));
    let softened = agreed.is_some_and(|start| text.starts_with(start) && text.len() > start.len());
    if softened {
        *message = ours.clone();
    }
    softened
}

/// Where two values differ first, in words.
pub(crate) fn difference(path: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::Object(old), Value::Object(new)) => fields(path, old, new),
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => old
            .iter()
            .zip(new)
            .enumerate()
            .find_map(|(index, (old, new))| difference(&format!("{path}/{index}"), old, new)),
        _ if expected == actual => None,
        _ => Some(format!(
            "{path}: {} became {}",
            short(expected),
            short(actual)
        )),
    }
}

fn fields(path: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Option<String> {
    let missing = old.iter().find(|(key, _)| !new.contains_key(*key));
    let added = new.iter().find(|(key, _)| !old.contains_key(*key));
    // An error instead of a result is one difference and not two: the new side tells more.
    if let Some((key, value)) = added {
        return Some(format!("{path}/{key}: nothing became {}", short(value)));
    }
    if let Some((key, value)) = missing {
        return Some(format!("{path}/{key}: {} became nothing", short(value)));
    }
    old.iter()
        .find_map(|(key, old)| difference(&format!("{path}/{key}"), old, new.get(key)?))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}
