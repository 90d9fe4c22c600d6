//! The engine: options, and rendering one text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use gotmpl::Value;

use crate::compile::compile;
use crate::error::{ErrorKind, Position, TemplateError};
use crate::frame::Frame;
use crate::limits::Limits;
use crate::load::{Reading, Source, name_of};
use crate::own::{Caller, Own};
use crate::rewrite::Language;
use crate::run::Run;
use crate::url::resolve;
use crate::{Access, Vars, functions, render, value};

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
type Echo = Arc<dyn Fn(&str) + Send + Sync>;

/// Renders templates with one set of options.
#[derive(Clone)]
pub struct Engine {
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) unset: UnsetVar,
    pub(crate) own: Arc<BTreeMap<String, Own>>,
    pub(crate) echo: Option<Echo>,
    delimiters: (Arc<str>, Arc<str>),
    clock: Clock,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("access", &self.access)
            .field("limits", &self.limits)
            .field("unset", &self.unset)
            .field("own", &self.own)
            .field("delimiters", &self.delimiters)
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
            access: Access::none(),
            limits: Limits::default(),
            unset: UnsetVar::default(),
            own: Arc::default(),
            echo: None,
            delimiters: ("{{".into(), "}}".into()),
            clock: Arc::new(seconds_since_1970),
        }
    }

    /// Grants the templates what `access` grants.
    #[must_use]
    pub fn with_access(mut self, access: &Access) -> Self {
        self.access = access.clone();
        self
    }

    /// Sets the bounds of a rendering.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
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

    /// Sets the marks that actions stand between, `{{` and `}}` by default. Neither may be empty;
    /// an empty one stands for the default.
    ///
    /// ```
    /// use infrakit_template::{Engine, Vars};
    ///
    /// let engine = Engine::new().with_delimiters("=%", "%=");
    /// let text = "{{/* =% upper `sh` %= */}}";
    /// let got = engine.render(text, "doc", &serde_json::Value::Null, &Vars::new())?;
    /// assert_eq!(got, "{{/* SH */}}");
    /// # Ok::<(), infrakit_template::TemplateError>(())
    /// ```
    #[must_use]
    pub fn with_delimiters(mut self, left: &str, right: &str) -> Self {
        let or = |mark: &str, default: &str| if mark.is_empty() { default } else { mark }.into();
        self.delimiters = (or(left, "{{"), or(right, "}}"));
        self
    }

    /// Hands the lines of `echo` to `echo`; without it they are dropped.
    #[must_use]
    pub fn with_echo(mut self, echo: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.echo = Some(Arc::new(echo));
        self
    }

    /// Adds a function, or puts it in the place of the one of that name, in this template and all
    /// that it includes. What is piped into it is the last argument.
    ///
    /// ```
    /// use infrakit_template::{Engine, Value, Vars};
    ///
    /// let engine = Engine::new().with_function("greet", "Greets somebody.", |args| {
    ///     match args {
    ///         [Value::String(who)] => Ok(Value::String(format!("Hello {who}").into())),
    ///         _ => Err("it takes a name".to_owned()),
    ///     }
    /// });
    /// let got = engine.render("{{ `web` | greet }}", "doc", &serde_json::Value::Null, &Vars::new());
    /// assert_eq!(got?, "Hello web");
    /// # Ok::<(), infrakit_template::TemplateError>(())
    /// ```
    #[must_use]
    pub fn with_function(
        self,
        name: &str,
        about: &str,
        call: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        self.with_override(name, about, move |args, _| call(args))
    }

    /// Does the same for a function that needs to know who calls it, or to call the one whose
    /// place it takes.
    #[must_use]
    pub fn with_override(
        mut self,
        name: &str,
        about: &str,
        call: impl Fn(&[Value], &Caller<'_>) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        let own = Own {
            about: about.to_owned(),
            call: Arc::new(call),
        };
        Arc::make_mut(&mut self.own).insert(name.to_owned(), own);
        self
    }

    /// Renders `text` over `context`. `name` stands in errors; it may be a URL, to which relative
    /// URLs in the template are relative then. The template reads and sets `vars`.
    ///
    /// Numbers of the context are float64, as Go's JSON decoder makes them: `{{ .n }}` prints
    /// `3`, and `{{ eq .n 3 }}` is an error, while `{{ add .n 1 }}` is `4`.
    ///
    /// # Errors
    /// Returns where and why the text is no template, an action of it failed, or it exceeded one
    /// of the [`Limits`].
    pub fn render(
        &self,
        text: &str,
        name: &str,
        context: &serde_json::Value,
        vars: &Vars,
    ) -> Result<String, TemplateError> {
        self.render_source(&Source::new(name, text), context, vars)
    }

    /// Renders `source`, whose URL decides what it is granted and what relative URLs mean.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_source(
        &self,
        source: &Source,
        context: &serde_json::Value,
        vars: &Vars,
    ) -> Result<String, TemplateError> {
        let run = Arc::new(Run::new(self));
        let context = value::from_json(context);
        let frame = Arc::new(Frame::new(
            Arc::clone(&run),
            source.clone(),
            vars.clone(),
            context,
        ));
        let text = render::render(&frame)?;
        vars.settle(&run.cells)
            .map_err(|what| TemplateError::new(ErrorKind::Limit, &source.name, what))?;
        Ok(text)
    }

    /// Checks that `text` is a template and calls only functions that exist, without running it.
    ///
    /// # Errors
    /// Returns where and why it is not.
    pub fn check(&self, text: &str, name: &str) -> Result<(), TemplateError> {
        self.compile(&Source::new(name, text)).map(|_| ())
    }

    /// Checks `source`, and all that it includes under a URL that is written out in it.
    ///
    /// # Errors
    /// Returns where and why one of them is no template, or cannot be read.
    pub fn check_source(&self, source: &Source) -> Result<(), TemplateError> {
        self.check_all(source, &mut BTreeSet::new())
    }

    fn check_all(&self, source: &Source, seen: &mut BTreeSet<String>) -> Result<(), TemplateError> {
        for (offset, url) in self.compile(source)? {
            let position = Position::of_offset(&source.text, offset);
            let url = resolve(&source.base, &url);
            if !seen.insert(url.clone()) || seen.len() > self.limits.fetches {
                continue;
            }
            let reading = Reading {
                access: &self.access,
                origin: source.origin,
                headers: &[],
                limit: self.limits.fetch_bytes,
                timeout: self.limits.time,
            };
            let text = reading.read(&url).map_err(|error| {
                TemplateError::new(ErrorKind::Execute, &source.name, error.to_string())
                    .at(&source.text, position)
            })?;
            let mut inner = Source::new(&url, &text);
            if inner.base.is_empty() {
                inner.base.clone_from(&source.base);
                inner.origin = source.origin;
            }
            self.check_all(&inner.with_name(name_of(&url)), seen)
                .map_err(|error| error.included_from(&source.name, position))?;
        }
        Ok(())
    }

    /// Compiles `source`; returns the templates that it includes, with their places.
    fn compile(&self, source: &Source) -> Result<Vec<(usize, String)>, TemplateError> {
        let language = Language {
            delimiters: self.delimiters(),
            is_function: &|name| functions::is_known(self, name),
            names: &|| functions::names(self),
        };
        compile(&source.text, &source.name, &language).map(|compiled| compiled.included)
    }

    pub(crate) fn delimiters(&self) -> (&str, &str) {
        (&self.delimiters.0, &self.delimiters.1)
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }
}

fn seconds_since_1970() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
