//! A rollout under way, kept as data: it survives restarts and a change of leaders.

use std::collections::BTreeSet;

use infrakit_spi::InstanceId;
use infrakit_spi::hash::ConfigHash;
use serde::{Deserialize, Serialize};

use crate::{PausedBy, Timestamp};

/// Why a rollout goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// A commit changed what members are made from.
    #[default]
    Forward,
    /// A former revision is put in force again: without stages, bakes and windows.
    Back,
}

/// A former configuration, from which members are made while a rollout is limited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// Its revision.
    pub revision: u64,
    /// Its hash.
    pub hash: ConfigHash,
    /// The plugin that makes its members.
    pub plugin: infrakit_spi::PluginName,
}

/// A pause of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who or what paused it.
    pub by: PausedBy,
    /// Since when.
    pub since: Timestamp,
}

/// A rollout under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roll {
    /// Size to keep until the rollout is through, when the group is to grow after it.
    pub hold: Option<u64>,
    /// When it began.
    #[serde(default)]
    pub begun: Timestamp,
    /// Why it goes on.
    #[serde(default)]
    pub direction: Direction,
    /// Configuration in force before it: a canary's surplus members are made from it, and a failed
    /// rollout goes back to it. `None` when it is not known.
    #[serde(default)]
    pub former: Option<Former>,
    /// Stage that it is in, from 0; the number of stages once all are behind it.
    #[serde(default)]
    pub stage: usize,
    /// When the present stage was complete, which starts its bake.
    #[serde(default)]
    pub complete: Option<Timestamp>,
    /// How many stages a person approved.
    #[serde(default)]
    pub approved: usize,
    /// Set while it is paused.
    #[serde(default)]
    pub paused: Option<Pause>,
    /// Members that had the new configuration and had proved themselves when the present batch
    /// began.
    #[serde(default)]
    pub batch: u64,
    /// Members that were taken and are to be made anew: a window that closes meanwhile does not
    /// stop that.
    #[serde(default)]
    pub owed: u64,
    /// Whether it has taken the last outdated member itself, with all of its gates open. Where they
    /// went in another way, a group that grows again must find the gates as they were.
    #[serde(default)]
    pub through: bool,
    /// Members that have proved themselves.
    #[serde(default)]
    pub proved: u64,
    /// When it last came forward: a member proved itself, a wait ended, or it was resumed.
    #[serde(default)]
    pub progress: Timestamp,
    /// How long it had not come forward when it was last planned for, where a deadline runs: what a
    /// controller that is not there does not see is not counted.
    #[serde(default)]
    pub idle: std::time::Duration,
    /// Whether it waits for something that no deadline runs for: a person, a bake, a window.
    #[serde(default)]
    pub waits: bool,
    /// New members that failed: sick, or gone before they had proved themselves.
    #[serde(default)]
    pub failed: u64,
    /// Members without a token of ours that were there when it began. Outdated ones that turn up
    /// later were not shown to whoever committed it.
    #[serde(default)]
    pub shown: BTreeSet<InstanceId>,
    /// Those that turned up and that it is paused for, until somebody takes notice of them or they are
    /// gone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub strangers: BTreeSet<InstanceId>,
    /// Whether it began before lists had told who was there: the first ones are what was shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind: bool,
}
