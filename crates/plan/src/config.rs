//! Settings of the controller that the planner needs to know.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::{LogicalId, PluginName};

use crate::{Allowance, Lag, Timestamp};

/// Settings that hold for every group of a controller.
#[derive(Clone, Debug)]
pub struct Config {
    /// Logical id of the machine that the controller itself runs on; it is never destroyed.
    pub self_logical_id: Option<LogicalId>,
    /// Time between two routine looks at a group.
    pub poll_interval: Duration,
    /// How long a call that changes an instance, and whose answer was lost, may still take effect.
    /// Creations are doubted for as long as their plugin declares instead.
    pub settle: Duration,
    /// How the providers behave that said so, or of which the operator says it.
    pub behaviours: Arc<BTreeMap<PluginName, Behaviour>>,
    /// How all others are taken to behave.
    pub undeclared: Arc<Behaviour>,
    /// Health checks a second that the routine sweeps of all groups together may cost. When there
    /// are more members than this times the poll interval, they are swept more slowly instead.
    pub checks_per_second: u32,
    /// Members of other groups of the controller, which share in those checks.
    pub other_members: usize,
    /// Key of the tag that carries the config hash of new instances.
    pub hash_tag: &'static str,
    /// Instances that a group may have at most, whatever its spec says; `None` for no ceiling
    /// beside the spec's own.
    pub max_instances: Option<u64>,
    /// Since when all groups are frozen, those that come later included.
    pub frozen: Option<Timestamp>,
    /// What the plugins of the group let it begin now.
    pub allowance: Allowance,
    /// How far the wall clock is ahead of the moments that plans are made by, in nanoseconds. Those
    /// count what has passed, so that a clock which is set gives nothing up too early; what a person
    /// set by the clock on the wall, maintenance windows, holds by that one.
    pub wall_ahead: i64,
}

impl Config {
    /// Returns how the provider behind a plugin behaves.
    #[must_use]
    pub fn behaviour(&self, plugin: &PluginName) -> &Behaviour {
        self.behaviours.get(plugin).unwrap_or(&self.undeclared)
    }

    /// Returns what the wall clock says at a moment.
    #[must_use]
    pub fn wall(&self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.saturating_add_signed(self.wall_ahead))
    }

    /// Returns the moment at which the wall clock says `wall`.
    #[must_use]
    pub fn moment(&self, wall: Timestamp) -> Timestamp {
        Timestamp(
            wall.0
                .saturating_add_signed(self.wall_ahead.saturating_neg()),
        )
    }

    /// Returns how far lists of a plugin may be behind the truth.
    #[must_use]
    pub fn lag(&self, plugin: &PluginName) -> Lag {
        Lag::of(self.behaviour(plugin))
    }
}

impl Default for Config {
    /// Ten seconds are the original's poll interval, fifteen its limit for any call. Ten checks a
    /// second ask each of a hundred members once a poll interval. In larger groups each is asked more
    /// rarely, so that flavors and the controller have no more to do for them.
    fn default() -> Self {
        Self {
            self_logical_id: None,
            poll_interval: Duration::from_secs(10),
            settle: Duration::from_secs(15),
            behaviours: Arc::default(),
            undeclared: Arc::default(),
            checks_per_second: 10,
            other_members: 0,
            hash_tag: infrakit_spi::tags::CONFIG_HASH,
            max_instances: None,
            frozen: None,
            allowance: Allowance::default(),
            wall_ahead: 0,
        }
    }
}
