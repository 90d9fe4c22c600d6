//! Arguments of a function, read as the type that it wants.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::{TemplateError as Cause, Value};

use crate::cells::{Cells, Dict};
use crate::frame::Frame;
use crate::value::type_of;

/// The arguments of one call, and the template it belongs to.
///
/// The arity was checked before; an argument that is optional and absent reads as nil.
pub(super) struct Args<'a> {
    pub(super) values: &'a [Value],
    pub(super) frame: &'a Arc<Frame>,
}

impl<'a> Args<'a> {
    /// Returns the argument as it is.
    pub(super) fn value(&self, index: usize) -> &'a Value {
        self.values.get(index).unwrap_or(&Value::Nil)
    }

    /// Returns an argument that must be a string.
    pub(super) fn string(&self, index: usize) -> Result<&'a str, String> {
        let value = self.value(index);
        value
            .as_str()
            .ok_or_else(|| self.mismatch(index, "a string"))
    }

    /// Returns an argument as a number, by sprig's rules.
    pub(super) fn int(&self, index: usize) -> i64 {
        to_int(self.value(index))
    }

    /// Returns an argument as a number with a fraction, by sprig's rules.
    pub(super) fn float(&self, index: usize) -> f64 {
        to_float(self.value(index))
    }

    /// Returns an argument that counts something: not negative, at most a million.
    pub(super) fn count(&self, index: usize) -> Result<usize, String> {
        let number = self.int(index);
        usize::try_from(number)
            .ok()
            .filter(|count| *count <= 1_000_000)
            .ok_or_else(|| format!("{number} is not between 0 and 1000000"))
    }

    /// Returns an argument that must be a list; nil is an empty one.
    pub(super) fn list(&self, index: usize) -> Result<&'a [Value], String> {
        match self.value(index) {
            Value::List(items) => Ok(items),
            Value::Nil => Ok(&[]),
            _ => Err(self.mismatch(index, "a list")),
        }
    }

    /// Returns an argument that must be a dict.
    pub(super) fn dict(&self, index: usize) -> Result<&'a BTreeMap<Arc<str>, Value>, String> {
        self.handle(index).map(AsRef::as_ref)
    }

    /// Returns an argument that must be a dict, to change it.
    pub(super) fn handle(&self, index: usize) -> Result<&'a Dict, String> {
        match self.value(index) {
            Value::Map(dict) => Ok(dict),
            _ => Err(self.mismatch(index, "a dict")),
        }
    }

    /// Returns the dicts that were changed.
    pub(super) fn cells(&self) -> &'a Cells {
        &self.frame.run.cells
    }

    /// Pays for work that the size of arguments and result does not show.
    pub(super) fn pay(&self, units: u64) -> Result<(), String> {
        let run = &self.frame.run;
        let paid = run.time_left().and_then(|_| run.burn(units));
        paid.map_err(|cause| match cause {
            Cause::Exec(message) => message,
            other => other.to_string(),
        })
    }

    pub(super) fn mismatch(&self, index: usize, want: &str) -> String {
        let found = match self.value(index) {
            Value::List(_) => "a list",
            Value::Map(_) => "a dict",
            Value::Nil => "nil",
            other => type_of(other),
        };
        format!("argument {} must be {want}, not {found}", index + 1)
    }
}

/// Converts as sprig does: numbers are cut off, decimal text is read, all else is 0.
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Bool(flag) => i64::from(*flag),
        Value::Int(number) => *number,
        // Too large ones wrap, as a conversion does in Go.
        Value::Uint(number) => *number as i64,
        Value::Float(number) => *number as i64,
        Value::String(text) => text
            .parse()
            .or_else(|_| text.parse::<f64>().map(|number| number as i64))
            .unwrap_or(0),
        Value::Nil | Value::List(_) | Value::Map(_) | Value::Function(_) => 0,
    }
}

/// Converts as sprig does: decimal text is read, all that is no number is 0.
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Int(number) => *number as f64,
        Value::Uint(number) => *number as f64,
        Value::Float(number) => *number,
        Value::String(text) => text.parse().unwrap_or(0.0),
        Value::Nil | Value::List(_) | Value::Map(_) | Value::Function(_) => 0.0,
    }
}
