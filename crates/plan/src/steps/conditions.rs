//! What a plan in the making shows of its group, said as conditions.

use std::collections::BTreeSet;

use crate::action::Action;
use crate::conditions::{ConditionKind, UNSEEN};
use crate::draft::Draft;
use crate::observation::{Key, Member};
use crate::reason::Reason;
use crate::steps::gates::lacks_identities;
use crate::steps::patience::{note_waits, overdue};
use crate::waiting::{PausedBy, WaitingOn};
use crate::{Direction, RollResult};

/// Failed creations in a row from which on they are more than a hiccup: as many as verdicts that make a
/// suspect. The pauses between them are three seconds together, so that a fault that lasts is said soon.
const MANY_FAILURES: u32 = 3;

/// Says of a group what the plan in the making shows.
pub(crate) fn judge(draft: &mut Draft<'_>) {
    note_waits(draft);
    let overdue = overdue(draft);
    let mut said = std::mem::take(&mut draft.memory.conditions);
    let now = draft.now;
    if draft.seen.listed().is_none() {
        // What was said before a restart stands until there is a list that is believed, or none has
        // come for too long.
        if draft.seen.doubted().is_some() || overdue.is_some() {
            let (holds, reason, message) = degraded(draft, overdue);
            said.say(ConditionKind::Degraded, holds, (reason, message), now);
        } else if said.get(ConditionKind::Degraded).is_none() {
            let text = UNSEEN.to_owned();
            said.say(ConditionKind::Degraded, true, ("NotObserved", text), now);
        }
        draft.memory.conditions = said;
        return;
    }
    for (kind, (holds, reason, message)) in [
        (ConditionKind::Available, available(draft)),
        (ConditionKind::UpToDate, up_to_date(draft)),
        (ConditionKind::RollingOut, rolling_out(draft)),
        (ConditionKind::Scaling, scaling(draft)),
        (ConditionKind::Healing, healing(draft)),
        (ConditionKind::Paused, paused(draft)),
        (ConditionKind::Frozen, frozen(draft)),
        (ConditionKind::Degraded, degraded(draft, overdue)),
    ] {
        said.say(kind, holds, (reason, message), now);
    }
    draft.memory.conditions = said;
}

type Said = (bool, &'static str, String);

fn available(draft: &Draft<'_>) -> Said {
    let (mut serving, needed) = (draft.ledger.tally().serving, draft.ledger.needed());
    if serving < needed {
        serving += presumed(draft);
    }
    if serving >= needed {
        (
            true,
            "EnoughServe",
            format!("{needed} members or more serve"),
        )
    } else {
        let text = format!("{serving} members serve, {needed} are needed");
        (false, "TooFewServe", text)
    }
}

/// Members of whom nobody has heard yet: those of other configurations, and those of a revision that
/// is known to be good. A controller that has just started knows nothing of them, which is no news
/// about the group.
fn presumed(draft: &Draft<'_>) -> usize {
    let memory = &draft.memory;
    let outdated = draft.members(draft.index.unheard()).count();
    let outcome = memory.outcomes.get(&memory.revision);
    if memory.roll.is_some()
        || outcome.is_none_or(|outcome| outcome.result != RollResult::Completed)
    {
        return outdated;
    }
    let unproved = draft.members(&draft.index.unproved);
    let unheard = |member: &Member| member.health.checked().is_none() && !member.is_pending();
    let unheard = unproved.filter(|(_, member)| unheard(member)).count();
    let outlived =
        |member: &&Member| member.stays() && !draft.outdated(member) && member.health.was_well();
    outdated + unheard + draft.seen.members().filter(outlived).count()
}

fn up_to_date(draft: &Draft<'_>) -> Said {
    let outdated = draft.index.outdated.len();
    let unlabelled = unlabelled(draft);
    if outdated == 0 && unlabelled > 0 {
        let text = format!("{unlabelled} members do not have the labels of the group yet");
        (false, "SomeUnlabelled", text)
    } else if outdated == 0 {
        let text = "all members have the configuration in force".to_owned();
        (true, "AllCurrent", text)
    } else {
        let text = format!("{outdated} members have another configuration");
        (false, "SomeOutdated", text)
    }
}

/// Members without an identity that they are to have, and those on which no list shows the labels that were
/// put on them, however often that was acknowledged.
fn unlabelled(draft: &Draft<'_>) -> usize {
    let index = &draft.index;
    let mut unlabelled: BTreeSet<&Key> = index.asking.iter().collect();
    // Only then labels are put on others than those that ask to be adopted.
    if draft.memory.naming {
        let named = draft.seen.entries();
        let named = named.filter(|(_, member)| member.stays() && member.is_being_labelled());
        unlabelled.extend(named.map(|(key, _)| key));
        unlabelled.extend(&index.nameless);
    }
    unlabelled.len()
}

fn rolling_out(draft: &Draft<'_>) -> Said {
    let Some(roll) = &draft.memory.roll else {
        return (false, "NoRollout", "no rollout is under way".to_owned());
    };
    let outdated = draft.index.outdated.len();
    let left = format!("{outdated} members are still to be replaced");
    if draft.spec.size.count() == 0 && outdated == 0 && roll.paused.is_none() {
        let text = "the group has no members; the rollout goes on when it is given some";
        return (false, "NoMembers", text.to_owned());
    }
    // What is held is in the way of its end only where nothing else is left to do.
    let done = !draft.has_left() && draft.index.unproved.is_empty();
    for on in &draft.waiting {
        let reason = match on {
            WaitingOn::Bake { .. } => "Baking",
            WaitingOn::Approval { .. } => "AwaitingApproval",
            WaitingOn::Window { .. } => "AwaitingWindow",
            WaitingOn::Held { .. } if done => "Held",
            WaitingOn::Paused { .. } => return (false, "Paused", on.to_string()),
            _ => continue,
        };
        return (true, reason, format!("{on}; {left}"));
    }
    match roll.direction {
        Direction::Forward => (true, "Rolling", left),
        Direction::Back => (true, "RollingBack", left),
    }
}

fn scaling(draft: &Draft<'_>) -> Said {
    let (there, wanted) = (draft.ledger.tally().working, draft.ledger.wanted);
    let coming = draft.pending();
    let lacks = lacks_identities(draft);
    if (there != wanted || lacks)
        && let Some(on) = freeze(draft)
    {
        return stands_still(draft, on);
    }
    // Those that stay have the places of identities that are not there.
    if there == wanted && lacks {
        let keeps =
            |on: &&WaitingOn| matches!(on, WaitingOn::Held { .. } | WaitingOn::SelfMember { .. });
        let lacking = "not all identities are there".to_owned();
        return match draft.waiting.iter().find(keeps) {
            Some(on) => (true, "Held", format!("{lacking}: {on}")),
            None => (true, "MembersMissing", lacking),
        };
    }
    match there.cmp(&wanted) {
        std::cmp::Ordering::Less => {
            let text = format!("{there} of {wanted} members are there, {coming} are coming");
            (true, "MembersMissing", text)
        }
        std::cmp::Ordering::Greater
            if draft.memory.roll.is_none() || !draft.strangers.is_empty() =>
        {
            let text = format!("{there} members are there, {wanted} are wanted");
            (true, "MembersTooMany", text)
        }
        std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => {
            (false, "SizeReached", format!("{wanted} members are wanted"))
        }
    }
}

fn healing(draft: &Draft<'_>) -> Said {
    let goes = |departure: &crate::Departure| departure.reason == Reason::Unhealthy;
    let leaving = draft
        .members(&draft.index.leaving)
        .filter(|(_, member)| member.departure.as_ref().is_some_and(goes))
        .count();
    let begun = draft.actions.iter().filter(|action| match action {
        Action::Destroy { reason, .. } => *reason == Reason::Unhealthy,
        Action::Repair { .. } => true,
        Action::Provision(_)
        | Action::Spare { .. }
        | Action::Drain { .. }
        | Action::Adopt { .. }
        | Action::Check { .. }
        | Action::Revert { .. } => false,
    });
    let busy = leaving + begun.count();
    if busy > 0 {
        let text = format!("{busy} sick members are being replaced or repaired");
        return (true, "Replacing", text);
    }
    for on in &draft.waiting {
        let reason = match on {
            WaitingOn::Repair { .. } => "Repairing",
            WaitingOn::Confirmation { .. } => "Confirming",
            _ => continue,
        };
        return (true, reason, on.to_string());
    }
    (
        false,
        "NobodySick",
        "no sick member is being treated".to_owned(),
    )
}

fn paused(draft: &Draft<'_>) -> Said {
    let on = draft
        .waiting
        .iter()
        .find(|on| matches!(on, WaitingOn::Paused { .. } | WaitingOn::Aborted { .. }));
    match on {
        Some(on @ WaitingOn::Aborted { .. }) => (true, "Aborted", on.to_string()),
        Some(on) => (true, "RolloutPaused", on.to_string()),
        None => (false, "NotPaused", "nothing is paused".to_owned()),
    }
}

fn frozen(draft: &Draft<'_>) -> Said {
    match freeze(draft) {
        Some(on) => (true, "FrozenByOperator", on.to_string()),
        None => (false, "NotFrozen", "nothing is frozen".to_owned()),
    }
}

fn freeze<'a>(draft: &'a Draft<'_>) -> Option<&'a WaitingOn> {
    let mut waiting = draft.waiting.iter();
    waiting.find(|on| matches!(on, WaitingOn::Frozen { .. }))
}

/// Says how far a group that is frozen is from its size.
fn stands_still(draft: &Draft<'_>, on: &WaitingOn) -> Said {
    let (there, wanted) = (draft.ledger.tally().working, draft.ledger.wanted);
    let text = format!("{there} of {wanted} members are there, and {on}");
    (false, "Frozen", text)
}

fn degraded(draft: &Draft<'_>, overdue: Option<(&'static str, String)>) -> Said {
    let memory = &draft.memory;
    for on in &draft.waiting {
        let reason = match on {
            WaitingOn::Breaker { .. } => "TooManySick",
            WaitingOn::Doubt { .. } => "HealthDoubted",
            WaitingOn::Losses { .. } => "LossDoubted",
            WaitingOn::CrashLoop { .. } => "CrashLoop",
            WaitingOn::Configuration => {
                let message = memory.creation.last();
                let text = format!("creations stopped after a configuration error: {message}");
                return (true, "ConfigurationError", text);
            }
            WaitingOn::Ceiling { .. } => "CeilingReached",
            // A person lets it go on; nothing has failed.
            WaitingOn::Paused {
                by: PausedBy::Operator | PausedBy::Changed { .. },
            } => continue,
            WaitingOn::Paused { .. } => "RolloutFailed",
            _ => continue,
        };
        return (true, reason, on.to_string());
    }
    let failures = memory.creation.failures();
    if failures >= MANY_FAILURES {
        let last = memory.creation.last();
        let text = format!("{failures} creations in a row failed, the last with: {last}");
        return (true, "CreationsFail", text);
    }
    let stuck = draft.members(&draft.index.leaving).find(|(_, member)| {
        member
            .departure
            .is_some_and(|departure| match departure.step {
                crate::Step::Failed(times, _) => times >= MANY_FAILURES,
                crate::Step::InFlight(_) | crate::Step::Accepted(_) => false,
            })
    });
    if let Some((key, member)) = stuck {
        let mut text = format!("`{}` cannot be destroyed", key.id);
        if let Some(error) = &member.destruction_error {
            text.push_str(&format!(": {error}"));
        }
        return (true, "DestructionsFail", text);
    }
    if let Some((reason, text)) = overdue {
        return (true, reason, text);
    }
    no_fault(draft)
}

/// What a person or a window ends is no fault, but the group is not as specified either.
fn no_fault(draft: &Draft<'_>) -> Said {
    let (there, wanted) = (draft.ledger.tally().working, draft.ledger.wanted);
    let ends = |on: &&WaitingOn| {
        matches!(
            on,
            WaitingOn::Frozen { .. }
                | WaitingOn::Paused { .. }
                | WaitingOn::Aborted { .. }
                | WaitingOn::Approval { .. }
                | WaitingOn::Window { .. }
                | WaitingOn::Held { .. }
                | WaitingOn::SelfMember { .. }
        )
    };
    match draft.waiting.iter().find(ends) {
        Some(on @ WaitingOn::Frozen { .. }) if there != wanted => stands_still(draft, on),
        Some(on) => (false, "AllWell", format!("nothing is wrong: {on}")),
        None => {
            let text = "nothing keeps the group from being as specified";
            (false, "AllWell", text.to_owned())
        }
    }
}
