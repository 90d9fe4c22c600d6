//! Verbs of plugins with writable values: those of readable ones, and `change`.

use clap::Args;
use infrakit_spi::Any;
use infrakit_spi::metadata::{Change, wire};
use infrakit_spi::version;
use serde_json::Value;

use super::metadata;
use super::verb::{Verb, verb};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::Format;
use crate::target::Target;

/// Returns the verbs.
pub(super) fn verbs() -> Vec<Verb> {
    let mut verbs = metadata::verbs();
    verbs.push(verb!("change", ChangeArgs, change));
    verbs
}

/// Propose changes of values, and commit them with -c
///
/// Prints what changes, one line a value: `-` before the old one, `+` before the new one. Without
/// changes, prints the whole document.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  infrakit vars change cluster/size=5 -c")]
pub(crate) struct ChangeArgs {
    /// `path=value`; the value is read as YAML
    #[arg(value_name = "PATH=VALUE")]
    changes: Vec<String>,
    /// Commit the changes
    #[arg(short, long)]
    commit: bool,
    /// Accepted for old scripts
    #[arg(short, long, hide = true)]
    yaml: bool,
}

fn parse(text: &str) -> Result<Change> {
    let wrong = |why: &str| {
        CommandError::user(format!("`{text}` {why}"))
            .hint("write `path=value`, like `cluster/size=5`")
    };
    let (path, value) = text
        .split_once('=')
        .ok_or_else(|| wrong("changes nothing"))?;
    if path.trim().is_empty() {
        return Err(wrong("has no path"));
    }
    let value: Value = if value.is_empty() {
        Value::from("")
    } else {
        serde_saphyr::from_str(value).map_err(|_| wrong("has a value that is not YAML"))?
    };
    let value = Any::from_value(&value)
        .map_err(|error| CommandError::internal(format!("failed to encode a value: {error}")))?;
    Ok(Change {
        path: path.trim().to_owned(),
        value: Some(value),
    })
}

/// Proposes changes, and commits them when asked to.
pub(crate) async fn change(context: &Context, target: &Target, args: ChangeArgs) -> Result {
    let changes = args
        .changes
        .iter()
        .map(|text| parse(text))
        .collect::<Result<Vec<_>>>()?;
    let count = changes.len();
    let name = target.wire_name(version::UPDATABLE);
    let request = wire::ChangesRequest {
        name: name.clone(),
        changes: Some(changes),
    };
    let proposal: wire::ChangesResponse = target.call("Updatable.Changes", &request).await?;
    let verb = if args.commit {
        "Committing"
    } else {
        "Proposing"
    };
    let things = if count == 1 { "change" } else { "changes" };
    context
        .out
        .line(format!("{verb} {count} {things}, hash={}", proposal.cas))?;
    if count == 0 {
        let document = proposal.proposed.as_ref().map_or("null", Any::as_str);
        return context.out.json(document, Format::Yaml);
    }
    let value = |any: &Option<Any>| {
        any.as_ref()
            .and_then(|any| any.to_value().ok())
            .unwrap_or(Value::Null)
    };
    for line in difference(&value(&proposal.original), &value(&proposal.proposed)) {
        context.out.line(paint(&line, context.out.color))?;
    }
    if args.commit {
        let request = wire::CommitRequest {
            name,
            proposed: proposal.proposed,
            cas: proposal.cas,
        };
        let _: wire::CommitResponse = target.call("Updatable.Commit", &request).await?;
    }
    Ok(())
}

fn paint(line: &str, color: bool) -> String {
    match (color, line.starts_with('-')) {
        (false, _) => line.to_owned(),
        (true, true) => format!("\x1b[31m{line}\x1b[0m"),
        (true, false) => format!("\x1b[32m{line}\x1b[0m"),
    }
}

/// Returns the leaves in which two documents differ.
fn difference(before: &Value, after: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    differ("", before, after, &mut lines);
    lines
}

fn differ(path: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}/{key}")
                };
                let null = Value::Null;
                differ(
                    &path,
                    a.get(key).unwrap_or(&null),
                    b.get(key).unwrap_or(&null),
                    lines,
                );
            }
        }
        _ => {
            if !before.is_null() {
                lines.push(format!("- {path}: {before}"));
            }
            if !after.is_null() {
                lines.push(format!("+ {path}: {after}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_readable_without_colour() {
        let before = json!({"a": {"size": 5, "same": 1}, "gone": "x"});
        let after = json!({"a": {"size": 7, "same": 1}, "new": [1]});
        assert_eq!(
            difference(&before, &after),
            ["- a/size: 5", "+ a/size: 7", "- gone: \"x\"", "+ new: [1]"]
        );
    }

    #[test]
    fn values_are_yaml() {
        for (text, path, value) in [
            ("a=1", "a", "1"),
            ("a/b = true", "a/b", "true"),
            ("a={x: [1, z]}", "a", r#"{"x":[1,"z"]}"#),
            ("a=", "a", "\"\""),
            ("a=b=c", "a", "\"b=c\""),
        ] {
            let change = parse(text).unwrap();
            assert_eq!(
                (change.path.as_str(), change.value.unwrap().as_str()),
                (path, value),
                "{text}"
            );
        }
        for bad in ["a", "=1", "a=[1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
