//! As many like members as specified.

use std::cmp::Reverse;

use infrakit_spi::flavor::Health;

use crate::action::{Cause, Drain, Reason, WaitingOn};
use crate::diagnosis::sickness::is_sick;
use crate::draft::Draft;
use crate::ledger::budget::number;
use crate::observation::{Key, Member};

/// Brings a group of like members to its size.
///
/// Surplus members go sick ones first, then others that do not serve, then outdated ones, then the
/// youngest. Tokens tell age
/// before the moments do at which members became known: a restart forgets those, and a choice made
/// anew after it must fall on the same members, which may be slow to go. A group that is to
/// grow while it is being rolled keeps its former size until the rollout is through. What a rollout
/// makes beyond the size is no surplus: it goes when its turn comes.
pub(crate) fn cattle(draft: &mut Draft<'_>) {
    if surplus(draft) {
        shrink(draft);
    } else {
        grow(draft);
    }
}

/// Returns whether there are more members than may be.
fn surplus(draft: &Draft<'_>) -> bool {
    let size = number(draft.spec.size.count());
    draft.tally.staying > size + draft.surge_in_use()
}

/// Makes the members that are missing, and those that a rollout makes beyond the size. Asked again
/// in the same plan, it makes what has become possible since.
pub(crate) fn grow(draft: &mut Draft<'_>) {
    let there = draft.tally.staying + draft.pending();
    let surge = surge_to_use(draft);
    draft.missing = draft.wanted.saturating_sub(there);
    // A member that the operator wants gone is replaced first where none may be missing.
    let short = (draft.wanted + surge + draft.doomed()).saturating_sub(there);
    let limit = draft.wanted + draft.budget.surge;
    let room = limit.saturating_sub(there + draft.tally.leaving);
    let count = short.min(room).min(below_ceiling(draft, there));
    if short == 0 {
        return;
    }
    if paused(draft) {
        draft.creation_blocked = true;
        return;
    }
    for position in 0..count {
        let cause = if draft.missing > 0 {
            Cause::Missing
        } else {
            Cause::Surge
        };
        if !draft.provision(None, there + position, cause) {
            return;
        }
        draft.missing = draft.missing.saturating_sub(1);
    }
}

/// Returns how many members may be made beyond the size now: no more than there are to replace.
fn surge_to_use(draft: &Draft<'_>) -> usize {
    if draft.memory.roll.is_none() || draft.budget.surge == 0 {
        return 0;
    }
    let most = draft.budget.surge.min(draft.allowed());
    draft.replaceable().take(most).count()
}

/// Returns how many more members the hard ceiling lets exist, and says when it is reached.
pub(crate) fn below_ceiling(draft: &mut Draft<'_>, there: usize) -> usize {
    let ceilings = [draft.spec.max_instances, draft.config.max_instances];
    let Some(most) = ceilings.into_iter().flatten().min() else {
        return usize::MAX;
    };
    let room = number(most).saturating_sub(there + draft.tally.leaving);
    if room == 0 && draft.missing > 0 {
        draft.wait(WaitingOn::Ceiling { most });
    }
    room
}

fn shrink(draft: &mut Draft<'_>) {
    let mut victims: Vec<(&Key, &Member)> = draft
        .seen
        .entries()
        .filter(|(key, member)| member.stays() && !draft.taken.contains(key))
        .filter(|(_, member)| !draft.is_untouchable(member))
        .collect();
    victims.sort_by_cached_key(|(key, member)| {
        (
            !is_sick(draft, member),
            member.health.last() != Health::Unhealthy,
            !draft.outdated(member),
            Reverse(member.token),
            Reverse(member.created),
            (*key).clone(),
        )
    });
    for entry in victims {
        // Who goes may have been what others were made in advance for.
        if !surplus(draft) {
            return;
        }
        if !draft.can_spare(entry.1) {
            let (available, needed) = (draft.tally.serving, draft.needed() + 1);
            draft.wait(WaitingOn::Budget { available, needed });
            return;
        }
        draft.destroy(entry, Reason::Surplus, Drain::Try);
    }
}

/// Returns whether creations pause after failures, and notes it.
pub(crate) fn paused(draft: &mut Draft<'_>) -> bool {
    let Some(until) = draft.memory.creation.pending(draft.now) else {
        return false;
    };
    let failures = draft.memory.creation.failures();
    draft.wait(WaitingOn::Backoff { until, failures });
    draft.wake(until);
    true
}
