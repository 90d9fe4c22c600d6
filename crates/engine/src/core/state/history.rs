//! What was done in a group, and by which rule: a short memory for whoever asks why.
//!
//! It is kept in this process only and tells of its last deeds. Noting one costs a few words; what
//! there is to say is put together when somebody asks.

use std::collections::VecDeque;

use infrakit_plan::{Cause, HealthRecord, PausedBy, Reason, Timestamp};
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{Delivery, Error, InstanceId, LogicalId, PluginName};

use crate::core::words::AT_ONCE;

/// Deeds that are remembered: a rollout of a hundred members has as many, half of them creations. Each
/// takes some hundred bytes, and a group at rest adds none.
const DEEDS: usize = 200;

/// The last deeds in a group, the oldest first.
#[derive(Default)]
pub(in crate::core) struct History(VecDeque<Deed>);

/// Something that was done.
pub(in crate::core) struct Deed {
    pub(in crate::core) at: Timestamp,
    pub(in crate::core) who: Who,
    pub(in crate::core) what: What,
    pub(in crate::core) evidence: Evidence,
    pub(in crate::core) end: End,
}

/// To whom it was done.
pub(in crate::core) enum Who {
    /// A member: ids are only unique within a plugin.
    Member(PluginName, InstanceId),
    /// A member to be, by the number of its intent.
    Coming(u64),
    /// All of them.
    Group,
}

/// What was done, and by which rule.
pub(in crate::core) enum What {
    Create(Cause),
    Destroy(Reason),
    /// It was requested, and does not wait for the budget.
    DestroyNow,
    Drain,
    Repair(String),
    Label(Labels),
    Revert {
        to: u64,
        by: Option<PausedBy>,
    },
    /// The group is degraded, for this reason.
    Degrade(String),
    /// It is no longer degraded by that.
    Recover(String),
}

/// Why labels are put on a member.
pub(in crate::core) enum Labels {
    Adoption,
    Identity(LogicalId),
}

/// What was seen when it was decided.
pub(in crate::core) enum Evidence {
    Nothing,
    /// Members there and members wanted; which of them is missing; of which revision it is made.
    Size {
        there: usize,
        wanted: u64,
        missing: Option<LogicalId>,
        hash: Option<ConfigHash>,
    },
    Health(HealthRecord),
    /// Configuration of the member, and the revision that was in force.
    Configuration(Option<ConfigHash>, u64),
    Identity(Option<LogicalId>),
    /// Since when it was so.
    Since(Timestamp),
    /// A sentence.
    Said(String),
}

/// What came of it.
pub(in crate::core) enum End {
    UnderWay,
    Done,
    Failed(String),
    /// Nobody knows: its answer is lost.
    Lost(String),
}

/// What a deed is about, to find it again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Kind {
    /// A member is destroyed.
    Destroy,
    /// The controller's own member is drained.
    Drain,
    /// A member is repaired.
    Repair,
    /// Labels are put on a member.
    Label,
}

impl History {
    /// Notes something that was done; the oldest is forgotten for it.
    pub(in crate::core) fn push(&mut self, deed: Deed) {
        if self.0.len() == DEEDS {
            self.0.pop_front();
        }
        self.0.push_back(deed);
    }

    /// Returns the deeds, the youngest first.
    pub(in crate::core) fn latest(&self) -> impl Iterator<Item = &Deed> {
        self.0.iter().rev()
    }

    /// Notes what came of a creation: the member, or why there is none.
    pub(in crate::core) fn created(
        &mut self,
        number: u64,
        outcome: Result<(&PluginName, &InstanceId), &Error>,
    ) {
        let mut latest = self.0.iter_mut().rev();
        let found = latest.find(|deed| matches!(deed.who, Who::Coming(own) if own == number));
        let Some(deed) = found else { return };
        match outcome {
            Ok((plugin, id)) => {
                deed.who = Who::Member(plugin.clone(), id.clone());
                deed.end = End::Done;
            }
            Err(error) if error.delivery() == Delivery::Unknown => {
                deed.end = End::Lost(error.to_string());
            }
            Err(error) => deed.end = End::Failed(error.to_string()),
        }
    }

    /// Notes what came of something that was done to a member.
    pub(in crate::core) fn ended(
        &mut self,
        (plugin, id): (&PluginName, &InstanceId),
        kind: Kind,
        outcome: Result<(), &Error>,
    ) {
        let about = |deed: &&mut Deed| {
            let on = matches!(&deed.who, Who::Member(home, own) if home == plugin && own == id);
            deed.what.kind() == Some(kind) && on
        };
        if let Some(deed) = self.0.iter_mut().rev().find(about) {
            deed.end = match outcome {
                Ok(()) => End::Done,
                Err(error) => End::Failed(error.to_string()),
            };
        }
    }
}

impl What {
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Destroy(_) | Self::DestroyNow => Some(Kind::Destroy),
            Self::Drain => Some(Kind::Drain),
            Self::Repair(_) => Some(Kind::Repair),
            Self::Label(_) => Some(Kind::Label),
            Self::Create(_) | Self::Revert { .. } | Self::Degrade(_) | Self::Recover(_) => None,
        }
    }

    pub(in crate::core) fn action(&self, end: &End) -> String {
        let [present, past, stem] = match self {
            Self::Create(_) => ["creating", "created", "create"],
            Self::Destroy(_) | Self::DestroyNow => ["destroying", "destroyed", "destroy"],
            Self::Drain => ["draining", "drained", "drain"],
            Self::Repair(step) => {
                return match end {
                    End::UnderWay | End::Lost(_) => format!("repairing ({step})"),
                    End::Done => format!("repaired ({step})"),
                    End::Failed(_) => format!("could not repair ({step})"),
                };
            }
            Self::Label(_) => ["labelling", "labelled", "label"],
            Self::Revert { to, .. } => return format!("went back to revision {to}"),
            Self::Degrade(_) => return "is degraded".to_owned(),
            Self::Recover(_) => return "is no longer degraded".to_owned(),
        };
        match end {
            End::UnderWay | End::Lost(_) => present.to_owned(),
            End::Done => past.to_owned(),
            End::Failed(_) => format!("could not {stem}"),
        }
    }

    pub(in crate::core) fn rule(&self) -> String {
        match self {
            Self::Create(cause) => format!("{cause:?}: {cause}"),
            Self::Destroy(reason) => format!("{reason:?}: {reason}"),
            Self::DestroyNow => format!("RequestedNow: {}, {AT_ONCE}", Reason::Requested),
            Self::Drain => {
                "SelfMember: the controller runs on it, so it is not destroyed".to_owned()
            }
            Self::Repair(_) => format!("{:?}: {}", Reason::Unhealthy, Reason::Unhealthy),
            Self::Label(Labels::Adoption) => "Adoption: it asks to be adopted".to_owned(),
            Self::Label(Labels::Identity(id)) => {
                format!("Identity: the group has identities now, and `{id}` was free")
            }
            Self::Degrade(reason) | Self::Recover(reason) => format!("Degraded: {reason}"),
            Self::Revert { by, .. } => {
                let by = by.as_ref().map(ToString::to_string);
                format!(
                    "OnFailure: {}",
                    by.as_deref().unwrap_or("the rollout failed")
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
