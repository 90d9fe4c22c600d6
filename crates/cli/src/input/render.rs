//! Templates of commands: where they come from, what they may reach, how they fail.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use infrakit_fetch::Client;
use infrakit_spi::suggest;
use infrakit_template::{Access, Engine, FileAccess, Source, TemplateError, Trust, UnsetVar, Vars};
use serde_json::Value;

use super::args::{InputArgs, LARGEST};
use super::metadata;
use crate::context::Context;
use crate::error::{CommandError, Result};

/// Returns the template, or the document, behind `source`.
pub(crate) fn fetch(context: &Context, source: &str, args: &InputArgs) -> Result<Source> {
    if source == "-" {
        let mut text = String::new();
        std::io::stdin()
            .take(LARGEST + 1)
            .read_to_string(&mut text)
            .map_err(|error| {
                CommandError::config(format!("failed to read the standard input: {error}"))
            })?;
        if text.len() as u64 > LARGEST {
            return Err(CommandError::config(
                "the standard input is larger than 8 MiB",
            ));
        }
        // A relative path in it is relative to where the command runs.
        return Ok(Source::new("", &text).with_name("standard input"));
    }
    Source::load(source, &access(context, args)?).map_err(|error| {
        // What is read here may be a template, and mostly is none.
        let message = error.to_string().replacen("read template", "read", 1);
        CommandError::config(message).maybe_hint(similar_file(source))
    })
}

/// Names a file beside the missing one whose name is close.
fn similar_file(source: &str) -> Option<String> {
    let path = Path::new(source.strip_prefix("file://").unwrap_or(source));
    if path.exists() {
        return None;
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let names: Vec<String> = std::fs::read_dir(directory)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let wanted = path.file_name()?.to_str()?;
    let found = suggest(wanted, names.iter().map(String::as_str))?;
    Some(format!(
        "did you mean `{}`?",
        path.with_file_name(found).display()
    ))
}

/// Renders `source` with the variables and the context of the flags.
pub(crate) fn render(context: &Context, source: &Source, args: &InputArgs) -> Result<String> {
    let text = source.text();
    if !text.contains("{{") && !text.contains(r"\{\{") && !text.contains(r"\}\}") {
        return Ok(text.to_owned());
    }
    let vars = Vars::new();
    for pair in &args.variables {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            CommandError::user(format!("`{pair}` sets no variable"))
                .hint("write `--var name=value`")
        })?;
        vars.set(key.trim(), &variable(value.trim()));
    }
    engine(context, args)?
        .render_source(source, &value_of(args)?, &vars)
        .map_err(|error| failed(&error))
}

/// Checks that `source`, and what it includes, can be rendered as far as can be told before.
pub(crate) fn check(context: &Context, source: &Source, args: &InputArgs) -> Result {
    engine(context, args)?
        .check_source(source)
        .map_err(|error| failed(&error))
}

/// Returns what templates of a command may reach: all that the person who runs it may.
fn access(context: &Context, args: &InputArgs) -> Result<Access> {
    let access = Access::none()
        .with_files(FileAccess::Anywhere)
        .with_env(context.settings.everything())
        .with_fetch(Arc::new(Client::new()))
        .with_remote(if args.trust {
            Trust::Everything
        } else {
            Trust::Nothing
        });
    Ok(match metadata::plugins(context) {
        Ok(metadata) => access.with_metadata(metadata),
        // Without a home there are no plugins either; a template that asks is told so.
        Err(_) => access,
    })
}

fn engine(context: &Context, args: &InputArgs) -> Result<Engine> {
    // A variable that nobody set may be meant for a later pass, in the flavor.
    let unset = if args.final_pass {
        UnsetVar::NoValue
    } else {
        UnsetVar::Keep
    };
    Ok(Engine::new()
        .with_access(&access(context, args)?)
        .with_unset_var(unset)
        .with_echo(|line| {
            // A closed stderr is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{line}");
        }))
}

/// Reads a value of a flag: a whole number, a truth value, or text.
pub(super) fn variable(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    match text {
        "true" => true.into(),
        "false" => false.into(),
        text => text.into(),
    }
}

/// Returns the value of `.`: what `--ctx` holds, or names a file of.
fn value_of(args: &InputArgs) -> Result<Value> {
    let Some(given) = &args.ctx else {
        return Ok(Value::Null);
    };
    let inline = given.trim_start().starts_with(['{', '[', '"']);
    let (name, text) = if inline {
        ("--ctx".to_owned(), given.clone())
    } else {
        let access = Access::none().with_files(FileAccess::Anywhere);
        let source = Source::load(given, &access).map_err(|error| {
            CommandError::config(error.to_string().replacen("read template", "read", 1))
                .maybe_hint(similar_file(given))
        })?;
        (source.name().to_owned(), source.text().to_owned())
    };
    serde_saphyr::from_str(&text).map_err(|error| {
        let message = error.without_snippet().to_string();
        let message = message.lines().next().unwrap_or_default().to_owned();
        CommandError::config(format!("`{name}` is neither JSON nor YAML: {message}"))
    })
}

fn failed(error: &TemplateError) -> CommandError {
    CommandError::config(error.to_string()).maybe_excerpt(error.snippet())
}
