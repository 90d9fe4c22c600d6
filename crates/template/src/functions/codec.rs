//! Encodings: JSON, base 64, hexadecimal sums, escaped delimiters.

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

use super::args::Args;
use super::{Arity, Function, Origin, Outcome};
use crate::value::{from_json, text, write_json};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "b64enc",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(string) string",
        usage: "{{ b64enc \"a\" }}",
        about: &["Encodes a text in base 64."],
        call: |args| Ok(text(BASE64.encode(args.string(0)?.as_bytes()))),
    },
    Function {
        name: "b64dec",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(string) string",
        usage: "{{ b64dec \"YQ==\" }}",
        about: &["Decodes a text from base 64."],
        call: b64dec,
    },
    Function {
        name: "sha256sum",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(string) string",
        usage: "{{ sha256sum \"a\" }}",
        about: &["Returns the SHA-256 sum of a text, in hexadecimal."],
        call: |args| Ok(text(HEXLOWER.encode(&Sha256::digest(args.string(0)?)))),
    },
    Function {
        name: "jsonEncode",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(interface {}) (string, error)",
        usage: "{{ dict \"a\" 1 | jsonEncode }}",
        about: &["Writes a value as JSON, on one line, with sorted keys."],
        call: json_encode,
    },
    Function {
        name: "jsonDecode",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(interface {}) (interface {}, error)",
        usage: "{{ (jsonDecode \"{}\") | len }}",
        about: &["Reads a value from JSON."],
        call: json_decode,
    },
    Function {
        name: "escape",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(string) string",
        usage: "{{ escape \"a\" }}",
        about: &[
            "Escapes the delimiters of a text, so that a later rendering does not evaluate it.",
        ],
        call: |args| {
            Ok(text(
                args.string(0)?
                    .replace("{{", r"\{\{")
                    .replace("}}", r"\}\}"),
            ))
        },
    },
    Function {
        name: "unescape",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(string) string",
        usage: "{{ unescape \"a\" }}",
        about: &["Takes back what escape did."],
        call: |args| {
            Ok(text(
                args.string(0)?
                    .replace(r"\{\{", "{{")
                    .replace(r"\}\}", "}}"),
            ))
        },
    },
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
