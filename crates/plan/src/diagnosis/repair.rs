//! Repairs of sick members: a reboot may be all that a machine needs.

use std::collections::BTreeMap;

use infrakit_spi::InstanceId;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What was tried on a sick member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// Steps that were begun, in the order of the spec.
    pub tried: usize,
    /// When the last one was begun.
    pub at: Timestamp,
    /// Whether its answer is awaited.
    #[serde(skip)]
    pub in_flight: bool,
}

/// Repairs by member. A member that got well keeps its record for a while, so that one that has to
/// be rebooted again and again is replaced in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Repairs(pub BTreeMap<InstanceId, Repair>);
