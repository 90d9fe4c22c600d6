//! Why members are created and destroyed, in values and in words.

use std::fmt;

use infrakit_spi::instance::Context;
use serde::{Deserialize, Serialize};

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
