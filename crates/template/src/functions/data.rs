//! Lists and dicts.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Origin, Outcome};
use crate::value::{map, text, to_text};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "list",
        arity: Arity::AtLeast(0),
        origin: Origin::Made,
        signature: "func(...interface {}) []interface {}",
        usage: "{{ list 1 \"a\" | len }}",
        about: &["Makes a list of the arguments."],
        call: |args| Ok(Value::List(args.values.into())),
    },
    Function {
        name: "dict",
        arity: Arity::AtLeast(0),
        origin: Origin::Made,
        signature: "func(...interface {}) map[string]interface {}",
        usage: "{{ (dict \"a\" 1).a }}",
        about: &[
            "Makes a dict of pairs of key and value; a last key without value gets an empty text.",
        ],
        call: dict,
    },
    Function {
        name: "get",
        arity: Arity::Exactly(2),
        origin: Origin::Passed,
        signature: "func(map[string]interface {}, string) interface {}",
        usage: "{{ get (dict \"a\" 1) \"a\" }}",
        about: &["Returns the value under a key, or an empty text."],
        call: |args| {
            Ok(args
                .dict(0)?
                .get(args.string(1)?)
                .cloned()
                .unwrap_or_else(|| text("")))
        },
    },
    Function {
        name: "set",
        arity: Arity::Exactly(3),
        origin: Origin::Made,
        signature: "func(map[string]interface {}, string, interface {}) map[string]interface {}",
        usage: "{{ (set (dict \"a\" 1) \"b\" 2).b }}",
        about: &["Returns the dict with a value set. The dict that was given stays as it was."],
        call: set,
    },
    Function {
        name: "keys",
        arity: Arity::AtLeast(1),
        origin: Origin::Made,
        signature: "func(...map[string]interface {}) []string",
        usage: "{{ keys (dict \"a\" 1) | join \",\" }}",
        about: &["Returns the keys of all dicts, sorted within each."],
        call: keys,
    },
    Function {
        name: "first",
        arity: Arity::Exactly(1),
        origin: Origin::Passed,
        signature: "func(interface {}) interface {}",
        usage: "{{ list 1 2 | first }}",
        about: &["Returns the first item of a list."],
        call: |args| Ok(args.list(0)?.first().cloned().unwrap_or(Value::Nil)),
    },
    Function {
        name: "last",
        arity: Arity::Exactly(1),
        origin: Origin::Passed,
        signature: "func(interface {}) interface {}",
        usage: "{{ list 1 2 | last }}",
        about: &["Returns the last item of a list."],
        call: |args| Ok(args.list(0)?.last().cloned().unwrap_or(Value::Nil)),
    },
    Function {
        name: "index_of",
        arity: Arity::Between(2, 3),
        origin: Origin::Made,
        signature: "func(interface {}, interface {}, ...bool) int",
        usage: "{{ index_of \"b\" (list \"a\" \"b\") }}",
        about: &[
            "Returns the position of the first argument in a list, counted from 0, or -1.",
            "Values that print alike are taken as equal, unless a third argument `true` asks for equal types too.",
        ],
        call: index_of,
    },
    Function {
        name: "indexOf",
        arity: Arity::Between(2, 3),
        origin: Origin::Made,
        signature: "func(interface {}, interface {}, ...bool) int",
        usage: "{{ indexOf \"b\" (list \"a\" \"b\") }}",
        about: &["The same as index_of."],
        call: index_of,
    },
    Function {
        name: "loop",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(int) []int",
        usage: "{{ range loop 3 }}x{{ end }}",
        about: &[
            "Returns a list of the given length, at most a million, to range over. Its items count from 0.",
        ],
        call: |args| {
            Ok(Value::List(
                (0..args.count(0)?)
                    .map(|turn| Value::Int(turn as i64))
                    .collect(),
            ))
        },
    },
];

fn dict(args: &Args<'_>) -> Outcome {
    Ok(map(args.values.chunks(2).filter_map(|pair| match pair {
        [key, value] => Some((to_text(key), value.clone())),
        [key] => Some((to_text(key), text(""))),
        _ => None,
    })))
}

fn set(args: &Args<'_>) -> Outcome {
    let mut entries = args.dict(0)?.clone();
    entries.insert(args.string(1)?.into(), args.value(2).clone());
    Ok(Value::Map(entries.into()))
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
