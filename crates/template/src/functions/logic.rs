//! What counts as empty, what a value is, and giving up.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made, passed};
use crate::value::{text, to_text, type_of};

const ASK: &str = "func(string, interface {}) bool";

pub(super) const FUNCTIONS: &[Function] = &[
    passed(
        "default",
        Arity::Between(1, 2),
        "func(interface {}, ...interface {}) interface {}",
        "{{ \"\" | default \"none\" }}",
        "Returns the second argument, or the first where the second is empty.",
        |args| Ok(args.value(usize::from(args.value(1).is_truthy())).clone()),
    ),
    made(
        "empty",
        Arity::Exactly(1),
        "func(interface {}) bool",
        "{{ empty \"\" }}",
        "Tells whether a value is empty: no value, false, 0, or without content.",
        |args| Ok(Value::Bool(!args.value(0).is_truthy())),
    )
    .outside(),
    passed(
        "coalesce",
        Arity::AtLeast(0),
        "func(...interface {}) interface {}",
        "{{ coalesce \"\" 0 \"a\" }}",
        "Returns the first argument that is not empty.",
        |args| {
            let found = args.values.iter().find(|value| value.is_truthy());
            Ok(found.cloned().unwrap_or(Value::Nil))
        },
    ),
    made(
        "all",
        Arity::AtLeast(0),
        "func(...interface {}) bool",
        "{{ all 1 \"a\" true }}",
        "Tells whether no argument is empty.",
        |args| Ok(Value::Bool(args.values.iter().all(Value::is_truthy))),
    )
    .outside(),
    made(
        "any",
        Arity::AtLeast(0),
        "func(...interface {}) bool",
        "{{ any 0 \"\" true }}",
        "Tells whether an argument is not empty.",
        |args| Ok(Value::Bool(args.values.iter().any(Value::is_truthy))),
    )
    .outside(),
    passed(
        "ternary",
        Arity::Exactly(3),
        "func(interface {}, interface {}, bool) interface {}",
        "{{ true | ternary \"yes\" \"no\" }}",
        "Returns the first argument if the third is true, else the second.",
        |args| match args.value(2) {
            Value::Bool(flag) => Ok(args.value(usize::from(!*flag)).clone()),
            _ => Err(args.mismatch(2, "true or false")),
        },
    ),
    made(
        "typeOf",
        Arity::Exactly(1),
        "func(interface {}) string",
        "{{ typeOf 1.5 }}",
        "Returns the name of a value's type in Go.",
        |args| Ok(text(type_of(args.value(0)))),
    ),
    made(
        "typeIs",
        Arity::Exactly(2),
        ASK,
        "{{ typeIs \"string\" \"a\" }}",
        "Tells whether a value is of a type.",
        |args| is(args, type_of),
    ),
    made(
        "typeIsLike",
        Arity::Exactly(2),
        ASK,
        "{{ typeIsLike \"string\" \"a\" }}",
        "The same as typeIs: there are no pointers here.",
        |args| is(args, type_of),
    ),
    made(
        "kindOf",
        Arity::Exactly(1),
        "func(interface {}) string",
        "{{ kindOf (list) }}",
        "Returns the kind of a value: string, int, float64, bool, slice, map, invalid.",
        |args| Ok(text(kind_of(args.value(0)))),
    ),
    made(
        "kindIs",
        Arity::Exactly(2),
        ASK,
        "{{ kindIs \"map\" (dict) }}",
        "Tells whether a value is of a kind.",
        |args| is(args, kind_of),
    ),
    made(
        "deepEqual",
        Arity::Exactly(2),
        "func(interface {}, interface {}) bool",
        "{{ deepEqual (list 1) (list 1) }}",
        "Tells whether two values have the same types and content.",
        |args| Ok(Value::Bool(args.value(0) == args.value(1))),
    ),
    made(
        "fail",
        Arity::Exactly(1),
        "func(string) (string, error)",
        "{{ if false }}{{ fail \"no size given\" }}{{ end }}",
        "Ends the rendering with a message.",
        |args| Err(to_text(args.value(0)).into_owned()),
    ),
    made(
        "hello",
        Arity::Exactly(0),
        "func() string",
        "{{ hello }}",
        "Returns a greeting.",
        |_| Ok(text("Hello!")),
    ),
];

fn is(args: &Args<'_>, name: fn(&Value) -> &'static str) -> Outcome {
    Ok(Value::Bool(args.string(0)? == name(args.value(1))))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "invalid",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
        Value::Function(_) => "func",
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::String(_) => {
            type_of(value)
        }
    }
}
