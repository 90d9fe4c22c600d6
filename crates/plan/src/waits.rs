//! What is waited for that has to end by itself, and since when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::waiting::WaitingOn;

/// What is waited for, without its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Wait {
    /// A list that shows what was asked for.
    Observation,
    /// Creations.
    Creations,
    /// Destroyed members that are still there.
    Departures,
    /// New members that have yet to prove themselves.
    Health,
    /// More members that serve.
    Budget,
    /// What the governor lets through.
    Governor,
    /// Slots for calls.
    Slots,
    /// Whether a suspect is sick.
    Confirmation,
    /// The effect of a repair.
    Repair,
}

/// Since when what is waited for; kept over restarts.
pub type Waits = BTreeMap<Wait, Timestamp>;

impl Wait {
    /// Returns what of a wait has a deadline. The others are waits for a person or a window, end at a
    /// moment that is known, or are troubles that are said at once.
    #[must_use]
    pub fn of(on: &WaitingOn) -> Option<Self> {
        match on {
            WaitingOn::Observation => Some(Self::Observation),
            WaitingOn::Creations { .. } => Some(Self::Creations),
            WaitingOn::Departures { .. } => Some(Self::Departures),
            WaitingOn::Health { .. } => Some(Self::Health),
            WaitingOn::Budget { .. } => Some(Self::Budget),
            WaitingOn::Governor { .. } => Some(Self::Governor),
            WaitingOn::Slots { .. } => Some(Self::Slots),
            WaitingOn::Confirmation { .. } => Some(Self::Confirmation),
            WaitingOn::Repair { .. } => Some(Self::Repair),
            WaitingOn::Backoff { .. }
            | WaitingOn::Configuration
            | WaitingOn::Ceiling { .. }
            | WaitingOn::Breaker { .. }
            | WaitingOn::Doubt { .. }
            | WaitingOn::Losses { .. }
            | WaitingOn::CrashLoop { .. }
            | WaitingOn::SelfMember { .. }
            | WaitingOn::Held { .. }
            | WaitingOn::Frozen { .. }
            | WaitingOn::Paused { .. }
            | WaitingOn::Bake { .. }
            | WaitingOn::Approval { .. }
            | WaitingOn::Window { .. }
            | WaitingOn::Aborted { .. } => None,
        }
    }

    /// Returns whether a group is degraded for this reason because something is waited for too long.
    #[must_use]
    pub fn explains(reason: &str) -> bool {
        let all = [
            Self::Observation,
            Self::Creations,
            Self::Departures,
            Self::Health,
            Self::Budget,
            Self::Governor,
            Self::Slots,
            Self::Confirmation,
            Self::Repair,
        ];
        all.iter().any(|wait| wait.reason() == reason)
    }

    /// Returns the reason of the condition, in one word.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Observation => "NotObserved",
            Self::Creations => "CreationsHang",
            Self::Departures => "DestructionsHang",
            Self::Health => "NewMembersNotReady",
            Self::Budget => "TooFewServe",
            Self::Governor => "RateLimited",
            Self::Slots => "CallsHang",
            Self::Confirmation => "NotConfirmed",
            Self::Repair => "RepairHangs",
        }
    }
}
