//! Sick and outdated members make way, a few at a time; new ones prove themselves first.

use std::time::Duration;

use infrakit_spi::flavor::Health;

use crate::action::{Action, Drain, Reason, WaitingOn};
use crate::observed::Member;
use crate::plan::Draft;
use crate::scale::is_sick;
use crate::{Skip, Spec, Timestamp};

/// Takes out of service what has to be replaced, as far as the budget goes.
///
/// Healing and rolling share it. A replacement is under way from the moment that the old member is
/// taken until the new one has proved itself; only as many may be under way as the budget allows
/// to be unavailable. The health of outdated members is no reason to wait: a group that is broken
/// can be rolled out of its state.
pub(crate) fn replace<'a>(draft: &mut Draft<'a>) {
    let mut census = Census::take(draft);
    if census.sick.is_empty() && census.outdated.is_empty() {
        return;
    }
    let under_way = draft.leaving() + draft.pending() + draft.missing + census.unproved.len();
    let mut slots = draft.budget.unavailable.saturating_sub(under_way);
    if slots == 0 {
        if let (Some(id), count) = (census.unproved.first(), census.unproved.len()) {
            draft.waiting.push(WaitingOn::Health {
                id: id.id.clone(),
                count,
            });
        }
        return;
    }
    for member in census.sick.drain(..) {
        if slots == 0 {
            return;
        }
        draft.destroy(
            member,
            Reason::Unhealthy,
            drain(draft.spec, Reason::Unhealthy),
        );
        slots -= 1;
    }
    let working = census.available + census.unavailable;
    let needed = working.saturating_sub(draft.budget.unavailable);
    let mut available = census.available;
    for member in census.outdated.drain(..) {
        if slots == 0 {
            return;
        }
        let serves = member.health.last() != Health::Unhealthy;
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
        for member in draft.staying() {
            let outdated = draft.outdated(member);
            let sick = is_sick(draft, member);
            let proved = member.health.proved(&draft.spec.updating, draft.now);
            let serves = if outdated {
                member.health.last() != Health::Unhealthy
            } else {
                proved || member.health.last() == Health::Healthy
            };
            if serves {
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
        census
            .sick
            .sort_by_key(|member| (!draft.outdated(member), member.id.clone()));
        census
            .outdated
            .sort_by_key(|member| (member.health.last() != Health::Unhealthy, member.id.clone()));
        census
    }
}

/// Shortest time between two checks of a member whose proof is waited for.
const SOON: Duration = Duration::from_millis(100);

/// Asks for the health of members whose turn it is.
///
/// A proof that something waits for is asked for at once, and again soon. Otherwise each member is
/// looked at once an interval, the members spread over it, so that no moment asks for all.
pub(crate) fn check(draft: &mut Draft<'_>) {
    let count = draft.seen.len();
    let sweep =
        Duration::from_secs_f64(count as f64 / f64::from(draft.config.checks_per_second.max(1)));
    let interval = draft
        .spec
        .health
        .interval
        .unwrap_or(draft.config.poll_interval)
        .max(sweep);
    let proof_awaited = draft.memory.roll.is_some()
        || draft
            .waiting
            .iter()
            .any(|on| matches!(on, WaitingOn::Health { .. }));
    let mut due = Vec::new();
    let mut next: Option<Timestamp> = None;
    for member in draft.staying().filter(|member| !member.health.in_flight()) {
        let unproved =
            !draft.outdated(member) && !member.health.proved(&draft.spec.updating, draft.now);
        let at = if proof_awaited && unproved {
            member
                .health
                .checked()
                .map_or(member.created, |at| at + proof_pause(draft, member))
        } else {
            match member.health.checked() {
                Some(checked) if member.health.last() == Health::Unhealthy => {
                    checked
                        + draft
                            .spec
                            .health
                            .interval
                            .unwrap_or(draft.config.poll_interval)
                }
                Some(checked) => round_up(checked + interval, draft.config.poll_interval),
                None => {
                    let first = member.created + interval.mul_f64(spread(member.id.as_str()));
                    round_up(first, draft.config.poll_interval)
                }
            }
        };
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

/// How long to wait before a member is asked again for its proof.
fn proof_pause(draft: &Draft<'_>, member: &Member) -> Duration {
    let updating = &draft.spec.updating;
    if updating.count > 1 && member.health.last() == Health::Healthy {
        // `Count` counts looks at the usual pace, as in the original.
        return draft.config.poll_interval;
    }
    if !updating.duration.is_zero() && member.health.last() == Health::Healthy {
        let left = (member.health.since() + updating.duration).since(draft.now);
        return left.max(SOON).min(draft.config.poll_interval);
    }
    // Waiting for a first good verdict: soon at first, then at leisure, never beyond a second.
    let waited = draft.now.since(member.created);
    (waited / 4)
        .clamp(SOON, Duration::from_secs(1))
        .min(draft.config.poll_interval.max(SOON))
}

/// Rounds up to a multiple of `step`, so that many small wake-ups become one.
fn round_up(at: Timestamp, step: Duration) -> Timestamp {
    let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX).max(1);
    Timestamp(at.0.div_ceil(step).saturating_mul(step))
}

/// A fraction from 0 to 1 that depends on the id alone (FNV-1a).
fn spread(id: &str) -> f64 {
    let hash = id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    f64::from(hash) / f64::from(u32::MAX)
}
