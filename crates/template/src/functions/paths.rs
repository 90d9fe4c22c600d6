//! Paths, as text: nothing is looked up. Paths of this system and paths with slashes are the same.

use super::args::Args;
use super::{Arity, Function, Outcome, made};
use crate::url::parts;
use crate::value::text;

const TEXT: &str = "func(string) string";
const ASK: &str = "func(string) bool";

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "base",
        Arity::Exactly(1),
        TEXT,
        "{{ base \"a/b.txt\" }}",
        "Returns the last part of a path.",
        |args| of(args, base),
    ),
    made(
        "dir",
        Arity::Exactly(1),
        TEXT,
        "{{ dir \"a/b.txt\" }}",
        "Returns a path without its last part.",
        |args| of(args, dir),
    ),
    made(
        "ext",
        Arity::Exactly(1),
        TEXT,
        "{{ ext \"a/b.txt\" }}",
        "Returns the ending of a path, with its dot.",
        |args| of(args, ext),
    ),
    made(
        "clean",
        Arity::Exactly(1),
        TEXT,
        "{{ clean \"a/../b//c\" }}",
        "Returns the shortest path that means the same.",
        |args| of(args, clean),
    ),
    made(
        "isAbs",
        Arity::Exactly(1),
        ASK,
        "{{ isAbs \"/a\" }}",
        "Tells whether a path starts at the root.",
        is_abs,
    ),
    made(
        "osBase",
        Arity::Exactly(1),
        TEXT,
        "{{ osBase \"a/b.txt\" }}",
        "The same as base.",
        |args| of(args, base),
    ),
    made(
        "osDir",
        Arity::Exactly(1),
        TEXT,
        "{{ osDir \"a/b.txt\" }}",
        "The same as dir.",
        |args| of(args, dir),
    ),
    made(
        "osExt",
        Arity::Exactly(1),
        TEXT,
        "{{ osExt \"a/b.txt\" }}",
        "The same as ext.",
        |args| of(args, ext),
    ),
    made(
        "osClean",
        Arity::Exactly(1),
        TEXT,
        "{{ osClean \"a/../b//c\" }}",
        "The same as clean.",
        |args| of(args, clean),
    ),
    made(
        "osIsAbs",
        Arity::Exactly(1),
        ASK,
        "{{ osIsAbs \"/a\" }}",
        "The same as isAbs.",
        is_abs,
    ),
];

fn of(args: &Args<'_>, part: fn(&str) -> String) -> Outcome {
    Ok(text(part(args.string(0)?)))
}

fn is_abs(args: &Args<'_>) -> Outcome {
    Ok(gotmpl::Value::Bool(args.string(0)?.starts_with('/')))
}

fn base(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let trimmed = path.trim_end_matches('/');
    let last = trimmed.rsplit('/').next().unwrap_or_default();
    if last.is_empty() { "/" } else { last }.to_owned()
}

fn dir(path: &str) -> String {
    clean(path.rfind('/').map_or("", |at| &path[..=at]))
}

fn ext(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.rfind('.').map_or("", |at| &last[at..]).to_owned()
}

fn clean(path: &str) -> String {
    match (path.starts_with('/'), parts(path).join("/")) {
        (true, rest) => format!("/{rest}"),
        (false, rest) if rest.is_empty() => ".".to_owned(),
        (false, rest) => rest,
    }
}
