//! Exactly the named members that are specified.

use infrakit_spi::LogicalId;
use infrakit_spi::flavor::Health;

use crate::action::{Cause, Drain};
use crate::draft::Draft;
use crate::ledger::budget::Errand;
use crate::observation::{Key, Member};
use crate::steps::cattle::paused;
use crate::steps::naming::name_the_nameless;

/// Brings a group of named members to exactly `ids`.
///
/// Of two members with one identity the better one stays: of the current configuration, not sick,
/// the elder. A member without an identity is nobody's and is left alone, unless the group has just
/// been given identities: then it is given one. An identity is never given to a new member while an
/// old one still holds it.
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
    draft.ledger.missing = free.len();
    if free.is_empty() {
        return;
    }
    if paused(draft) {
        draft.ledger.creation_blocked = true;
        return;
    }
    for (position, id) in free {
        if !draft.provision(Some(id), position, Cause::Missing) {
            return;
        }
    }
}

fn is_intended(draft: &Draft<'_>, id: &LogicalId) -> bool {
    let mut intents = draft.memory.intents.values();
    intents.any(|intent| intent.logical_id.as_ref() == Some(id))
}

/// Destroys members whose identity is not wanted, and all but the best holder of each that is.
fn settle_contests(draft: &mut Draft<'_>) {
    let index = draft.index;
    for id in &index.contested {
        let Some(holders) = index.holders.get(id) else {
            continue;
        };
        let mut holders: Vec<(&Key, &Member)> = draft
            .members(holders)
            .filter(|(_, member)| member.stays())
            .collect();
        // Members come ordered by instance id, and sorting keeps that order among equals.
        holders.sort_by_key(|(_, member)| {
            (
                draft.outdated(member),
                member.health.last() == Health::Unhealthy,
                member.token,
                member.created,
            )
        });
        let (errand, spared) = if draft.is_wanted(id) {
            (Errand::Duplicate, 1)
        } else {
            (Errand::Unlisted, 0)
        };
        for entry in holders.into_iter().skip(spared) {
            if !draft.is_untouchable(entry.1) && draft.destroy(entry, errand, Drain::Try).is_err() {
                return;
            }
        }
    }
}

impl Draft<'_> {
    /// Returns whether the group is to have a member of this identity.
    fn is_wanted(&self, id: &LogicalId) -> bool {
        self.index.aim.as_ref().is_some_and(|aim| aim.wants(id))
    }
}
