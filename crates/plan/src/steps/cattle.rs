//! As many like members as specified.

use std::cmp::Reverse;

use infrakit_spi::flavor::Health;

use crate::action::{Cause, Drain, WaitingOn};
use crate::diagnosis::sickness::is_sick;
use crate::draft::Draft;
use crate::ledger::budget::Errand;
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
    draft.ledger.surplus(draft.stand_ins()) > 0
}

/// Makes the members that are missing, and those that a rollout makes beyond the size. Asked again
/// in the same plan, it makes what has become possible since.
pub(crate) fn grow(draft: &mut Draft<'_>) {
    let tally = draft.ledger.tally();
    let there = tally.working + tally.coming;
    draft.ledger.missing = draft.ledger.free();
    let short = draft.ledger.short(to_surge_for(draft), draft.doomed());
    if short == 0 {
        return;
    }
    if paused(draft) {
        draft.ledger.creation_blocked = true;
        return;
    }
    for position in 0..short {
        let cause = if draft.ledger.missing > 0 {
            Cause::Missing
        } else {
            Cause::Surge
        };
        if !draft.provision(None, there + position, cause) {
            return;
        }
    }
}

/// Returns how many members others may be made for in advance now, as far as that matters.
fn to_surge_for(draft: &Draft<'_>) -> usize {
    if draft.memory.roll.is_none() {
        return 0;
    }
    let most = draft.ledger.surge_left();
    draft.replaceable().take(most).count()
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
        let stand_ins = draft.stand_ins();
        let errand = Errand::Surplus { stand_ins };
        if draft.destroy(entry, errand, Drain::Try).is_err() {
            return;
        }
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
