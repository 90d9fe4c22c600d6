//! Arithmetic, as sprig does it: on 64-bit integers that wrap around.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made, write};

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "add",
        Arity::AtLeast(0),
        "func(...interface {}) int64",
        "{{ add 1 2 3 }}",
        "Adds all numbers.",
        |args| fold(args, 0, i64::wrapping_add),
    ),
    made(
        "add1",
        Arity::Exactly(1),
        "func(interface {}) int64",
        "{{ add1 4 }}",
        "Adds one to a number.",
        |args| Ok(Value::Int(args.int(0).wrapping_add(1))),
    ),
    made(
        "sub",
        Arity::Exactly(2),
        "func(interface {}, interface {}) int64",
        "{{ sub 5 2 }}",
        "Takes the second number from the first.",
        |args| Ok(Value::Int(args.int(0).wrapping_sub(args.int(1)))),
    ),
    made(
        "mul",
        Arity::AtLeast(1),
        "func(interface {}, ...interface {}) int64",
        "{{ mul 2 3 4 }}",
        "Multiplies all numbers.",
        |args| fold(args, 1, i64::wrapping_mul),
    ),
    made(
        "div",
        Arity::Exactly(2),
        "func(interface {}, interface {}) int64",
        "{{ div 7 2 }}",
        "Divides the first number by the second and drops the rest.",
        |args| divide(args, i64::wrapping_div),
    ),
    made(
        "mod",
        Arity::Exactly(2),
        "func(interface {}, interface {}) int64",
        "{{ mod 7 2 }}",
        "Returns the rest of dividing the first number by the second.",
        |args| divide(args, i64::wrapping_rem),
    ),
    made(
        "max",
        Arity::AtLeast(1),
        "func(interface {}, ...interface {}) int64",
        "{{ max 1 3 2 }}",
        "Returns the largest number.",
        |args| fold(args, i64::MIN, i64::max),
    ),
    made(
        "min",
        Arity::AtLeast(1),
        "func(interface {}, ...interface {}) int64",
        "{{ min 1 3 2 }}",
        "Returns the smallest number.",
        |args| fold(args, i64::MAX, i64::min),
    ),
    made(
        "biggest",
        Arity::AtLeast(1),
        "func(interface {}, ...interface {}) int64",
        "{{ biggest 1 3 2 }}",
        "The same as max.",
        |args| fold(args, i64::MIN, i64::max),
    ),
    made(
        "seq",
        Arity::Between(1, 3),
        "func(...int) string",
        "{{ seq 1 2 9 }}",
        "Returns numbers with spaces between them: up to the first argument,\nor from the first to the second, or from the first by the second to the third.",
        seq,
    ),
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
