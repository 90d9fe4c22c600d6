//! As many members as specified: like ones by number, named ones by identity.

use std::cmp::Reverse;
// These are only asked for what they hold; their order decides nothing.
use std::collections::{HashMap, HashSet};

use infrakit_spi::LogicalId;
use infrakit_spi::flavor::Health;

use crate::action::{Drain, Reason, WaitingOn};
use crate::observed::Member;
use crate::plan::Draft;

/// Brings a group of like members to `size`.
///
/// Surplus members go sick ones first, then outdated ones, then the youngest. Tokens tell age
/// before the moments do at which members became known: a restart forgets those, and a choice made
/// anew after it must fall on the same members, which may be slow to go. A group that is to
/// grow while it is being rolled keeps its former size until the update is through.
pub(crate) fn cattle<'a>(draft: &mut Draft<'a>, size: u64) {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let staying: Vec<&'a Member> = draft.staying().collect();
    if staying.len() > size {
        let mut victims: Vec<&'a Member> = staying
            .iter()
            .copied()
            .filter(|member| !draft.is_self(member))
            .collect();
        victims.sort_by_cached_key(|member| {
            (
                !is_sick(draft, member),
                member.health.last() != Health::Unhealthy,
                !draft.outdated(member),
                Reverse(member.token),
                Reverse(member.created),
                member.id.clone(),
            )
        });
        for member in victims.into_iter().take(staying.len() - size) {
            draft.destroy(member, Reason::Surplus, Drain::Try);
        }
        return;
    }
    let hold = draft.memory.roll.as_ref().and_then(|roll| roll.hold);
    let wanted = hold.map_or(size, |hold| size.min(usize::try_from(hold).unwrap_or(size)));
    let there = staying.len() + draft.pending();
    let room = (wanted + draft.budget.surge).saturating_sub(there + draft.leaving());
    draft.missing = wanted.saturating_sub(there);
    let count = draft.missing.min(room);
    if count == 0 || paused(draft) {
        return;
    }
    for position in 0..count {
        draft.provision(None, there + position);
    }
    draft.missing -= count;
}

/// Brings a group of named members to exactly `ids`.
///
/// Of two members with one identity the better one stays: of the current configuration, not sick,
/// the elder. A member without an identity is nobody's and is left alone. An identity is never
/// given to a new member while an old one still holds it.
pub(crate) fn pets<'a>(draft: &mut Draft<'a>, ids: &[LogicalId]) {
    let wanted: HashSet<&LogicalId> = ids.iter().collect();
    for holders in contested(draft, &wanted).chunk_by(|(one, _), (next, _)| one == next) {
        // All of them go, or all but the first.
        let listed = holders.first().is_some_and(|(id, _)| wanted.contains(id));
        let (reason, spared) = if listed {
            (Reason::Duplicate, 1)
        } else {
            (Reason::Unlisted, 0)
        };
        for (_, member) in holders.iter().skip(spared) {
            if !draft.is_self(member) {
                draft.destroy(member, reason, Drain::Try);
            }
        }
    }
    let held = draft
        .seen
        .members()
        .filter_map(|member| member.logical_id.as_ref());
    let intended = draft
        .memory
        .intents
        .values()
        .filter_map(|intent| intent.logical_id.as_ref());
    let taken: HashSet<&LogicalId> = held.chain(intended).collect();
    let free: Vec<(usize, &LogicalId)> = ids
        .iter()
        .enumerate()
        .filter(|(_, id)| !taken.contains(id))
        .collect();
    draft.missing = free.len();
    if free.is_empty() || paused(draft) {
        return;
    }
    for (position, id) in free {
        draft.provision(Some(id), position);
    }
    draft.missing = 0;
}

/// Returns the staying members of which not all can stay, with their identities, in the order of
/// these, the best holder of each first.
fn contested<'a>(
    draft: &Draft<'a>,
    wanted: &HashSet<&LogicalId>,
) -> Vec<(&'a LogicalId, &'a Member)> {
    let named = || {
        draft
            .staying()
            .filter_map(|member| Some((member.logical_id.as_ref()?, member)))
    };
    let mut holders: HashMap<&LogicalId, u32> = HashMap::new();
    for (id, _) in named() {
        *holders.entry(id).or_default() += 1;
    }
    let mut contested: Vec<(&LogicalId, &Member)> = named()
        .filter(|(id, _)| !wanted.contains(id) || holders.get(id).is_some_and(|count| *count > 1))
        .collect();
    // Members come ordered by instance id, and sorting keeps that order among equals.
    contested.sort_by_key(|(id, member)| {
        (
            *id,
            draft.outdated(member),
            member.health.last() == Health::Unhealthy,
            member.token,
            member.created,
        )
    });
    contested
}

/// Returns whether creations pause after failures, and notes it.
fn paused(draft: &mut Draft<'_>) -> bool {
    let Some(until) = draft.memory.creation.pending(draft.now) else {
        return false;
    };
    let failures = draft.memory.creation.failures();
    draft.waiting.push(WaitingOn::Backoff { until, failures });
    draft.wake(until);
    true
}

pub(crate) fn is_sick(draft: &Draft<'_>, member: &Member) -> bool {
    member
        .health
        .sick(&draft.spec.health, member.created, draft.now)
}
