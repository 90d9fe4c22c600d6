//! How much of a group may be out of service at a time. Every disruption draws from it.

use crate::{Order, Spec};

/// The budget of a group of a certain size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Members that may be unavailable at a time.
    pub(crate) unavailable: usize,
    /// Members that there may be beyond the size.
    pub(crate) surge: usize,
    /// Which comes first when a member is replaced.
    pub(crate) order: Order,
}

impl Budget {
    /// Returns the budget of `spec` for a group of `size` members.
    pub(crate) fn of(spec: &Spec, size: usize) -> Self {
        let members = size as u64;
        Self {
            unavailable: number(spec.unavailable(members)),
            surge: number(spec.surge(members)),
            order: spec.order(members),
        }
    }

    /// Replacements that may be under way at once.
    pub(crate) fn replacements(&self) -> usize {
        (self.unavailable + self.surge).max(1)
    }
}

pub(crate) fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
