//! Settings of the controller that the planner needs to know.

use std::time::Duration;

use infrakit_spi::LogicalId;

use crate::{Allowance, Timestamp};

/// Settings that hold for every group of a controller.
#[derive(Clone, Debug)]
pub struct Config {
    /// Logical id of the machine that the controller itself runs on; it is never destroyed.
    pub self_logical_id: Option<LogicalId>,
    /// Time between two routine looks at a group.
    pub poll_interval: Duration,
    /// Time after which a creation of unknown outcome counts as lost, provided that a later
    /// complete list does not show it. Never shorter than three times the slowest creation seen.
    pub settle: Duration,
    /// How long an instance whose creation succeeded may be missing from lists of a remote plugin.
    pub visibility: Duration,
    /// How old the copy of the truth may be that a list of a remote plugin comes from: for so long a
    /// young instance may be missing from a list although one before has shown it, and a dead one be
    /// on it.
    pub relapse: Duration,
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
}

impl Default for Config {
    fn default() -> Self {
        Self {
            self_logical_id: None,
            poll_interval: Duration::from_secs(10),
            settle: Duration::from_secs(15),
            visibility: Duration::from_secs(15),
            relapse: Duration::from_secs(5),
            checks_per_second: 10,
            other_members: 0,
            hash_tag: infrakit_spi::tags::CONFIG_HASH,
            max_instances: None,
            frozen: None,
            allowance: Allowance::default(),
        }
    }
}
