//! As many like members as specified.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use infrakit_spi::flavor::Health;

use crate::action::{Action, Drain};
use crate::diagnosis::health::HealthRecord;
use crate::diagnosis::recollection::COUNTED_ON;
use crate::diagnosis::sickness::is_sick;
use crate::draft::Draft;
use crate::ledger::errand::{Errand, Refusal};
use crate::observation::{Key, Member, Origin, Standing};
use crate::proof::wait_for_proof;
use crate::reason::Cause;
use crate::waiting::WaitingOn;

/// Brings a group of like members to its size.
///
/// Surplus members go those first that somebody named, then sick ones, then those from elsewhere of whom
/// nobody has heard, then others that do not serve, then outdated ones, of these first those from elsewhere,
/// then the youngest. Tokens tell age
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
        .filter(|(key, _)| !draft.strangers.contains(key))
        .filter(|(_, member)| !draft.is_untouchable(member))
        .collect();
    // In a rollout it may be what the others are to be replaced by.
    let rolls = draft.memory.roll.is_some();
    victims.sort_by_cached_key(|(key, member)| {
        (
            // Who was named is the one too many; nobody goes in its place while it has to wait.
            !draft.memory.is_doomed(member),
            // One that no list has shown yet may be all that is too many, and not be there any more. The
            // sick are replaced in any case, and only as long as most are well.
            member.origin == Origin::Listed,
            !is_sick(draft, member),
            member.health.last() != Health::Unhealthy,
            // One that nobody here has made, and of which nobody has heard, may never have come up.
            rolls || member.token.is_some() || !member.is_silent(),
            // Of the others any may serve.
            member.standing().min(Standing::Unheard),
            !draft.outdated(member),
            // Of the outdated, those that nobody here has made.
            member.token.is_some() || !draft.outdated(member),
            Reverse(member.token),
            Reverse(member.created),
            (*key).clone(),
        )
    });
    // Where all go, it does not matter who goes first.
    let some_stay = draft.ledger.surplus(draft.stand_ins()) < victims.len();
    if some_stay && wait_for_first_verdicts(draft, &victims) {
        return;
    }
    // Those that have to wait for their plugin are too many all the same: nobody goes in their place. Nor in
    // that of one that a person holds and the last list lacks: it may be gone.
    let (mut closed, mut waiting) = (BTreeSet::new(), held_in_doubt(draft));
    // Under a rate limit those would leave nothing for whoever is tried again.
    let kept = draft.surplus_to_retry();
    for entry in keep_to_the_limit(draft, victims) {
        let plugin = &entry.1.plugin;
        let kept = kept.get(plugin).copied().unwrap_or(0);
        let left = draft.ledger.destroys_left(plugin);
        if closed.contains(plugin) || kept > 0 && left.is_some_and(|left| left <= kept) {
            waiting += 1;
            continue;
        }
        // Who goes may have been what others were made in advance for.
        let stand_ins = draft.stand_ins();
        if draft.ledger.surplus(stand_ins) <= waiting {
            return;
        }
        let errand = Errand::Surplus { stand_ins };
        match draft.destroy(entry, errand, Drain::Try) {
            Ok(()) => {}
            // Whether it is there the next list may tell; the others need not wait for that.
            Err(Refusal::Floor { .. }) if entry.1.missed => continue,
            Err(refusal) if refusal.lets_others_go() => {
                if matches!(refusal, Refusal::Call(..)) {
                    closed.insert(&entry.1.plugin);
                }
                waiting += 1;
                continue;
            }
            Err(_) => return,
        }
        if !draft.outdated(entry.1)
            && is_sick(draft, entry.1)
            && let Some(roll) = &mut draft.memory.roll
        {
            // Sick is sick, whatever it goes for.
            roll.failed += 1;
            if let Some(Action::Destroy { blamed, .. }) = draft.actions.last_mut() {
                *blamed = true;
            }
        }
    }
}

/// Returns how many members that nobody may touch the last list lacks.
fn held_in_doubt(draft: &Draft<'_>) -> usize {
    if draft.index.missed == 0 {
        return 0;
    }
    let members = draft.seen.members().filter(|one| one.stays() && one.missed);
    members.filter(|one| draft.is_untouchable(one)).count()
}

/// Waits for the first verdict on members that a list has just shown to a controller that started
/// anew, or that has had them out of sight: the sick are to go first, and nobody knows yet who they
/// are. No longer than a poll interval: a large group is not asked faster than that, and must be able
/// to shrink. It is counted from when somebody could be asked; where nobody can, it waits for as long
/// as former verdicts are counted on. A list from after that is waited for, too, as long again at most.
fn wait_for_first_verdicts(draft: &mut Draft<'_>, victims: &[(&Key, &Member)]) -> bool {
    let heard = victims
        .iter()
        .map(|(_, member)| &member.health)
        .filter(|health| health.last() != Health::Unknown)
        .map(HealthRecord::since)
        .min();
    let from = heard.unwrap_or(draft.now);
    let asked = |member: &Member| {
        let asked = member.created.max(from) + draft.config.poll_interval;
        asked.min(member.created + COUNTED_ON)
    };
    // A former life may have asked one of them to go, and have lost the record of that with the power: it is
    // gone as soon as that takes effect.
    let until = |member: &Member| {
        let (asked, listed) = (asked(member), draft.seen.listed_on(&member.plugin));
        if listed.is_some_and(|listed| listed >= asked) {
            asked
        } else {
            asked + draft.config.poll_interval
        }
    };
    let silent: Vec<&Member> = victims
        .iter()
        .map(|(_, member)| *member)
        .filter(|member| member.token.is_some() && member.origin == Origin::Listed)
        .filter(|member| member.is_silent() && draft.now < until(member))
        .collect();
    let Some(first) = silent.iter().map(|member| until(member)).min() else {
        return false;
    };
    let unlisted = silent.iter().any(|member| draft.now >= asked(member));
    draft.wake(first);
    if unlisted {
        draft.wait(WaitingOn::Observation);
    }
    wait_for_proof(draft, &silent);
    draft.awaits_verdicts = true;
    true
}

/// Moves those to the front that a rollout would not have made for the smaller size: what shrinks
/// must not become a rollout that nobody let pass. The unhealthy go before them all the same.
fn keep_to_the_limit<'a>(
    draft: &Draft<'_>,
    victims: Vec<(&'a Key, &'a Member)>,
) -> Vec<(&'a Key, &'a Member)> {
    let mut beyond = draft
        .ledger
        .tally()
        .new
        .saturating_sub(draft.ledger.most_new);
    if beyond == 0 {
        return victims;
    }
    let unhealthy = |entry: &(_, &Member)| entry.1.health.last() == Health::Unhealthy;
    let (mut first, rest): (Vec<_>, Vec<_>) = victims.into_iter().partition(unhealthy);
    let gone = first.iter().filter(|(_, one)| !draft.outdated(one)).count();
    beyond = beyond.saturating_sub(gone);
    // The others keep their order, which is theirs again once those are gone.
    let (too_many, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, one)| {
        let moves = beyond > 0 && !draft.outdated(one);
        beyond -= usize::from(moves);
        moves
    });
    first.extend(too_many);
    first.extend(others);
    first
}

/// Returns whether creations pause after failures, and notes it.
pub(crate) fn paused(draft: &mut Draft<'_>) -> bool {
    let (hash, _) = draft.configuration_for_one_more();
    draft.is_held_back(&hash)
}
