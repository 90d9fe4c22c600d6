//! JSON: InfraKit's functions, and sprig's.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made};
use crate::value::{COMPACT, Layout, from_json, text, write_json};

const ENCODE: &str = "func(interface {}) (string, error)";
const DECODE: &str = "func(string) (interface {}, error)";
/// Two spaces for each level.
const PRETTY: Layout<'_> = Layout {
    lines: Some(("", "  ")),
    html: true,
};
const RAW: Layout<'_> = Layout {
    lines: None,
    html: false,
};

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "jsonEncode",
        Arity::Exactly(1),
        ENCODE,
        "{{ dict \"a\" 1 | jsonEncode }}",
        "Writes a value as JSON, with sorted keys, indented by two spaces.",
        |args| encode(args.value(0), PRETTY),
    ),
    made(
        "jsonEncodeIndent",
        Arity::Exactly(3),
        "func(string, string, interface {}) (string, error)",
        "{{ dict \"a\" 1 | jsonEncodeIndent \"\" \"    \" }}",
        "Writes a value as JSON; each line but the first begins with the first argument, and the second for each level.",
        encode_indent,
    ),
    made(
        "jsonDecode",
        Arity::Exactly(1),
        "func(interface {}) (interface {}, error)",
        "{{ (jsonDecode `{\"a\": 1}`).a }}",
        "Reads a value from JSON.",
        decode,
    ),
    made(
        "toJson",
        Arity::Exactly(1),
        ENCODE,
        "{{ dict \"a\" 1 | toJson }}",
        "Writes a value as JSON on one line.",
        |args| encode(args.value(0), COMPACT),
    ),
    made(
        "mustToJson",
        Arity::Exactly(1),
        ENCODE,
        "{{ dict \"a\" 1 | mustToJson }}",
        "The same as toJson.",
        |args| encode(args.value(0), COMPACT),
    ),
    made(
        "toPrettyJson",
        Arity::Exactly(1),
        ENCODE,
        "{{ dict \"a\" 1 | toPrettyJson }}",
        "Writes a value as JSON, indented by two spaces.",
        |args| encode(args.value(0), PRETTY),
    ),
    made(
        "mustToPrettyJson",
        Arity::Exactly(1),
        ENCODE,
        "{{ dict \"a\" 1 | mustToPrettyJson }}",
        "The same as toPrettyJson.",
        |args| encode(args.value(0), PRETTY),
    ),
    made(
        "toRawJson",
        Arity::Exactly(1),
        ENCODE,
        "{{ dict \"a\" \"<&>\" | toRawJson }}",
        "Writes a value as JSON on one line, without escapes for HTML.",
        |args| encode(args.value(0), RAW),
    ),
    made(
        "mustToRawJson",
        Arity::Exactly(1),
        ENCODE,
        "{{ dict \"a\" \"<&>\" | mustToRawJson }}",
        "The same as toRawJson.",
        |args| encode(args.value(0), RAW),
    ),
    made(
        "fromJson",
        Arity::Exactly(1),
        DECODE,
        "{{ (fromJson `{\"a\": 1}`).a }}",
        "Reads a value from JSON; what is not JSON gives no value.",
        |args| Ok(decode(args).unwrap_or(Value::Nil)),
    ),
    made(
        "mustFromJson",
        Arity::Exactly(1),
        DECODE,
        "{{ (mustFromJson `{\"a\": 1}`).a }}",
        "Reads a value from JSON.",
        decode,
    ),
];

fn encode(value: &Value, layout: Layout<'_>) -> Outcome {
    let mut json = String::new();
    write_json(&mut json, value, layout, 0)?;
    Ok(text(json))
}

fn encode_indent(args: &Args<'_>) -> Outcome {
    let (prefix, indent) = (args.string(0)?, args.string(1)?);
    // Written for each level of each line: the bound keeps a line shorter than a value may be.
    if prefix.len() > 256 || indent.len() > 256 {
        return Err("the indentation is longer than 256 bytes".to_owned());
    }
    let layout = Layout {
        lines: Some((prefix, indent)),
        html: true,
    };
    encode(args.value(2), layout)
}

fn decode(args: &Args<'_>) -> Outcome {
    let json: serde_json::Value =
        serde_json::from_str(args.string(0)?).map_err(|error| format!("not JSON: {error}"))?;
    Ok(from_json(&json))
}
