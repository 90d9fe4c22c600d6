//! What a template knows beside its context: variables, the clock, the environment.

use std::collections::BTreeMap;

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Outcome, made, passed};
use crate::UnsetVar;
use crate::frame::Frame;
use crate::value::{from_json, text};

pub(super) const FUNCTIONS: &[Function] = &[
    passed(
        "var",
        Arity::AtLeast(1),
        "func(string, ...interface {}) (interface {}, error)",
        "{{ var \"a\" 1 }}{{ var \"a\" }}",
        "Returns a variable, or sets it where a value is given, which prints nothing.\nVariables are known to everything that is rendered together.",
        var,
    )
    .unseen(),
    made(
        "unixtime",
        Arity::Exactly(0),
        "func() interface {}",
        "{{ unixtime }}",
        "Returns the seconds since 1970 began.",
        |args| Ok(Value::Int(args.frame.run.now)),
    ),
    made(
        "env",
        Arity::Exactly(1),
        "func(string) string",
        "{{ env \"HOME\" }}",
        "Returns a variable of the environment, or an empty text. An error where the environment is not granted.",
        env,
    ),
];

fn var(args: &Args<'_>) -> Outcome {
    let (name, frame) = (args.string(0)?, args.frame);
    if let [_, .., value] = args.values {
        frame.vars.set_value(name.to_owned(), value.clone());
        return Ok(text(""));
    }
    if let Some(value) = frame.vars.get_value(name) {
        return Ok(value);
    }
    if let Some(metadata) = frame.run.engine.access.metadata.as_ref()
        && frame.is_local()
        && let Some(value) = metadata.get(name)?
    {
        return Ok(from_json(&value));
    }
    Ok(match frame.run.engine.unset {
        UnsetVar::NoValue => Value::Nil,
        UnsetVar::Keep => {
            let (left, right) = frame.run.engine.delimiters();
            text(format!("{left} var `{name}` {right}"))
        }
    })
}

fn env(args: &Args<'_>) -> Outcome {
    let name = args.string(0)?;
    let env = environment(args.frame)?;
    Ok(text(env.get(name).map_or("", String::as_str)))
}

fn environment(frame: &Frame) -> Result<&BTreeMap<String, String>, String> {
    if !frame.is_local() {
        return Err("a template from another machine does not see the environment".to_owned());
    }
    let env = frame.run.engine.access.env.as_ref();
    env.ok_or_else(|| "the environment is not granted to this template".to_owned())
}
