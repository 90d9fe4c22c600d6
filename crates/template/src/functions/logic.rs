//! What counts as empty.

use gotmpl::Value;

use super::{Arity, Function, made, passed};

pub(super) const FUNCTIONS: &[Function] = &[
    passed(
        "default",
        Arity::Exactly(2),
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
    ),
];
