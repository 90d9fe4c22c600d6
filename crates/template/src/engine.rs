//! The engine: options, and rendering one text.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use gotmpl::TemplateError as Cause;

use crate::compile::{Compiled, compile};
use crate::error::{ErrorKind, Position, TemplateError};
use crate::run::Run;
use crate::{Access, Vars, functions, value};

/// Largest output, in bytes.
const LARGEST_OUTPUT: usize = 8 * 1024 * 1024;

/// What `{{ var "name" }}` prints when nothing set that variable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnsetVar {
    /// `<no value>`.
    #[default]
    NoValue,
    /// The action itself, for a later pass that knows the variable.
    Keep,
}

type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Renders templates with one set of options.
#[derive(Clone)]
pub struct Engine {
    env: Option<Arc<BTreeMap<String, String>>>,
    clock: Clock,
    unset: UnsetVar,
}

impl fmt::Debug for Engine {
    /// Leaves the environment out: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("unset", &self.unset)
            .finish_non_exhaustive()
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// Returns an engine that grants nothing and reads the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            env: None,
            clock: Arc::new(seconds_since_1970),
            unset: UnsetVar::default(),
        }
    }

    /// Grants the templates what `access` grants.
    #[must_use]
    pub fn with_access(mut self, access: &Access) -> Self {
        self.env = access.env.clone().map(Arc::new);
        self
    }

    /// Takes the seconds since 1970, which `unixtime` returns, from `clock`.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Chooses what an unset variable becomes.
    #[must_use]
    pub fn with_unset_var(mut self, unset: UnsetVar) -> Self {
        self.unset = unset;
        self
    }

    /// Renders `text` over `context`. `name` stands in errors; it may be a URL. The template
    /// reads and sets `vars`.
    ///
    /// Numbers of the context are float64, as Go's JSON decoder makes them: `{{ .n }}` prints
    /// `3`, and `{{ eq .n 3 }}` is an error, while `{{ add .n 1 }}` is `4`.
    ///
    /// # Errors
    /// Returns where and why the text is no template, an action of it failed, or it exceeded a
    /// limit: 8 MiB of output or of one value, 5 million loop turns, about a second of work.
    pub fn render(
        &self,
        text: &str,
        name: &str,
        context: &serde_json::Value,
        vars: &Vars,
    ) -> Result<String, TemplateError> {
        let run = Arc::new(self.run(vars));
        let compiled = compile(text, name, functions::table(&run))?;
        let mut output = Output {
            text: String::new(),
        };
        match execute(&compiled, name, &mut output, &value::from_json(context)) {
            Ok(()) => Ok(output.text),
            Err(cause) => Err(execute_error(text, name, &run, cause)),
        }
    }

    /// Checks that `text` is a template and calls only functions that exist, without running it.
    ///
    /// # Errors
    /// Returns where and why it is not.
    pub fn check(&self, text: &str, name: &str) -> Result<(), TemplateError> {
        let run = Arc::new(self.run(&Vars::new()));
        compile(text, name, functions::table(&run)).map(|_| ())
    }

    fn run(&self, vars: &Vars) -> Run {
        Run::new(vars.clone(), self.env.clone(), (self.clock)(), self.unset)
    }
}

fn execute(
    compiled: &Compiled,
    name: &str,
    output: &mut Output,
    context: &gotmpl::Value,
) -> Result<(), Cause> {
    if compiled.rewritten {
        compiled
            .template
            .execute_template_fmt(output, name, context)
    } else {
        compiled.template.execute_fmt(output, context)
    }
}

fn execute_error(text: &str, name: &str, run: &Run, cause: Cause) -> TemplateError {
    let (kind, message) = match cause {
        Cause::Exec(message) if run.is_exhausted() => (ErrorKind::Limit, message),
        Cause::Exec(message) => (ErrorKind::Execute, message),
        Cause::Write => (
            ErrorKind::Limit,
            "the output is larger than 8 MiB".to_owned(),
        ),
        Cause::RangeIterLimit => (
            ErrorKind::Limit,
            "the loops take more than 5 million turns".to_owned(),
        ),
        Cause::RecursionLimit => (
            ErrorKind::Limit,
            "the templates are nested more than 200 deep".to_owned(),
        ),
        other => (ErrorKind::Execute, other.to_string()),
    };
    TemplateError::new(kind, name, message).at(text, Position::of_offset(text, run.offset()))
}

/// Takes output up to the limit.
struct Output {
    text: String,
}

impl fmt::Write for Output {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.text.len() + part.len() > LARGEST_OUTPUT {
            return Err(fmt::Error);
        }
        self.text.push_str(part);
        Ok(())
    }
}

fn seconds_since_1970() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
