//! Sick and outdated members make way, a few at a time; new ones prove themselves first.

use std::time::Duration;

use infrakit_spi::flavor::Health;

use crate::action::{Action, Drain, Reason, WaitingOn};
use crate::observed::{Member, Step};
use crate::plan::Draft;
use crate::scale::is_sick;
use crate::{Skip, Spec, Timestamp};

/// Takes out of service what has to be replaced, as far as the budget goes.
///
/// Healing and rolling share it. A replacement is under way from the moment that the old member is
/// taken until the new one has proved itself; only as many may be under way as the budget allows
/// to be unavailable. The health of outdated members is no reason to wait: a group that is broken
/// can be rolled out of its state. Nor does a member of which nothing is known for longer than the
/// grace period keep sick ones from being healed.
pub(crate) fn replace<'a>(draft: &mut Draft<'a>) {
    let mut census = Census::take(draft);
    if census.sick.is_empty() && census.outdated.is_empty() {
        if draft.memory.roll.is_some() {
            wait_for_proof(draft, &census.unproved);
        }
        return;
    }
    let under_way = draft.leaving() + draft.pending() + draft.missing;
    let settling = census
        .unproved
        .iter()
        .filter(|member| draft.now.since(member.created) < draft.spec.health.grace_period)
        .count();
    let budget = draft.budget.unavailable;
    let mut healing = budget.saturating_sub(under_way + settling);
    let mut healed = 0;
    for member in census.sick.drain(..) {
        if healing == 0 {
            wait_for_proof(draft, &census.unproved);
            return;
        }
        let how = drain(draft.spec, Reason::Unhealthy);
        draft.destroy(member, Reason::Unhealthy, how);
        healing -= 1;
        healed += 1;
    }
    let mut slots = budget.saturating_sub(under_way + census.unproved.len() + healed);
    if slots == 0 {
        wait_for_proof(draft, &census.unproved);
        return;
    }
    let working = census.available + census.unavailable;
    let needed = working.saturating_sub(draft.budget.unavailable);
    let mut available = census.available;
    for member in census.outdated.drain(..) {
        if slots == 0 {
            return;
        }
        let serves = member.serves(&draft.spec.hash);
        if serves && available <= needed {
            draft.waiting.push(WaitingOn::Budget {
                available,
                needed: needed + 1,
            });
            return;
        }
        draft.destroy(
            member,
            Reason::Outdated,
            drain(draft.spec, Reason::Outdated),
        );
        available -= usize::from(serves);
        slots -= 1;
    }
}

fn wait_for_proof(draft: &mut Draft<'_>, unproved: &[&Member]) {
    if let Some(first) = unproved.first() {
        draft.waiting.push(WaitingOn::Health {
            id: first.id.clone(),
            count: unproved.len(),
        });
    }
}

/// Returns how a member that goes for `reason` is drained. A rolling update takes away members that
/// serve, so it insists; everything else must not be held up by a drain that cannot work.
pub(crate) fn drain(spec: &Spec, reason: Reason) -> Drain {
    match (reason, spec.updating.skip_before_instance_destroy) {
        (Reason::Outdated, Some(Skip::Drain)) => Drain::Skip,
        (Reason::Outdated, None) => Drain::Insist,
        (
            Reason::Requested
            | Reason::Surplus
            | Reason::Unlisted
            | Reason::Duplicate
            | Reason::Unhealthy
            | Reason::GroupDestroyed,
            _,
        ) => Drain::Try,
    }
}

/// The staying members, sorted by what they are to a replacement.
struct Census<'a> {
    /// Sick ones, outdated or not, outdated first.
    sick: Vec<&'a Member>,
    /// Other outdated ones, unhealthy first.
    outdated: Vec<&'a Member>,
    /// Members of the current configuration that have yet to prove themselves.
    unproved: Vec<&'a Member>,
    available: usize,
    unavailable: usize,
}

impl<'a> Census<'a> {
    fn take(draft: &Draft<'a>) -> Self {
        let mut census = Self {
            sick: Vec::new(),
            outdated: Vec::new(),
            unproved: Vec::new(),
            available: 0,
            unavailable: 0,
        };
        for member in draft.working() {
            let outdated = draft.outdated(member);
            let sick = is_sick(draft, member);
            let proved = member.health.proved(&draft.spec.updating);
            if member.serves(&draft.spec.hash) {
                census.available += 1;
            } else {
                census.unavailable += 1;
            }
            if draft.is_self(member) {
                continue;
            }
            if sick {
                census.sick.push(member);
            } else if outdated {
                census.outdated.push(member);
            } else if !proved {
                census.unproved.push(member);
            }
        }
        // Members come ordered by id, and sorting keeps that order among equals.
        census.sick.sort_by_key(|member| !draft.outdated(member));
        census
            .outdated
            .sort_by_key(|member| member.health.last() != Health::Unhealthy);
        census
    }
}

/// Shortest time between two checks of a member whose proof is waited for.
const SOON: Duration = Duration::from_millis(100);
/// How many times the pace of routine checks those of members may come whose proof is waited for.
const HASTE: f64 = 10.0;

/// Asks for the health of members whose turn it is.
///
/// A proof that something waits for is asked for at once, and again soon. Otherwise each member is
/// looked at once an interval, the members spread over it, so that no moment asks for all. One
/// that is to go and could not be destroyed is looked at too: if it is sick, it need not be drained.
pub(crate) fn check(draft: &mut Draft<'_>) {
    let pace = Pace::of(draft);
    let mut due = Vec::new();
    let mut next: Option<Timestamp> = None;
    for member in draft.seen.members() {
        let stuck = member
            .departure
            .is_some_and(|departure| matches!(departure.step, Step::Failed(..)));
        let stays = member.stays() && !draft.taken.contains(&member.id);
        if member.health.in_flight() || !(stays || stuck) {
            continue;
        }
        let at = pace.next_check(draft, member);
        if at <= draft.now {
            due.push(Action::Check {
                id: member.id.clone(),
            });
        } else {
            next = Some(next.map_or(at, |next| next.min(at)));
        }
    }
    draft.actions.append(&mut due);
    if let Some(at) = next {
        draft.wake(at);
    }
}

/// How often members are asked for their health.
struct Pace {
    /// Time between two looks at an unhealthy member.
    urgent: Duration,
    /// Time between two routine looks at a member.
    routine: Duration,
    /// Granularity of routine looks, so that many small wake-ups become one.
    step: Duration,
    /// Least time between two looks at a member whose proof is waited for; `None` when none is.
    proof: Option<Duration>,
}

impl Pace {
    fn of(draft: &Draft<'_>) -> Self {
        let rate = f64::from(draft.config.checks_per_second.max(1));
        let urgent = draft
            .spec
            .health
            .interval
            .unwrap_or(draft.config.poll_interval)
            .max(SOON);
        let members = draft.seen.len() + draft.config.other_members;
        let sweep = Duration::from_secs_f64(members as f64 / rate);
        let awaited = draft.memory.roll.is_some()
            || draft
                .waiting
                .iter()
                .any(|on| matches!(on, WaitingOn::Health { .. }));
        let proof = awaited.then(|| {
            let unproved = draft
                .working()
                .filter(|one| is_unproved(draft, one))
                .count();
            Duration::from_secs_f64(unproved as f64 / (rate * HASTE)).max(SOON)
        });
        Self {
            urgent,
            routine: urgent.max(sweep),
            step: draft.config.poll_interval.min(urgent),
            proof,
        }
    }

    /// Returns when a member is to be asked next.
    fn next_check(&self, draft: &Draft<'_>, member: &Member) -> Timestamp {
        let checked = member.health.checked();
        if let Some(least) = self.proof
            && member.stays()
            && is_unproved(draft, member)
        {
            return checked.map_or(member.created, |at| {
                at + proof_pause(draft, member, at).max(least)
            });
        }
        match checked {
            Some(at) if member.health.last() == Health::Unhealthy => at + self.urgent,
            Some(at) => round(at + self.routine, self.step),
            None => {
                let first = member.created + self.routine.mul_f64(spread(member.id.as_str()));
                round(first + self.step / 2, self.step)
            }
        }
    }
}

/// Returns whether a member of the current configuration has yet to prove itself.
fn is_unproved(draft: &Draft<'_>, member: &Member) -> bool {
    !draft.outdated(member) && !member.health.proved(&draft.spec.updating)
}

/// How long after its last verdict, which came at `checked`, a member is asked again for its proof.
fn proof_pause(draft: &Draft<'_>, member: &Member, checked: Timestamp) -> Duration {
    let updating = &draft.spec.updating;
    let healthy = member.health.last() == Health::Healthy;
    if updating.count > 1 && healthy {
        // `Count` counts looks at the usual pace, as in the original.
        return draft.config.poll_interval;
    }
    if !updating.duration.is_zero() && healthy {
        let left = (member.health.since() + updating.duration).since(checked);
        return left.min(draft.config.poll_interval);
    }
    // Waiting for a first good verdict: soon at first, then at leisure, never beyond a second.
    let waited = checked.since(member.created);
    (waited / 4)
        .clamp(SOON, Duration::from_secs(1))
        .min(draft.config.poll_interval.max(SOON))
}

/// Rounds to the nearest multiple of `step`. Rounding up would put off a check by a whole step
/// whenever the verdict before it came a moment after its turn.
fn round(at: Timestamp, step: Duration) -> Timestamp {
    let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX).max(1);
    let nearest = at.0.saturating_add(step / 2) / step;
    Timestamp(nearest.saturating_mul(step))
}

/// A fraction from 0 to 1 that depends on the id alone (FNV-1a, then mixed once more: ids often
/// differ in their last characters only, which reach too few of its upper bits).
fn spread(id: &str) -> f64 {
    let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let mixed = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    f64::from(mixed ^ (mixed >> 13)) / f64::from(u32::MAX)
}
