//! Encodings and sums of texts, escaped delimiters.

use data_encoding::{BASE32, BASE64, HEXLOWER};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::args::Args;
use super::{Arity, Function, Outcome, made};
use crate::value::text;

const TEXT: &str = "func(string) string";

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "b64enc",
        Arity::Exactly(1),
        TEXT,
        "{{ b64enc \"a\" }}",
        "Encodes a text in base 64.",
        |args| Ok(text(BASE64.encode(args.string(0)?.as_bytes()))),
    ),
    made(
        "b64dec",
        Arity::Exactly(1),
        TEXT,
        "{{ b64dec \"YQ==\" }}",
        "Decodes a text from base 64.",
        |args| decode(args, &BASE64, "base 64"),
    ),
    made(
        "b32enc",
        Arity::Exactly(1),
        TEXT,
        "{{ b32enc \"a\" }}",
        "Encodes a text in base 32.",
        |args| Ok(text(BASE32.encode(args.string(0)?.as_bytes()))),
    ),
    made(
        "b32dec",
        Arity::Exactly(1),
        TEXT,
        "{{ b32dec \"ME======\" }}",
        "Decodes a text from base 32.",
        |args| decode(args, &BASE32, "base 32"),
    ),
    made(
        "sha1sum",
        Arity::Exactly(1),
        TEXT,
        "{{ sha1sum \"a\" }}",
        "Returns the SHA-1 sum of a text, in hexadecimal.",
        |args| Ok(text(HEXLOWER.encode(&Sha1::digest(args.string(0)?)))),
    ),
    made(
        "sha256sum",
        Arity::Exactly(1),
        TEXT,
        "{{ sha256sum \"a\" }}",
        "Returns the SHA-256 sum of a text, in hexadecimal.",
        |args| Ok(text(HEXLOWER.encode(&Sha256::digest(args.string(0)?)))),
    ),
    made(
        "sha512sum",
        Arity::Exactly(1),
        TEXT,
        "{{ sha512sum \"a\" }}",
        "Returns the SHA-512 sum of a text, in hexadecimal.",
        |args| Ok(text(HEXLOWER.encode(&Sha512::digest(args.string(0)?)))),
    ),
    made(
        "adler32sum",
        Arity::Exactly(1),
        TEXT,
        "{{ adler32sum \"a\" }}",
        "Returns the Adler-32 sum of a text, in decimal.",
        |args| Ok(text(adler32(args.string(0)?.as_bytes()).to_string())),
    ),
    made(
        "escape",
        Arity::Exactly(1),
        TEXT,
        "{{ escape \"{{ . }}\" }}",
        "Escapes the braces of a text, so that the next rendering prints and does not evaluate them.",
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
        TEXT,
        "{{ escape \"a\" | unescape }}",
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

fn decode(args: &Args<'_>, encoding: &data_encoding::Encoding, name: &str) -> Outcome {
    let bytes = encoding
        .decode(args.string(0)?.as_bytes())
        .map_err(|error| format!("not {name}: {error}"))?;
    let decoded =
        String::from_utf8(bytes).map_err(|_| "the decoded bytes are not UTF-8 text".to_owned())?;
    Ok(text(decoded))
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    (high << 16) | low
}
