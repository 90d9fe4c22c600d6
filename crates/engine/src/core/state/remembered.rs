//! Which part of a memory is stored, and when it is worth a write.

use std::time::Duration;

use infrakit_plan::{Breaker, Memory, Roll, Took};

/// How far a rollout's progress in the store may lag behind; bounds the writes of a big one to one a
/// second. What a restart forgets of it is a second of a deadline that is in minutes.
const LAG: Duration = Duration::from_secs(1);

/// How much of a standstill a restart may forget; a deadline is in minutes.
const IDLE_LAG: Duration = Duration::from_secs(10);

/// Returns a copy of the memory without what is journaled apart.
pub(in crate::core) fn stored_part(memory: &Memory) -> Memory {
    let Memory {
        group,
        nonce,
        next_token,
        revision,
        phase,
        roll,
        aborted,
        outcomes,
        homes,
        doomed,
        urgent,
        held,
        held_unseen,
        frozen,
        lives,
        naming,
        drained,
        repairs,
        breaker,
        domain_breakers,
        creation,
        measured,
        waits,
        missing,
        conditions,
        intents: _,
        decided: _,
    } = memory;
    Memory {
        group: group.clone(),
        nonce: nonce.clone(),
        next_token: *next_token,
        revision: *revision,
        phase: *phase,
        roll: roll.clone(),
        aborted: aborted.clone(),
        outcomes: outcomes.clone(),
        homes: homes.clone(),
        doomed: doomed.clone(),
        urgent: urgent.clone(),
        held: held.clone(),
        held_unseen: held_unseen.clone(),
        frozen: *frozen,
        lives: lives.clone(),
        naming: *naming,
        drained: drained.clone(),
        repairs: repairs.clone(),
        breaker: *breaker,
        domain_breakers: domain_breakers.clone(),
        creation: creation.clone(),
        measured: *measured,
        waits: waits.clone(),
        missing: missing.clone(),
        conditions: conditions.clone(),
        intents: std::collections::BTreeMap::new(),
        decided: std::collections::BTreeMap::new(),
    }
}

/// Returns whether a memory says something that a restart would miss. What is only counted up is
/// written with the next thing that matters, or when it has changed a good deal.
pub(in crate::core) fn remembers_other(memory: &Memory, stored: &Memory) -> bool {
    memory.next_token != stored.next_token
        || memory.revision != stored.revision
        || memory.phase != stored.phase
        || rolls_other(memory.roll.as_ref(), stored.roll.as_ref())
        || memory.aborted != stored.aborted
        || memory.outcomes != stored.outcomes
        || memory.homes != stored.homes
        || memory.doomed != stored.doomed
        || memory.urgent != stored.urgent
        || memory.held != stored.held
        || memory.held_unseen != stored.held_unseen
        || memory.frozen != stored.frozen
        || memory.lives != stored.lives
        || memory.naming != stored.naming
        || memory.drained != stored.drained
        || memory.repairs != stored.repairs
        || since(memory.breaker) != since(stored.breaker)
        || !domains(memory).eq(domains(stored))
        || memory.creation != stored.creation
        || memory.missing != stored.missing
        || memory.waits.keys().ne(stored.waits.keys())
        || says_other(memory, stored)
        // What a creation may take decides how long one in doubt is waited for after a crash.
        || took_longer(&memory.measured.provision, &stored.measured.provision)
        || took_longer(&memory.measured.proof, &stored.measured.proof)
        || took_longer(&memory.measured.departure, &stored.measured.departure)
}

fn since(breaker: Option<Breaker>) -> Option<infrakit_plan::Timestamp> {
    breaker.map(|breaker| breaker.since)
}

/// Returns the domains whose breakers are open, and since when.
fn domains(memory: &Memory) -> impl Iterator<Item = (&String, infrakit_plan::Timestamp)> {
    let open = memory.domain_breakers.iter();
    open.map(|(domain, breaker)| (domain, breaker.since))
}

/// Returns whether a condition began or ceased to hold. Its words change with every count.
fn says_other(memory: &Memory, stored: &Memory) -> bool {
    let said = memory.conditions.iter();
    let said = said.map(|(kind, condition)| (kind, condition.holds));
    let known = stored.conditions.iter();
    !said.eq(known.map(|(kind, condition)| (kind, condition.holds)))
}

fn rolls_other(roll: Option<&Roll>, stored: Option<&Roll>) -> bool {
    let (Some(roll), Some(stored)) = (roll, stored) else {
        return roll.is_some() != stored.is_some();
    };
    let Roll {
        hold,
        begun,
        direction,
        former,
        stage,
        complete,
        approved,
        paused,
        batch: _,
        through,
        // Written with the departure, or the creation, that changes it.
        owed: _,
        proved: _,
        progress,
        idle,
        waits,
        failed,
        shown,
        strangers,
        blind,
    } = roll;
    *hold != stored.hold
        || *begun != stored.begun
        || *direction != stored.direction
        || *former != stored.former
        || *stage != stored.stage
        || *complete != stored.complete
        || *approved != stored.approved
        || *paused != stored.paused
        || progress.since(stored.progress) >= LAG
        || *waits != stored.waits
        || idle.abs_diff(stored.idle) >= IDLE_LAG
        || *failed != stored.failed
        || *through != stored.through
        || *shown != stored.shown
        || *strangers != stored.strangers
        || *blind != stored.blind
}

/// Returns whether more was learned than a restart should forget: a time that was longer by half, or
/// twice as many measurements. That bounds the writes to some dozens in the life of a group.
fn took_longer(took: &Took, stored: &Took) -> bool {
    let magnitude = |count: u64| count.checked_ilog2().map_or(0, |log| log + 1);
    took.longest > stored.longest + stored.longest / 2
        || magnitude(took.count) > magnitude(stored.count)
}
