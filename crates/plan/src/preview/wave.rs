//! Waves: members that go and come together.

use std::time::Duration;

use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{InstanceId, LogicalId, PluginName};

use crate::{Cause, Reason};

/// A member that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Going {
    /// Its id.
    pub id: InstanceId,
    /// The plugin that it lives on.
    pub plugin: PluginName,
    /// Identity of a pet.
    pub logical_id: Option<LogicalId>,
    /// Why it goes.
    pub reason: Reason,
}

/// A member that comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// Identity of a pet.
    pub logical_id: Option<LogicalId>,
    /// Configuration that it is made from.
    pub hash: ConfigHash,
    /// Why it is created.
    pub cause: Cause,
}

/// Members that go and come together: what is decided at one moment. Where members go and others
/// take their place, or the other way round, both moments are one wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// When it begins, counted from the commit.
    pub at: Duration,
    /// How long it takes until the last one has gone, or has come and proved itself.
    pub takes: Duration,
    /// Those that go.
    pub go: Vec<Going>,
    /// Those that come.
    pub come: Vec<Coming>,
    /// What has to happen before the next one, in words; empty when nothing special has.
    pub then: String,
}

impl Wave {
    pub(super) fn at(at: Duration) -> Self {
        Self {
            at,
            takes: Duration::ZERO,
            go: Vec::new(),
            come: Vec::new(),
            then: String::new(),
        }
    }

    /// Returns whether `next` completes this wave: it brings those who take the place of the ones
    /// that went, or takes those away whose place was taken.
    pub(super) fn is_completed_by(&self, next: &Self) -> bool {
        let halves = |one: &Self, other: &Self| {
            one.come.is_empty() && other.go.is_empty() && one.go.len() == other.come.len()
        };
        self.then.is_empty() && (halves(self, next) || halves(next, self))
    }
}
