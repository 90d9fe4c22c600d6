//! The functions of templates, one table per subject, and how they are bound to a template.

mod args;
mod certs;
mod codec;
mod crypto;
mod data;
mod dates;
mod describe;
mod floats;
mod formats;
mod hcl;
mod include;
mod json;
mod layout;
mod lists;
mod logic;
mod math;
mod paths;
mod print;
mod random;
mod regexes;
mod scope;
mod strings;
mod urls;
mod versions;
mod words;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use gotmpl::{FuncMap, TemplateError as Cause, Value, ValueFunc};

use crate::compile::BUILTINS;
use crate::engine::Engine;
use crate::frame::Frame;
use crate::own::{Caller, Own};
use crate::rewrite::{FIELD, NOW, SHOW, STEP};
use crate::value;
use args::Args;
pub use describe::{FunctionHelp, functions, functions_json};
use write::Bounded;

/// What a function returns, or what is wrong with its arguments.
type Outcome = Result<Value, String>;
/// The code of a function.
type Call = fn(&Args<'_>) -> Outcome;

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

/// How far changed dicts in the arguments are replaced by what they hold now.
enum Sees {
    /// To the last part: for functions that look into what they are given.
    All,
    /// The arguments themselves: for functions that hand on what they find in them.
    Outside,
    /// Not at all: for functions that put arguments into others, or change them.
    Nothing,
}

/// A function of templates.
struct Function {
    name: &'static str,
    arity: Arity,
    origin: Origin,
    sees: Sees,
    /// Type in Go's notation, as `/info/functions.json` shows it.
    signature: &'static str,
    usage: &'static str,
    /// Lines of help; the first one stands alone in lists.
    about: &'static str,
    call: Call,
}

/// Returns a function whose result is made anew.
#[expect(clippy::too_many_arguments, reason = "it is a row of a table")]
const fn made(
    name: &'static str,
    arity: Arity,
    signature: &'static str,
    usage: &'static str,
    about: &'static str,
    call: Call,
) -> Function {
    Function {
        name,
        arity,
        origin: Origin::Made,
        sees: Sees::All,
        signature,
        usage,
        about,
        call,
    }
}

/// Returns a function whose result was there before.
#[expect(clippy::too_many_arguments, reason = "it is a row of a table")]
const fn passed(
    name: &'static str,
    arity: Arity,
    signature: &'static str,
    usage: &'static str,
    about: &'static str,
    call: Call,
) -> Function {
    let mut function = made(name, arity, signature, usage, about, call);
    function.origin = Origin::Passed;
    function.sees = Sees::Outside;
    function
}

impl Function {
    /// Gives it its arguments as they were written, not as they are now.
    const fn unseen(mut self) -> Self {
        self.sees = Sees::Nothing;
        self
    }

    /// Shows it what its arguments are now, but not what is in them.
    const fn outside(mut self) -> Self {
        self.sees = Sees::Outside;
        self
    }
}

const TABLES: [&[Function]; 22] = [
    certs::FUNCTIONS,
    codec::FUNCTIONS,
    crypto::FUNCTIONS,
    data::FUNCTIONS,
    dates::FUNCTIONS,
    floats::FUNCTIONS,
    formats::FUNCTIONS,
    include::FUNCTIONS,
    json::FUNCTIONS,
    lists::FUNCTIONS,
    lists::HAS,
    logic::FUNCTIONS,
    math::FUNCTIONS,
    paths::FUNCTIONS,
    print::FUNCTIONS,
    random::FUNCTIONS,
    regexes::FUNCTIONS,
    scope::FUNCTIONS,
    strings::FUNCTIONS,
    urls::FUNCTIONS,
    versions::FUNCTIONS,
    words::FUNCTIONS,
];

fn all() -> impl Iterator<Item = &'static Function> {
    let twins = lists::TWINS.into_iter().chain(regexes::TWINS);
    TABLES.into_iter().chain(twins).flatten()
}

/// Returns the function of this name.
fn find(name: &str) -> Option<&'static Function> {
    static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Function>> =
        LazyLock::new(|| all().map(|function| (function.name, function)).collect());
    BY_NAME.get(name).copied()
}

/// Returns whether a template of `engine` can call `name`.
pub(crate) fn is_known(engine: &Engine, name: &str) -> bool {
    engine.own.contains_key(name) || find(name).is_some() || BUILTINS.contains(&name)
}

/// Returns the names of all functions of `engine`.
pub(crate) fn names(engine: &Engine) -> Vec<String> {
    let own = engine.own.keys().cloned();
    let ours = all().map(|function| function.name.to_owned());
    own.chain(ours).chain(BUILTINS.map(str::to_owned)).collect()
}

/// Binds the functions of these names to `frame`; those that `gotmpl` brings are left out.
pub(crate) fn bind_all(names: &BTreeSet<String>, frame: &Arc<Frame>) -> FuncMap {
    names
        .iter()
        .filter_map(|name| Some((name.clone(), bind(name, frame)?)))
        .collect()
}

fn bind(name: &str, frame: &Arc<Frame>) -> Option<ValueFunc> {
    let frame = Arc::clone(frame);
    if let Some(own) = frame.run.engine.own.get(name) {
        let (own, name) = (own.clone(), name.to_owned());
        return Some(Arc::new(move |values: &[Value]| {
            invoke_own(&own, &name, &frame, values)
        }));
    }
    if let Some(function) = find(name) {
        return Some(Arc::new(move |values: &[Value]| {
            invoke(function, &frame, values)
        }));
    }
    Some(match name {
        STEP => Arc::new(move |values: &[Value]| {
            let offset = values.first().and_then(Value::as_int).unwrap_or_default();
            frame.reach(usize::try_from(offset).unwrap_or_default());
            frame.run.pay_step()?;
            Ok(Value::String("".into()))
        }),
        SHOW => Arc::new(move |values: &[Value]| {
            let value = values.last().unwrap_or(&Value::Nil);
            show(&frame, value)
        }),
        NOW => Arc::new(move |values: &[Value]| {
            Ok(frame.run.cells.now(values.last().unwrap_or(&Value::Nil)))
        }),
        FIELD => Arc::new(move |values: &[Value]| field(&frame, values)),
        _ => return None,
    })
}

/// Returns a value as Go prints it, where `gotmpl` would print it otherwise.
fn show(frame: &Frame, value: &Value) -> Result<Value, Cause> {
    match value {
        Value::Float(_) | Value::List(_) | Value::Map(_) => {
            let run = &frame.run;
            let now = run.cells.all_now(value).map_err(|what| run.exhaust(what))?;
            Ok(value::text(value::to_text(&now)))
        }
        other => Ok(other.clone()),
    }
}

/// Takes the fields named behind the first argument of it, one in the other.
fn field(frame: &Frame, values: &[Value]) -> Result<Value, Cause> {
    let [whole, names @ ..] = values else {
        return Ok(Value::Nil);
    };
    let mut value = frame.run.cells.now(whole);
    for name in names.iter().filter_map(Value::as_str) {
        value = match &value {
            Value::Map(entries) => match entries.get(name) {
                Some(inner) => frame.run.cells.now(inner),
                None => Value::Nil,
            },
            Value::Nil => Value::Nil,
            other => {
                let kind = other.type_name();
                let message = format!("can't evaluate field {name} in type {kind}");
                return Err(Cause::Exec(message));
            }
        };
    }
    Ok(value)
}

fn fail(name: &str, message: &str) -> Cause {
    Cause::Exec(format!("error calling {name}: {message}"))
}

fn invoke(function: &Function, frame: &Arc<Frame>, values: &[Value]) -> Result<Value, Cause> {
    let (run, name) = (&frame.run, function.name);
    if let Some(want) = function.arity.refuse(values.len()) {
        let (usage, got) = (function.usage, values.len());
        let message = format!("it takes {want}, not {got}, as in `{usage}`");
        return Err(fail(name, &message));
    }
    run.pay_call(values)?;
    let seen: Option<Vec<Value>> = match function.sees {
        Sees::Outside | Sees::All if run.cells.is_unused() => None,
        Sees::Nothing => None,
        Sees::Outside => Some(values.iter().map(|value| run.cells.now(value)).collect()),
        Sees::All => Some(all_now(frame, values)?),
    };
    let args = Args {
        values: seen.as_deref().unwrap_or(values),
        frame,
    };
    let result = (function.call)(&args).map_err(|message| {
        if message == write::TOO_LARGE {
            run.exhaust(message)
        } else {
            fail(name, &message)
        }
    })?;
    if function.origin == Origin::Made {
        run.pay_result(&result)?;
    }
    Ok(result)
}

/// Returns values as they are now, down to their last parts.
fn all_now(frame: &Frame, values: &[Value]) -> Result<Vec<Value>, Cause> {
    let run = &frame.run;
    values
        .iter()
        .map(|value| run.cells.all_now(value).map_err(|what| run.exhaust(what)))
        .collect()
}

fn invoke_own(own: &Own, name: &str, frame: &Arc<Frame>, values: &[Value]) -> Result<Value, Cause> {
    let run = &frame.run;
    run.pay_call(values)?;
    let seen = all_now(frame, values)?;
    let caller = Caller { frame, name };
    let result = (own.call)(&seen, &caller).map_err(|message| fail(name, &message))?;
    run.pay_result(&result)?;
    Ok(result)
}

/// Calls the function of this name that the caller's own has taken the place of.
pub(crate) fn call_original(
    name: &str,
    frame: &Arc<Frame>,
    values: &[Value],
) -> Result<Value, String> {
    let function = find(name).ok_or_else(|| format!("`{name}` takes the place of none"))?;
    let before = format!("error calling {name}: ");
    invoke(function, frame, values).map_err(|cause| match cause {
        Cause::Exec(message) => message.strip_prefix(&before).unwrap_or(&message).to_owned(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests;
