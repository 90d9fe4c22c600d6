//! One template of a rendering: where it came from, where it is, what it knows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gotmpl::Value;

use crate::error::{Position, TemplateError};
use crate::load::{Reading, Source, name_of, origin_of};
use crate::run::Run;
use crate::url::{resolve, scheme_of};
use crate::{Vars, render};

/// Stack that must be left before another template is included, and how much more is taken
/// otherwise. Two hundred nested blocks, the most there can be, take a little more than half of it.
const STACK: usize = 4 * 1024 * 1024;

/// What the functions of one template see.
pub(crate) struct Frame {
    pub(crate) run: Arc<Run>,
    pub(crate) source: Source,
    /// Variables of `var`.
    pub(crate) vars: Vars,
    /// What `.` was at its beginning.
    pub(crate) context: Value,
    depth: usize,
    at: AtomicUsize,
}

/// Whose variables an included template has.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Scope {
    /// Those of the enclosing template.
    Shared,
    /// A copy of them.
    Forked,
}

/// What a template is included with.
pub(crate) struct Inclusion<'a> {
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) context: Value,
    pub(crate) scope: Scope,
}

impl Frame {
    /// Returns the outermost template of a rendering.
    pub(crate) fn new(run: Arc<Run>, source: Source, vars: Vars, context: Value) -> Self {
        Self {
            run,
            source,
            vars,
            context,
            depth: 0,
            at: AtomicUsize::new(0),
        }
    }

    /// Returns whether another template includes this one.
    pub(crate) fn is_included(&self) -> bool {
        self.depth > 0
    }

    /// Notes that the action at `offset` is reached.
    pub(crate) fn reach(&self, offset: usize) {
        self.at.store(offset, Ordering::Relaxed);
    }

    /// Returns the place of the action that was reached last.
    pub(crate) fn position(&self) -> Position {
        Position::of_offset(&self.source.text, self.at.load(Ordering::Relaxed))
    }

    /// Returns whether what lies on this machine is granted to this template.
    pub(crate) fn is_local(&self) -> bool {
        self.run.engine.access.is_local(self.source.origin)
    }

    /// Returns the text behind `url`, which may be relative to this template.
    pub(crate) fn read(
        &self,
        url: &str,
        headers: &[(String, String)],
        keep: bool,
    ) -> Result<Arc<str>, String> {
        let url = resolve(&self.source.base, url);
        // What one template was granted is not kept for another that is not.
        let key = format!("{} {url}\n{headers:?}", self.is_local());
        if keep && let Some(text) = self.run.fetched(&key) {
            return Ok(text);
        }
        if !url.starts_with("str://") {
            self.run.count_fetch().map_err(|cause| said(&cause))?;
        }
        let reading = Reading {
            access: &self.run.engine.access,
            origin: self.source.origin,
            headers,
            limit: self.run.engine.limits.fetch_bytes,
            timeout: self.run.time_left().map_err(|cause| said(&cause))?,
        };
        let text: Arc<str> = reading
            .read(&url)
            .map_err(|error| error.to_string())?
            .into();
        self.run
            .burn(text.len() as u64)
            .map_err(|cause| said(&cause))?;
        if keep {
            self.run.keep_fetched(key, Arc::clone(&text));
        }
        Ok(text)
    }

    /// Reads and renders another template.
    pub(crate) fn include(&self, inclusion: Inclusion<'_>) -> Result<String, String> {
        let most = self.run.engine.limits.depth;
        if self.depth >= most {
            let what = format!("the templates include each other more than {most} deep");
            return Err(said(&self.run.exhaust(what)));
        }
        let text = self.read(inclusion.url, inclusion.headers, true)?;
        let child = Arc::new(Self {
            run: Arc::clone(&self.run),
            source: self.inner_source(inclusion.url, text),
            vars: match inclusion.scope {
                Scope::Shared => self.vars.clone(),
                Scope::Forked => self.vars.fork(),
            },
            context: inclusion.context,
            depth: self.depth + 1,
            at: AtomicUsize::new(0),
        });
        stacker::maybe_grow(STACK, STACK, || render::render(&child)).map_err(|error| {
            let message = error.to_string();
            self.run.set_nested(error);
            message
        })
    }

    /// Returns the source of a template in this one. A text has neither place nor origin of its
    /// own: both are those of the template that holds it.
    fn inner_source(&self, url: &str, text: Arc<str>) -> Source {
        let url = resolve(&self.source.base, url);
        if matches!(scheme_of(&url), Some(("str", _))) {
            return Source {
                name: name_of(&url),
                base: self.source.base.clone(),
                origin: self.source.origin,
                text,
            };
        }
        Source {
            name: name_of(&url),
            origin: origin_of(&url),
            base: url,
            text,
        }
    }

    /// Returns the failure with the place that was reached last.
    pub(crate) fn fail(&self, error: TemplateError) -> TemplateError {
        error.at(&self.source.text, self.position())
    }
}

/// Returns the words of a cause, which are all that a function can hand on.
fn said(cause: &gotmpl::TemplateError) -> String {
    match cause {
        gotmpl::TemplateError::Exec(message) => message.clone(),
        other => other.to_string(),
    }
}
