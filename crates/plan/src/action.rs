//! What a plan is made of. An action leaves no choice to whoever carries it out.

use std::collections::BTreeSet;

use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{InstanceId, LogicalId, PluginName, Tags};

use crate::{CallKind, Cause, Memory, Reason, Right, Timestamp, Token, WaitingOn};

/// What to do about the flavor's drain before a destruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Drain, and do not destroy if that fails.
    Insist,
    /// Try to drain, and destroy in any case.
    Try,
    /// Do not drain.
    Skip,
}

/// A creation, with everything that identifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provision {
    /// The intent that it carries out.
    pub token: Token,
    /// Identity of the member.
    pub logical_id: Option<LogicalId>,
    /// Configuration to make it from: the one in force, or the former one while a rollout lets no
    /// more members have the new one.
    pub hash: ConfigHash,
    /// Why it is created.
    pub cause: Cause,
    /// Tags of the controller: group, hash, token, logical id.
    pub tags: Tags,
    /// Position of the member in its group, from 0.
    pub sequence: u64,
    /// Whether it was asked for before.
    pub asked: Asked,
    /// The ledger's leave.
    pub right: Right,
}

/// Whether a creation was asked for before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is new.
    First,
    /// Its answer was lost, and its provider knows the token: it is the same creation.
    Again,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create a member.
    Provision(Provision),
    /// Destroy a member.
    Destroy {
        /// The member.
        id: InstanceId,
        /// The plugin that it lives on.
        plugin: PluginName,
        /// Why.
        reason: Reason,
        /// What to do about draining it first.
        drain: Drain,
        /// Whether the plan has counted it against the rollout that it goes: not if it is taken back.
        blamed: bool,
        /// The ledger's leave.
        right: Right,
    },
    /// Count on a member again that was to go: there is no reason any more, and its destruction comes
    /// to nothing.
    Spare {
        /// The member.
        id: InstanceId,
        /// The plugin that it lives on.
        plugin: PluginName,
    },
    /// Take the work off the member that the controller itself runs on, and leave it at that.
    Drain {
        /// The member.
        id: InstanceId,
        /// The plugin that it lives on.
        plugin: PluginName,
        /// The ledger's leave.
        right: Right,
    },
    /// Ask the plugin to repair a sick member before it is replaced.
    Repair {
        /// The member.
        id: InstanceId,
        /// The plugin that it lives on.
        plugin: PluginName,
        /// What to ask for, such as `reboot`.
        step: String,
        /// The ledger's leave.
        right: Right,
    },
    /// Put labels on an instance: adopt one that asks for it, or give a member an identity.
    Adopt {
        /// The instance.
        id: InstanceId,
        /// The plugin that it lives on.
        plugin: PluginName,
        /// Labels to put on it.
        labels: Tags,
    },
    /// Ask for the health of a member.
    Check {
        /// The member.
        id: InstanceId,
        /// The plugin that it lives on.
        plugin: PluginName,
    },
    /// Put a former revision in force again, because the rollout failed.
    Revert {
        /// The revision whose configuration it is.
        to: u64,
    },
}

impl Action {
    /// Returns whether it has the ledger's leave that was given for it, or needs none.
    pub(crate) fn has_leave(&self) -> bool {
        match self {
            Self::Provision(one) => one.right.is_to_create(&one.token),
            Self::Destroy {
                id, plugin, right, ..
            } => right.is_to_destroy(id, plugin),
            Self::Repair {
                id, plugin, right, ..
            } => right.is_to_repair(id, plugin),
            Self::Drain { id, plugin, right } => right.is_to_drain(id, plugin),
            Self::Spare { .. } | Self::Adopt { .. } | Self::Check { .. } | Self::Revert { .. } => {
                true
            }
        }
    }
}

/// What to do now, what to remember, and what is waited for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Things to do, in this order.
    pub actions: Vec<Action>,
    /// What to remember; to be stored before anything is done.
    pub memory: Memory,
    /// Why nothing more is done.
    pub waiting: Vec<WaitingOn>,
    /// Calls that a rate limit held back, by plugin and kind: for turns among groups.
    pub metered: BTreeSet<(PluginName, CallKind)>,
    /// When to plan again even if nothing happens.
    pub wake_at: Option<Timestamp>,
    /// When something that is waited for will have taken too long: the group is to be planned for
    /// then, so that it is said.
    pub overdue_at: Option<Timestamp>,
    /// Whether the group is as specified and nothing is under way.
    pub converged: bool,
}
