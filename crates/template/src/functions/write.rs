//! Text that is made piece by piece and may not grow too large.

use gotmpl::Value;

use crate::value::HEAVIEST;
/// What is said when it does. Told apart by `bind` from a fault of the arguments.
pub(super) use crate::value::TOO_LARGE;

/// Text under construction, never larger than a value may be.
#[derive(Default)]
pub(super) struct Bounded(String);

impl Bounded {
    pub(super) fn push(&mut self, part: &str) -> Result<(), String> {
        if self.0.len() + part.len() > HEAVIEST {
            return Err(TOO_LARGE.to_owned());
        }
        self.0.push_str(part);
        Ok(())
    }

    /// Appends `part` `count` times.
    pub(super) fn push_times(&mut self, part: &str, count: usize) -> Result<(), String> {
        if part
            .len()
            .saturating_mul(count)
            .saturating_add(self.0.len())
            > HEAVIEST
        {
            return Err(TOO_LARGE.to_owned());
        }
        self.0.push_str(&part.repeat(count));
        Ok(())
    }

    pub(super) fn done(self) -> Result<Value, String> {
        Ok(Value::String(self.0.into()))
    }
}

/// Joins `parts` with `separator`.
pub(super) fn join<S: AsRef<str>>(
    parts: impl IntoIterator<Item = S>,
    separator: &str,
) -> Result<Value, String> {
    let mut text = Bounded::default();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            text.push(separator)?;
        }
        text.push(part.as_ref())?;
    }
    text.done()
}
