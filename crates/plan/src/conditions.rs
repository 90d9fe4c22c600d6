//! The state of a group in words that scripts can rely on, each with its reason and its moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::{Action, PausedBy, Reason, WaitingOn};
use crate::draft::Draft;
use crate::observation::Member;
use crate::patience::{note_waits, overdue};
use crate::{Direction, RollResult, Timestamp};

/// What is said of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionKind {
    /// As many members serve as the budget demands.
    Available,
    /// All members have the configuration in force.
    UpToDate,
    /// A rollout is under way.
    RollingOut,
    /// Members are missing or too many.
    Scaling,
    /// Sick members are being replaced or repaired.
    Healing,
    /// The rollout is paused.
    Paused,
    /// Somebody froze the group.
    Frozen,
    /// Something keeps the group from being as specified, and will not pass by itself soon.
    Degraded,
}

/// Whether something holds, why, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Whether it holds.
    pub holds: bool,
    /// Why, in one word for scripts.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
    /// Since when it holds or does not.
    pub since: Timestamp,
}

/// What is said of a group, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conditions(BTreeMap<ConditionKind, Condition>);

impl Conditions {
    /// Returns what is said, in the order of the kinds.
    pub fn iter(&self) -> impl Iterator<Item = (ConditionKind, &Condition)> {
        self.0.iter().map(|(kind, condition)| (*kind, condition))
    }

    /// Returns what is said of one kind; `None` before the first plan.
    #[must_use]
    pub fn get(&self, kind: ConditionKind) -> Option<&Condition> {
        self.0.get(&kind)
    }

    /// Returns what the group is degraded by. That nothing was seen of a group that is new is no trouble.
    #[must_use]
    pub fn trouble(&self) -> Option<&Condition> {
        let degraded = self.0.get(&ConditionKind::Degraded);
        degraded.filter(|condition| condition.holds && condition.message != UNSEEN)
    }

    /// Says something. The moment changes only when it begins or ceases to hold.
    pub(crate) fn say(
        &mut self,
        kind: ConditionKind,
        holds: bool,
        (reason, message): (&str, String),
        now: Timestamp,
    ) {
        let since = match self.0.get(&kind) {
            Some(known) if known.holds == holds => {
                if known.reason == reason && known.message == message {
                    return;
                }
                known.since
            }
            Some(_) | None => now,
        };
        let reason = reason.to_owned();
        let condition = Condition {
            holds,
            reason,
            message,
            since,
        };
        self.0.insert(kind, condition);
    }
}

/// What is said of a group before its first list.
const UNSEEN: &str = "no complete list of the instances was seen yet";

/// Failed creations in a row from which on they are more than a hiccup.
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
    if outdated == 0 {
        let text = "all members have the configuration in force".to_owned();
        (true, "AllCurrent", text)
    } else {
        let text = format!("{outdated} members have another configuration");
        (false, "SomeOutdated", text)
    }
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
    for on in &draft.waiting {
        let reason = match on {
            WaitingOn::Bake { .. } => "Baking",
            WaitingOn::Approval { .. } => "AwaitingApproval",
            WaitingOn::Window { .. } => "AwaitingWindow",
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
    match there.cmp(&wanted) {
        std::cmp::Ordering::Less => {
            let text = format!("{there} of {wanted} members are there, {coming} are coming");
            (true, "MembersMissing", text)
        }
        std::cmp::Ordering::Greater if draft.memory.roll.is_none() => {
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
    let mut waiting = draft.waiting.iter();
    match waiting.find(|on| matches!(on, WaitingOn::Frozen { .. })) {
        Some(on) => (true, "FrozenByOperator", on.to_string()),
        None => (false, "NotFrozen", "nothing is frozen".to_owned()),
    }
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
            WaitingOn::Paused {
                by: PausedBy::Operator,
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
    if let Some((key, _)) = stuck {
        let text = format!("`{}` cannot be destroyed", key.id);
        return (true, "DestructionsFail", text);
    }
    if let Some((reason, text)) = overdue {
        return (true, reason, text);
    }
    (
        false,
        "AllWell",
        "nothing keeps the group from being as specified".to_owned(),
    )
}
