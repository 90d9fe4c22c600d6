//! Sick members are repaired or make way, a few at a time, and only where sickness is believed.

use std::time::Duration;

use crate::action::Action;
use crate::diagnosis::crashes;
use crate::diagnosis::repair::Repair;
use crate::diagnosis::sickness::Illness;
use crate::draft::Draft;
use crate::ledger::errand::Errand;
use crate::observation::Member;
use crate::proof::{on_trial, wait_for_proof};
use crate::reason::Reason;
use crate::steps::roll::drain;
use crate::waiting::WaitingOn;

/// How long a repair is remembered after it was begun, as a multiple of the time that it has to
/// help: a member that has to be rebooted again and again is replaced in the end. With the usual five
/// minutes that is an hour; one that needs help more rarely than that is worth it.
const REPAIR_MEMORY: u32 = 12;
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
    let policy = &draft.spec.health;
    let unproved = on_trial(draft);
    let young = |member: &&&Member| draft.now < policy.grace_ends(member.created);
    let settling = unproved.iter().filter(young).count();
    let errand = Errand::Sick { settling };
    for entry in &illness.sick {
        // A person is to look at those from elsewhere first, as ill as they are.
        if draft.taken.contains(entry.0) || draft.strangers.contains(entry.0) {
            continue;
        }
        if draft.ledger.slots(errand) == 0 {
            wait_for_proof(draft, &unproved);
            return;
        }
        if repair(draft, entry.1, settling) {
            continue;
        }
        let death = crashes::given_up(entry.1);
        // Where the next one would not get well either, there is no hurry to make room for it.
        if let Some(death) = &death
            && draft.is_on_trial(&death.hash)
        {
            continue;
        }
        let how = drain(draft.spec, Reason::Unhealthy);
        match draft.destroy(*entry, errand, how) {
            Ok(()) => {}
            Err(refusal) if refusal.lets_others_go() => continue,
            Err(_) => return,
        }
        // What is taken back before it begins is decided anew: that was counted.
        if let Some(death) = death.filter(|_| entry.1.before.is_none()) {
            let size = draft.spec.size.count();
            draft.memory.note_early_death(&death, size, draft.now);
        }
    }
}

/// Tries the next repair step on a sick member, or waits for the last one; returns whether the
/// member is to be left alone for now.
fn repair(draft: &mut Draft<'_>, member: &Member, settling: usize) -> bool {
    let policy = &draft.spec.health;
    // What is remembered of its id is about another one; it is replaced at once.
    if !draft.memory.means(member) {
        return false;
    }
    let known = draft.memory.repairs.0.get(&member.id);
    if let Some(repair) = known
        && let Some(last) = repair.tried.checked_sub(1)
        && let Some(step) = policy.repair.get(last)
    {
        let until = repair.at + policy.repair_wait;
        // What was found before the step had its time to help says nothing of how it helped. One that is
        // still coming up then is asked by nobody.
        let asked = member.health.asked().is_some_and(|asked| asked >= until);
        let told = asked || member.is_pending() && draft.now >= until;
        // Nor does what its plugin said before that.
        let listed = draft.seen.looked_on(&member.plugin) >= Some(until);
        let told = told && (listed || !member.is_down());
        if repair.in_flight || (!told && repair.at <= draft.now) {
            let id = member.id.clone();
            let step = step.clone();
            draft.ledger.wait_for_repair();
            draft.wait(WaitingOn::Repair { id, step, until });
            // Where that time has passed the verdict is still to come: whoever hears it plans anew, and
            // a second is often enough to ask whether it did.
            draft.wake(until.max(draft.now + Duration::from_secs(1)));
            return true;
        }
    }
    let tried = known.map_or(0, |repair| repair.tried);
    let Some(step) = policy.repair.get(tried) else {
        return false;
    };
    let right = match draft.ledger.repair(member, settling) {
        Ok(right) => right,
        Err(refusal) => {
            draft.refused(refusal);
            return true;
        }
    };
    draft.actions.push(Action::Repair {
        id: member.id.clone(),
        plugin: member.plugin.clone(),
        step: step.clone(),
        right,
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
