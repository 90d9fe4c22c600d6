//! One rendering in progress: what its functions see, how much it may still do, where it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use gotmpl::{TemplateError as Cause, Value};

use crate::value;
use crate::{UnsetVar, Vars};

/// Fuel of one rendering. A unit is about a nanosecond of work in a release build, so that the
/// dearest template takes a fraction of a second; honest ones need less than a thousandth of it.
const FUEL: u64 = 1 << 28;
/// Fuel for reaching an action.
const STEP: u64 = 50;
/// Fuel for calling a function, beside what its arguments and its result weigh.
const CALL: u64 = 100;
/// Longest format of `printf`. Each verb of it can ask for 65,535 characters.
const LONGEST_FORMAT: usize = 4096;

/// What the functions of one rendering share.
pub(crate) struct Run {
    /// Variables of `var`.
    pub(crate) vars: Vars,
    /// Environment, where it is granted.
    pub(crate) env: Option<Arc<BTreeMap<String, String>>>,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// What an unset variable becomes.
    pub(crate) unset: UnsetVar,
    fuel: AtomicU64,
    at: AtomicUsize,
    exhausted: AtomicBool,
}

impl Run {
    pub(crate) fn new(
        vars: Vars,
        env: Option<Arc<BTreeMap<String, String>>>,
        now: i64,
        unset: UnsetVar,
    ) -> Self {
        Self {
            vars,
            env,
            now,
            unset,
            fuel: AtomicU64::new(FUEL),
            at: AtomicUsize::new(0),
            exhausted: AtomicBool::new(false),
        }
    }

    /// Returns the byte offset of the action that was reached last.
    pub(crate) fn offset(&self) -> usize {
        self.at.load(Ordering::Relaxed)
    }

    /// Returns whether a limit was hit.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }

    /// Notes that the action at `offset` is reached.
    pub(crate) fn step(&self, offset: usize) -> Result<(), Cause> {
        self.at.store(offset, Ordering::Relaxed);
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

    /// Refuses a format of `printf` that could print too much at once.
    pub(crate) fn check_format(&self, format: &Value) -> Result<(), Cause> {
        if format
            .as_str()
            .is_some_and(|text| text.len() > LONGEST_FORMAT)
        {
            return Err(self.exhaust("the format of `printf` is longer than 4096 bytes"));
        }
        Ok(())
    }

    fn burn(&self, units: u64) -> Result<(), Cause> {
        // One thread renders; the atomics only make the closures `Sync`.
        let left = self.fuel.load(Ordering::Relaxed);
        let rest = left
            .checked_sub(units)
            .ok_or_else(|| self.exhaust("the template takes too long"))?;
        self.fuel.store(rest, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn exhaust(&self, what: &str) -> Cause {
        self.exhausted.store(true, Ordering::Relaxed);
        Cause::Exec(what.to_owned())
    }
}
