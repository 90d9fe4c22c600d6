//! Dicts.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made, passed};
use crate::cells::{Cells, Dict};
use crate::value::{deep_copy, map, text, to_text};

const WITH_KEYS: &str = "func(map[string]interface {}, ...string) map[string]interface {}";
const MERGE: &str = "func(map[string]interface {}, ...map[string]interface {}) interface {}";

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "dict",
        Arity::AtLeast(0),
        "func(...interface {}) map[string]interface {}",
        "{{ (dict \"a\" 1).a }}",
        "Makes a dict of pairs of key and value; a last key without value gets an empty text.",
        dict,
    )
    .unseen(),
    passed(
        "get",
        Arity::Exactly(2),
        "func(map[string]interface {}, string) interface {}",
        "{{ get (dict \"a\" 1) \"a\" }}",
        "Returns the value under a key, or an empty text.",
        |args| {
            let found = args.dict(0)?.get(args.string(1)?).cloned();
            Ok(found.unwrap_or_else(|| text("")))
        },
    ),
    passed(
        "k",
        Arity::Exactly(2),
        "func(interface {}, map[string]interface {}) interface {}",
        "{{ dict \"a\" 1 | k \"a\" }}",
        "Returns the value under a key, or no value; the dict comes last, so that it can be piped in.",
        |args| {
            let found = args.dict(1)?.get(to_text(args.value(0)).as_ref()).cloned();
            Ok(found.unwrap_or(Value::Nil))
        },
    ),
    made(
        "set",
        Arity::Exactly(3),
        "func(map[string]interface {}, string, interface {}) map[string]interface {}",
        "{{ $d := dict \"a\" 1 }}{{ $_ := set $d \"b\" 2 }}{{ $d.b }}",
        "Sets a value in a dict, and returns the dict. All who hold it see the change.",
        set,
    )
    .unseen(),
    made(
        "unset",
        Arity::Exactly(2),
        "func(map[string]interface {}, string) map[string]interface {}",
        "{{ unset (dict \"a\" 1 \"b\" 2) \"b\" }}",
        "Removes a key from a dict, and returns the dict. All who hold it see the change.",
        |args| {
            let (dict, key) = (args.handle(0)?, args.string(1)?);
            args.cells().change(dict, |entries| {
                entries.remove(key);
            });
            Ok(args.value(0).clone())
        },
    )
    .unseen(),
    passed(
        "hasKey",
        Arity::Exactly(2),
        "func(map[string]interface {}, string) bool",
        "{{ hasKey (dict \"a\" 1) \"a\" }}",
        "Tells whether a key is in a dict.",
        |args| Ok(Value::Bool(args.dict(0)?.contains_key(args.string(1)?))),
    ),
    made(
        "keys",
        Arity::AtLeast(1),
        "func(...map[string]interface {}) []string",
        "{{ keys (dict \"a\" 1) | join \",\" }}",
        "Returns the keys of all dicts, sorted within each.",
        keys,
    )
    .outside(),
    made(
        "values",
        Arity::Exactly(1),
        "func(map[string]interface {}) []interface {}",
        "{{ values (dict \"a\" 1) }}",
        "Returns the values of a dict, in the order of their keys.",
        |args| Ok(Value::List(args.dict(0)?.values().cloned().collect())),
    )
    .outside(),
    made(
        "pluck",
        Arity::AtLeast(1),
        "func(string, ...map[string]interface {}) []interface {}",
        "{{ pluck \"a\" (dict \"a\" 1) (dict \"a\" 2) }}",
        "Returns the values under one key in several dicts.",
        pluck,
    )
    .outside(),
    made(
        "pick",
        Arity::AtLeast(1),
        WITH_KEYS,
        "{{ pick (dict \"a\" 1 \"b\" 2) \"a\" }}",
        "Returns a dict of those keys only.",
        |args| select(args, true),
    )
    .outside(),
    made(
        "omit",
        Arity::AtLeast(1),
        WITH_KEYS,
        "{{ omit (dict \"a\" 1 \"b\" 2) \"a\" }}",
        "Returns a dict of all but those keys.",
        |args| select(args, false),
    )
    .outside(),
    made(
        "dig",
        Arity::AtLeast(3),
        "func(...interface {}) (interface {}, error)",
        "{{ dig \"a\" \"b\" \"none\" (dict \"a\" (dict \"b\" 1)) }}",
        "Follows keys into a dict, which comes last; before it stands what to return when a key is missing.",
        dig,
    )
    .outside(),
    made(
        "merge",
        Arity::AtLeast(1),
        MERGE,
        "{{ merge (dict \"a\" 1) (dict \"a\" 2 \"b\" 3) }}",
        "Adds to the first dict what it lacks of the others, dicts in it likewise, and returns it.",
        |args| merge(args, Precedence::First),
    )
    .unseen(),
    made(
        "mustMerge",
        Arity::AtLeast(1),
        MERGE,
        "{{ mustMerge (dict \"a\" 1) (dict \"b\" 3) }}",
        "The same as merge.",
        |args| merge(args, Precedence::First),
    )
    .unseen(),
    made(
        "mergeOverwrite",
        Arity::AtLeast(1),
        MERGE,
        "{{ mergeOverwrite (dict \"a\" 1) (dict \"a\" 2) }}",
        "Writes the others over the first dict, dicts in it likewise, and returns it.",
        |args| merge(args, Precedence::Last),
    )
    .unseen(),
    made(
        "mustMergeOverwrite",
        Arity::AtLeast(1),
        MERGE,
        "{{ mustMergeOverwrite (dict \"a\" 1) (dict \"a\" 2) }}",
        "The same as mergeOverwrite.",
        |args| merge(args, Precedence::Last),
    )
    .unseen(),
    made(
        "deepCopy",
        Arity::Exactly(1),
        "func(interface {}) interface {}",
        "{{ deepCopy (dict \"a\" 1) }}",
        "Returns a copy: changing it does not change the original.",
        |args| Ok(deep_copy(args.value(0))),
    ),
    made(
        "mustDeepCopy",
        Arity::Exactly(1),
        "func(interface {}) (interface {}, error)",
        "{{ mustDeepCopy (dict \"a\" 1) }}",
        "The same as deepCopy.",
        |args| Ok(deep_copy(args.value(0))),
    ),
];

fn dict(args: &Args<'_>) -> Outcome {
    Ok(map(args.values.chunks(2).filter_map(|pair| match pair {
        [key, value] => Some((to_text(key), value.clone())),
        [key] => Some((to_text(key), text(""))),
        _ => None,
    })))
}

fn set(args: &Args<'_>) -> Outcome {
    let (dict, key, value) = (args.handle(0)?, args.string(1)?, args.value(2).clone());
    args.cells().change(dict, |entries| {
        entries.insert(key.into(), value);
    });
    Ok(args.value(0).clone())
}

fn keys(args: &Args<'_>) -> Outcome {
    let mut keys = Vec::new();
    for index in 0..args.values.len() {
        let dict = args.dict(index)?;
        keys.extend(dict.keys().map(|key| Value::String(key.clone())));
    }
    Ok(Value::List(keys.into()))
}

fn pluck(args: &Args<'_>) -> Outcome {
    let key = args.string(0)?;
    let mut found = Vec::new();
    for index in 1..args.values.len() {
        found.extend(args.dict(index)?.get(key).cloned());
    }
    Ok(Value::List(found.into()))
}

fn select(args: &Args<'_>, named: bool) -> Outcome {
    let mut names = std::collections::BTreeSet::new();
    for index in 1..args.values.len() {
        names.insert(args.string(index)?);
    }
    let entries = args.dict(0)?.iter();
    let chosen = entries.filter(|(key, _)| names.contains(key.as_ref()) == named);
    Ok(map(
        chosen.map(|(key, value)| (Arc::clone(key), value.clone()))
    ))
}

fn dig(args: &Args<'_>) -> Outcome {
    let last = args.values.len() - 1;
    let mut at = Value::Map(Arc::new(args.dict(last)?.clone()));
    for index in 0..last - 1 {
        let Value::Map(entries) = &at else {
            return Err(format!("`{}` is not in a dict", args.string(index)?));
        };
        match entries.get(args.string(index)?) {
            Some(inner) => at = args.cells().now(inner),
            None => return Ok(args.value(last - 1).clone()),
        }
    }
    Ok(at)
}

/// Which of two values under one key stays.
#[derive(Clone, Copy, PartialEq)]
enum Precedence {
    First,
    Last,
}

fn merge(args: &Args<'_>, precedence: Precedence) -> Outcome {
    let cells = args.cells();
    let into = args.handle(0)?;
    for index in 1..args.values.len() {
        let other = args.handle(index)?;
        merge_into(args, cells, into, other, precedence)?;
    }
    Ok(args.value(0).clone())
}

fn merge_into(
    args: &Args<'_>,
    cells: &Cells,
    into: &Dict,
    other: &Dict,
    precedence: Precedence,
) -> Result<(), String> {
    let now = |dict: &Dict| match cells.now(&Value::Map(Arc::clone(dict))) {
        Value::Map(entries) => entries,
        _ => Arc::new(BTreeMap::new()),
    };
    let (mine, theirs) = (now(into), now(other));
    args.pay(100 * theirs.len() as u64 + mine.len() as u64)?;
    let mut added = Vec::new();
    for (key, value) in theirs.iter() {
        match (mine.get(key), value) {
            (Some(Value::Map(inner)), Value::Map(other)) => {
                merge_into(args, cells, inner, other, precedence)?;
            }
            (Some(inner), _) if precedence == Precedence::First && inner.is_truthy() => {}
            _ => added.push((Arc::clone(key), value.clone())),
        }
    }
    drop(mine);
    if !added.is_empty() {
        cells.change(into, |entries| entries.extend(added));
    }
    Ok(())
}
