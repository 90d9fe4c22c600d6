//! The breaker: when too many members are sick at once, nothing is destroyed for its health.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An open breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Since when.
    pub since: Timestamp,
    /// When there were too many sick members last.
    pub last: Timestamp,
}
