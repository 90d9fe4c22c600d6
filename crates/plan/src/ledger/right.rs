//! The receipt of the ledger, without which nobody can build an action that makes or unmakes
//! anything.

use infrakit_spi::{InstanceId, PluginName};

use crate::Token;
use crate::action::Action;

/// The right to do one thing. Only the ledger (`ledger/budget.rs`) can make one, and each names
/// what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right(pub(super) Grant);

/// What a right was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    Create(Token),
    Destroy(InstanceId, PluginName),
    Repair(InstanceId, PluginName),
    Drain(InstanceId, PluginName),
}

impl Right {
    /// Returns whether an action that needs a right has the one that was given for it.
    #[must_use]
    pub(crate) fn covers(action: &Action) -> bool {
        match action {
            Action::Provision(one) => one.right.0 == Grant::Create(one.token.clone()),
            Action::Destroy {
                id, plugin, right, ..
            } => right.0 == Grant::Destroy(id.clone(), plugin.clone()),
            Action::Repair {
                id, plugin, right, ..
            } => right.0 == Grant::Repair(id.clone(), plugin.clone()),
            Action::Drain { id, plugin, right } => {
                right.0 == Grant::Drain(id.clone(), plugin.clone())
            }
            Action::Spare { .. }
            | Action::Adopt { .. }
            | Action::Check { .. }
            | Action::Revert { .. } => true,
        }
    }
}
