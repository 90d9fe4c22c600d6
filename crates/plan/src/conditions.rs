//! The state of a group in words that scripts can rely on, each with its reason and its moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What is said of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionKind {
    /// As many members serve as the budget demands.
    Available,
    /// All members have the configuration in force.
    UpToDate,
    /// A rollout is under way.
    RollingOut,
    /// Members are missing or too many.
    Scaling,
    /// Sick members are being replaced or repaired.
    Healing,
    /// The rollout is paused.
    Paused,
    /// Somebody froze the group.
    Frozen,
    /// Something keeps the group from being as specified, and will not pass by itself soon.
    Degraded,
}

/// Whether something holds, why, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Whether it holds.
    pub holds: bool,
    /// Why, in one word for scripts.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
    /// Since when it holds or does not.
    pub since: Timestamp,
}

/// What is said of a group, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conditions(BTreeMap<ConditionKind, Condition>);

impl Conditions {
    /// Returns what is said, in the order of the kinds.
    pub fn iter(&self) -> impl Iterator<Item = (ConditionKind, &Condition)> {
        self.0.iter().map(|(kind, condition)| (*kind, condition))
    }

    /// Returns what is said of one kind; `None` before the first plan.
    #[must_use]
    pub fn get(&self, kind: ConditionKind) -> Option<&Condition> {
        self.0.get(&kind)
    }

    /// Returns what the group is degraded by. That nothing was seen of a group that is new is no trouble.
    #[must_use]
    pub fn trouble(&self) -> Option<&Condition> {
        let degraded = self.0.get(&ConditionKind::Degraded);
        degraded.filter(|condition| condition.holds && condition.message != UNSEEN)
    }

    /// Says something. The moment changes only when it begins or ceases to hold.
    pub(crate) fn say(
        &mut self,
        kind: ConditionKind,
        holds: bool,
        (reason, message): (&str, String),
        now: Timestamp,
    ) {
        let since = match self.0.get(&kind) {
            Some(known) if known.holds == holds => {
                if known.reason == reason && known.message == message {
                    return;
                }
                known.since
            }
            Some(_) | None => now,
        };
        let reason = reason.to_owned();
        let condition = Condition {
            holds,
            reason,
            message,
            since,
        };
        self.0.insert(kind, condition);
    }
}

/// What is said of a group before its first list.
pub(crate) const UNSEEN: &str = "no complete list of the instances was seen yet";
