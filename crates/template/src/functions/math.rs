//! Arithmetic, as sprig does it: on 64-bit integers that wrap around.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Origin, Outcome, write};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "add",
        arity: Arity::AtLeast(0),
        origin: Origin::Made,
        signature: "func(...interface {}) int64",
        usage: "{{ add 1 2 3 }}",
        about: &["Adds all numbers."],
        call: |args| fold(args, 0, i64::wrapping_add),
    },
    Function {
        name: "add1",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(interface {}) int64",
        usage: "{{ add1 4 }}",
        about: &["Adds one to a number."],
        call: |args| Ok(Value::Int(args.int(0).wrapping_add(1))),
    },
    Function {
        name: "sub",
        arity: Arity::Exactly(2),
        origin: Origin::Made,
        signature: "func(interface {}, interface {}) int64",
        usage: "{{ sub 5 2 }}",
        about: &["Takes the second number from the first."],
        call: |args| Ok(Value::Int(args.int(0).wrapping_sub(args.int(1)))),
    },
    Function {
        name: "mul",
        arity: Arity::AtLeast(1),
        origin: Origin::Made,
        signature: "func(interface {}, ...interface {}) int64",
        usage: "{{ mul 2 3 4 }}",
        about: &["Multiplies all numbers."],
        call: |args| fold(args, 1, i64::wrapping_mul),
    },
    Function {
        name: "div",
        arity: Arity::Exactly(2),
        origin: Origin::Made,
        signature: "func(interface {}, interface {}) int64",
        usage: "{{ div 7 2 }}",
        about: &["Divides the first number by the second and drops the rest."],
        call: |args| divide(args, i64::wrapping_div),
    },
    Function {
        name: "mod",
        arity: Arity::Exactly(2),
        origin: Origin::Made,
        signature: "func(interface {}, interface {}) int64",
        usage: "{{ mod 7 2 }}",
        about: &["Returns the rest of dividing the first number by the second."],
        call: |args| divide(args, i64::wrapping_rem),
    },
    Function {
        name: "max",
        arity: Arity::AtLeast(1),
        origin: Origin::Made,
        signature: "func(interface {}, ...interface {}) int64",
        usage: "{{ max 1 3 2 }}",
        about: &["Returns the largest number."],
        call: |args| fold(args, i64::MIN, i64::max),
    },
    Function {
        name: "min",
        arity: Arity::AtLeast(1),
        origin: Origin::Made,
        signature: "func(interface {}, ...interface {}) int64",
        usage: "{{ min 1 3 2 }}",
        about: &["Returns the smallest number."],
        call: |args| fold(args, i64::MAX, i64::min),
    },
    Function {
        name: "seq",
        arity: Arity::Between(1, 3),
        origin: Origin::Made,
        signature: "func(...int) string",
        usage: "{{ seq 1 2 9 }}",
        about: &[
            "Returns numbers with spaces between them: up to the first argument,",
            "or from the first to the second, or from the first by the second to the third.",
        ],
        call: seq,
    },
];

fn fold(args: &Args<'_>, start: i64, with: fn(i64, i64) -> i64) -> Outcome {
    Ok(Value::Int(
        (0..args.values.len())
            .map(|index| args.int(index))
            .fold(start, with),
    ))
}

fn divide(args: &Args<'_>, with: fn(i64, i64) -> i64) -> Outcome {
    match args.int(1) {
        0 => Err("division by zero".to_owned()),
        by => Ok(Value::Int(with(args.int(0), by))),
    }
}

fn seq(args: &Args<'_>) -> Outcome {
    let toward = |from: i64, to: i64| if to < from { -1 } else { 1 };
    let (from, step, to) = match args.values.len() {
        1 => (1, toward(1, args.int(0)), args.int(0)),
        2 => (args.int(0), toward(args.int(0), args.int(1)), args.int(1)),
        _ => (args.int(0), args.int(1), args.int(2)),
    };
    // A step that leads away from the end gives nothing, as in sprig.
    let reaches = move |at: &i64| {
        if step > 0 {
            *at <= to
        } else {
            step < 0 && *at >= to
        }
    };
    let numbers = std::iter::successors(Some(from), move |at| at.checked_add(step));
    write::join(
        numbers.take_while(reaches).map(|number| number.to_string()),
        " ",
    )
}
