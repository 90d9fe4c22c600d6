//! What a template knows beside its context: variables, the clock, the environment.

use gotmpl::Value;

use super::args::Args;
use super::{Arity, Function, Origin, Outcome};
use crate::UnsetVar;
use crate::value::text;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "var",
        arity: Arity::Between(1, 2),
        origin: Origin::Passed,
        signature: "func(string, ...interface {}) (interface {}, error)",
        usage: "{{ var \"a\" 1 }}{{ var \"a\" }}",
        about: &[
            "Returns a variable, or sets it where a value is given, which prints nothing.",
            "Variables are known to everything that is rendered together.",
        ],
        call: var,
    },
    Function {
        name: "unixtime",
        arity: Arity::Exactly(0),
        origin: Origin::Made,
        signature: "func() interface {}",
        usage: "{{ unixtime }}",
        about: &["Returns the seconds since 1970 began."],
        call: |args| Ok(Value::Int(args.run.now)),
    },
    Function {
        name: "env",
        arity: Arity::Exactly(1),
        origin: Origin::Made,
        signature: "func(string) string",
        usage: "{{ env \"HOME\" }}",
        about: &[
            "Returns a variable of the environment, or an empty text. An error where the environment is not granted.",
        ],
        call: env,
    },
];

fn var(args: &Args<'_>) -> Outcome {
    let name = args.string(0)?;
    if args.values.len() == 2 {
        args.run
            .vars
            .set_value(name.to_owned(), args.value(1).clone());
        return Ok(text(""));
    }
    Ok(args
        .run
        .vars
        .get_value(name)
        .unwrap_or_else(|| match args.run.unset {
            UnsetVar::NoValue => Value::Nil,
            UnsetVar::Keep => text(format!("{{{{ var `{name}` }}}}")),
        }))
}

fn env(args: &Args<'_>) -> Outcome {
    let name = args.string(0)?;
    let env = args
        .run
        .env
        .as_ref()
        .ok_or("the environment is not granted to this template")?;
    Ok(text(env.get(name).map_or("", String::as_str)))
}
