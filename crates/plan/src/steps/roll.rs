//! Outdated members make way, a few at a time; new ones prove themselves first.

use crate::action::{Action, Drain, Reason, WaitingOn};
use crate::diagnosis::sickness::Illness;
use crate::draft::Draft;
use crate::ledger::budget::number;
use crate::observation::{Key, Member};
use crate::proof::{on_trial, ready, wait_for_proof};
use crate::{CallKind, Order, Skip, Spec};

/// Takes outdated members out of service, as far as the rollout's limit and the budget go.
///
/// The health of outdated members is no reason to wait: a group that is broken can be rolled out of
/// its state, the unhealthy first. A member that serves goes only if enough others do; where new
/// ones come first, only once they have taken over.
pub(crate) fn roll<'a>(draft: &mut Draft<'a>, illness: &Illness<'a>) {
    if draft.memory.roll.is_none() || draft.frozen {
        return;
    }
    let unproved = on_trial(draft);
    if draft.replaceable().next().is_none() {
        wait_for_proof(draft, &unproved);
        return;
    }
    // Sick members that could not be replaced yet stand first in line.
    let waiting = illness.sick.iter();
    let waiting = waiting
        .filter(|(key, _)| !draft.taken.contains(key))
        .count();
    let waiting = if illness.withheld { 0 } else { waiting };
    let under_way =
        draft.tally.leaving + draft.pending() + draft.missing + unproved.len() + waiting;
    let slots = draft.budget.replacements().saturating_sub(under_way);
    let mut allowed = draft.allowed();
    let there = draft.tally.working + draft.pending();
    let mut extra = there.saturating_sub(draft.wanted);
    if slots == 0 || (allowed == 0 && extra == 0) {
        wait_for_proof(draft, &unproved);
        return;
    }
    // New members that have yet to prove themselves do not count: an old one stays for each.
    let mut available = ready(draft);
    // Those on their way out, those that are coming, and those that cannot be made are part of what
    // has to be there.
    let known = draft.tally.working + draft.tally.leaving + draft.pending();
    let least = number(draft.spec.size.count()).min(known.max(draft.wanted));
    let new_first = draft.budget.order == Order::SurgeFirst && !draft.creation_blocked;
    let spare = if new_first {
        0
    } else {
        draft.budget.unavailable
    };
    let needed = least.saturating_sub(spare);
    let candidates: Vec<(&Key, &Member)> = draft.replaceable().take(slots).collect();
    for entry @ (_, member) in candidates {
        if extra == 0 && allowed == 0 {
            return;
        }
        let serves = member.serves(&draft.spec.hash);
        if serves && available <= needed {
            let needed = needed + 1;
            draft.wait(WaitingOn::Budget { available, needed });
            return;
        }
        if !draft.destroy(entry, Reason::Outdated, drain(draft.spec, Reason::Outdated)) {
            return;
        }
        available -= usize::from(serves);
        if extra > 0 {
            extra -= 1;
        } else {
            allowed -= 1;
            if let Some(roll) = &mut draft.memory.roll {
                roll.owed += 1;
            }
        }
    }
}

/// Drains the member that the controller runs on, once, when it is the last outdated one. Destroying
/// it is left to a controller that runs elsewhere.
pub(crate) fn drain_self(draft: &mut Draft<'_>) {
    let Some(own) = draft.own() else { return };
    let others = draft.replaceable().next().is_some();
    let busy = draft.tally.leaving + draft.pending() + draft.missing > 0;
    let blocked = draft.memory.aborted.is_some() || draft.memory.held.contains(&own.id);
    if !draft.outdated(own)
        || others
        || busy
        || blocked
        || draft.memory.roll.is_some()
        || draft.spec.updating.skip_before_instance_destroy == Some(Skip::Drain)
        || draft.memory.drained.contains(&own.id)
    {
        return;
    }
    // Nothing can be made in its place, so one member less must do even where new ones come first.
    let spared = draft.budget.unavailable.max(1);
    let needed = number(draft.spec.size.count()).saturating_sub(spared);
    let available = draft.tally.serving;
    if own.serves(&draft.spec.hash) && available <= needed {
        let needed = needed + 1;
        draft.wait(WaitingOn::Budget { available, needed });
        return;
    }
    if !draft.may_call(&own.plugin, CallKind::Other) {
        return;
    }
    draft.memory.drained.insert(own.id.clone());
    draft.actions.push(Action::Drain {
        id: own.id.clone(),
        plugin: own.plugin.clone(),
    });
}

/// Returns how a member that goes for `reason` is drained. A rolling update takes away members that
/// serve, so it insists; everything else must not be held up by a drain that cannot work.
pub(crate) fn drain(spec: &Spec, reason: Reason) -> Drain {
    match (reason, spec.updating.skip_before_instance_destroy) {
        (Reason::Outdated, Some(Skip::Drain)) => Drain::Skip,
        (Reason::Outdated, None) => Drain::Insist,
        (
            Reason::Requested
            | Reason::Surplus
            | Reason::Unlisted
            | Reason::Duplicate
            | Reason::Unhealthy
            | Reason::GroupDestroyed,
            _,
        ) => Drain::Try,
    }
}
