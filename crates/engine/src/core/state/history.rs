//! What was done in a group, and by which rule: a short memory for whoever asks why.
//!
//! It is kept in this process only and tells of its last deeds. Noting one costs a few words; what
//! there is to say is put together when somebody asks.

use std::collections::VecDeque;

use infrakit_plan::{Action, Asked, Cause, HealthRecord, PausedBy, Reason, Timestamp, Token};
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::rollout::Deed as Told;
use infrakit_spi::{Delivery, Error, InstanceId, LogicalId, PluginName, tags};

use crate::core::state::trouble::Trouble;
use crate::core::words::{moment, verdict};
use crate::core::{Call, Group, Subject};

/// History that are remembered.
const DEEDS: usize = 200;

/// The last deeds in a group, the oldest first.
#[derive(Default)]
pub(in crate::core) struct History(VecDeque<Deed>);

/// Something that was done.
pub(in crate::core) struct Deed {
    at: Timestamp,
    who: Who,
    what: What,
    evidence: Evidence,
    end: End,
}

/// To whom it was done.
enum Who {
    /// A member: ids are only unique within a plugin.
    Member(PluginName, InstanceId),
    /// A member to be, by the number of its intent.
    Coming(u64),
    /// All of them.
    Group,
}

/// What was done, and by which rule.
enum What {
    Create(Cause),
    Destroy(Reason),
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
enum Labels {
    Adoption,
    Identity(LogicalId),
}

/// What was seen when it was decided.
enum Evidence {
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
    /// A sentence.
    Said(String),
}

/// What came of it.
enum End {
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

/// What all deeds of one plan have in common.
pub(in crate::core) struct Scene {
    there: usize,
    wanted: u64,
    at: Timestamp,
}

impl Scene {
    /// Looks at a group before a plan is begun.
    pub(in crate::core) fn of(group: &Group, at: Timestamp) -> Self {
        let size = group.spec.size.count();
        let hold = group.memory.roll.as_ref().and_then(|roll| roll.hold);
        Self {
            there: group.seen.len() - group.seen.departing(),
            wanted: hold.map_or(size, |hold| size.min(hold)),
            at,
        }
    }
}

/// Notes an action that is about to begin. One that is only tried again is no new deed.
pub(in crate::core) fn note(group: &mut Group, action: &Action, scene: &Scene) {
    let member = |plugin, id| group.seen.get_on(plugin, id);
    let who = |plugin: &PluginName, id: &InstanceId| Who::Member(plugin.clone(), id.clone());
    let configuration = |plugin, id| {
        let hash = member(plugin, id).and_then(|member| member.hash.clone());
        Evidence::Configuration(hash, group.revision)
    };
    let (who, what, evidence) = match action {
        Action::Check { .. } | Action::Spare { .. } => return,
        // It is the same creation.
        Action::Provision(provision) if provision.asked == Asked::Again => return,
        Action::Provision(provision) => {
            let evidence = Evidence::Size {
                there: scene.there,
                wanted: scene.wanted,
                missing: provision.logical_id.clone(),
                hash: (provision.hash != group.spec.hash).then(|| provision.hash.clone()),
            };
            let who = Who::Coming(provision.token.number());
            (who, What::Create(provision.cause), evidence)
        }
        Action::Destroy {
            id, plugin, reason, ..
        } => {
            let Some(member) = member(plugin, id) else {
                return;
            };
            if member.departure.is_some() {
                return;
            }
            let evidence = match reason {
                Reason::Unhealthy => Evidence::Health(member.health.clone()),
                Reason::Outdated => configuration(plugin, id),
                Reason::Surplus => Evidence::Size {
                    there: scene.there,
                    wanted: scene.wanted,
                    missing: None,
                    hash: None,
                },
                Reason::Unlisted | Reason::Duplicate => {
                    Evidence::Identity(member.logical_id.clone())
                }
                Reason::Requested | Reason::GroupDestroyed => Evidence::Nothing,
            };
            (who(plugin, id), What::Destroy(*reason), evidence)
        }
        Action::Drain { id, plugin, .. } => {
            (who(plugin, id), What::Drain, configuration(plugin, id))
        }
        Action::Repair {
            id, plugin, step, ..
        } => {
            let health = member(plugin, id).map(|member| member.health.clone());
            let evidence = health.map_or(Evidence::Nothing, Evidence::Health);
            (who(plugin, id), What::Repair(step.clone()), evidence)
        }
        Action::Adopt { id, plugin, labels } => {
            let identity = labels.get(tags::LOGICAL_ID);
            let labels = identity.map_or(Labels::Adoption, |identity| {
                Labels::Identity(LogicalId::new(identity.as_str()))
            });
            (who(plugin, id), What::Label(labels), Evidence::Nothing)
        }
        Action::Revert { to } => {
            let roll = group.memory.roll.as_ref();
            let pause = roll.and_then(|roll| roll.paused.as_ref());
            let by = pause.map(|pause| pause.by.clone());
            (Who::Group, What::Revert { to: *to, by }, Evidence::Nothing)
        }
    };
    let end = match &what {
        What::Revert { .. } | What::Degrade(_) | What::Recover(_) => End::Done,
        What::Create(_) | What::Destroy(_) | What::Drain | What::Repair(_) | What::Label(_) => {
            End::UnderWay
        }
    };
    let at = scene.at;
    group.history.push(Deed {
        at,
        who,
        what,
        evidence,
        end,
    });
}

/// Notes that the group is degraded.
pub(in crate::core) fn degraded(group: &mut Group, trouble: &Trouble, at: Timestamp) {
    let said = Evidence::Said(trouble.message.clone());
    note_state(group, What::Degrade(trouble.reason.clone()), said, at);
}

/// Notes that the group is no longer degraded by that.
pub(in crate::core) fn recovered(group: &mut Group, former: &Trouble, at: Timestamp) {
    let since = former.since.map(moment);
    let said = since.map_or(Evidence::Nothing, |since| {
        Evidence::Said(format!("it was since {since}"))
    });
    note_state(group, What::Recover(former.reason.clone()), said, at);
}

fn note_state(group: &mut Group, what: What, evidence: Evidence, at: Timestamp) {
    group.history.push(Deed {
        at,
        who: Who::Group,
        what,
        evidence,
        end: End::Done,
    });
}

impl History {
    fn push(&mut self, deed: Deed) {
        if self.0.len() == DEEDS {
            self.0.pop_front();
        }
        self.0.push_back(deed);
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

/// Why a call does not begin that could not be journaled.
pub(in crate::core) const NOT_WRITTEN: &str = "it could not be written down, and was not begun";
/// Why a call does not begin that waited for its turn.
pub(in crate::core) const WITHDRAWN: &str = "it was taken back before it began";

/// Notes that a call does not begin.
pub(in crate::core) fn dropped<'a>(group: &mut Group, call: &'a Call, why: &str) {
    let error = Error::not_delivered(why);
    let deeds = &mut group.history;
    let place = |subject: &'a Subject| (&subject.plugin, &subject.id);
    match call {
        Call::Provision { number, .. } => deeds.created(*number, Err(&error)),
        Call::Destroy { subject, .. } => deeds.ended(place(subject), Kind::Destroy, Err(&error)),
        Call::Drain { subject, .. } => deeds.ended(place(subject), Kind::Drain, Err(&error)),
        Call::Repair { subject, .. } => deeds.ended(place(subject), Kind::Repair, Err(&error)),
        Call::Label { subject, .. } => deeds.ended(place(subject), Kind::Label, Err(&error)),
        Call::Check { .. } => {}
    }
}

impl What {
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Destroy(_) => Some(Kind::Destroy),
            Self::Drain => Some(Kind::Drain),
            Self::Repair(_) => Some(Kind::Repair),
            Self::Label(_) => Some(Kind::Label),
            Self::Create(_) | Self::Revert { .. } | Self::Degrade(_) | Self::Recover(_) => None,
        }
    }

    fn action(&self, end: &End) -> String {
        let [present, past, stem] = match self {
            Self::Create(_) => ["creating", "created", "create"],
            Self::Destroy(_) => ["destroying", "destroyed", "destroy"],
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

    fn rule(&self) -> String {
        match self {
            Self::Create(cause) => format!("{cause:?}: {cause}"),
            Self::Destroy(reason) => format!("{reason:?}: {reason}"),
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

impl Group {
    /// Names the revision with this hash.
    pub(in crate::core) fn named(&self, hash: &ConfigHash) -> String {
        let mut latest = self.revisions.iter().rev();
        match latest.find(|(_, committed)| committed.spec.hash == *hash) {
            Some((revision, _)) => format!("revision {revision} (hash {hash})"),
            None => format!("hash {hash}"),
        }
    }

    /// Says which member was destroyed last because it was sick.
    pub(in crate::core) fn last_casualty(&self) -> Option<String> {
        let mut latest = self.history.0.iter().rev();
        let sick = |deed: &&Deed| matches!(deed.what, What::Destroy(Reason::Unhealthy));
        let Told {
            at,
            instance,
            evidence,
            ..
        } = self.told(latest.find(sick)?);
        Some(format!("`{instance}` had to go at {at}: {evidence}"))
    }

    /// Tells the deeds on a member, or all, the youngest first.
    pub(in crate::core) fn told_deeds(&self, of: Option<&InstanceId>) -> Vec<Told> {
        let about = |deed: &&Deed| match (&deed.who, of) {
            (_, None) => true,
            (Who::Member(_, id), Some(of)) => id == of,
            (Who::Coming(_) | Who::Group, Some(_)) => false,
        };
        let latest = self.history.0.iter().rev().filter(about);
        latest.map(|deed| self.told(deed)).collect()
    }

    fn told(&self, deed: &Deed) -> Told {
        let mut evidence = self.evidence(&deed.evidence);
        let and = if evidence.is_empty() { "" } else { "; " };
        match &deed.end {
            End::UnderWay | End::Done => {}
            End::Failed(message) => evidence.push_str(&format!("{and}it failed with: {message}")),
            End::Lost(message) => evidence.push_str(&format!("{and}its answer is lost: {message}")),
        }
        Told {
            at: moment(deed.at),
            plugin: match &deed.who {
                Who::Member(plugin, _) => plugin.clone(),
                Who::Coming(_) | Who::Group => PluginName::default(),
            },
            instance: match &deed.who {
                Who::Member(_, id) => id.clone(),
                Who::Coming(number) => {
                    let token = Token::new(&self.memory.nonce, *number);
                    InstanceId::new(token.to_string())
                }
                Who::Group => InstanceId::default(),
            },
            action: deed.what.action(&deed.end),
            rule: deed.what.rule(),
            evidence,
        }
    }

    fn evidence(&self, evidence: &Evidence) -> String {
        match evidence {
            Evidence::Nothing => String::new(),
            Evidence::Size {
                there,
                wanted,
                missing,
                hash,
            } => {
                let mut said = format!("{there} of {wanted} members were there");
                if let Some(id) = missing {
                    said = format!("`{id}` was missing; {said}");
                }
                if let Some(hash) = hash {
                    let former = self.named(hash);
                    said.push_str(&format!(
                        "; made from {former}, since the rollout is limited"
                    ));
                }
                said
            }
            Evidence::Health(health) => verdict(health),
            Evidence::Configuration(hash, revision) => {
                let own = match hash {
                    Some(hash) => format!("it was made from {}", self.named(hash)),
                    None => "it carries no hash".to_owned(),
                };
                let force = self.revisions.get(revision);
                let force = force.map_or_else(
                    || format!("revision {revision}"),
                    |force| format!("revision {revision} (hash {})", force.spec.hash),
                );
                format!("{own}, and {force} was in force")
            }
            Evidence::Identity(Some(id)) => format!("it was `{id}`"),
            Evidence::Said(said) => said.clone(),
            Evidence::Identity(None) => "it had no identity".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
