//! Sick members are repaired or make way, a few at a time, and only where sickness is believed.

use std::time::Duration;

use crate::CallKind;
use crate::action::{Action, Reason, WaitingOn};
use crate::diagnosis::repair::Repair;
use crate::diagnosis::sickness::Illness;
use crate::draft::Draft;
use crate::observation::Member;
use crate::proof::{on_trial, wait_for_proof};
use crate::steps::roll::drain;

/// How long a repair is remembered after it was begun, as a multiple of the time that it has to
/// help: a member that has to be rebooted again and again is replaced in the end.
const REPAIR_MEMORY: u32 = 12;
/// Repairs or replaces sick members, as far as the budget goes.
///
/// Healing and rolling share it. A replacement is under way from the moment that the old member is
/// taken until the new one has proved itself; only as many may be under way as the budget allows.
/// A member of which nothing is known for longer than the grace period does not keep sick ones
/// from being healed.
pub(crate) fn heal<'a>(draft: &mut Draft<'a>, illness: &Illness<'a>) {
    expire_repairs(draft);
    if illness.withheld || illness.sick.is_empty() {
        return;
    }
    let under_way = draft.tally.leaving + draft.pending() + draft.missing;
    let grace = draft.spec.health.grace_period;
    let unproved = on_trial(draft);
    let young = |member: &&&Member| draft.now.since(member.created) < grace;
    let settling = unproved.iter().filter(young).count();
    let slots = draft.budget.replacements();
    let mut slots = slots.saturating_sub(under_way + settling);
    for entry in &illness.sick {
        if draft.taken.contains(entry.0) {
            continue;
        }
        if slots == 0 {
            wait_for_proof(draft, &unproved);
            return;
        }
        slots -= 1;
        if repair(draft, entry.1) {
            continue;
        }
        let how = drain(draft.spec, Reason::Unhealthy);
        draft.destroy(*entry, Reason::Unhealthy, how);
    }
}

/// Tries the next repair step on a sick member, or waits for the last one; returns whether the
/// member is to be left alone for now.
fn repair(draft: &mut Draft<'_>, member: &Member) -> bool {
    let policy = &draft.spec.health;
    let known = draft.memory.repairs.0.get(&member.id);
    if let Some(repair) = known
        && let Some(last) = repair.tried.checked_sub(1)
        && let Some(step) = policy.repair.get(last)
    {
        let until = repair.at + policy.repair_wait;
        if repair.in_flight || (until > draft.now && repair.at <= draft.now) {
            let id = member.id.clone();
            let step = step.clone();
            draft.wait(WaitingOn::Repair { id, step, until });
            draft.wake(until.max(draft.now + Duration::from_secs(1)));
            return true;
        }
    }
    let tried = known.map_or(0, |repair| repair.tried);
    let Some(step) = policy.repair.get(tried) else {
        return false;
    };
    if !draft.may_call(&member.plugin, CallKind::Other) {
        return true;
    }
    draft.actions.push(Action::Repair {
        id: member.id.clone(),
        plugin: member.plugin.clone(),
        step: step.clone(),
    });
    let repair = Repair {
        tried: tried + 1,
        at: draft.now,
        in_flight: true,
    };
    draft.memory.repairs.0.insert(member.id.clone(), repair);
    true
}

/// Forgets repairs of members that have been well for long.
fn expire_repairs(draft: &mut Draft<'_>) {
    let (now, seen) = (draft.now, draft.seen);
    let keep = draft.spec.health.repair_wait.saturating_mul(REPAIR_MEMORY);
    draft.memory.repairs.0.retain(|id, repair| {
        let sick = seen
            .get(id)
            .is_some_and(|member| member.health.last() == infrakit_spi::flavor::Health::Unhealthy);
        sick || repair.in_flight || now.since(repair.at) < keep
    });
}
