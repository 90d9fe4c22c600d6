//! Durations in nanoseconds, and what a controller is told by its configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::instance::Locality;
use infrakit_spi::{LogicalId, PluginName};

/// A millisecond.
pub const MILLIS: u64 = 1_000_000;
/// A second.
pub const SECOND: u64 = 1_000 * MILLIS;
/// A minute.
pub const MINUTE: u64 = 60 * SECOND;

/// What a controller is told by its configuration.
#[derive(Clone, Debug)]
pub struct Traits {
    /// Time between two routine looks.
    pub poll_interval: Duration,
    /// Time after which a creation of unknown outcome counts as lost.
    pub settle: Duration,
    /// Time that lists of remote plugins may lag behind creations.
    pub visibility: Duration,
    /// Health checks a second that routine may cost.
    pub checks_per_second: u32,
    /// Identity of the member that the controller runs on.
    pub own: Option<LogicalId>,
    /// Creations that each plugin gets in a minute; `None` for no limit.
    pub creates_per_minute: Option<u32>,
    /// Destructions that each plugin gets in a minute; `None` for no limit.
    pub destroys_per_minute: Option<u32>,
    /// Where each plugin runs.
    pub localities: BTreeMap<PluginName, Locality>,
    /// What each plugin declares of its provider.
    pub behaviours: BTreeMap<PluginName, Behaviour>,
}

impl Default for Traits {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(10),
            settle: Duration::from_secs(15),
            visibility: Duration::from_secs(15),
            checks_per_second: 10,
            own: None,
            creates_per_minute: None,
            destroys_per_minute: None,
            localities: BTreeMap::new(),
            behaviours: BTreeMap::new(),
        }
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
