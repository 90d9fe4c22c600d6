//! The functions of templates, one table per subject, and their description.

mod args;
mod codec;
mod data;
mod logic;
mod math;
mod scope;
mod strings;
mod write;

use std::sync::Arc;

use gotmpl::{FuncMap, TemplateError as Cause, Value, ValueFunc};
use serde::Serialize;

use crate::compile::{FORMAT, GUARD, SHOW, STEP};
use crate::run::Run;
use crate::value;
use args::Args;
use write::Bounded;

/// What a function returns, or what is wrong with its arguments.
type Outcome = Result<Value, String>;

/// How many arguments a function takes.
enum Arity {
    Exactly(usize),
    AtLeast(usize),
    Between(usize, usize),
}

impl Arity {
    /// Returns what was expected when `count` is not it.
    fn refuse(&self, count: usize) -> Option<String> {
        match *self {
            Self::Exactly(want) => (count != want).then(|| counted(want, "")),
            Self::AtLeast(least) => (count < least).then(|| counted(least, "at least ")),
            Self::Between(least, most) => {
                (!(least..=most).contains(&count)).then(|| counted(most, &format!("{least} to ")))
            }
        }
    }
}

fn counted(count: usize, before: &str) -> String {
    format!(
        "{before}{count} argument{}",
        if count == 1 { "" } else { "s" }
    )
}

/// Whether a result is made anew, and so has to be paid for, or was there before.
#[derive(PartialEq)]
enum Origin {
    Made,
    Passed,
}

/// A function of templates.
struct Function {
    name: &'static str,
    arity: Arity,
    origin: Origin,
    /// Type in Go's notation, as `/info/functions.json` shows it.
    signature: &'static str,
    usage: &'static str,
    about: &'static [&'static str],
    call: fn(&Args<'_>) -> Outcome,
}

const TABLES: [&[Function]; 6] = [
    math::FUNCTIONS,
    strings::FUNCTIONS,
    data::FUNCTIONS,
    logic::FUNCTIONS,
    codec::FUNCTIONS,
    scope::FUNCTIONS,
];

fn all() -> impl Iterator<Item = &'static Function> {
    TABLES.into_iter().flatten()
}

/// Returns all functions, bound to `run`.
pub(crate) fn table(run: &Arc<Run>) -> FuncMap {
    let mut table: FuncMap = all()
        .map(|function| (function.name.to_owned(), bind(function, run)))
        .collect();
    let own = Arc::clone(run);
    table.insert(
        STEP.to_owned(),
        Arc::new(move |args: &[Value]| {
            let offset = args.first().and_then(Value::as_int).unwrap_or_default();
            own.step(usize::try_from(offset).unwrap_or_default())?;
            Ok(Value::String("".into()))
        }),
    );
    let own = Arc::clone(run);
    table.insert(
        GUARD.to_owned(),
        Arc::new(move |args: &[Value]| pass(args, |value| own.pay_result(value))),
    );
    let own = Arc::clone(run);
    table.insert(
        FORMAT.to_owned(),
        Arc::new(move |args: &[Value]| pass(args, |value| own.check_format(value))),
    );
    table.insert(SHOW.to_owned(), Arc::new(|args: &[Value]| Ok(show(args))));
    table
}

/// Returns the last argument as Go prints it, where `gotmpl` would print it otherwise.
fn show(args: &[Value]) -> Value {
    match args.last() {
        Some(made @ (Value::Float(_) | Value::List(_) | Value::Map(_))) => {
            value::text(value::to_text(made))
        }
        other => other.cloned().unwrap_or(Value::Nil),
    }
}

/// Returns the last argument if `check` lets it pass.
fn pass(args: &[Value], check: impl Fn(&Value) -> Result<(), Cause>) -> Result<Value, Cause> {
    let value = args.last().cloned().unwrap_or(Value::Nil);
    check(&value)?;
    Ok(value)
}

fn bind(function: &'static Function, run: &Arc<Run>) -> ValueFunc {
    let run = Arc::clone(run);
    Arc::new(move |values: &[Value]| {
        let fail =
            |message: String| Cause::Exec(format!("error calling {}: {message}", function.name));
        if let Some(want) = function.arity.refuse(values.len()) {
            let usage = function.usage;
            let got = values.len();
            return Err(fail(format!("it takes {want}, not {got}, as in `{usage}`")));
        }
        run.pay_call(values)?;
        let args = Args { values, run: &run };
        let result = (function.call)(&args).map_err(|message| {
            if message == write::TOO_LARGE {
                run.exhaust(&message)
            } else {
                fail(message)
            }
        })?;
        if function.origin == Origin::Made {
            run.pay_result(&result)?;
        }
        Ok(result)
    })
}

/// A function as `/info/functions.json` describes it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    name: &'static str,
    description: &'static [&'static str],
    function: &'static str,
    usage: &'static str,
}

/// Returns the description of all functions in the form of `/info/functions.json`:
/// `{"builtin": [{"Name", "Description", "Function", "Usage"}]}`, indented by two spaces.
///
/// ```
/// let described: serde_json::Value =
///     serde_json::from_str(&infrakit_template::functions_json())?;
/// assert!(described["builtin"].as_array().unwrap().iter().any(|f| f["Name"] == "upper"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn functions_json() -> String {
    #[derive(Serialize)]
    struct Document {
        builtin: Vec<Described>,
    }
    let mut builtin: Vec<Described> = all()
        .map(|function| Described {
            name: function.name,
            description: function.about,
            function: function.signature,
            usage: function.usage,
        })
        .collect();
    builtin.sort_by_key(|described| described.name);
    serde_json::to_string_pretty(&Document { builtin }).expect("plain text always serialises")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Engine, Vars};

    #[test]
    fn every_function_is_described_once_and_its_usage_parses() {
        let mut names = BTreeSet::new();
        for function in all() {
            assert!(names.insert(function.name), "{} twice", function.name);
            assert!(!function.about.is_empty() && function.signature.starts_with("func("));
            Engine::new().check(function.usage, function.name).unwrap();
            assert!(function.usage.contains(function.name));
        }
        assert!(names.is_disjoint(&crate::compile::BUILTINS.into()));
    }

    #[test]
    fn every_usage_runs() {
        let vars = Vars::new();
        let env = [("HOME".to_owned(), "/h".to_owned())].into();
        let engine = Engine::new().with_access(&crate::Access::none().with_env(env));
        for function in all() {
            engine
                .render(
                    function.usage,
                    function.name,
                    &serde_json::Value::Null,
                    &vars,
                )
                .unwrap();
        }
    }
}
