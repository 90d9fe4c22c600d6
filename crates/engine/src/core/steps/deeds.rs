//! Notes what is done in a group, by which rule, and what was seen when it was decided.

use infrakit_plan::{Action, Asked, Reason, Timestamp};
use infrakit_spi::{Error, InstanceId, LogicalId, PluginName, tags};

use crate::core::state::history::{Deed, End, Evidence, Kind, Labels, What, Who};
use crate::core::state::trouble::Trouble;
use crate::core::{Call, Group, Subject};

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
            let what = match reason {
                Reason::Requested if group.memory.is_urgent(member) => What::DestroyNow,
                Reason::Requested
                | Reason::Surplus
                | Reason::Unlisted
                | Reason::Duplicate
                | Reason::Unhealthy
                | Reason::Outdated
                | Reason::GroupDestroyed => What::Destroy(*reason),
            };
            (who(plugin, id), what, evidence)
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
        What::Create(_)
        | What::Destroy(_)
        | What::DestroyNow
        | What::Drain
        | What::Repair(_)
        | What::Label(_) => End::UnderWay,
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
    let since = former.since.map_or(Evidence::Nothing, Evidence::Since);
    note_state(group, What::Recover(former.reason.clone()), since, at);
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
