//! What the controller has to remember of a group beyond what can be observed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_spi::{GroupId, InstanceId, LogicalId};
use serde::{Deserialize, Serialize};

use crate::{Backoff, Timestamp};

/// What is to become of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It is kept as specified.
    #[default]
    Active,
    /// All its members are destroyed, then it is forgotten.
    Destroying,
}

/// A creation that was decided, and of which no outcome is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Identity that the instance is to have.
    pub logical_id: Option<LogicalId>,
    /// When it was decided.
    pub begun: Timestamp,
    /// Set when the answer was lost.
    pub doubt: Option<Doubt>,
}

/// The answer of a creation was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// A complete list started at or after this moment settles the matter.
    pub settle_at: Timestamp,
}

/// What the controller remembers of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The group.
    pub group: GroupId,
    /// Names this record in tokens; drawn once.
    pub nonce: String,
    /// Number of the next intent. Only ever grows.
    pub next_token: u64,
    /// What is to become of the group.
    #[serde(default)]
    pub phase: Phase,
    /// Set while a rolling update is under way.
    #[serde(default)]
    pub roll: Option<Roll>,
    /// Members that the operator asked to destroy.
    #[serde(default)]
    pub doomed: BTreeSet<InstanceId>,
    /// Failed creations.
    #[serde(default)]
    pub creation: Backoff,
    /// Longest time that a creation took.
    #[serde(default)]
    pub slowest_creation: Duration,
    /// Creations without a known outcome, by number. Journaled apart from this record.
    #[serde(skip)]
    pub intents: BTreeMap<u64, Intent>,
}

/// A rolling update under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// Size to keep until the update is through, when the group is to grow after it.
    pub hold: Option<u64>,
}
