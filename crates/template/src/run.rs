//! One rendering in progress: what all of its templates share, and how much it may still do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gotmpl::{TemplateError as Cause, Value};

use crate::Engine;
use crate::cells::Cells;
use crate::compile::Compiled;
use crate::error::TemplateError;
use crate::load::Source;
use crate::value;

/// Fuel of one rendering. A unit is about a nanosecond of work in a release build, so that the
/// dearest template takes a fraction of a second; honest ones need less than a thousandth of it.
const FUEL: u64 = 1 << 28;
/// Fuel for reaching an action.
const STEP: u64 = 100;
/// Fuel for calling a function, beside what its arguments and its result weigh.
const CALL: u64 = 100;
/// Most compiled templates that are kept.
const MOST_COMPILED: usize = 64;

/// What the templates of one rendering share.
pub(crate) struct Run {
    /// Options and grants.
    pub(crate) engine: Engine,
    /// Seconds since 1970, the same for the whole rendering.
    pub(crate) now: i64,
    /// Dicts that were changed.
    pub(crate) cells: Cells,
    /// Texts that were fetched, by URL and headers.
    fetched: Mutex<HashMap<String, Arc<str>>>,
    fetches: AtomicUsize,
    /// Templates that were included, by name and text.
    compiled: Mutex<HashMap<(String, Arc<str>), Compiled>>,
    /// The failure of an included template, on its way to the enclosing one.
    nested: Mutex<Option<TemplateError>>,
    started: Instant,
    fuel: AtomicU64,
    exhausted: AtomicBool,
}

impl Run {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            now: engine.now(),
            engine: engine.clone(),
            cells: Cells::default(),
            fetched: Mutex::default(),
            fetches: AtomicUsize::new(0),
            compiled: Mutex::default(),
            nested: Mutex::default(),
            started: Instant::now(),
            fuel: AtomicU64::new(FUEL),
            exhausted: AtomicBool::new(false),
        }
    }

    /// Returns whether a limit was hit.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }

    /// Pays for reaching an action.
    pub(crate) fn pay_step(&self) -> Result<(), Cause> {
        self.time_left()?;
        self.burn(STEP)
    }

    /// Pays for a call with these arguments.
    pub(crate) fn pay_call(&self, args: &[Value]) -> Result<(), Cause> {
        let lengths: usize = args.iter().filter_map(Value::len).sum();
        self.burn(CALL + lengths as u64)
    }

    /// Pays for a value that was made, and refuses one that is too large.
    pub(crate) fn pay_result(&self, made: &Value) -> Result<(), Cause> {
        let weight = value::weigh(made).map_err(|what| self.exhaust(what))?;
        self.burn(weight as u64)
    }

    /// Returns how long it may still take, or the failure when that is no time at all.
    pub(crate) fn time_left(&self) -> Result<Duration, Cause> {
        let time = self.engine.limits.time;
        time.checked_sub(self.started.elapsed())
            .filter(|left| !left.is_zero())
            .ok_or_else(|| self.exhaust(format!("the template takes longer than {time:?}")))
    }

    /// Counts a URL that is read.
    pub(crate) fn count_fetch(&self) -> Result<(), Cause> {
        let most = self.engine.limits.fetches;
        if self.fetches.fetch_add(1, Ordering::Relaxed) < most {
            return Ok(());
        }
        Err(self.exhaust(format!("the template reads more than {most} URLs")))
    }

    /// Returns the text under `key` if it was fetched before.
    pub(crate) fn fetched(&self, key: &str) -> Option<Arc<str>> {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.get(key).cloned()
    }

    /// Keeps the text under `key` for as long as the rendering takes.
    pub(crate) fn keep_fetched(&self, key: String, text: Arc<str>) {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.insert(key, text);
    }

    /// Returns the compiled template of `source` if it was included before.
    pub(crate) fn compiled(&self, source: &Source) -> Option<Compiled> {
        let compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.name.clone(), Arc::clone(&source.text));
        compiled.get(&key).cloned()
    }

    /// Keeps a compiled template for as long as the rendering takes, if there are not many yet.
    pub(crate) fn keep_compiled(&self, source: &Source, made: Compiled) {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() < MOST_COMPILED {
            compiled.insert((source.name.clone(), Arc::clone(&source.text)), made);
        }
    }

    /// Hands the failure of an included template to the enclosing one.
    pub(crate) fn set_nested(&self, error: TemplateError) {
        *self.nested.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Returns the failure of an included template if `message` is about it.
    pub(crate) fn take_nested(&self, message: &str) -> Option<TemplateError> {
        let mut nested = self.nested.lock().unwrap_or_else(PoisonError::into_inner);
        nested.take_if(|error| message.ends_with(&error.to_string()))
    }

    pub(crate) fn burn(&self, units: u64) -> Result<(), Cause> {
        // One thread renders; the atomics only make the closures `Sync`.
        let left = self.fuel.load(Ordering::Relaxed);
        let rest = left
            .checked_sub(units)
            .ok_or_else(|| self.exhaust("the template takes too long: it does too much work"))?;
        self.fuel.store(rest, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn exhaust(&self, what: impl Into<String>) -> Cause {
        self.exhausted.store(true, Ordering::Relaxed);
        Cause::Exec(what.into())
    }
}
