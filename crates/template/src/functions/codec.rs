//! Encodings: JSON, base 64, hexadecimal sums, escaped delimiters.

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

use super::args::Args;
use super::{Arity, Function, Outcome, made};
use crate::value::{from_json, text, write_json};

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "b64enc",
        Arity::Exactly(1),
        "func(string) string",
        "{{ b64enc \"a\" }}",
        "Encodes a text in base 64.",
        |args| Ok(text(BASE64.encode(args.string(0)?.as_bytes()))),
    ),
    made(
        "b64dec",
        Arity::Exactly(1),
        "func(string) string",
        "{{ b64dec \"YQ==\" }}",
        "Decodes a text from base 64.",
        b64dec,
    ),
    made(
        "sha256sum",
        Arity::Exactly(1),
        "func(string) string",
        "{{ sha256sum \"a\" }}",
        "Returns the SHA-256 sum of a text, in hexadecimal.",
        |args| Ok(text(HEXLOWER.encode(&Sha256::digest(args.string(0)?)))),
    ),
    made(
        "jsonEncode",
        Arity::Exactly(1),
        "func(interface {}) (string, error)",
        "{{ dict \"a\" 1 | jsonEncode }}",
        "Writes a value as JSON, on one line, with sorted keys.",
        json_encode,
    ),
    made(
        "jsonDecode",
        Arity::Exactly(1),
        "func(interface {}) (interface {}, error)",
        "{{ (jsonDecode \"{}\") | len }}",
        "Reads a value from JSON.",
        json_decode,
    ),
    made(
        "escape",
        Arity::Exactly(1),
        "func(string) string",
        "{{ escape \"a\" }}",
        "Escapes the delimiters of a text, so that a later rendering does not evaluate it.",
        |args| {
            Ok(text(
                args.string(0)?
                    .replace("{{", r"\{\{")
                    .replace("}}", r"\}\}"),
            ))
        },
    ),
    made(
        "unescape",
        Arity::Exactly(1),
        "func(string) string",
        "{{ unescape \"a\" }}",
        "Takes back what escape did.",
        |args| {
            Ok(text(
                args.string(0)?
                    .replace(r"\{\{", "{{")
                    .replace(r"\}\}", "}}"),
            ))
        },
    ),
];

fn b64dec(args: &Args<'_>) -> Outcome {
    let bytes = BASE64
        .decode(args.string(0)?.as_bytes())
        .map_err(|error| format!("not base 64: {error}"))?;
    let decoded =
        String::from_utf8(bytes).map_err(|_| "the decoded bytes are not UTF-8 text".to_owned())?;
    Ok(text(decoded))
}

fn json_encode(args: &Args<'_>) -> Outcome {
    let mut json = String::new();
    write_json(&mut json, args.value(0))?;
    Ok(text(json))
}

fn json_decode(args: &Args<'_>) -> Outcome {
    let json: serde_json::Value =
        serde_json::from_str(args.string(0)?).map_err(|error| format!("not JSON: {error}"))?;
    Ok(from_json(&json))
}
