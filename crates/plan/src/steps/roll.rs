//! Outdated members make way, a few at a time; new ones prove themselves first.

use crate::action::{Action, Drain};
use crate::diagnosis::sickness::Illness;
use crate::draft::Draft;
use crate::ledger::errand::Errand;
use crate::observation::{Key, Member};
use crate::proof::{on_trial, wait_for_proof};
use crate::reason::Reason;
use crate::waiting::WaitingOn;
use crate::{CallKind, Skip, Spec};

/// Takes outdated members out of service, as far as the rollout's limit and the budget go.
///
/// The health of outdated members is no reason to wait: a group that is broken can be rolled out of
/// its state, the unhealthy first. A member that serves goes only if enough others do; where new
/// ones come first, only once they have taken over.
pub(crate) fn roll<'a>(draft: &mut Draft<'a>, illness: &Illness<'a>) {
    if draft.memory.roll.is_none() || draft.frozen || draft.awaits_verdicts {
        return;
    }
    let unproved = on_trial(draft);
    if draft.replaceable().next().is_none() {
        if draft.has_left() {
            // The last list lacks those that are left; the next one tells whether they are back.
            draft.wait(WaitingOn::Observation);
        }
        wait_for_proof(draft, &unproved);
        return;
    }
    // Sick members that could not be replaced yet stand first in line.
    let waiting = illness.sick.iter();
    let waiting = waiting
        .filter(|(key, _)| !draft.taken.contains(key))
        .count();
    let waiting = if illness.withheld { 0 } else { waiting };
    let settling = unproved.len() + waiting;
    let errand = Errand::Outdated { settling };
    let slots = draft.ledger.slots(errand);
    if slots == 0 {
        wait_for_proof(draft, &unproved);
        return;
    }
    // Those on other plugins need not wait for one that takes no calls.
    let alone = draft.seen.homes().nth(1).is_none();
    let takes =
        |entry: &(&Key, &Member)| alone || draft.ledger.takes(&entry.1.plugin, CallKind::Destroy);
    let able = draft.replaceable().filter(takes).take(slots);
    let mut candidates: Vec<(&Key, &Member)> = able.collect();
    if candidates.len() < slots {
        // One of them says what it waits for.
        candidates.extend(draft.replaceable().find(|entry| !takes(entry)));
    }
    let how = drain(draft.spec, errand.reason());
    // Who goes because the group shrinks is not replaced, and says nothing of the gates.
    let shrinks = draft.ledger.surplus(draft.stand_ins()) > 0;
    for entry in candidates {
        let replaced = draft.ledger.extra() == 0;
        match draft.destroy(entry, errand, how) {
            Ok(()) => {}
            Err(refusal) if refusal.lets_others_go() => continue,
            Err(_) => return,
        }
        if replaced && let Some(roll) = &mut draft.memory.roll {
            roll.owed += 1;
        }
        let last = !shrinks && !draft.has_left();
        if let Some(roll) = &mut draft.memory.roll {
            roll.through |= last;
        }
    }
}

/// Drains the member that the controller runs on, once, when it is the last outdated one. Destroying
/// it is left to a controller that runs elsewhere.
pub(crate) fn drain_self(draft: &mut Draft<'_>) {
    let Some(own) = draft.own() else { return };
    let others = draft.replaceable().next().is_some();
    let blocked = draft.memory.aborted.is_some() || draft.memory.is_held(own);
    // One that nobody could complete, since nobody new is there, is not in the way.
    let rolls = match &draft.memory.roll {
        Some(roll) => draft.frozen || !roll.through || !on_trial(draft).is_empty(),
        None => false,
    };
    if !draft.outdated(own)
        || others
        || blocked
        || rolls
        || draft.spec.updating.skip_before_instance_destroy == Some(Skip::Drain)
        || draft.memory.drained.contains(&own.id)
    {
        return;
    }
    let (id, plugin) = (own.id.clone(), own.plugin.clone());
    let key = Key { id, plugin };
    let stake = draft.stake(&key, own);
    let right = match draft.ledger.drain(own, stake) {
        Ok(right) => right,
        Err(refusal) => {
            draft.refused(refusal);
            return;
        }
    };
    draft.memory.drained.insert(own.id.clone());
    draft.actions.push(Action::Drain {
        id: key.id,
        plugin: key.plugin,
        right,
    });
}

/// Returns how a member that goes for `reason` is drained. A rolling update takes away members that
/// serve, so it insists; everything else must not be held up by a drain that cannot work.
#[must_use]
pub fn drain(spec: &Spec, reason: Reason) -> Drain {
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
