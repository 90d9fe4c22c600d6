//! The breaker: when too many members are sick at once, nothing is destroyed for its health.

use std::time::Duration;

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

impl Breaker {
    /// Returns what becomes of a breaker: it opens when it is to, stays while it has to, and closes
    /// `later` than there were too many last.
    pub(crate) fn next(
        former: Option<Self>,
        (opens, stays): (bool, bool),
        (now, later): (Timestamp, Duration),
    ) -> Option<Self> {
        match former {
            Some(open) if stays => Some(Self { last: now, ..open }),
            Some(open) if now < open.last + later && open.last <= now => Some(open),
            None if opens => Some(Self {
                since: now,
                last: now,
            }),
            Some(_) | None => None,
        }
    }
}
