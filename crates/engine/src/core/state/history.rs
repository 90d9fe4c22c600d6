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
    /// Nobody knows: its answer says nothing that can be used.
    Unusable(String),
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
            Err(error) if error.delivery() == Delivery::Unknown => deed.end = open_end(error),
            Err(error) => deed.end = End::Failed(error.to_string()),
        }
    }

    /// Returns what is wrong with the answer to a creation, if one came that cannot be used.
    pub(in crate::core) fn unusable_creation(&self, number: u64) -> Option<&str> {
        let about = |deed: &&Deed| matches!(deed.who, Who::Coming(own) if own == number);
        self.latest().find(about)?.end.unusable()
    }

    /// Returns what is wrong with the answer to a call for a member, if one came that cannot be used.
    pub(in crate::core) fn unusable_call(
        &self,
        (plugin, id): (&PluginName, &InstanceId),
        kind: Kind,
    ) -> Option<&str> {
        let latest = self.latest().find(|deed| deed.is_about(plugin, id, kind));
        latest?.end.unusable()
    }

    /// Notes what came of something that was done to a member.
    pub(in crate::core) fn ended(
        &mut self,
        (plugin, id): (&PluginName, &InstanceId),
        kind: Kind,
        outcome: Result<(), &Error>,
    ) {
        let mut latest = self.0.iter_mut().rev();
        if let Some(deed) = latest.find(|deed| deed.is_about(plugin, id, kind)) {
            deed.end = match outcome {
                Ok(()) => End::Done,
                Err(error) if error.is_unusable() => open_end(error),
                Err(error) => End::Failed(error.to_string()),
            };
        }
    }
}

impl Deed {
    fn is_about(&self, plugin: &PluginName, id: &InstanceId, kind: Kind) -> bool {
        let on = matches!(&self.who, Who::Member(home, own) if home == plugin && own == id);
        self.what.kind() == Some(kind) && on
    }
}

impl End {
    fn unusable(&self) -> Option<&str> {
        match self {
            Self::Unusable(message) => Some(message),
            Self::UnderWay | Self::Done | Self::Failed(_) | Self::Lost(_) => None,
        }
    }
}

/// Nobody knows what came of a call that ended like this.
fn open_end(error: &Error) -> End {
    if error.is_unusable() {
        End::Unusable(error.to_string())
    } else {
        End::Lost(error.to_string())
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
                    End::UnderWay | End::Lost(_) | End::Unusable(_) => {
                        format!("repairing ({step})")
                    }
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
            End::UnderWay | End::Lost(_) | End::Unusable(_) => present.to_owned(),
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
