//! Sick members are repaired or make way, a few at a time, and only where sickness is believed.

use std::time::Duration;

use crate::action::{Action, Reason, WaitingOn};
use crate::breaker::Breaker;
use crate::budget::number;
use crate::draft::Draft;
use crate::observed::{Key, Member};
use crate::repair::Repair;
use crate::replace::{drain, on_trial, wait_for_proof};

/// How long a repair is remembered after it was begun, as a multiple of the time that it has to
/// help: a member that has to be rebooted again and again is replaced in the end.
const REPAIR_MEMORY: u32 = 12;
/// Suspects that are asked quickly at once; the others go on at the usual pace.
pub(crate) const SUSPECTS: usize = 10;

/// Who is sick, and whether that is believed.
#[derive(Debug, Default)]
pub(crate) struct Illness<'a> {
    /// Sick members that may be touched, those of other configurations first.
    pub(crate) sick: Vec<(&'a Key, &'a Member)>,
    /// Members that are being asked again, the first few.
    pub(crate) suspects: Vec<&'a Key>,
    /// Sick members of the configuration in force.
    pub(crate) sick_new: usize,
    /// Unhealthy members of the configuration in force, those within their grace period left out.
    pub(crate) unhealthy_new: usize,
    /// How many members may be unhealthy.
    pub(crate) most: usize,
    /// Whether nobody is to be destroyed for its health.
    pub(crate) withheld: bool,
}

/// Returns whether a member is sick.
pub(crate) fn is_sick(draft: &Draft<'_>, member: &Member) -> bool {
    let witnesses = draft.index.witnesses();
    member
        .health
        .sick(&draft.spec.health, member.created, draft.now, witnesses)
}

/// Returns whether a member is suspected to be sick: enough to spare it what only serves those that
/// do well.
pub(crate) fn is_suspect(draft: &Draft<'_>, member: &Member) -> bool {
    member
        .health
        .suspect(&draft.spec.health, member.created, draft.now)
}

/// Finds out who is sick, and opens or closes the breaker.
///
/// Only what would lead to a destruction opens it: as long as nobody is even suspected, a burst of
/// single bad verdicts changes nothing.
pub(crate) fn diagnose<'a>(draft: &mut Draft<'a>) -> Illness<'a> {
    let policy = &draft.spec.health;
    let mut illness = Illness {
        most: number(policy.unhealthy_limit(draft.wanted as u64)),
        ..Illness::default()
    };
    let (mut unhealthy, mut suspected) = (0, false);
    let mut outdated_first = Vec::new();
    let index = draft.index;
    for (key, member) in draft.members(&index.unhealthy) {
        let concerned = draft.memory.naming || draft.spec.size.concerns(member);
        if !concerned || !member.health.counts(policy, member.created, draft.now) {
            continue;
        }
        let new = !draft.outdated(member);
        unhealthy += 1;
        illness.unhealthy_new += usize::from(new);
        if !member.health.suspect(policy, member.created, draft.now) {
            continue;
        }
        suspected = true;
        if !is_sick(draft, member) {
            if illness.suspects.len() < SUSPECTS {
                illness.suspects.push(key);
            }
            continue;
        }
        illness.sick_new += usize::from(new);
        if draft.is_untouchable(member) {
            continue;
        }
        if new {
            illness.sick.push((key, member));
        } else {
            outdated_first.push((key, member));
        }
    }
    outdated_first.append(&mut illness.sick);
    illness.sick = outdated_first;
    let broken = judge_breaker(draft, unhealthy, &illness, suspected);
    let doubted = judge_observer(draft, suspected);
    illness.withheld = broken || doubted;
    if !illness.withheld
        && let Some(first) = illness.suspects.first()
    {
        let id = first.id.clone();
        draft.wait(WaitingOn::Confirmation { id });
    }
    illness
}

/// Returns whether too many members are unhealthy at once. The breaker closes when there were no
/// more than may be for a whole poll interval.
fn judge_breaker(
    draft: &mut Draft<'_>,
    unhealthy: usize,
    illness: &Illness<'_>,
    suspected: bool,
) -> bool {
    let (now, most) = (draft.now, illness.most);
    let over = unhealthy > most;
    let open = match draft.memory.breaker {
        Some(open) if over => Some(Breaker { last: now, ..open }),
        Some(open) if now < open.last + draft.config.poll_interval && open.last <= now => {
            draft.wake(open.last + draft.config.poll_interval);
            Some(open)
        }
        None if over && suspected => Some(Breaker {
            since: now,
            last: now,
        }),
        Some(_) | None => None,
    };
    draft.memory.breaker = open;
    if open.is_some() {
        draft.wait(WaitingOn::Breaker { unhealthy, most });
    }
    open.is_some()
}

/// Returns whether verdicts contradict themselves in so many members that the fault is rather with
/// whoever judges them. One flapping member of three is its own trouble.
fn judge_observer(draft: &mut Draft<'_>, suspected: bool) -> bool {
    let flapping = draft.index.flapping.len();
    let most = if draft.wanted < 3 {
        0
    } else {
        (draft.wanted / 5).max(1)
    };
    let doubted = suspected && flapping > most;
    if doubted {
        draft.wait(WaitingOn::Doubt { flapping });
    }
    doubted
}

/// Repairs or replaces sick members, as far as the budget goes.
///
/// Healing and rolling share it. A replacement is under way from the moment that the old member is
/// taken until the new one has proved itself; only as many may be under way as the budget allows.
/// A member of which nothing is known for longer than the grace period does not keep sick ones
/// from being healed.
pub(crate) fn heal<'a>(draft: &mut Draft<'a>, illness: &Illness<'a>) {
    expire_repairs(draft);
    if illness.withheld || illness.sick.is_empty() {
        return;
    }
    let under_way = draft.tally.leaving + draft.pending() + draft.missing;
    let grace = draft.spec.health.grace_period;
    let unproved = on_trial(draft);
    let young = |member: &&&Member| draft.now.since(member.created) < grace;
    let settling = unproved.iter().filter(young).count();
    let slots = draft.budget.replacements();
    let mut slots = slots.saturating_sub(under_way + settling);
    for entry in &illness.sick {
        if draft.taken.contains(entry.0) {
            continue;
        }
        if slots == 0 {
            wait_for_proof(draft, &unproved);
            return;
        }
        slots -= 1;
        if repair(draft, entry.1) {
            continue;
        }
        let how = drain(draft.spec, Reason::Unhealthy);
        draft.destroy(*entry, Reason::Unhealthy, how);
    }
}

/// Tries the next repair step on a sick member, or waits for the last one; returns whether the
/// member is to be left alone for now.
fn repair(draft: &mut Draft<'_>, member: &Member) -> bool {
    let policy = &draft.spec.health;
    let known = draft.memory.repairs.0.get(&member.id);
    if let Some(repair) = known
        && let Some(last) = repair.tried.checked_sub(1)
        && let Some(step) = policy.repair.get(last)
    {
        let until = repair.at + policy.repair_wait;
        if repair.in_flight || (until > draft.now && repair.at <= draft.now) {
            let id = member.id.clone();
            let step = step.clone();
            draft.wait(WaitingOn::Repair { id, step, until });
            draft.wake(until.max(draft.now + Duration::from_secs(1)));
            return true;
        }
    }
    let tried = known.map_or(0, |repair| repair.tried);
    let Some(step) = policy.repair.get(tried) else {
        return false;
    };
    draft.actions.push(Action::Repair {
        id: member.id.clone(),
        plugin: member.plugin.clone(),
        step: step.clone(),
    });
    let repair = Repair {
        tried: tried + 1,
        at: draft.now,
        in_flight: true,
    };
    draft.memory.repairs.0.insert(member.id.clone(), repair);
    true
}

/// Forgets repairs of members that have been well for long.
fn expire_repairs(draft: &mut Draft<'_>) {
    let (now, seen) = (draft.now, draft.seen);
    let keep = draft.spec.health.repair_wait.saturating_mul(REPAIR_MEMORY);
    draft.memory.repairs.0.retain(|id, repair| {
        let sick = seen
            .get(id)
            .is_some_and(|member| member.health.last() == infrakit_spi::flavor::Health::Unhealthy);
        sick || repair.in_flight || now.since(repair.at) < keep
    });
}
