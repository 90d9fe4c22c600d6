//! The receipt of the ledger, without which nobody can build an action that makes or unmakes
//! anything.

use infrakit_spi::{InstanceId, PluginName};

use crate::Token;

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
    /// Returns whether it was given for making a member by this token.
    pub(crate) fn is_to_create(&self, token: &Token) -> bool {
        self.0 == Grant::Create(token.clone())
    }

    /// Returns whether it was given for destroying this member.
    pub(crate) fn is_to_destroy(&self, id: &InstanceId, plugin: &PluginName) -> bool {
        self.0 == Grant::Destroy(id.clone(), plugin.clone())
    }

    /// Returns whether it was given for repairing this member.
    pub(crate) fn is_to_repair(&self, id: &InstanceId, plugin: &PluginName) -> bool {
        self.0 == Grant::Repair(id.clone(), plugin.clone())
    }

    /// Returns whether it was given for draining this member.
    pub(crate) fn is_to_drain(&self, id: &InstanceId, plugin: &PluginName) -> bool {
        self.0 == Grant::Drain(id.clone(), plugin.clone())
    }
}
