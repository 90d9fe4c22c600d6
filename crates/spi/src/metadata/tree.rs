//! Paths into a document: how `Keys` and `Get` find their way.

use serde_json::Value;

/// Splits a path into its elements.
///
/// White space, quotes and backslashes around the whole are dropped, as are empty elements and
/// `.`; `..` removes the element before it. The empty path and `.` are the root.
#[must_use]
pub fn parse(path: &str) -> Vec<&str> {
    let trimmed = path.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\'));
    let mut elements = Vec::new();
    for element in trimmed.split('/') {
        match element {
            "" | "." => {}
            ".." => {
                elements.pop();
            }
            _ => elements.push(element),
        }
    }
    elements
}

/// Returns the value at `path`; `None` when there is none, or it is `null`.
#[must_use]
pub fn get<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    let found = parse(path).into_iter().try_fold(document, step)?;
    (!found.is_null()).then_some(found)
}

/// Returns the names below `path`, sorted: keys of an object, `[0]`, `[1]`… of a list, nothing
/// for a leaf; `None` when there is no value.
#[must_use]
pub fn keys(document: &Value, path: &str) -> Option<Vec<String>> {
    Some(match get(document, path)? {
        Value::Object(entries) => entries.keys().cloned().collect(),
        Value::Array(items) => {
            let mut names: Vec<String> = (0..items.len()).map(|at| format!("[{at}]")).collect();
            names.sort();
            names
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    })
}

/// Follows one element: a key, `[index]` (negative from the end), `[field=value]`, or a key with
/// such a selector behind it.
fn step<'a>(value: &'a Value, element: &str) -> Option<&'a Value> {
    let Some((name, selector)) = element
        .strip_suffix(']')
        .and_then(|body| body.split_once('['))
    else {
        return value.as_object()?.get(element);
    };
    let value = if name.is_empty() {
        value
    } else {
        value.as_object()?.get(name)?
    };
    let items = value.as_array()?;
    if let Ok(index) = selector.parse::<i64>() {
        let index = if index < 0 {
            index + i64::try_from(items.len()).ok()?
        } else {
            index
        };
        return items.get(usize::try_from(index).ok()?);
    }
    let (field, wanted) = selector.split_once('=')?;
    let field = field.trim_matches(['"', '\'']);
    let wanted = wanted.trim_matches(['"', '\'']);
    items
        .iter()
        .find(|item| get(item, field).is_some_and(|found| text(found) == wanted))
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, want) in [
            ("", vec![]),
            (".", vec![]),
            ("a//b", vec!["a", "b"]),
            ("a/./b/", vec!["a", "b"]),
            ("a/b/../c", vec!["a", "c"]),
            (" \"a/b\" ", vec!["a", "b"]),
        ] {
            assert_eq!(parse(path), want, "{path}");
        }
    }

    #[test]
    fn values_and_keys_are_found() {
        let document = json!({"g": {"Instances": [{"ID": "a"}, {"ID": "b"}], "N": 1, "Z": null}});
        assert_eq!(get(&document, "g/Instances/[1]/ID"), Some(&json!("b")));
        assert_eq!(get(&document, "g/Instances[-2]/ID"), Some(&json!("a")));
        assert_eq!(get(&document, "g/Instances/[ID=b]/ID"), Some(&json!("b")));
        assert_eq!(get(&document, "g/Instances/[7]"), None);
        assert_eq!(get(&document, "g/Z"), None);
        assert_eq!(keys(&document, "."), Some(vec!["g".to_owned()]));
        assert_eq!(
            keys(&document, "g/Instances"),
            Some(vec!["[0]".to_owned(), "[1]".to_owned()])
        );
        assert_eq!(keys(&document, "g/N"), Some(vec![]));
        assert_eq!(keys(&document, "nope"), None);
    }
}
