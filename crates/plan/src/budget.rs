//! How much of a group may be out of service at a time. Every disruption draws from it.

use crate::Spec;

/// The budget of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Members that may be unavailable at a time.
    pub(crate) unavailable: usize,
    /// Members that there may be beyond the size.
    pub(crate) surge: usize,
}

impl Budget {
    /// Returns the budget of `spec`: one at a time, nothing beyond the size. The rollout language
    /// will make this the operator's choice.
    pub(crate) fn of(_spec: &Spec) -> Self {
        Self {
            unavailable: 1,
            surge: 0,
        }
    }
}
