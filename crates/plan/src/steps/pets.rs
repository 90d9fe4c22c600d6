//! Exactly the named members that are specified.

use infrakit_spi::LogicalId;
use infrakit_spi::flavor::Health;

use crate::action::Drain;
use crate::draft::Draft;
use crate::ledger::errand::{Errand, Refusal};
use crate::observation::{Key, Member, Origin};
use crate::proof::{on_trial, wait_for_proof};
use crate::reason::Cause;
use crate::steps::cattle::paused;
use crate::steps::naming::name_the_nameless;

/// Brings a group of named members to exactly `ids`.
///
/// Of two members with one identity the better one stays: of the current configuration, not sick,
/// shown by the last list, known to serve, made by this group, the elder. A member without an identity
/// is nobody's and is left alone, unless the group has just been given identities: then it is given one.
/// An identity is never given to a new member while an old one still holds it.
pub(crate) fn pets<'a>(draft: &mut Draft<'a>, ids: &'a [LogicalId]) {
    settle_contests(draft);
    let free: Vec<(usize, &LogicalId)> = draft
        .index
        .free
        .iter()
        .filter_map(|position| Some((*position, ids.get(*position)?)))
        .filter(|(_, id)| !is_intended(draft, id))
        .collect();
    let free = name_the_nameless(draft, free);
    // Names whose places others still hold are not missing yet: those have to make way first, and the
    // sick must not wait for that.
    draft.ledger.missing = free.len().min(draft.ledger.free());
    if free.is_empty() {
        return;
    }
    if paused(draft) {
        draft.ledger.creation_blocked = true;
        return;
    }
    for (position, id) in free {
        if draft.seen.ghosts().any(|ghost| ghost == Some(id)) {
            draft.refused(Refusal::Unsure);
            continue;
        }
        if !draft.provision(Some(id), position, Cause::Missing) {
            return;
        }
    }
}

fn is_intended(draft: &Draft<'_>, id: &LogicalId) -> bool {
    let mut intents = draft.memory.intents.values();
    intents.any(|intent| intent.logical_id.as_ref() == Some(id))
}

/// Destroys all but the best holder of each identity that is wanted, and then, as far as the budget
/// goes, members whose identity is not: those that do not serve first.
fn settle_contests(draft: &mut Draft<'_>) {
    let index = draft.index;
    let mut unlisted: Vec<(&Key, &Member)> = Vec::new();
    for id in &index.contested {
        let Some(holders) = index.holders.get(id) else {
            continue;
        };
        // Nor is anybody one too many beside those that a person is to look at first.
        let mut holders: Vec<(&Key, &Member)> = draft
            .members(holders)
            .filter(|(key, member)| member.stays() && !draft.strangers.contains(key))
            .collect();
        if !draft.is_wanted(id) {
            unlisted.append(&mut holders);
            continue;
        }
        // Members come ordered by instance id, and sorting keeps that order among equals.
        holders.sort_by_key(|(_, member)| {
            (
                draft.outdated(member),
                member.health.last() == Health::Unhealthy,
                // Whom only an answer has told of may be gone: some plugins answer a creation that is
                // asked for again with what it made the first time, however long ago that was.
                member.origin != Origin::Listed || member.missed,
                // Of one that nobody has asked yet nobody knows whether it is well.
                !member.serves(),
                // A restart forgets how long they have been known, and not which was made first.
                member.token.is_none(),
                member.token,
                member.created,
            )
        });
        let mut holders = holders.into_iter();
        let better = holders.next();
        let better_serves = better.is_some_and(|(_, better)| better.serves());
        let errand = Errand::Duplicate { better_serves };
        for entry in holders {
            if !draft.is_untouchable(entry.1) {
                // Another one may be in nobody's way.
                let _ = draft.destroy(entry, errand, Drain::Try);
            }
        }
    }
    make_way(draft, unlisted);
}

/// Takes away members whose identity is not wanted. They make way for those that are a few at a time,
/// as outdated members do: a list of other names must not empty the group.
fn make_way<'a>(draft: &mut Draft<'a>, mut unlisted: Vec<(&'a Key, &'a Member)>) {
    unlisted.retain(|(_, member)| !draft.is_untouchable(member));
    if unlisted.is_empty() {
        return;
    }
    unlisted.sort_by_key(|(_, member)| (member.standing(), !draft.outdated(member)));
    // Those that are to go themselves need not prove anything.
    let unproved: Vec<&Member> = on_trial(draft)
        .into_iter()
        .filter(|member| member.identity().is_some_and(|id| draft.is_wanted(id)))
        .collect();
    let errand = Errand::Unlisted {
        settling: unproved.len(),
    };
    for entry in unlisted {
        match draft.destroy(entry, errand, Drain::Try) {
            Ok(()) => {}
            Err(refusal) if refusal.lets_others_go() => {}
            Err(refusal) => {
                if refusal == Refusal::Slots {
                    wait_for_proof(draft, &unproved);
                }
                return;
            }
        }
    }
}

impl Draft<'_> {
    /// Returns whether the group is to have a member of this identity.
    pub(crate) fn is_wanted(&self, id: &LogicalId) -> bool {
        self.index.aim.as_ref().is_some_and(|aim| aim.wants(id))
    }
}
