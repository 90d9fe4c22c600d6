//! What counts as empty.

use gotmpl::Value;

use super::{Arity, Function, Origin};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "default",
        arity: Arity::Exactly(2),
        origin: Origin::Passed,
        signature: "func(interface {}, ...interface {}) interface {}",
        usage: "{{ \"\" | default \"none\" }}",
        about: &["Returns the second argument, or the first where the second is empty."],
        call: |args| Ok(args.value(usize::from(args.value(1).is_truthy())).clone()),
    },
    Function {
        name: "empty",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(interface {}) bool",
        usage: "{{ empty \"\" }}",
        about: &["Tells whether a value is empty: no value, false, 0, or without content."],
        call: |args| Ok(Value::Bool(!args.value(0).is_truthy())),
    },
];
