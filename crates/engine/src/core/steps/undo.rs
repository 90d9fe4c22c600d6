//! Taking back what was planned and does not happen.
//!
//! What a plan decides is booked before any of it begins. Whatever then does not begin is taken back
//! here, in each of the three ways in which that comes about.

use infrakit_plan::{Action, Departure, FailedCreation, Labelling, Step, Timestamp, Told};
use infrakit_spi::{FailureClass, InstanceId};

use crate::core::state::unwritten::RETRY;
use crate::core::steps::deeds;
use crate::core::steps::ids::is_it;
use crate::core::{Call, Group};

/// Takes back what a plan remembers of an action that is not carried out.
pub(in crate::core) fn not_begun(group: &mut Group, action: &Action) {
    match action {
        Action::Provision(provision) => {
            group.memory.take_back(provision.token.number());
        }
        Action::Drain { id, .. } => {
            group.memory.drained.remove(id);
        }
        Action::Repair { id, .. } => unrepair(group, id),
        // Of these nothing is remembered before they begin.
        Action::Destroy { .. }
        | Action::Spare { .. }
        | Action::Adopt { .. }
        | Action::Check { .. }
        | Action::Revert { .. } => {}
    }
}

/// Puts things back as they were before a call was decided, which has not begun.
pub(in crate::core) fn withdrawn(group: &mut Group, call: Call) {
    deeds::dropped(group, &call, deeds::WITHDRAWN);
    match call {
        Call::Provision { number, spec, .. } => {
            if group.memory.take_back(number).is_some() {
                group.young.end(number, &spec.instance.plugin);
            }
        }
        Call::Destroy {
            subject,
            former,
            blamed,
            ..
        } => {
            // What was begun before, in this life or the last, stays on record.
            if former.is_none()
                && !group
                    .memory
                    .decided
                    .contains_key(&(subject.plugin.clone(), subject.id.clone()))
            {
                group.departures.strike(&subject.plugin, &subject.id);
            }
            // Another one with its id was never to go; and of one that may have gone meanwhile a list tells.
            if is_it(group, &subject)
                && let Some(mut member) = group.seen.get_mut_on(&subject.plugin, &subject.id)
                && member.departure.is_some_and(|one| one.is_in_flight())
            {
                member.departure = former;
            }
            if let Some(roll) = &mut group.memory.roll
                && blamed
            {
                roll.failed = roll.failed.saturating_sub(1);
            }
        }
        Call::Drain { .. } | Call::Repair { .. } | Call::Label { .. } | Call::Check { .. } => {
            forget(group, call);
        }
    }
}

/// Takes back that a call is under way: it could not be written down, so it does not begin.
pub(in crate::core) fn not_written(group: &mut Group, call: Call, now: Timestamp) {
    deeds::dropped(group, &call, deeds::NOT_WRITTEN);
    match call {
        Call::Provision { number, .. } => {
            if let Some(intent) = group.memory.take_back(number) {
                let failed = FailedCreation {
                    token: group.memory.token(number),
                    hash: &intent.hash,
                    class: FailureClass::Unavailable,
                    told: Told::Guessed,
                    message: "the creation cannot be written down",
                    begun: intent.begun,
                };
                group.memory.creation.fail(&failed, now);
            }
        }
        Call::Destroy {
            subject, reason, ..
        } => {
            let (plugin, id) = (&subject.plugin, &subject.id);
            group.departures.strike_unwritten(plugin, id);
            let attempts = group.note_failed_destruction(&subject.plugin, &subject.id);
            // Up to a minute: where there is no room each attempt is a warning in the log.
            let pause = RETRY.saturating_mul(1 << attempts.min(6));
            if let Some(mut member) = group.seen.get_mut_on(&subject.plugin, &subject.id) {
                let former = member.departure;
                member.destruction_error = Some(deeds::NOT_WRITTEN.into());
                member.departure = Some(Departure {
                    reason,
                    since: former.map_or(now, |departure| departure.since),
                    step: Step::Failed(attempts, now + pause),
                    taken: former.and_then(|departure| departure.taken),
                });
            }
        }
        Call::Drain { .. } | Call::Repair { .. } | Call::Label { .. } | Call::Check { .. } => {
            forget(group, call);
        }
    }
}

/// Forgets a call that a member is marked with, however it came that it did not begin.
fn forget(group: &mut Group, call: Call) {
    match call {
        Call::Drain { subject, .. } => {
            group.memory.drained.remove(&subject.id);
        }
        Call::Repair { subject, .. } => unrepair(group, &subject.id),
        Call::Label { subject, .. } => {
            if let Some(mut member) = group.seen.get_mut_on(&subject.plugin, &subject.id) {
                member.labelling = Labelling::Nothing;
            }
        }
        // What is booked for these depends on why they did not begin; for a check, nothing is.
        Call::Provision { .. } | Call::Destroy { .. } | Call::Check { .. } => {}
    }
}

fn unrepair(group: &mut Group, id: &InstanceId) {
    if let Some(repair) = group.memory.repairs.0.get_mut(id) {
        repair.in_flight = false;
        repair.tried = repair.tried.saturating_sub(1);
    }
}
