//! Documents that a command is given: fetched, rendered as a template, read as JSON or YAML.
//!
//! A wrong document is refused here with its line and column, before any plugin is asked.

mod args;
pub(crate) mod metadata;
mod render;
mod yaml;

use infrakit_spi::document::{PluginSpec, Spec};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{Any, GroupId, suggest};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::context::Context;
use crate::error::{CommandError, Result};
pub(crate) use args::InputArgs;
pub(crate) use render::{check, fetch, render};

/// A document as text, rendered.
#[derive(Debug)]
pub(crate) struct Document {
    /// What to call it in messages.
    name: String,
    text: String,
    yaml: bool,
}

/// What a committed document turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) enum Committed {
    /// `{ID, Properties}`.
    Group(GroupSpec),
    /// `{kind, metadata, properties, …}`.
    Spec(Box<Spec>),
    /// One entry of the older `[{Plugin, Properties}]`.
    Entry(PluginSpec),
}

/// Fetches and renders the document at `source`: `-`, a path, or a URL with `file`, `str`, `http`,
/// `https` or `unix`.
pub(crate) fn load(context: &Context, source: &str, args: &InputArgs) -> Result<Document> {
    let fetched = fetch(context, source, args)?;
    // What comes from a pipe was made by a program that knows what it wants.
    let text = if source == "-" {
        fetched.text().to_owned()
    } else {
        render(context, &fetched, args)?
    };
    Ok(Document {
        yaml: args.yaml || !looks_like_json(&text),
        name: fetched.name().to_owned(),
        text,
    })
}

/// Returns whether a document without a flag is taken for JSON.
fn looks_like_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '[', '"'])
}

impl Document {
    /// Takes a text that was made by this program; `name` is what to call it in messages.
    pub(crate) fn of_text(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
            yaml: !looks_like_json(text),
        }
    }

    /// Returns the rendered text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Reads the documents in it: one, or several where YAML separates them by `---`.
    pub(crate) fn all(&self) -> Result<Vec<Any>> {
        let text = self.text.trim_start_matches('\u{feff}');
        let empty = || {
            CommandError::config(format!("`{}` is empty", self.name))
                .hint("give a document in JSON or YAML")
        };
        if text.trim().is_empty() {
            return Err(empty());
        }
        if !self.yaml {
            return Any::parse(text)
                .map(|any| vec![any])
                .map_err(|error| self.not_json(&error));
        }
        let mut values: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
            CommandError::config(format!("`{}` {}", self.name, yaml::fault(&error)))
                .maybe_hint(self.left_over())
        })?;
        // A separator with nothing behind it, or comments alone, are documents of nothing.
        values.retain(|value| !value.is_null());
        if values.is_empty() {
            return Err(empty());
        }
        values
            .iter()
            .map(|value| {
                Any::from_value(value).map_err(|error| {
                    CommandError::internal(format!("failed to convert YAML: {error}"))
                })
            })
            .collect()
    }

    /// Reads the one document in it.
    pub(crate) fn one(&self) -> Result<Any> {
        let mut all = self.all()?;
        match (all.pop(), all.is_empty()) {
            (Some(document), true) => Ok(document),
            _ => Err(CommandError::config(format!(
                "`{}` holds {} documents where one is wanted",
                self.name,
                all.len() + 1
            ))),
        }
    }

    /// Reads the one document as a `T` that knows `fields` and nothing else.
    pub(crate) fn decode<T: DeserializeOwned>(&self, fields: &[&str]) -> Result<T> {
        self.decode_any(&self.one()?, fields)
    }

    fn decode_any<T: DeserializeOwned>(&self, any: &Any, fields: &[&str]) -> Result<T> {
        let value: Value = any.decode().map_err(|error| self.not_json(&error))?;
        let Value::Object(map) = &value else {
            return Err(CommandError::config(format!(
                "`{}` holds {} where an object with {} is wanted",
                self.name,
                shape(&value),
                list(fields)
            )));
        };
        if let Some(unknown) = map
            .keys()
            .find(|key| !fields.iter().any(|field| field.eq_ignore_ascii_case(key)))
        {
            return Err(self.unknown_field(unknown, fields));
        }
        any.decode().map_err(|error| self.not_json(&error))
    }

    fn unknown_field(&self, field: &str, known: &[&str]) -> CommandError {
        let place = self
            .place_of(field)
            .map_or(String::new(), |(line, column)| {
                format!(" at line {line} column {column}")
            });
        let hint = suggest(field, known.iter().copied()).map_or_else(
            || format!("fields here are {}", list(known)),
            |found| format!("did you mean `{found}`?"),
        );
        CommandError::config(format!(
            "`{}` has an unknown field `{}`{place}",
            self.name,
            field.escape_debug()
        ))
        .hint(hint)
    }

    /// Returns where the key `field` stands, counted from 1: at the smallest indentation at
    /// which it occurs, because it is looked for at the top of the document.
    fn place_of(&self, field: &str) -> Option<(usize, usize)> {
        let quoted = serde_json::to_string(field).ok()?;
        let plain = format!("{field}:");
        let mut best: Option<(usize, usize)> = None;
        for (number, line) in self.text.lines().enumerate() {
            let at = line.find(&quoted).or_else(|| {
                let key = line.trim_start_matches([' ', '-']);
                key.starts_with(&plain).then(|| line.len() - key.len())
            });
            if let Some(at) = at {
                let column = line[..at].chars().count() + 1;
                if best.is_none_or(|(_, smallest)| column < smallest) {
                    best = Some((number + 1, column));
                }
            }
        }
        best
    }

    fn not_json(&self, error: &serde_json::Error) -> CommandError {
        let syntax = error.is_syntax() || error.is_eof();
        let what = if syntax {
            "is not JSON"
        } else {
            "has the wrong shape"
        };
        let text = error.to_string();
        // A decoder that starts behind the first key loses the place; then there is none to show.
        let text = text.trim_end_matches(" at line 0 column 0");
        let failure = CommandError::config(format!("`{}` {what}: {text}", self.name))
            .maybe_hint(self.left_over());
        if syntax && !self.yaml && self.text.contains(": ") && !self.text.contains('"') {
            return failure.hint("if it is YAML, say so with -y");
        }
        failure
    }

    /// Explains what a template may have to do with it.
    fn left_over(&self) -> Option<String> {
        let left = self.text.contains("{{");
        left.then(|| "a `{{` is left in it: set the variable with `--var name=value`".to_owned())
    }

    /// Reads spec documents; the older form of a group is taken for a document of kind `group`. The
    /// older list of both is none: `unwanted` says what it is.
    pub(crate) fn specs(&self, unwanted: &str) -> Result<Vec<Spec>> {
        let specs = self
            .committed()?
            .into_iter()
            .map(|committed| match committed {
                Committed::Spec(spec) => Ok(*spec),
                Committed::Group(group) => {
                    let mut spec = Spec {
                        kind: "group".to_owned(),
                        properties: group.properties,
                        ..Spec::default()
                    };
                    spec.metadata.name = group.id.as_str().to_owned();
                    Ok(spec)
                }
                Committed::Entry(_) => Err(CommandError::config(format!("this is {unwanted}"))
                    .hint("commit it with `infrakit manager commit`")),
            });
        specs.collect()
    }

    /// Reads what is to be committed: groups, spec documents, or the older list of both.
    pub(crate) fn committed(&self) -> Result<Vec<Committed>> {
        let mut found = Vec::new();
        for any in self.all()? {
            if any.as_str().trim_start().starts_with('[') {
                let entries: Vec<Any> = any.decode().map_err(|error| self.not_json(&error))?;
                for entry in &entries {
                    found.push(self.classify(entry)?);
                }
            } else {
                found.push(self.classify(&any)?);
            }
        }
        Ok(found)
    }

    fn classify(&self, any: &Any) -> Result<Committed> {
        let value: Value = any.decode().map_err(|error| self.not_json(&error))?;
        let has = |name: &str| {
            value
                .as_object()
                .is_some_and(|map| map.keys().any(|key| key.eq_ignore_ascii_case(name)))
        };
        if has("kind") || has("metadata") {
            let spec: Spec = self.decode_any(any, &[Spec::FIELDS, &["state"]].concat())?;
            if spec.kind.is_empty() {
                return Err(
                    CommandError::config(format!("`{}` has no `kind`", self.name))
                        .hint("add for example `kind: group`"),
                );
            }
            return Ok(Committed::Spec(Box::new(spec)));
        }
        if has("Plugin") {
            return self
                .decode_any(any, PluginSpec::FIELDS)
                .map(Committed::Entry);
        }
        self.decode_any(any, GroupSpec::FIELDS)
            .map(Committed::Group)
    }
}

/// Returns the group that a spec document of kind `group` describes, in the older form.
pub(crate) fn group_of(spec: &Spec) -> Option<GroupSpec> {
    let kind = spec.kind.split('/').next().unwrap_or_default();
    kind.eq_ignore_ascii_case("group").then(|| GroupSpec {
        id: GroupId::new(spec.address().instance),
        properties: spec.properties.clone(),
    })
}

fn shape(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn list(fields: &[&str]) -> String {
    let quoted: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests;
