//! Regular expressions. The language is that of RE2, as Go's is; its work grows with the text only.

use gotmpl::Value;
use regex::{NoExpand, Regex, RegexBuilder};

use super::args::Args;
use super::{Arity, Bounded, Function, Outcome, made};
use crate::value::text;

/// Largest compiled expression, in bytes.
const LARGEST: usize = 1 << 20;
/// Fuel for compiling one.
const COMPILE: u64 = 20_000;

/// Returns the row of a function and that of its twin whose name begins with `must`.
macro_rules! twins {
    ($name:literal, $must:literal, $arity:expr, $signature:literal, $usage:literal, $usage_must:literal, $about:literal, $call:expr) => {
        [
            made($name, $arity, $signature, $usage, $about, $call),
            made(
                $must,
                $arity,
                $signature,
                $usage_must,
                concat!("The same as ", $name, "."),
                $call,
            ),
        ]
    };
}

pub(super) const TWINS: [&[Function]; 6] = [
    &twins!(
        "regexMatch",
        "mustRegexMatch",
        Arity::Exactly(2),
        "func(string, string) bool",
        "{{ regexMatch \"^a+$\" \"aaa\" }}",
        "{{ mustRegexMatch \"^a+$\" \"aaa\" }}",
        "Tells whether a regular expression matches a text.",
        |args| { Ok(Value::Bool(expression(args, 1)?.is_match(args.string(1)?))) }
    ),
    &twins!(
        "regexFind",
        "mustRegexFind",
        Arity::Exactly(2),
        "func(string, string) string",
        "{{ regexFind \"[0-9]+\" \"a12b3\" }}",
        "{{ mustRegexFind \"[0-9]+\" \"a12b3\" }}",
        "Returns the first match of a regular expression, or an empty text.",
        |args| {
            let found = expression(args, 1)?.find(args.string(1)?);
            Ok(text(found.map_or("", |found| found.as_str())))
        }
    ),
    &twins!(
        "regexFindAll",
        "mustRegexFindAll",
        Arity::Exactly(3),
        "func(string, string, int) []string",
        "{{ regexFindAll \"[0-9]\" \"a1b2c3\" -1 }}",
        "{{ mustRegexFindAll \"[0-9]\" \"a1b2c3\" -1 }}",
        "Returns the matches of a regular expression, at most so many, all where that is negative.",
        |args| {
            let expression = expression(args, 1)?;
            let most = usize::try_from(args.int(2)).unwrap_or(usize::MAX);
            let found = expression.find_iter(args.string(1)?).take(most);
            Ok(Value::List(
                found.map(|found| text(found.as_str())).collect(),
            ))
        }
    ),
    &twins!(
        "regexReplaceAll",
        "mustRegexReplaceAll",
        Arity::Exactly(3),
        "func(string, string, string) string",
        "{{ regexReplaceAll \"a(x*)b\" \"-axxb-\" \"${1}W\" }}",
        "{{ mustRegexReplaceAll \"a(x*)b\" \"-axxb-\" \"${1}W\" }}",
        "Replaces all matches in the second argument by the third, in which $1 is the first group.",
        |args| { replace(args, Groups::Expanded) }
    ),
    &twins!(
        "regexReplaceAllLiteral",
        "mustRegexReplaceAllLiteral",
        Arity::Exactly(3),
        "func(string, string, string) string",
        "{{ regexReplaceAllLiteral \"a+\" \"baab\" \"$1\" }}",
        "{{ mustRegexReplaceAllLiteral \"a+\" \"baab\" \"$1\" }}",
        "Replaces all matches in the second argument by the third as it is.",
        |args| { replace(args, Groups::Literal) }
    ),
    &twins!(
        "regexSplit",
        "mustRegexSplit",
        Arity::Exactly(3),
        "func(string, string, int) []string",
        "{{ regexSplit \"z+\" \"pizza\" -1 }}",
        "{{ mustRegexSplit \"z+\" \"pizza\" -1 }}",
        "Splits the second argument at the matches, into at most so many parts, all where that is negative.",
        split
    ),
];

pub(super) const FUNCTIONS: &[Function] = &[made(
    "regexQuoteMeta",
    Arity::Exactly(1),
    "func(string) string",
    "{{ regexQuoteMeta \"1.5\" }}",
    "Escapes a text, so that a regular expression matches just it.",
    |args| Ok(text(quote_meta(args.string(0)?))),
)];

/// Escapes what Go escapes, and no more.
fn quote_meta(plain: &str) -> String {
    let mut quoted = String::with_capacity(plain.len());
    for c in plain.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// Compiles the first argument, and pays for that and for searching the one at `searched`.
fn expression(args: &Args<'_>, searched: usize) -> Result<Regex, String> {
    let pattern = args.string(0)?;
    let work = pattern.len() as u64 * 100 + args.string(searched)?.len() as u64 * 10;
    args.pay(COMPILE + work)?;
    RegexBuilder::new(pattern)
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST)
        .nest_limit(50)
        .build()
        .map_err(|error| {
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default();
            let last = last.trim_start_matches("error: ");
            format!("`{pattern}` is no regular expression: {last}")
        })
}

/// Whether a replacement names groups.
#[derive(Clone, Copy)]
enum Groups {
    Expanded,
    Literal,
}

fn replace(args: &Args<'_>, groups: Groups) -> Outcome {
    let (expression, plain, with) = (expression(args, 1)?, args.string(1)?, args.string(2)?);
    let mut out = Bounded::default();
    let mut end = 0;
    for captures in expression.captures_iter(plain) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        out.push(&plain[end..whole.start()])?;
        let mut made = String::new();
        match groups {
            Groups::Expanded => captures.expand(with, &mut made),
            Groups::Literal => {
                regex::Replacer::replace_append(&mut NoExpand(with), &captures, &mut made);
            }
        }
        out.push(&made)?;
        end = whole.end();
    }
    out.push(&plain[end..])?;
    out.done()
}

fn split(args: &Args<'_>) -> Outcome {
    let (expression, plain) = (expression(args, 1)?, args.string(1)?);
    let parts: Vec<Value> = match usize::try_from(args.int(2)) {
        Ok(most) => expression.splitn(plain, most).map(text).collect(),
        Err(_) => expression.split(plain).map(text).collect(),
    };
    Ok(Value::List(parts.into()))
}
