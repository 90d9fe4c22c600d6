//! A command in its phases: find its flags, choose its backend, make its script.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use infrakit_template::{
    Access, Engine, Fetch, Limits, Metadata, Request, Source as Template, TemplateError, Trust,
    Vars,
};
use serde_json::Value;

use crate::ask::{Ask, Nobody};
use crate::backend::Directive;
use crate::flags::{Flag, Setting};
use crate::functions::{Act, Defaults, Phase, Stage, State, Unanswered, add, add_directives};
use crate::place::{Origin, Place};
use crate::shelf::Playbook;

use crate::tree::Command;

/// How long a run may take, the thinking of the person who is asked included.
const PATIENCE: Duration = Duration::from_hours(24);
/// How long one answer of a server may take.
const ANSWER: Duration = Duration::from_secs(30);
/// Host that stands for the program itself; no network knows it.
const INSIDE: &str = "https://builtin.invalid";

/// What a command takes, and what is done with what it makes.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// Its flags, those of its backend last.
    pub flags: Vec<Flag>,
    /// What its directive asks for.
    pub directive: Option<Directive>,
    /// What went wrong while its flags were looked for. It may be nothing: what a template needs
    /// is only there in the run.
    pub warnings: Vec<String>,
}

/// How a command is run.
#[derive(Clone)]
pub struct Options {
    /// Values of flags by name.
    pub given: BTreeMap<String, Setting>,
    /// Whether it has effects.
    pub act: Act,
    /// What happens to questions with a default.
    pub defaults: Defaults,
    /// Who is asked.
    pub ask: Arc<dyn Ask>,
}

/// What a run made.
#[derive(Clone, Debug)]
pub struct Script {
    /// The text.
    pub text: String,
    /// What is to be done with it; nothing when the template does not say.
    pub directive: Option<Directive>,
    /// What is odd without being wrong.
    pub warnings: Vec<String>,
}

/// Why a run made nothing.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The template is wrong.
    #[error(transparent)]
    Template(#[from] Box<TemplateError>),
    /// A question has no answer.
    #[error("`{}` has no answer: {}", .0.question.trim(), .0.why)]
    Unanswered(Unanswered),
}

impl RunError {
    /// Returns what to do next, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Template(_) => None,
            Self::Unanswered(question) => question
                .flag
                .as_ref()
                .map(|flag| format!("answer it with `--{flag}`")),
        }
    }
}

/// Renders the commands of one playbook.
pub struct Player<'a> {
    playbook: &'a Playbook,
    access: Access,
    metadata: Option<Arc<dyn Metadata>>,
    echo: Arc<dyn Fn(&str) + Send + Sync>,
}

impl<'a> Player<'a> {
    /// Returns a player. `fetch` has the network, `echo` shows what templates say on the way.
    #[must_use]
    pub fn new(
        playbook: &'a Playbook,
        fetch: Option<Arc<dyn Fetch>>,
        echo: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Self {
        let inside = Inside {
            root: playbook.root.clone(),
            files: playbook.files().clone(),
            net: playbook.reach.net,
            sockets: playbook.reach.files,
            fetch,
        };
        let inside_only = playbook.is_copied() || playbook.root.origin() != Origin::Local;
        let access = playbook
            .reach
            .access()
            .with_fetch(Arc::new(inside))
            .with_remote(if inside_only {
                // What is granted was chosen for this playbook; all else it reads is its own.
                Trust::Everything
            } else {
                Trust::Nothing
            });
        Self {
            playbook,
            access,
            metadata: None,
            echo,
        }
    }

    /// Lets runs of a playbook of this machine read metadata, and write it when they have effects.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Arc<dyn Metadata>) -> Self {
        if self.playbook.root.origin() != Origin::Remote {
            self.metadata = Some(metadata);
        }
        self
    }

    fn engine(&self, stage: &Arc<Stage>) -> Engine {
        let limits = Limits {
            time: PATIENCE,
            ..Limits::default()
        };
        let engine = Engine::new().with_access(&self.access).with_limits(limits);
        add(engine, stage)
    }

    /// Returns the template of a command under a URL that relative ones are relative to.
    fn template(&self, command: &Command) -> Template {
        let place = &command.place;
        let base = match (place.path(), place.origin()) {
            // Its parts are read from the copy, not from where they came from.
            (Some(path), _) if self.playbook.is_copied() => {
                format!("{INSIDE}{}", path.display())
            }
            (Some(path), _) => path.to_string_lossy().into_owned(),
            (None, Origin::BuiltIn) => place.as_str().replacen("builtin://", INSIDE, 1),
            (None, Origin::Local | Origin::Remote) => place.as_str().to_owned(),
        };
        Template::new(&base, &command.text).with_name(place.shown())
    }

    /// Finds the flags of a command, and its backend.
    #[must_use]
    pub fn define(&self, command: &Command) -> Definition {
        let stage = Arc::new(Stage::new(
            Phase::Define,
            State::default(),
            Arc::new(Nobody),
            &self.playbook.reach,
        ));
        let template = self.template(command);
        let engine = self.engine(&stage);
        let vars = Vars::new();
        let mut failures = BTreeSet::new();
        if let Err(error) = engine.render_source(&template, &Value::Null, &vars) {
            failures.insert(error.to_string());
        }
        let directive = self.direct(&stage, &template, &vars);
        if let Err(error) = directive {
            failures.insert(error.to_string());
        }
        let mut state = stage.state();
        let mut flags = std::mem::take(&mut state.flags);
        if let Some(directive) = &state.directive {
            for flag in directive.backend.flags() {
                if !flags.iter().any(|other| other.name == flag.name) {
                    flags.push(flag);
                }
            }
        }
        let mut warnings = std::mem::take(&mut state.warnings);
        warnings.extend(failures);
        Definition {
            flags,
            directive: state.directive.take(),
            warnings,
        }
    }

    /// Makes the script of a command.
    ///
    /// # Errors
    /// When the template is wrong, or a question has no answer.
    pub fn run(
        &self,
        command: &Command,
        definition: &Definition,
        options: Options,
    ) -> Result<Script, RunError> {
        let state = State {
            flags: definition.flags.clone(),
            given: options.given,
            ..State::default()
        };
        let phase = Phase::Run {
            act: options.act,
            defaults: options.defaults,
        };
        let stage = Arc::new(Stage::new(phase, state, options.ask, &self.playbook.reach));
        let template = self.template(command);
        let echo = Arc::clone(&self.echo);
        let mut engine = self.engine(&stage).with_echo(move |line| echo(line));
        if let Some(metadata) = &self.metadata {
            let metadata: Arc<dyn Metadata> = match options.act {
                Act::Really => Arc::clone(metadata),
                Act::Pretend => Arc::new(Frozen(Arc::clone(metadata))),
            };
            engine = engine.with_access(&self.access.clone().with_metadata(metadata));
        }
        let vars = Vars::new();
        let rendered = engine.render_source(&template, &Value::Null, &vars);
        let text = rendered.map_err(|error| failed(&stage, error))?;
        self.direct(&stage, &template, &vars)
            .map_err(|error| failed(&stage, error))?;
        let mut state = stage.state();
        Ok(Script {
            text,
            directive: state.directive.take(),
            warnings: std::mem::take(&mut state.warnings),
        })
    }

    /// Renders the template with the other marks, between which it says what is done with it.
    fn direct(
        &self,
        stage: &Arc<Stage>,
        template: &Template,
        vars: &Vars,
    ) -> Result<(), TemplateError> {
        let engine = add_directives(self.engine(stage), stage).with_delimiters("=%", "%=");
        engine.render_source(template, &Value::Null, vars).map(drop)
    }
}

fn failed(stage: &Stage, error: TemplateError) -> RunError {
    match stage.state().unanswered.take() {
        Some(question) => RunError::Unanswered(question),
        None => RunError::Template(Box::new(error)),
    }
}

/// Metadata that a trial reads, and does not write.
struct Frozen(Arc<dyn Metadata>);

impl Metadata for Frozen {
    fn get(&self, path: &str) -> Result<Option<Value>, String> {
        self.0.get(path)
    }

    fn set(&self, _path: &str, _value: &Value) -> Result<(), String> {
        Ok(())
    }
}

/// Fetches for a playbook: its own files from what was locked, all else from the network.
struct Inside {
    root: Place,
    files: BTreeMap<String, Vec<u8>>,
    net: bool,
    sockets: bool,
    fetch: Option<Arc<dyn Fetch>>,
}

impl Fetch for Inside {
    fn fetch(&self, request: &Request<'_>) -> Result<Vec<u8>, String> {
        let url = match request.url.strip_prefix(INSIDE) {
            Some(path) if self.root.origin() == Origin::Local => format!("file://{path}"),
            Some(path) => format!("builtin://{path}"),
            None => request.url.to_owned(),
        };
        if url.starts_with("unix://") {
            if !self.sockets {
                return Err(
                    "this playbook is from another machine and may not use its sockets; \
                            `infrakit playbook update NAME --allow files` lets it"
                        .to_owned(),
                );
            }
        } else {
            let place = Place::stored(&url).map_err(|error| error.to_string())?;
            if let Some(content) = self.files.get(&self.root.key_of(&place)) {
                return Ok(content.clone());
            }
            if place.origin() != Origin::Remote {
                return Err("it does not exist".to_owned());
            }
            if !self.net && !place.same_origin(&self.root) {
                return Err("this playbook may only ask the server that it comes from; \
                            `infrakit playbook update NAME --allow net` lets it ask others"
                    .to_owned());
            }
        }
        let Some(fetch) = &self.fetch else {
            return Err("there is no network here".to_owned());
        };
        let request = Request {
            timeout: request.timeout.min(ANSWER),
            ..request.clone()
        };
        fetch.fetch(&request)
    }

    fn resolve(&self, host: &str) -> Result<String, String> {
        match &self.fetch {
            Some(fetch) if self.net => fetch.resolve(host),
            _ => Err(format!("looking up `{host}` is not granted")),
        }
    }
}

/// Returns what is wrong with a template before it is run.
#[must_use]
pub fn check(playbook: &Playbook, command: &Command) -> Option<String> {
    let player = Player::new(playbook, None, Arc::new(|_| {}));
    let stage = Arc::new(Stage::new(
        Phase::Define,
        State::default(),
        Arc::new(Nobody),
        &playbook.reach,
    ));
    let name = command.place.shown();
    let engine = player.engine(&stage);
    let directives = add_directives(player.engine(&stage), &stage).with_delimiters("=%", "%=");
    engine
        .check(&command.text, &name)
        .and_then(|()| directives.check(&command.text, &name))
        .err()
        .map(|error| error.to_string())
}

#[cfg(test)]
mod tests;
