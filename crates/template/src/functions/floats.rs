//! Arithmetic with fractions, and conversions between numbers and text.

use gotmpl::Value;

use super::args::{Args, to_int};
use super::{Arity, Function, Outcome, made};
use crate::value::to_text;

const MANY: &str = "func(...interface {}) float64";
const ONE: &str = "func(interface {}) float64";

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "add1f",
        Arity::Exactly(1),
        ONE,
        "{{ add1f 1.5 }}",
        "Adds one to a number.",
        |args| decimal(args.float(0) + 1.0),
    ),
    made(
        "addf",
        Arity::AtLeast(0),
        MANY,
        "{{ addf 1.5 2 2 }}",
        "Adds all numbers.",
        |args| fold(args, |all, next| rounded(all + next)),
    ),
    made(
        "subf",
        Arity::AtLeast(1),
        MANY,
        "{{ subf 7.5 2 3 }}",
        "Takes the other numbers from the first.",
        |args| fold(args, |all, next| rounded(all - next)),
    ),
    made(
        "mulf",
        Arity::AtLeast(1),
        MANY,
        "{{ mulf 1.5 2 2 }}",
        "Multiplies all numbers.",
        |args| fold(args, |all, next| rounded(all * next)),
    ),
    made(
        "divf",
        Arity::AtLeast(1),
        MANY,
        "{{ divf 10 2 4 }}",
        "Divides the first number by the others.",
        divf,
    ),
    made(
        "maxf",
        Arity::AtLeast(1),
        MANY,
        "{{ maxf 1.5 3 2 }}",
        "Returns the largest number.",
        |args| fold(args, f64::max),
    ),
    made(
        "minf",
        Arity::AtLeast(1),
        MANY,
        "{{ minf 1.5 3 2 }}",
        "Returns the smallest number.",
        |args| fold(args, f64::min),
    ),
    made(
        "floor",
        Arity::Exactly(1),
        ONE,
        "{{ floor 3.9 }}",
        "Returns the largest whole number that is not larger.",
        |args| Ok(Value::Float(args.float(0).floor())),
    ),
    made(
        "ceil",
        Arity::Exactly(1),
        ONE,
        "{{ ceil 3.1 }}",
        "Returns the smallest whole number that is not smaller.",
        |args| Ok(Value::Float(args.float(0).ceil())),
    ),
    made(
        "round",
        Arity::Between(2, 3),
        "func(interface {}, int, ...float64) float64",
        "{{ round 3.14159 2 }}",
        "Rounds a number to so many digits. A third argument sets from which fraction on it goes up, by default 0.5.",
        round,
    ),
    made(
        "int",
        Arity::Exactly(1),
        "func(interface {}) int",
        "{{ int \"3\" }}",
        "Returns a value as a whole number, 0 if it is none.",
        |args| Ok(Value::Int(args.int(0))),
    ),
    made(
        "int64",
        Arity::Exactly(1),
        "func(interface {}) int64",
        "{{ int64 3.9 }}",
        "The same as int.",
        |args| Ok(Value::Int(args.int(0))),
    ),
    made(
        "float64",
        Arity::Exactly(1),
        ONE,
        "{{ float64 \"3.5\" }}",
        "Returns a value as a number with a fraction, 0 if it is none.",
        |args| Ok(Value::Float(args.float(0))),
    ),
    made(
        "atoi",
        Arity::Exactly(1),
        "func(string) int",
        "{{ atoi \"42\" }}",
        "Reads a whole number, 0 if it is none.",
        |args| Ok(Value::Int(args.string(0)?.parse().unwrap_or(0))),
    ),
    made(
        "toDecimal",
        Arity::Exactly(1),
        "func(interface {}) int64",
        "{{ toDecimal \"0777\" }}",
        "Reads an octal number, 0 if it is none.",
        |args| {
            let shown = to_text(args.value(0));
            Ok(Value::Int(i64::from_str_radix(&shown, 8).unwrap_or(0)))
        },
    ),
];

fn fold(args: &Args<'_>, with: fn(f64, f64) -> f64) -> Outcome {
    let numbers = (0..args.values.len()).map(|index| args.float(index));
    Ok(Value::Float(numbers.reduce(with).unwrap_or(0.0)))
}

/// Rounds away what only the binary form of decimal numbers adds, such as that of `0.1 + 0.2`:
/// sprig counts in decimals.
fn rounded(number: f64) -> f64 {
    format!("{number:.14e}").parse().unwrap_or(number)
}

fn decimal(number: f64) -> Outcome {
    Ok(Value::Float(rounded(number)))
}

fn divf(args: &Args<'_>) -> Outcome {
    if (1..args.values.len()).any(|index| args.float(index) == 0.0) {
        return Err("division by zero".to_owned());
    }
    fold(args, |all, next| all / next)
}

fn round(args: &Args<'_>) -> Outcome {
    let number = args.float(0);
    let digits = i32::try_from(to_int(args.value(1)).clamp(-300, 300)).unwrap_or(0);
    let from = if args.values.len() > 2 {
        args.float(2)
    } else {
        0.5
    };
    let scale = 10_f64.powi(digits);
    let scaled = number * scale;
    let fraction = rounded(scaled.fract());
    let result = if fraction.abs() >= from {
        scaled.trunc() + fraction.signum()
    } else {
        scaled.trunc()
    };
    let result = result / scale;
    Ok(Value::Float(if result.is_finite() {
        result
    } else {
        number
    }))
}
