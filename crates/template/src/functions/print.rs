//! What Go's language brings: printing, escapes, lengths, positions, parts.

use std::sync::{Arc, LazyLock, OnceLock};

use gotmpl::{Template, TemplateError as Cause, Value};

use super::args::Args;
use super::{Arity, Bounded, Function, Outcome, made, passed};
use crate::value::{map, text, to_text, type_of};

/// Longest format of `printf`. Each verb of it can ask for 65,535 characters.
const LONGEST_FORMAT: usize = 4096;
/// Most values that `printf` takes behind its format.
const MOST_VALUES: usize = 64;

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "print",
        Arity::AtLeast(0),
        "func(...interface {}) string",
        "{{ print \"a\" 1 2 }}",
        "Joins all arguments, with a space between two that are not text.",
        print,
    ),
    made(
        "println",
        Arity::AtLeast(0),
        "func(...interface {}) string",
        "{{ println \"a\" 1 }}",
        "Joins all arguments with spaces, and ends the line.",
        println,
    ),
    made(
        "printf",
        Arity::AtLeast(1),
        "func(string, ...interface {}) string",
        "{{ printf \"%03d %q %5.1f\" 7 \"a\" 2.25 }}",
        "Writes values as a format says, by the rules of Go's fmt.",
        printf,
    ),
    made(
        "html",
        Arity::AtLeast(1),
        "func(...interface {}) string",
        "{{ html \"<a>\" }}",
        "Escapes a text for HTML.",
        |args| Ok(text(gotmpl::html_escape(&escaped(args)))),
    ),
    made(
        "js",
        Arity::AtLeast(1),
        "func(...interface {}) string",
        "{{ js \"it's\" }}",
        "Escapes a text for a string of JavaScript.",
        |args| Ok(text(gotmpl::js_escape(&escaped(args)))),
    ),
    made(
        "urlquery",
        Arity::AtLeast(1),
        "func(...interface {}) string",
        "{{ urlquery \"a b&c\" }}",
        "Escapes a text for the query of a URL.",
        |args| Ok(text(gotmpl::url_encode(&escaped(args)))),
    ),
    made(
        "len",
        Arity::Exactly(1),
        "func(interface {}) int",
        "{{ len \"abc\" }}",
        "Returns the number of items of a list or dict, or of bytes of a text.",
        len,
    )
    .outside(),
    passed(
        "index",
        Arity::AtLeast(1),
        "func(interface {}, ...interface {}) interface {}",
        "{{ index (list \"a\" \"b\") 1 }}",
        "Returns the item of a list at a position, or of a dict under a key; more arguments look into that item.",
        index,
    ),
    made(
        "not",
        Arity::Exactly(1),
        "func(interface {}) bool",
        "{{ not true }}",
        "Tells whether a value is empty.",
        |args| Ok(Value::Bool(!args.value(0).is_truthy())),
    )
    .outside(),
    made(
        "slice",
        Arity::Between(1, 4),
        "func(interface {}, ...interface {}) interface {}",
        "{{ slice (list 1 2 3) 1 3 }}",
        "Returns the part of a list or text from one position up to, not including, another.",
        slice,
    )
    .outside(),
];

fn print(args: &Args<'_>) -> Outcome {
    let mut out = Bounded::default();
    let mut before: Option<&Value> = None;
    for value in args.values {
        if before.is_some_and(|before| !is_text(before) && !is_text(value)) {
            out.push(" ")?;
        }
        out.push(&to_text(value))?;
        before = Some(value);
    }
    out.done()
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::String(_))
}

fn println(args: &Args<'_>) -> Outcome {
    let mut out = Bounded::default();
    for (at, value) in args.values.iter().enumerate() {
        out.push(if at > 0 { " " } else { "" })?;
        out.push(&to_text(value))?;
    }
    out.push("\n")?;
    out.done()
}

/// Returns what the escapes work on: one text as it is, other values as `print` writes them.
fn escaped(args: &Args<'_>) -> String {
    args.values.iter().map(to_text).collect()
}

fn len(args: &Args<'_>) -> Outcome {
    let value = args.value(0);
    match value.len() {
        Some(length) => Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))),
        None => Err(format!("{} has no length", type_of(value))),
    }
}

fn index(args: &Args<'_>) -> Outcome {
    let mut value = args.value(0).clone();
    for at in args.values.iter().skip(1) {
        value = value.index(at).map_err(|cause| words(&cause))?;
        value = args.frame.run.cells.now(&value);
    }
    Ok(value)
}

fn words(cause: &Cause) -> String {
    match cause {
        Cause::Exec(message) => message.clone(),
        other => other.to_string(),
    }
}

pub(super) fn slice(args: &Args<'_>) -> Outcome {
    let bound = |at: usize| match args.values.get(at) {
        None => Ok(None),
        Some(Value::Int(_) | Value::Uint(_) | Value::Float(_)) => Ok(Some(args.int(at))),
        Some(other) => Err(format!("{} is no position", type_of(other))),
    };
    let (from, to, most) = (bound(1)?, bound(2)?, bound(3)?);
    if most.is_some_and(|most| to.is_some_and(|to| to > most)) {
        return Err("the third position is less than the second".to_owned());
    }
    match args.value(0) {
        Value::Nil => Ok(Value::List([].into())),
        value => value.slice(from, to).map_err(|cause| words(&cause)),
    }
}

/// `gotmpl` formats, but lets nobody call it outside a template: so one template for each number
/// of values.
fn formatter(values: usize) -> &'static Template {
    static FORMATTERS: LazyLock<Vec<OnceLock<Template>>> =
        LazyLock::new(|| (0..=MOST_VALUES).map(|_| OnceLock::new()).collect());
    FORMATTERS[values].get_or_init(|| {
        let values: String = (0..values).map(|at| format!(" (index .v {at})")).collect();
        Template::new("printf")
            .parse(&format!("{{{{ printf .f{values} }}}}"))
            .expect("the text is a template")
    })
}

fn printf(args: &Args<'_>) -> Outcome {
    let format = args.string(0)?;
    let mut values = args.values[1..].to_vec();
    if format.len() > LONGEST_FORMAT {
        let cause = args
            .frame
            .run
            .exhaust("the format of `printf` is longer than 4096 bytes");
        return Err(words(&cause));
    }
    if values.len() > MOST_VALUES {
        return Err(format!("it takes at most {MOST_VALUES} values"));
    }
    let format = settle(format, &mut values);
    let count = values.len();
    let context = map([("f", text(format)), ("v", Value::List(values.into()))]);
    let mut out = String::new();
    formatter(count)
        .execute_fmt(&mut out, &context)
        .map_err(|cause| words(&cause))?;
    Ok(text(out))
}

/// Rewrites what `gotmpl` formats otherwise than Go: types, floats and what holds them as plain
/// values, and a percent sign at the end.
fn settle(format: &str, values: &mut [Value]) -> String {
    // Positions that are given by number are left to it.
    if format.contains('[') {
        return format.to_owned();
    }
    let mut out = String::with_capacity(format.len());
    let mut rest = format.chars();
    let mut next = 0;
    while let Some(c) = rest.next() {
        out.push(c);
        if c != '%' {
            continue;
        }
        let start = out.len();
        loop {
            match rest.next() {
                None => {
                    out.truncate(start);
                    out.push_str("%!(NOVERB)");
                    break;
                }
                Some('*') => {
                    next += 1;
                    out.push('*');
                }
                Some(flag @ ('+' | '-' | '#' | ' ' | '.' | '0'..='9')) => out.push(flag),
                Some('%') => {
                    out.push('%');
                    break;
                }
                Some(verb) => {
                    let flags = out[start..].to_owned();
                    out.push(replace(verb, &flags, values.get_mut(next)));
                    next += 1;
                    break;
                }
            }
        }
    }
    out
}

/// Returns the verb to use in the place of `verb`, and turns the value into text for it.
fn replace(verb: char, flags: &str, value: Option<&mut Value>) -> char {
    let plain = !flags.contains(['#', '+']);
    match (verb, value) {
        ('T', Some(value)) => {
            *value = text(type_of(value));
            's'
        }
        ('v', Some(value @ (Value::Float(_) | Value::List(_) | Value::Map(_)))) if plain => {
            let shown: Arc<str> = to_text(value).as_ref().into();
            *value = Value::String(shown);
            's'
        }
        (verb, _) => verb,
    }
}
