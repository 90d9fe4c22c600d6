//! What a plan is made of. An action leaves no choice to whoever carries it out.

use std::collections::BTreeSet;
use std::fmt;

use infrakit_spi::hash::ConfigHash;
use infrakit_spi::instance::Context;
use infrakit_spi::{InstanceId, LogicalId, PluginName, Tags};
use serde::{Deserialize, Serialize};

use crate::{CallKind, Memory, Right, Timestamp, Token, WaitingOn};

/// Why a member is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// The operator asked for it by name.
    Requested,
    /// The group has more members than its size.
    Surplus,
    /// Its logical id is not in the group's list.
    Unlisted,
    /// Another member has the same logical id.
    Duplicate,
    /// It is unhealthy.
    Unhealthy,
    /// It was made from another configuration.
    Outdated,
    /// The whole group is destroyed.
    GroupDestroyed,
}

impl Reason {
    /// Returns the context that the instance plugin is told.
    #[must_use]
    pub fn context(self) -> Context {
        match self {
            Self::Outdated => Context::rolling_update(),
            Self::Requested
            | Self::Surplus
            | Self::Unlisted
            | Self::Duplicate
            | Self::Unhealthy
            | Self::GroupDestroyed => Context::terminate(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "its destruction was requested",
            Self::Surplus => "the group has more members than its size",
            Self::Unlisted => "its logical id is not in the group's list",
            Self::Duplicate => "another member has the same logical id",
            Self::Unhealthy => "it is unhealthy",
            Self::Outdated => "it was made from another configuration",
            Self::GroupDestroyed => "the group is being destroyed",
        })
    }
}

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

/// Why a member is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// The group has fewer members than its size, or nobody holds the identity.
    Missing,
    /// A rollout creates it before an old member goes.
    Surge,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the group has fewer members than its size",
            Self::Surge => "the rollout creates new members before old ones go",
        })
    }
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
