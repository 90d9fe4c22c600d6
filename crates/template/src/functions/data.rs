//! Lists and dicts.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made, passed};
use crate::value::{map, text, to_text};

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "list",
        Arity::AtLeast(0),
        "func(...interface {}) []interface {}",
        "{{ list 1 \"a\" | len }}",
        "Makes a list of the arguments.",
        |args| Ok(Value::List(args.values.into())),
    )
    .unseen(),
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
            Ok(args
                .dict(0)?
                .get(args.string(1)?)
                .cloned()
                .unwrap_or_else(|| text("")))
        },
    ),
    made(
        "set",
        Arity::Exactly(3),
        "func(map[string]interface {}, string, interface {}) map[string]interface {}",
        "{{ (set (dict \"a\" 1) \"b\" 2).b }}",
        "Sets a value in a dict, and returns the dict. All who hold it see the change.",
        set,
    )
    .unseen(),
    made(
        "keys",
        Arity::AtLeast(1),
        "func(...map[string]interface {}) []string",
        "{{ keys (dict \"a\" 1) | join \",\" }}",
        "Returns the keys of all dicts, sorted within each.",
        keys,
    ),
    passed(
        "first",
        Arity::Exactly(1),
        "func(interface {}) interface {}",
        "{{ list 1 2 | first }}",
        "Returns the first item of a list.",
        |args| Ok(args.list(0)?.first().cloned().unwrap_or(Value::Nil)),
    ),
    passed(
        "last",
        Arity::Exactly(1),
        "func(interface {}) interface {}",
        "{{ list 1 2 | last }}",
        "Returns the last item of a list.",
        |args| Ok(args.list(0)?.last().cloned().unwrap_or(Value::Nil)),
    ),
    made(
        "index_of",
        Arity::Between(2, 3),
        "func(interface {}, interface {}, ...bool) int",
        "{{ index_of \"b\" (list \"a\" \"b\") }}",
        "Returns the position of the first argument in a list, counted from 0, or -1.\nValues that print alike are taken as equal, unless a third argument `true` asks for equal types too.",
        index_of,
    ),
    made(
        "indexOf",
        Arity::Between(2, 3),
        "func(interface {}, interface {}, ...bool) int",
        "{{ indexOf \"b\" (list \"a\" \"b\") }}",
        "The same as index_of.",
        index_of,
    ),
    made(
        "loop",
        Arity::Exactly(1),
        "func(int) []int",
        "{{ range loop 3 }}x{{ end }}",
        "Returns a list of the given length, at most a million, to range over. Its items count from 0.",
        |args| {
            Ok(Value::List(
                (0..args.count(0)?)
                    .map(|turn| Value::Int(turn as i64))
                    .collect(),
            ))
        },
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
    args.frame.run.cells.change(dict, |entries| {
        entries.insert(key.into(), value);
    });
    Ok(args.value(0).clone())
}

fn keys(args: &Args<'_>) -> Outcome {
    let mut keys = Vec::new();
    for index in 0..args.values.len() {
        keys.extend(
            args.dict(index)?
                .keys()
                .map(|key| Value::String(key.clone())),
        );
    }
    Ok(Value::List(keys.into()))
}

fn index_of(args: &Args<'_>) -> Outcome {
    let (item, items) = (args.value(0), args.list(1)?);
    let wanted = to_text(item);
    let position = if args.value(2).is_truthy() {
        items
            .iter()
            .position(|other| other.type_name() == item.type_name() && to_text(other) == wanted)
    } else {
        items.iter().position(|other| to_text(other) == wanted)
    };
    Ok(Value::Int(position.map_or(-1, |position| position as i64)))
}
