//! The template functions of playbooks. In the phase that finds the flags they promise harmless
//! values; in the run they give those of the flags, and ask for what is missing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infrakit_template::{Caller, Engine, Value};

use crate::ask::{Ask, Question};
use crate::backend::{DIRECTIVES, Directive, Word};
use crate::flags::{Flag, Kind, Setting, Values, is_missing, truth, unfit_flag};

/// Key of the value that `cond` hands on. No template can spell it.
const COND: &str = "\u{1}cond";
/// Key of the value that came into `cond`.
const INNER: &str = "\u{1}value";
/// How often a person is asked again.
const TRIES: usize = 3;

type Outcome = Result<Value, String>;

/// What a rendering is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// To find the flags.
    Define,
    /// To make the script.
    Run {
        /// Whether files are written.
        act: Act,
        /// Whether defaults are taken without asking.
        defaults: Defaults,
    },
}

/// Whether a run has effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It has.
    Really,
    /// It only shows what it would do.
    Pretend,
}

/// What happens to a question that has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defaults {
    /// It is asked.
    Asked,
    /// The default is taken.
    Accepted,
}

/// A question that nobody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The question.
    pub question: String,
    /// The flag that would have answered it.
    pub flag: Option<String>,
    /// Why there is no answer.
    pub why: String,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) flags: Vec<Flag>,
    pub(crate) given: BTreeMap<String, Setting>,
    /// Flag that was asked for last, for whose sake a question is asked.
    pub(crate) last: Option<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) unanswered: Option<Unanswered>,
    pub(crate) directive: Option<Directive>,
}

/// What the functions of one rendering share.
pub(crate) struct Stage {
    state: Mutex<State>,
    phase: Phase,
    ask: Arc<dyn Ask>,
    files: bool,
    env: bool,
}

impl Stage {
    pub(crate) fn new(phase: Phase, state: State, ask: Arc<dyn Ask>, reach: &crate::Reach) -> Self {
        Self {
            state: Mutex::new(state),
            phase,
            ask,
            files: reach.files,
            env: reach.env.is_some(),
        }
    }

    /// A panic between lock and unlock cannot leave the state half changed.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn warn(&self, text: String) {
        let warnings = &mut self.state().warnings;
        if !warnings.contains(&text) {
            warnings.push(text);
        }
    }

    fn flag(&self, args: &[Value], values: Values) -> Outcome {
        let [name, kind, about, rest @ ..] = args else {
            return Err("it takes a name, a type and a description".to_owned());
        };
        let name = words(name)?;
        let kind = Kind::parse(&words(kind)?)?;
        if values == Values::List && kind != Kind::Text {
            return Err(format!("a list is of type string, not {}", kind.word()));
        }
        let default = match rest.first() {
            Some(default) => kind.coerce(default)?,
            None => None,
        };
        let mut state = self.state();
        state.last = Some(name.clone());
        if self.phase == Phase::Define {
            let value = default
                .as_ref()
                .map_or_else(|| kind.harmless(), Setting::value);
            let known = state.flags.iter().any(|flag| flag.name == name);
            match unfit_flag(&name) {
                Some(why) => {
                    drop(state);
                    self.warn(format!("flag `{}` is left out: {why}", name.escape_debug()));
                }
                None if known => {}
                None => state.flags.push(Flag {
                    name,
                    kind,
                    values,
                    about: words(about)?,
                    default,
                }),
            }
            return Ok(shaped(values, value));
        }
        let defined = state.flags.iter().find(|flag| flag.name == name);
        let setting = state
            .given
            .get(&name)
            .or_else(|| defined.and_then(|flag| flag.default.as_ref()))
            .or(default.as_ref());
        Ok(match (setting, values) {
            (Some(setting), Values::List) => setting.list(),
            (Some(setting), Values::One | Values::Repeated) => setting.value(),
            (None, _) => shaped(values, kind.missing()),
        })
    }

    fn prompt(&self, args: &[Value], values: Values) -> Outcome {
        let [question, kind, rest @ ..] = args else {
            return Err("it takes a question and a type".to_owned());
        };
        let kind = Kind::parse(&words(kind)?)?;
        let Phase::Run { defaults, .. } = self.phase else {
            return Ok(shaped(values, kind.harmless()));
        };
        // The last argument is what was piped in; alone, it is no default.
        if let Some(piped) = rest.last() {
            let piped = match condition(piped) {
                Some((false, inner)) => return Ok(inner),
                Some((true, inner)) => inner,
                None => piped.clone(),
            };
            if !is_missing(&piped) {
                return Ok(shaped(values, piped));
            }
        }
        let default = match rest {
            [default, _, ..] if *default != Value::Nil => Some(plain(default)),
            _ => None,
        };
        let question = words(question)?;
        let setting = self.answer(&question, kind, default.as_deref(), defaults)?;
        Ok(match values {
            Values::List => setting.list(),
            Values::One | Values::Repeated => setting.value(),
        })
    }

    fn answer(
        &self,
        text: &str,
        kind: Kind,
        default: Option<&str>,
        defaults: Defaults,
    ) -> Result<Setting, String> {
        if defaults == Defaults::Accepted {
            let Some(default) = default else {
                return Err(self.unanswered(text, "it has no default"));
            };
            return read(kind, default);
        }
        let mut tries = 0;
        loop {
            let answer = match self.ask.ask(&Question { text, default }) {
                Ok(answer) => answer,
                Err(why) => return Err(self.unanswered(text, &why)),
            };
            let given = answer.as_deref().map(str::trim);
            let chosen = match (given, default) {
                (None | Some(""), Some(default)) => default,
                (None, None) => {
                    let why = "it has no default, and the standard input has ended";
                    return Err(self.unanswered(text, why));
                }
                (Some(given), _) => given,
            };
            match read(kind, chosen) {
                Ok(setting) => return Ok(setting),
                Err(why) => {
                    tries += 1;
                    if !self.ask.is_person() || tries == TRIES {
                        return Err(self.unanswered(text, &why));
                    }
                    self.ask.complain(&why);
                }
            }
        }
    }

    fn unanswered(&self, question: &str, why: &str) -> String {
        let mut state = self.state();
        let flag = state.last.clone();
        state.unanswered = Some(Unanswered {
            question: question.to_owned(),
            flag,
            why: why.to_owned(),
        });
        format!("`{question}` has no answer: {why}")
    }

    fn cond(args: &[Value]) -> Outcome {
        let [condition, rest @ ..] = args else {
            return Err("it takes a condition".to_owned());
        };
        let holds = match condition {
            Value::Bool(holds) => *holds,
            Value::String(text) => truth(text).unwrap_or(false),
            other => *other != Value::Nil,
        };
        let inner = rest.last().cloned().unwrap_or(Value::Nil);
        let parts: BTreeMap<Arc<str>, Value> =
            [(COND.into(), Value::Bool(holds)), (INNER.into(), inner)].into();
        Ok(Value::Map(Arc::new(parts)))
    }

    /// Reads something that may not be there, which a template takes as nothing.
    fn optional(&self, args: &[Value], caller: &Caller<'_>, nothing: &str) -> Outcome {
        let nothing = Value::String(nothing.into());
        if self.phase == Phase::Define {
            return Ok(nothing);
        }
        match caller.original(args) {
            Ok(value) => Ok(value),
            Err(why) => {
                let what = args.first().map_or_else(String::new, plain);
                self.warn(format!(
                    "`{}` is taken as empty: {why}",
                    what.escape_debug()
                ));
                Ok(nothing)
            }
        }
    }

    fn environment(&self, args: &[Value], caller: &Caller<'_>) -> Outcome {
        if self.env {
            return caller.original(args);
        }
        if self.phase == Phase::Define {
            return Ok(Value::String("".into()));
        }
        Err(
            "this playbook is from another machine and may not see the environment; \
             `infrakit playbook update NAME --allow env` lets it"
                .to_owned(),
        )
    }

    fn file(&self, args: &[Value]) -> Outcome {
        let [path, content] = args else {
            return Err("it takes a path and a content".to_owned());
        };
        let nothing = Value::String("".into());
        let act = match self.phase {
            Phase::Define => return Ok(nothing),
            Phase::Run { act, .. } => act,
        };
        let path = words(path)?;
        if !self.files {
            return Err(
                "this playbook is from another machine and may not write files; \
                        `infrakit playbook update NAME --allow files` lets it"
                    .to_owned(),
            );
        }
        let content = plain(content);
        if act == Act::Pretend {
            self.warn(format!(
                "`{path}` would be written, {} bytes",
                content.len()
            ));
            return Ok(nothing);
        }
        std::fs::write(&path, content)
            .map(|()| nothing)
            .map_err(|error| format!("failed to write `{path}`: {error}"))
    }

    fn direct(&self, name: &str, args: &[Value]) -> Outcome {
        let chosen = DIRECTIVES.iter().find(|(word, _)| *word == name);
        self.state().directive = chosen.map(|(_, backend)| Directive {
            backend: *backend,
            words: args.iter().map(Word::of).collect(),
        });
        Ok(Value::String("".into()))
    }
}

/// Returns what `cond` made, as whether it holds and what came in.
fn condition(value: &Value) -> Option<(bool, Value)> {
    let Value::Map(parts) = value else {
        return None;
    };
    match (parts.get(COND), parts.get(INNER)) {
        (Some(Value::Bool(holds)), Some(inner)) => Some((*holds, inner.clone())),
        _ => None,
    }
}

/// Reads an answer; where a number is wanted, the words for yes and no are 1 and 0.
fn read(kind: Kind, text: &str) -> Result<Setting, String> {
    kind.read(text).or_else(|why| match (kind, truth(text)) {
        (Kind::Int, Some(holds)) => Ok(Setting::Int(i64::from(holds))),
        _ => Err(why),
    })
}

/// Returns a value in the shape of a list where one is wanted.
fn shaped(values: Values, value: Value) -> Value {
    match (values, value) {
        (Values::List, Value::List(items)) => Value::List(items),
        (Values::List, value) if is_missing(&value) => Value::List(Vec::new().into()),
        (Values::List, value) => Setting::Text(plain(&value)).list(),
        (Values::One | Values::Repeated, value) => value,
    }
}

fn words(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.as_ref().to_owned()),
        other => Err(format!("`{other}` is not a text")),
    }
}

/// Returns a value as text, nothing as none.
fn plain(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        Value::String(text) => text.as_ref().to_owned(),
        other => other.to_string(),
    }
}

/// Adds the functions of playbooks to an engine.
pub(crate) fn add(engine: Engine, stage: &Arc<Stage>) -> Engine {
    let mut engine = engine;
    for (name, values) in [
        ("flag", Values::One),
        ("param", Values::One),
        ("listflag", Values::List),
        ("listparam", Values::List),
    ] {
        let stage = Arc::clone(stage);
        let about = "Defines a flag of the command and returns its value.";
        engine = engine.with_function(name, about, move |args| stage.flag(args, values));
    }
    for (name, values) in [("prompt", Values::One), ("listprompt", Values::List)] {
        let stage = Arc::clone(stage);
        let about = "Asks for a value, unless one is piped in.";
        engine = engine.with_function(name, about, move |args| stage.prompt(args, values));
    }
    for (name, nothing) in [("fetch", ""), ("include", "{}")] {
        let stage = Arc::clone(stage);
        let about = "Reads a URL while the script is made; what cannot be read is empty.";
        engine = engine.with_override(name, about, move |args, caller| {
            stage.optional(args, caller, nothing)
        });
    }
    for name in ["iniDecode", "hclDecode"] {
        let about = "Reads a text; one that was not there is empty.";
        engine = engine.with_override(name, about, move |args, caller| match args {
            // What `include` makes of nothing is no INI.
            [Value::String(text)] if matches!(text.trim(), "" | "{}") => {
                Ok(Value::Map(Arc::default()))
            }
            _ => caller.original(args),
        });
    }
    let about = "Returns the value under a key; nothing has nothing.";
    engine = engine.with_override("k", about, |args, caller| match args {
        [_, Value::Nil] => Ok(Value::Nil),
        _ => caller.original(args),
    });
    let env = Arc::clone(stage);
    let file = Arc::clone(stage);
    engine
        .with_override(
            "env",
            "Returns a variable of the environment.",
            move |args, caller| env.environment(args, caller),
        )
        .with_function(
            "cond",
            "Lets a question be asked only when the condition holds.",
            Stage::cond,
        )
        .with_function("file", "Writes a file.", move |args| file.file(args))
        .with_function("depend", "Refers to a value of another resource.", |args| {
            let [path] = args else {
                return Err("it takes a path".to_owned());
            };
            Ok(Value::String(
                format!("@depend('{}')@", words(path)?).into(),
            ))
        })
}

/// Adds the directives to an engine.
pub(crate) fn add_directives(engine: Engine, stage: &Arc<Stage>) -> Engine {
    DIRECTIVES.iter().fold(engine, |engine, (name, backend)| {
        let stage = Arc::clone(stage);
        engine.with_function(name, backend.about(), move |args| stage.direct(name, args))
    })
}
