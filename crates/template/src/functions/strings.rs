//! Text, as sprig handles it. Positions count bytes; they never cut a character in two.

use std::fmt::Write as _;

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Bounded, Function, Outcome, made, write};
use crate::value::{map, text, to_text};

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "upper",
        Arity::Exactly(1),
        "func(string) string",
        "{{ upper \"web\" }}",
        "Returns the text in upper case.",
        |args| ok(args.string(0)?.to_uppercase()),
    ),
    made(
        "lower",
        Arity::Exactly(1),
        "func(string) string",
        "{{ lower \"WEB\" }}",
        "Returns the text in lower case.",
        |args| ok(args.string(0)?.to_lowercase()),
    ),
    made(
        "trim",
        Arity::Exactly(1),
        "func(string) string",
        "{{ trim \" web \" }}",
        "Removes white space from both ends.",
        |args| ok(args.string(0)?.trim()),
    ),
    made(
        "trimSuffix",
        Arity::Exactly(2),
        "func(string, string) string",
        "{{ trimSuffix \".yml\" \"a.yml\" }}",
        "Removes the first argument from the end of the second.",
        |args| {
            let text = args.string(1)?;
            ok(text.strip_suffix(args.string(0)?).unwrap_or(text))
        },
    ),
    made(
        "trimPrefix",
        Arity::Exactly(2),
        "func(string, string) string",
        "{{ trimPrefix \"v\" \"v1.2\" }}",
        "Removes the first argument from the start of the second.",
        |args| {
            let text = args.string(1)?;
            ok(text.strip_prefix(args.string(0)?).unwrap_or(text))
        },
    ),
    made(
        "replace",
        Arity::Exactly(3),
        "func(string, string, string) string",
        "{{ replace \"a\" \"b\" \"banana\" }}",
        "Replaces the first argument by the second wherever it stands in the third.",
        replace,
    ),
    made(
        "contains",
        Arity::Exactly(2),
        "func(string, string) bool",
        "{{ contains \"an\" \"banana\" }}",
        "Tells whether the first argument stands in the second.",
        |args| yes(args.string(1)?.contains(args.string(0)?)),
    ),
    made(
        "hasPrefix",
        Arity::Exactly(2),
        "func(string, string) bool",
        "{{ hasPrefix \"ba\" \"banana\" }}",
        "Tells whether the second argument starts with the first.",
        |args| yes(args.string(1)?.starts_with(args.string(0)?)),
    ),
    made(
        "hasSuffix",
        Arity::Exactly(2),
        "func(string, string) bool",
        "{{ hasSuffix \"na\" \"banana\" }}",
        "Tells whether the second argument ends with the first.",
        |args| yes(args.string(1)?.ends_with(args.string(0)?)),
    ),
    made(
        "join",
        Arity::Exactly(2),
        "func(string, interface {}) string",
        "{{ list \"a\" \"b\" | join \",\" }}",
        "Joins the items of a list, with the first argument between them.",
        join,
    ),
    made(
        "split",
        Arity::Exactly(2),
        "func(string, string) map[string]string",
        "{{ (split \",\" \"a,b\")._0 }}",
        "Splits the second argument at the first, into a dict with the keys _0, _1, ...",
        split,
    ),
    made(
        "splitList",
        Arity::Exactly(2),
        "func(string, string) []string",
        "{{ splitList \",\" \"a,b\" | first }}",
        "Splits the second argument at the first, into a list.",
        |args| {
            Ok(Value::List(
                pieces(args.string(1)?, args.string(0)?).map(text).collect(),
            ))
        },
    ),
    made(
        "splitn",
        Arity::Exactly(3),
        "func(string, int, string) map[string]string",
        "{{ (splitn \",\" 2 \"a,b,c\")._1 }}",
        "Splits the third argument at the first, into at most so many parts, a dict with the keys _0, _1, ...",
        splitn,
    ),
    made(
        "lines",
        Arity::Exactly(1),
        "func(interface {}) ([]string, error)",
        "{{ lines \"a\" | len }}",
        "Splits a text into the list of its lines.",
        |args| Ok(Value::List(args.string(0)?.split('\n').map(text).collect())),
    ),
    made(
        "quote",
        Arity::AtLeast(0),
        "func(...interface {}) string",
        "{{ quote \"a b\" }}",
        "Puts each argument into double quotes, with escapes, and a space between them.",
        |args| {
            write::join(
                present(args).map(|value| double_quoted(&to_text(value))),
                " ",
            )
        },
    ),
    made(
        "squote",
        Arity::AtLeast(0),
        "func(...interface {}) string",
        "{{ squote \"a b\" }}",
        "Puts each argument into single quotes, with a space between them.",
        |args| {
            write::join(
                present(args).map(|value| format!("'{}'", to_text(value))),
                " ",
            )
        },
    ),
    made(
        "repeat",
        Arity::Exactly(2),
        "func(int, string) string",
        "{{ repeat 3 \"ab\" }}",
        "Repeats a text a number of times.",
        |args| {
            let mut text = Bounded::default();
            text.push_times(args.string(1)?, args.count(0)?)?;
            text.done()
        },
    ),
    made(
        "indent",
        Arity::Exactly(2),
        "func(int, string) string",
        "{{ indent 4 \"a\" }}",
        "Puts a number of spaces in front of each line.",
        |args| indent(args, ""),
    ),
    made(
        "nindent",
        Arity::Exactly(2),
        "func(int, string) string",
        "{{ nindent 4 \"a\" }}",
        "Starts a new line and puts a number of spaces in front of each line.",
        |args| indent(args, "\n"),
    ),
    made(
        "cat",
        Arity::AtLeast(0),
        "func(...interface {}) string",
        "{{ cat \"a\" 1 true }}",
        "Joins all arguments with spaces, leaving out those without value.",
        |args| write::join(present(args).map(to_text), " "),
    ),
    made(
        "nospace",
        Arity::Exactly(1),
        "func(string) string",
        "{{ nospace \"a b\" }}",
        "Removes all white space.",
        |args| ok(args.string(0)?.split_whitespace().collect::<String>()),
    ),
    made(
        "substr",
        Arity::Exactly(3),
        "func(int, int, string) string",
        "{{ substr 0 3 \"banana\" }}",
        "Returns the bytes from the first position up to, not including, the second.\nA negative start means the start of the text, a negative end its end.",
        substr,
    ),
    made(
        "trunc",
        Arity::Exactly(2),
        "func(int, string) string",
        "{{ trunc 3 \"banana\" }}",
        "Keeps the first bytes of a text; a negative number keeps the last ones.",
        trunc,
    ),
];

fn ok(result: impl Into<std::sync::Arc<str>>) -> Outcome {
    Ok(text(result))
}

fn yes(flag: bool) -> Outcome {
    Ok(Value::Bool(flag))
}

/// Returns the arguments that have a value.
fn present<'a>(args: &Args<'a>) -> impl Iterator<Item = &'a Value> {
    args.values
        .iter()
        .filter(|value| !matches!(value, Value::Nil))
}

fn replace(args: &Args<'_>) -> Outcome {
    let (old, new, text) = (args.string(0)?, args.string(1)?, args.string(2)?);
    let mut result = Bounded::default();
    let mut end = 0;
    for (at, found) in text.match_indices(old) {
        result.push(&text[end..at])?;
        result.push(new)?;
        end = at + found.len();
    }
    result.push(&text[end..])?;
    result.done()
}

fn join(args: &Args<'_>) -> Outcome {
    write::join(items(args.value(1)).iter().map(to_text), args.string(0)?)
}

/// Returns the items of a list that have a value; what is no list is taken for a list of one.
pub(super) fn items(value: &Value) -> Vec<Value> {
    match value {
        Value::Nil => Vec::new(),
        Value::List(items) => {
            let present = items.iter().filter(|item| !matches!(item, Value::Nil));
            present.cloned().collect()
        }
        single => vec![single.clone()],
    }
}

/// Splits as Go does: at an empty separator, into characters.
fn pieces<'a>(text: &'a str, separator: &'a str) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    if separator.is_empty() {
        Box::new(text.split_inclusive(|_| true))
    } else {
        Box::new(text.split(separator))
    }
}

fn split(args: &Args<'_>) -> Outcome {
    let pieces = pieces(args.string(1)?, args.string(0)?).enumerate();
    Ok(map(
        pieces.map(|(index, piece)| (format!("_{index}"), text(piece)))
    ))
}

fn splitn(args: &Args<'_>) -> Outcome {
    let (separator, most, text) = (args.string(0)?, args.int(1), args.string(2)?);
    let parts: Vec<&str> = match usize::try_from(most) {
        Err(_) => pieces(text, separator).collect(),
        Ok(most) if separator.is_empty() => {
            let cuts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            let cuts: Vec<usize> = cuts.collect();
            let parts = most.min(cuts.len().saturating_sub(1));
            (0..parts)
                .map(|at| {
                    let end = if at + 1 == parts {
                        text.len()
                    } else {
                        cuts[at + 1]
                    };
                    &text[cuts[at]..end]
                })
                .collect()
        }
        Ok(most) => text.splitn(most, separator).collect(),
    };
    let parts = parts.into_iter().enumerate();
    Ok(map(parts.map(|(index, part)| {
        (format!("_{index}"), self::text(part))
    })))
}

fn indent(args: &Args<'_>, before: &str) -> Outcome {
    let count = args.count(0)?;
    let mut text = Bounded::default();
    text.push(before)?;
    for (index, line) in args.string(1)?.split('\n').enumerate() {
        if index > 0 {
            text.push("\n")?;
        }
        text.push_times(" ", count)?;
        text.push(line)?;
    }
    text.done()
}

fn substr(args: &Args<'_>) -> Outcome {
    let text = args.string(2)?;
    let start = usize::try_from(args.int(0)).unwrap_or(0);
    let end = usize::try_from(args.int(1)).unwrap_or(text.len());
    ok(cut(text, start, end))
}

fn trunc(args: &Args<'_>) -> Outcome {
    let (count, text) = (args.int(0), args.string(1)?);
    let bytes = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 {
        ok(cut(text, text.len().saturating_sub(bytes), text.len()))
    } else {
        ok(cut(text, 0, bytes))
    }
}

/// Returns the bytes from `start` to `end`, both moved back to the start of a character.
fn cut(text: &str, start: usize, end: usize) -> &str {
    let start = text.floor_char_boundary(start);
    let end = text.floor_char_boundary(end);
    text.get(start..end).unwrap_or("")
}

/// Quotes as Go's `%q` does.
pub(super) fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            c if c.is_control() => {
                let code = u32::from(c);
                let written = if code < 0x80 {
                    write!(quoted, "\\x{code:02x}")
                } else {
                    write!(quoted, "\\u{code:04x}")
                };
                written.expect("a String takes all that is written to it");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
