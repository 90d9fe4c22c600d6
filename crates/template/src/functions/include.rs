//! Other texts in a template: as they are, or rendered.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made};
use crate::frame::{Inclusion, Scope};
use crate::value::{deep_copy, text, to_text};

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "include",
        Arity::AtLeast(1),
        "func(string, ...interface {}) (string, error)",
        "{{ include \"str://{{ add . 1 }}\" 2 }}",
        "Renders the template at a URL, with a copy of the variables, and returns what it prints.\nMore arguments: headers \"name=value\", and the context, which by default is a copy of that of this template.\nA relative URL is relative to this template.",
        |args| include(args, Scope::Forked),
    )
    .unseen(),
    made(
        "source",
        Arity::AtLeast(1),
        "func(string, ...interface {}) (string, error)",
        "{{ source \"str://{{ var `a` 1 }}\" }}{{ var \"a\" }}",
        "Renders the template at a URL as include does, with the variables of this template: what it sets stays set.",
        |args| include(args, Scope::Shared),
    )
    .unseen(),
    made(
        "fetch",
        Arity::AtLeast(1),
        "func(string, ...interface {}) (string, error)",
        "{{ fetch \"str://{{ kept }}\" }}",
        "Returns the text at a URL without rendering it. More arguments: headers \"name=value\".\nThe same URL with the same headers is fetched once in a rendering.",
        |args| fetch(args, true),
    ),
    made(
        "raw",
        Arity::AtLeast(1),
        "func(string, ...interface {}) (string, error)",
        "{{ raw \"str://{{ kept }}\" }}",
        "Returns the text at a URL as fetch does, fetched anew each time.",
        |args| fetch(args, false),
    ),
];

/// Headers, and the argument that is none.
type Rest<'a> = (Vec<(String, String)>, Option<&'a Value>);

/// Tells the arguments behind the URL apart: a text with a name and `=` is a header.
fn rest<'a>(args: &Args<'a>) -> Result<Rest<'a>, String> {
    let mut headers = Vec::new();
    let mut context = None;
    for value in args.values.iter().skip(1) {
        match value.as_str().and_then(|text| text.split_once('=')) {
            Some((name, value)) if is_header(name) => {
                if value.contains(['\r', '\n']) {
                    return Err(format!("header `{name}` has several lines"));
                }
                headers.push((name.to_owned(), value.to_owned()));
            }
            _ => context = Some(value),
        }
    }
    Ok((headers, context))
}

fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn include(args: &Args<'_>, scope: Scope) -> Outcome {
    let (headers, context) = rest(args)?;
    let context = match (context, scope) {
        (Some(context), _) => context.clone(),
        (None, Scope::Shared) => args.frame.context.clone(),
        (None, Scope::Forked) => deep_copy(&args.frame.run.cells.all_now(&args.frame.context)?),
    };
    args.frame
        .include(Inclusion {
            url: args.string(0)?,
            headers: &headers,
            context,
            scope,
        })
        .map(text)
}

fn fetch(args: &Args<'_>, keep: bool) -> Outcome {
    let (headers, other) = rest(args)?;
    if let Some(other) = other {
        let shown = to_text(other);
        return Err(format!("`{shown}` is no header, write \"name=value\""));
    }
    args.frame
        .read(args.string(0)?, &headers, keep)
        .map(Value::String)
}
