//! Verdicts on a member as they are written down.

use infrakit_spi::flavor::Health;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Verdicts on one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdicts {
    pub(crate) last: Health,
    pub(crate) streak: u32,
    pub(crate) since: Timestamp,
    pub(crate) checked: Timestamp,
    pub(crate) failures: u64,
    pub(crate) changes: u32,
    pub(crate) known: Option<Health>,
    pub(crate) ever_healthy: bool,
}
