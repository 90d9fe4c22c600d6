//! Lists. What is in them is handed on, not looked at.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made, passed};
use crate::value::to_text;

const OF_LIST: &str = "func(interface {}) interface {}";
const WITH_ITEM: &str = "func(interface {}, interface {}) []interface {}";

/// Returns the row of a function and that of its twin whose name begins with `must`. In sprig one
/// of the two panics where the other returns an error; here both fail the same way.
macro_rules! twins {
    ($kind:ident, $name:literal, $must:literal, $arity:expr, $signature:expr, $usage:literal, $usage_must:literal, $about:literal, $call:expr) => {
        [
            $kind($name, $arity, $signature, $usage, $about, $call).unseen(),
            $kind(
                $must,
                $arity,
                $signature,
                $usage_must,
                concat!("The same as ", $name, "."),
                $call,
            )
            .unseen(),
        ]
    };
}

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
        "tuple",
        Arity::AtLeast(0),
        "func(...interface {}) []interface {}",
        "{{ tuple 1 \"a\" | len }}",
        "The same as list.",
        |args| Ok(Value::List(args.values.into())),
    )
    .unseen(),
    made(
        "concat",
        Arity::AtLeast(0),
        "func(...interface {}) interface {}",
        "{{ concat (list 1) (list 2 3) }}",
        "Joins lists to one.",
        concat,
    )
    .unseen(),
    made(
        "loop",
        Arity::Exactly(1),
        "func(int) []int",
        "{{ range loop 3 }}x{{ end }}",
        "Returns a list of the given length, at most a million, to range over. Its items count from 0.",
        |args| Ok(counted(0, args.count(0)?, 1)),
    ),
    made(
        "sequence",
        Arity::Exactly(1),
        "func(int) []int",
        "{{ range sequence 3 }}{{ . }}{{ end }}",
        "The same as loop.",
        |args| Ok(counted(0, args.count(0)?, 1)),
    ),
    made(
        "until",
        Arity::Exactly(1),
        "func(int) []int",
        "{{ until 3 }}",
        "Returns the numbers from 0 up to, not including, the argument.",
        |args| steps(0, args.int(0), if args.int(0) < 0 { -1 } else { 1 }),
    ),
    made(
        "untilStep",
        Arity::Exactly(3),
        "func(int, int, int) []int",
        "{{ untilStep 0 6 2 }}",
        "Returns the numbers from the first argument up to, not including, the second, by the third.",
        |args| steps(args.int(0), args.int(1), args.int(2)),
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
];

/// Functions that come with a twin.
pub(super) const TWINS: [&[Function]; 12] = [
    &twins!(
        passed,
        "first",
        "mustFirst",
        Arity::Exactly(1),
        OF_LIST,
        "{{ list 1 2 | first }}",
        "{{ list 1 2 | mustFirst }}",
        "Returns the first item of a list.",
        |args| { Ok(args.list(0)?.first().cloned().unwrap_or(Value::Nil)) }
    ),
    &twins!(
        passed,
        "last",
        "mustLast",
        Arity::Exactly(1),
        OF_LIST,
        "{{ list 1 2 | last }}",
        "{{ list 1 2 | mustLast }}",
        "Returns the last item of a list.",
        |args| { Ok(args.list(0)?.last().cloned().unwrap_or(Value::Nil)) }
    ),
    &twins!(
        made,
        "rest",
        "mustRest",
        Arity::Exactly(1),
        OF_LIST,
        "{{ list 1 2 3 | rest }}",
        "{{ list 1 2 3 | mustRest }}",
        "Returns all but the first item of a list.",
        |args| { Ok(Value::List(args.list(0)?.iter().skip(1).cloned().collect())) }
    ),
    &twins!(
        made,
        "initial",
        "mustInitial",
        Arity::Exactly(1),
        OF_LIST,
        "{{ list 1 2 3 | initial }}",
        "{{ list 1 2 3 | mustInitial }}",
        "Returns all but the last item of a list.",
        |args| {
            let items = args.list(0)?;
            Ok(Value::List(items[..items.len().saturating_sub(1)].into()))
        }
    ),
    &twins!(
        made,
        "append",
        "mustAppend",
        Arity::Exactly(2),
        WITH_ITEM,
        "{{ append (list 1) 2 }}",
        "{{ mustAppend (list 1) 2 }}",
        "Returns a list with an item added at its end.",
        append
    ),
    &twins!(
        made,
        "push",
        "mustPush",
        Arity::Exactly(2),
        WITH_ITEM,
        "{{ push (list 1) 2 }}",
        "{{ mustPush (list 1) 2 }}",
        "The same as append.",
        append
    ),
    &twins!(
        made,
        "prepend",
        "mustPrepend",
        Arity::Exactly(2),
        WITH_ITEM,
        "{{ prepend (list 1) 2 }}",
        "{{ mustPrepend (list 1) 2 }}",
        "Returns a list with an item added at its start.",
        |args| {
            let mut items = vec![args.value(1).clone()];
            items.extend_from_slice(args.list(0)?);
            Ok(Value::List(items.into()))
        }
    ),
    &twins!(
        made,
        "reverse",
        "mustReverse",
        Arity::Exactly(1),
        OF_LIST,
        "{{ list 1 2 3 | reverse }}",
        "{{ list 1 2 3 | mustReverse }}",
        "Returns a list in the opposite order.",
        |args| { Ok(Value::List(args.list(0)?.iter().rev().cloned().collect())) }
    ),
    &twins!(
        made,
        "uniq",
        "mustUniq",
        Arity::Exactly(1),
        OF_LIST,
        "{{ list 1 2 1 | uniq }}",
        "{{ list 1 2 1 | mustUniq }}",
        "Returns a list in which each value stands once.",
        uniq
    ),
    &twins!(
        made,
        "compact",
        "mustCompact",
        Arity::Exactly(1),
        OF_LIST,
        "{{ list 1 \"\" 0 | compact }}",
        "{{ list 1 \"\" 0 | mustCompact }}",
        "Returns a list without its empty items.",
        |args| {
            let now = |item: &&Value| args.frame.run.cells.now(item).is_truthy();
            Ok(Value::List(
                args.list(0)?.iter().filter(now).cloned().collect(),
            ))
        }
    ),
    &twins!(
        made,
        "without",
        "mustWithout",
        Arity::AtLeast(1),
        "func(interface {}, ...interface {}) []interface {}",
        "{{ without (list 1 2 3) 2 }}",
        "{{ mustWithout (list 1 2 3) 2 }}",
        "Returns a list without the values that follow.",
        without
    ),
    &twins!(
        made,
        "chunk",
        "mustChunk",
        Arity::Exactly(2),
        "func(int, interface {}) [][]interface {}",
        "{{ list 1 2 3 | chunk 2 }}",
        "{{ list 1 2 3 | mustChunk 2 }}",
        "Splits a list into lists of the given length.",
        chunk
    ),
];

/// Tells whether a list, or nothing, has a value.
pub(super) const HAS: &[Function] = &[
    made(
        "has",
        Arity::Exactly(2),
        "func(interface {}, interface {}) bool",
        "{{ has 2 (list 1 2) }}",
        "Tells whether a value is in a list.",
        has,
    ),
    made(
        "mustHas",
        Arity::Exactly(2),
        "func(interface {}, interface {}) bool",
        "{{ mustHas 2 (list 1 2) }}",
        "The same as has.",
        has,
    ),
    made(
        "mustSlice",
        Arity::Between(1, 3),
        "func(interface {}, ...interface {}) interface {}",
        "{{ mustSlice (list 1 2 3) 1 3 }}",
        "The same as slice.",
        super::print::slice,
    )
    .unseen(),
];

fn append(args: &Args<'_>) -> Outcome {
    let mut items = args.list(0)?.to_vec();
    items.push(args.value(1).clone());
    Ok(Value::List(items.into()))
}

fn concat(args: &Args<'_>) -> Outcome {
    let mut items = Vec::new();
    for index in 0..args.values.len() {
        items.extend_from_slice(args.list(index)?);
    }
    Ok(Value::List(items.into()))
}

/// Returns the numbers from `start`, `count` of them.
fn counted(start: i64, count: usize, step: i64) -> Value {
    let numbers = std::iter::successors(Some(start), |at| Some(at.wrapping_add(step)));
    Value::List(numbers.take(count).map(Value::Int).collect())
}

fn steps(start: i64, stop: i64, step: i64) -> Outcome {
    let leads_away = step == 0 || (stop < start) != (step < 0);
    if leads_away || start == stop {
        return Ok(Value::List([].into()));
    }
    let count = start.abs_diff(stop).div_ceil(step.unsigned_abs());
    match usize::try_from(count) {
        Ok(count) if count <= 1_000_000 => Ok(counted(start, count, step)),
        _ => Err(format!("{count} numbers are more than 1000000")),
    }
}

fn index_of(args: &Args<'_>) -> Outcome {
    let item = args.value(0);
    let Value::List(items) = args.value(1) else {
        return Ok(Value::Int(-1));
    };
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

/// Returns the items as they are now, to compare them.
fn now(args: &Args<'_>, items: &[Value]) -> Result<Vec<Value>, String> {
    let run = &args.frame.run;
    items
        .iter()
        .map(|item| run.cells.all_now(item).map_err(str::to_owned))
        .collect()
}

fn uniq(args: &Args<'_>) -> Outcome {
    let items = now(args, args.list(0)?)?;
    // Values that print alike are compared; others are told apart by what they print.
    let mut seen: std::collections::HashMap<String, Vec<usize>> = std::collections::HashMap::new();
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        let alike = seen.entry(to_text(&item).into_owned()).or_default();
        if !alike.iter().any(|at| kept[*at] == item) {
            alike.push(kept.len());
            kept.push(item);
        }
    }
    Ok(Value::List(kept.into()))
}

fn without(args: &Args<'_>) -> Outcome {
    let unwanted = now(args, &args.values[1..])?;
    args.pay(unwanted.len() as u64 * args.list(0)?.len() as u64)?;
    let items = now(args, args.list(0)?)?;
    Ok(Value::List(
        items
            .into_iter()
            .filter(|item| !unwanted.contains(item))
            .collect(),
    ))
}

fn has(args: &Args<'_>) -> Outcome {
    Ok(Value::Bool(args.list(1)?.contains(args.value(0))))
}

fn chunk(args: &Args<'_>) -> Outcome {
    let size = args.count(0)?;
    if size == 0 {
        return Err("0 is no length".to_owned());
    }
    Ok(Value::List(
        args.list(1)?
            .chunks(size)
            .map(|part| Value::List(part.into()))
            .collect(),
    ))
}
