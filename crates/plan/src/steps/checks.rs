//! When members are asked for their health.

use std::time::Duration;

use infrakit_spi::flavor::Health;

use crate::Timestamp;
use crate::action::Action;
use crate::diagnosis::sickness::Illness;
use crate::draft::Draft;
use crate::observation::{Key, Member};
use crate::waiting::WaitingOn;

/// Shortest time between two checks of a member whose proof is waited for. A rollout one by one loses
/// half of it for each member on average, which is less than the quickest provider takes to make one
/// (125 ms); and ten checks a second of one member are no burden.
const SOON: Duration = Duration::from_millis(100);
/// Members that are asked often for their proof, so that the others need not be. Of five, one that
/// hangs and one that is early spoil nothing: the usual time is an average over all that prove
/// themselves.
const SCOUTS: usize = 5;
/// Shortest time between two checks of one of them: what they take is known to a tenth where it is a
/// quarter of a second, and five of them cost two hundred checks a second only for that long.
const FINE: Duration = Duration::from_millis(25);
/// The share of the usual time until the proof from which on it may come any moment. A look too early
/// costs one check, one too late puts off the whole rollout.
const NEARLY: f64 = 0.95;
/// How many times the pace of routine checks those of members may come whose proof is waited for, or
/// which are asked out of turn: a hundred a second where ten are usual. Of a thousand new members, for
/// whom the routine takes a hundred seconds, each is then asked every ten.
const HASTE: u32 = 10;
/// The same of first looks at members that this life made, and that a rollout counts on: a thousand a
/// second where ten are usual. They come once in the life of a member; at the pace above, a thousand
/// members that were made a moment ago put off their first rollout by seven seconds.
const FIRST_HASTE: u32 = 100;
/// How many for whom there is no room are passed over, in search of those of the other kind: as many as
/// are asked in a second at most. After a restart of a huge group all are of one kind, and to look through
/// them would make every plan cost what there is.
const PASSED_OVER: usize = 1_000;
/// Time between two checks of a suspect, and of those that are asked beside it. Ten verdicts then take
/// five seconds: longer than a lost packet or a pause of the process, and short beside the minutes in
/// which a sick member is replaced.
const QUICKLY: Duration = Duration::from_millis(500);
/// Members that are asked beside a suspect: what they say tells whether the observer is sane. With the
/// suspect they are the ten that have to be asked before anybody is judged (`QUORUM` of
/// `diagnosis/domains.rs`).
const CONTROLS: usize = 9;
/// Time between two checks of those that tell whether an open breaker can close: several within the
/// poll interval for which all has to be well, and few enough to be no burden while it lasts.
const HALF_OPEN: Duration = Duration::from_secs(2);
/// Unhealthy members that are asked so while the breaker is open: as many as others beside them, and
/// together no more checks a second than the routine has.
const PROBES: usize = 10;
/// Over which time checks out of turn are counted: their pace is so many a second. It is also the
/// longest pause before a member is asked for its proof again: nobody waits longer for a rollout that
/// could go on.
const SECOND: Duration = Duration::from_secs(1);
/// Flapping members that are asked out of turn. They matter while they are few: where there are more,
/// the observer is doubted in any case. As many as may be asked out of turn in a second.
const FLAPPING: usize = 100;

/// Members up to which a group whose revision is new is asked for its health at once: as many checks
/// as the routine sweeps of all groups may cost in ten seconds.
const FRESH: usize = 100;

/// Asks for the health of members whose turn it is.
///
/// A proof that something waits for is asked for at once, and again soon. Suspects are asked
/// quickly, and a few others beside them. Otherwise each member is looked at once an interval, the
/// members spread over it, so that no moment asks for all. One that is to go and could not be
/// destroyed is looked at too: if it is sick, it need not be drained.
pub(crate) fn check<'a>(draft: &mut Draft<'a>, illness: &Illness<'a>) {
    let pace = Pace::of(draft);
    let index = draft.index;
    let (due, next) = index.due(draft.now, pace.routine, |at| round(at, pace.step));
    let mut asked: Vec<&Key> = due;
    let mut next = next;
    // While proofs are waited for, far more are asked than the routine would.
    if pace.swept && pace.proof.is_none() {
        let (ahead, at) = index.ahead(draft.now, pace.routine, pace.step);
        asked.extend(ahead);
        next = next.into_iter().chain(at).min();
    }
    let mut urgent = |key: &'a Key, member: &Member, at: Timestamp| {
        if member.health.in_flight() || member.is_pending() {
            return;
        }
        if at <= draft.now {
            asked.push(key);
        } else {
            next = Some(next.map_or(at, |next| next.min(at)));
        }
    };
    let mut room = room(draft, HASTE);
    for key in index
        .unhealthy
        .iter()
        .chain(index.flapping.iter().take(FLAPPING))
    {
        if let Some(member) = draft.seen.at(key) {
            let last = member.health.asked().unwrap_or(member.created);
            let mut at = last + pace.urgent;
            if at <= draft.now && !member.health.in_flight() {
                match room.checked_sub(1) {
                    Some(left) => room = left,
                    None => at = draft.now + SECOND,
                }
            }
            urgent(key, member, at);
        }
    }
    if let Some(least) = pace.proof {
        let scouts = scouts(draft);
        for key in &index.unproved {
            // Whoever is ill is asked like any other that is, be it that it was well before or that its
            // time of grace is over: verdicts that come faster would make it sick in less time than its
            // policy says.
            if let Some(member) = draft.seen.at(key)
                && !(index.unhealthy.contains(key) && is_judged(draft, member))
            {
                let role = if scouts.contains(&key) {
                    Role::Scout
                } else {
                    Role::Follower(least)
                };
                let checked = member.health.checked();
                let at = checked.map_or(member.created, |at| proof_due(draft, member, at, role));
                urgent(key, member, at);
            }
        }
    }
    for (key, at) in unheard(draft, &pace) {
        if let Some(member) = draft.seen.at(key) {
            urgent(key, member, at);
        }
    }
    if illness.broken {
        let probes = index.unhealthy.iter().take(PROBES);
        for key in probes.chain(index.controls().take(CONTROLS)) {
            if let Some(member) = draft.seen.at(key) {
                let last = member.health.asked();
                let at = last.map_or(draft.now, |last| last + HALF_OPEN.min(pace.urgent));
                urgent(key, member, at);
            }
        }
    } else if illness.unsure || (!illness.suspects.is_empty() && !illness.withheld) {
        let controls = index
            .controls()
            .filter(|key| !illness.suspects.contains(key));
        let suspects = illness.suspects.iter().copied();
        for key in suspects.chain(controls.take(CONTROLS)) {
            if let Some(member) = draft.seen.at(key) {
                let last = member.health.asked();
                let at = last.map_or(draft.now, |last| last + QUICKLY.min(pace.urgent));
                urgent(key, member, at);
            }
        }
    }
    asked.sort_unstable();
    asked.dedup();
    for key in asked {
        if !draft.taken.contains(key) || draft.asked_before.contains(key) {
            draft.actions.push(Action::Check {
                id: key.id.clone(),
                plugin: key.plugin.clone(),
            });
        }
    }
    if let Some(at) = next {
        draft.wake(at);
    }
}

/// Returns whether verdicts of sickness count against a member.
fn is_judged(draft: &Draft<'_>, member: &Member) -> bool {
    let patient = draft.spec.health.grace_ends(member.created);
    member.health.ever_healthy() || draft.now >= patient
}

/// Returns the members of whom nobody has heard for too long, and when they are asked: as long as they
/// are not counted on, a rollout waits for them, and so does what waits until enough others serve.
fn unheard<'a>(draft: &Draft<'a>, pace: &Pace) -> Vec<(&'a Key, Timestamp)> {
    let short = |on: &WaitingOn| matches!(on, WaitingOn::Budget { .. });
    if draft.memory.roll.is_none() && !draft.waiting.iter().any(short) {
        return Vec::new();
    }
    let mut asked = Vec::new();
    let (mut usual, mut first) = (room(draft, HASTE), room(draft, FIRST_HASTE));
    let (mut rest, mut passed_over) = (None, 0);
    for key in draft.index.unheard().chain(&draft.index.outlived) {
        let Some(member) = draft.seen.at(key) else {
            continue;
        };
        // After a restart all are due at once, and most did well before.
        let made_here = member.answered.is_some();
        let room = if made_here { &mut first } else { &mut usual };
        match member.health.asked() {
            Some(last) => asked.push((key, last + pace.urgent)),
            None if member.health.in_flight() => {}
            None if *room > 0 => {
                *room -= 1;
                asked.push((key, draft.now));
            }
            None if passed_over < PASSED_OVER => {
                passed_over += 1;
                rest = Some((key, draft.now + SECOND));
            }
            None => break,
        }
    }
    asked.extend(rest);
    asked
}

/// How often members are asked for their health.
struct Pace {
    /// Time between two looks at an unhealthy member.
    urgent: Duration,
    /// Time between two routine looks at a member.
    routine: Duration,
    /// Whether that is longer than the interval, as more members share the checks of a second than it has
    /// room for.
    swept: bool,
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
        // A small group shows at once whether its revision works; a large one is swept for it.
        let known = draft.memory.outcomes.contains_key(&draft.memory.revision);
        let fresh = !known && draft.seen.len() <= FRESH;
        let awaited = fresh
            || draft.memory.roll.is_some()
            || draft
                .waiting
                .iter()
                .any(|on| matches!(on, WaitingOn::Health { .. } | WaitingOn::Budget { .. }));
        let proof = awaited.then(|| {
            let unproved = draft.index.unproved.len();
            Duration::from_secs_f64(unproved as f64 / (rate * f64::from(HASTE))).max(SOON)
        });
        let routine = urgent.max(sweep);
        let swept = sweep > urgent;
        // Where very many are unhealthy, each is asked more rarely.
        let ailing = draft.index.unhealthy.len() + draft.index.flapping.len().min(FLAPPING);
        let urgent = urgent.max(Duration::from_secs_f64(
            ailing as f64 / (rate * f64::from(HASTE)),
        ));
        Self {
            urgent,
            routine,
            swept,
            step: draft.config.poll_interval.min(urgent),
            proof,
        }
    }
}

/// Returns how many members may be asked out of turn now, so that no more are asked in a second than
/// `haste` times the pace of the routine: after a restart all that were ill are due at once.
fn room(draft: &Draft<'_>, haste: u32) -> usize {
    let most = draft.config.checks_per_second.max(1).saturating_mul(haste);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let second = u64::try_from(SECOND.as_nanos()).unwrap_or(u64::MAX);
    let since = Timestamp(draft.now.0.saturating_sub(second));
    let spent = draft.index.asked_since(since).take(most).count();
    most.saturating_sub(spent + draft.index.awaited())
}

/// How a member is asked for its proof.
#[derive(Clone, Copy)]
enum Role {
    /// Often: it shows how long members take now.
    Scout,
    /// Once it is as old as others were when they proved themselves; beside that at leisure, no
    /// sooner than so long after it was last asked.
    Follower(Duration),
}

/// Returns the oldest members that have yet to give a good verdict. What they take the others will
/// take, so that a few that are asked often spare the many.
fn scouts<'a>(draft: &Draft<'a>) -> Vec<&'a Key> {
    let unproved = draft.index.unproved.iter();
    let mut oldest: Vec<(Timestamp, &Key)> = unproved
        .filter_map(|key| {
            let member = draft.seen.at(key)?;
            let waits = member.health.last() != Health::Healthy && !member.is_pending();
            waits.then_some((member.created, key))
        })
        .collect();
    if oldest.len() > SCOUTS {
        oldest.select_nth_unstable(SCOUTS);
        oldest.truncate(SCOUTS);
    }
    oldest.into_iter().map(|(_, key)| key).collect()
}

/// When a member whose last verdict came at `checked` is asked again for its proof.
fn proof_due(draft: &Draft<'_>, member: &Member, checked: Timestamp, role: Role) -> Timestamp {
    let updating = &draft.spec.updating;
    let poll_interval = draft.config.poll_interval;
    if member.health.last() == Health::Healthy {
        let least = match role {
            Role::Scout => SOON,
            Role::Follower(least) => least,
        };
        // `Count` counts looks at the usual pace, as in the original.
        let mut pause = poll_interval;
        if updating.count <= 1 {
            let left = (member.health.since() + updating.duration).since(checked);
            pause = left.min(poll_interval);
        }
        return checked + pause.max(least);
    }
    let waited = checked.since(member.created);
    let usual = draft.memory.measured.proof.usual();
    match role {
        Role::Scout => {
            // Close by where the first good verdict is due; behind that ever more rarely.
            let soonest = usual.map_or(Duration::ZERO, |usual| usual.mul_f64(NEARLY));
            let overdue = waited.saturating_sub(usual.unwrap_or_default());
            let longest = SECOND.min(poll_interval.max(SOON));
            // The later it is, the longer until the next look: what is measured is then off by no more
            // than a sixteenth of what it is late.
            let step = (overdue / 16).clamp(FINE, longest);
            checked + step.max(soonest.saturating_sub(waited).min(longest))
        }
        Role::Follower(least) => {
            // It is found to be ready no later than after a quarter more than it took.
            let pause = (waited / 4)
                .clamp(SOON, SECOND)
                .min(poll_interval.max(SOON));
            let at = checked + pause.max(least);
            // The usual time follows slowly when members begin to take longer.
            let longest = draft.memory.measured.proof.longest;
            let known = [usual.unwrap_or_default(), longest].into_iter();
            let next = known.filter(|known| waited < *known).min();
            next.map_or(at, |known| at.min(member.created + known))
        }
    }
}

/// Rounds to the nearest multiple of `step`. Rounding up would put off a check by a whole step
/// whenever the verdict before it came a moment after its turn.
fn round(at: Timestamp, step: Duration) -> Timestamp {
    let step = u64::try_from(step.as_nanos()).unwrap_or(u64::MAX).max(1);
    let nearest = at.0.saturating_add(step / 2) / step;
    Timestamp(nearest.saturating_mul(step))
}
