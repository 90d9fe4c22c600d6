//! What a plan is made of. An action leaves no choice to whoever carries it out.

use std::fmt;

use infrakit_spi::instance::Context;
use infrakit_spi::{InstanceId, LogicalId, Tags};

use crate::{Memory, Timestamp, Token};

/// Why a member is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Tags of the controller: group, hash, token, logical id.
    pub tags: Tags,
    /// Position of the member in its group, from 0.
    pub sequence: u64,
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
        /// Why.
        reason: Reason,
        /// What to do about draining it first.
        drain: Drain,
    },
    /// Adopt an instance that asks for it.
    Adopt {
        /// The instance.
        id: InstanceId,
        /// Labels to put on it.
        labels: Tags,
    },
    /// Ask for the health of a member.
    Check {
        /// The member.
        id: InstanceId,
    },
}

/// What a plan waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingOn {
    /// A complete list of the instances.
    Observation,
    /// Answers to creations under way, or in doubt.
    Creations {
        /// How many.
        count: usize,
    },
    /// Destroyed members that are still there.
    Departures {
        /// How many.
        count: usize,
    },
    /// A new member that has yet to prove itself.
    Health {
        /// The first of them.
        id: InstanceId,
        /// How many there are.
        count: usize,
    },
    /// The end of a pause after failed creations.
    Backoff {
        /// When it ends.
        until: Timestamp,
        /// How many failures came in a row.
        failures: u32,
    },
    /// Too few members are available to take another one out.
    Budget {
        /// Members available.
        available: usize,
        /// Members needed.
        needed: usize,
    },
    /// The member that the controller runs on is outdated or one too many; it is not destroyed.
    SelfMember {
        /// The member.
        id: InstanceId,
    },
}

impl fmt::Display for WaitingOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observation => f.write_str("waiting for a complete list of the instances"),
            Self::Creations { count } => write!(f, "waiting for {count} creations"),
            Self::Departures { count } => write!(f, "waiting for {count} destroyed members to go"),
            Self::Health { id, count } => {
                write!(
                    f,
                    "waiting for the health of {count} new members, first `{id}`"
                )
            }
            Self::Backoff { failures, .. } => {
                write!(f, "pausing after {failures} failed creations in a row")
            }
            Self::Budget { available, needed } => {
                write!(
                    f,
                    "only {available} members are available, {needed} are needed"
                )
            }
            Self::SelfMember { id } => {
                write!(f, "`{id}` would have to go, but the controller runs on it")
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
    /// When to plan again even if nothing happens.
    pub wake_at: Option<Timestamp>,
    /// Whether the group is as specified and nothing is under way.
    pub converged: bool,
}
