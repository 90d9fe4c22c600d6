//! As many members as specified: like ones by number, named ones by identity.

use std::cmp::Reverse;

use infrakit_spi::flavor::Health;
use infrakit_spi::{LogicalId, Tags, tags};

use crate::Timestamp;
use crate::action::{Action, Cause, Drain, Reason, WaitingOn};
use crate::budget::number;
use crate::draft::Draft;
use crate::heal::is_sick;
use crate::observed::{Key, Labelling, Member};

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
fn below_ceiling(draft: &mut Draft<'_>, there: usize) -> usize {
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
    draft.missing = free.len();
    if free.is_empty() {
        return;
    }
    if paused(draft) {
        draft.creation_blocked = true;
        return;
    }
    let there = draft.tally.working + draft.pending();
    let room = draft.wanted.saturating_sub(there + draft.tally.leaving);
    let room = room.min(below_ceiling(draft, there));
    for (position, id) in free.into_iter().take(room) {
        if !draft.provision(Some(id), position, Cause::Missing) {
            return;
        }
        draft.missing -= 1;
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
        let (reason, spared) = if draft.is_wanted(id) {
            (Reason::Duplicate, 1)
        } else {
            (Reason::Unlisted, 0)
        };
        for entry in holders.into_iter().skip(spared) {
            if !draft.is_untouchable(entry.1) {
                draft.destroy(entry, reason, Drain::Try);
            }
        }
    }
}

/// Gives free identities to members that have none, after a change from a size to logical ids.
/// Returns the identities that are still free.
///
/// A member that its plugin will not label makes way, within the budget; so does one too many.
fn name_the_nameless<'a>(
    draft: &mut Draft<'a>,
    mut free: Vec<(usize, &'a LogicalId)>,
) -> Vec<(usize, &'a LogicalId)> {
    if !draft.memory.naming {
        return free;
    }
    let underway = draft
        .seen
        .members()
        .any(|member| member.is_being_labelled());
    if underway {
        draft.wait(WaitingOn::Observation);
    }
    let mut nameless: Vec<(&Key, &Member)> = draft.members(&draft.index.nameless).collect();
    if nameless.is_empty() && !underway && draft.pending() == 0 {
        draft.memory.naming = false;
        return free;
    }
    // Those that cannot go are named first, then the best ones, so that the others are those that
    // would go anyway.
    nameless.sort_by_key(|(_, member)| {
        (
            !draft.is_untouchable(member),
            draft.outdated(member),
            member.health.last() == Health::Unhealthy,
        )
    });
    free.reverse();
    let mut rest = Vec::new();
    for entry @ (_, member) in nameless {
        match Nameable::of(draft, member) {
            Nameable::Never => rest.push(entry),
            // Its place is kept until then.
            Nameable::Later(at) => {
                if free.pop().is_none() {
                    rest.push(entry);
                }
                draft.wake(at);
                draft.wait(WaitingOn::Observation);
            }
            Nameable::Now => match free.pop() {
                None => rest.push(entry),
                Some((_, id)) => draft.actions.push(Action::Adopt {
                    id: member.id.clone(),
                    plugin: member.plugin.clone(),
                    labels: Tags::from([(tags::LOGICAL_ID.to_owned(), id.as_str().to_owned())]),
                }),
            },
        }
    }
    rest.retain(|(_, member)| !draft.is_untouchable(member));
    let under_way = draft.tally.leaving + draft.pending();
    let slots = draft.budget.replacements().saturating_sub(under_way);
    let mut slots = slots.max(draft.tally.working.saturating_sub(draft.wanted));
    for entry in rest {
        if slots == 0 {
            break;
        }
        if !draft.can_spare(entry.1) {
            let (available, needed) = (draft.tally.serving, draft.needed() + 1);
            draft.wait(WaitingOn::Budget { available, needed });
            break;
        }
        slots -= usize::from(draft.destroy(entry, Reason::Unlisted, Drain::Try));
    }
    free.reverse();
    free
}

/// Attempts to label a member before it counts as one that its plugin will not label.
const ATTEMPTS: u32 = 5;

/// Whether a member can be given an identity by labelling it.
enum Nameable {
    Now,
    Later(Timestamp),
    Never,
}

impl Nameable {
    fn of(draft: &Draft<'_>, member: &Member) -> Self {
        match member.labelling {
            Labelling::Nothing if !member.asks_for_adoption() => Self::Now,
            Labelling::Failed(_) if member.label_failures >= ATTEMPTS => Self::Never,
            Labelling::Failed(retry_at) if retry_at > draft.now => Self::Later(retry_at),
            Labelling::Failed(..) => Self::Now,
            // The adoption comes first; a list has to confirm it.
            Labelling::Nothing | Labelling::UnderWay(_) => {
                Self::Later(draft.now + draft.config.poll_interval)
            }
        }
    }
}

/// Returns whether creations pause after failures, and notes it.
fn paused(draft: &mut Draft<'_>) -> bool {
    let Some(until) = draft.memory.creation.pending(draft.now) else {
        return false;
    };
    let failures = draft.memory.creation.failures();
    draft.wait(WaitingOn::Backoff { until, failures });
    draft.wake(until);
    true
}

impl Draft<'_> {
    /// Returns whether the group is to have a member of this identity.
    fn is_wanted(&self, id: &LogicalId) -> bool {
        self.index.aim.as_ref().is_some_and(|aim| aim.wants(id))
    }
}
