//! How far a rollout may go now: stages, batches, windows, pauses, deadlines and failures.

use std::time::Duration;

use crate::action::Action;
use crate::diagnosis::sickness::Illness;
use crate::draft::Draft;
use crate::ledger::budget::number;
use crate::memory::{Outcome, RollResult};
use crate::observation::Observed;
use crate::proof::{is_ready, on_trial, proved, unproved, wait_for_proof};
use crate::reason::Reason;
use crate::rollout::{Direction, Pause, Roll};
use crate::steps::strangers;
use crate::waiting::{PausedBy, WaitingOn};
use crate::{OnFailure, Opening, Size, Timestamp};

/// Outcomes of rollouts that are remembered; as many as there are revisions to go back to
/// (`HISTORY` in the engine): of more there would be nothing to say, of less a failed one could be
/// taken for one to go back to.
const OUTCOMES: usize = 20;

/// Notes whether a rollout begins. It lasts until the outdated members are gone, those decided to go
/// included, a new one is ready and none has yet to prove itself, and all gates are behind it.
pub(crate) fn note_roll(draft: &mut Draft<'_>) {
    keep_who_is_there(draft);
    if draft.memory.aborted.as_ref() == Some(&draft.spec.hash) {
        draft.memory.roll = None;
        let outdated = draft.replaceable().count();
        if outdated > 0 {
            draft.wait(WaitingOn::Aborted { outdated });
        }
        return;
    }
    if draft.replaceable().next().is_none() {
        return;
    }
    match &mut draft.memory.roll {
        // The first releases kept no more of a rollout than the size that it holds.
        Some(roll) if roll.begun != Timestamp::default() => roll.through = false,
        known => {
            let hold = known.as_ref().and_then(|roll| roll.hold);
            let roll = Roll::begin(draft.seen, draft.now);
            *known = Some(Roll { hold, ..roll });
            grow_afterwards(draft);
        }
    }
}

/// Lets a group that came with members of another configuration, as one does that was freed and is
/// committed anew, keep its size until the gates are behind it. Nobody knows what else to make its
/// members from, and more of the new ones than a stage lets through is what a gate is there to prevent.
fn grow_afterwards(draft: &mut Draft<'_>) {
    let Size::Cattle(size) = draft.spec.size else {
        return;
    };
    let gated = !draft.spec.updating.stages.is_empty() && draft.memory.outcomes.is_empty();
    let tally = draft.ledger.tally();
    let there = (tally.working + tally.coming) as u64;
    let Some(roll) = draft
        .memory
        .roll
        .as_mut()
        .filter(|roll| roll.hold.is_none())
    else {
        return;
    };
    if gated && there > 0 && there < size {
        roll.hold = Some(there);
        draft.ledger.hold(there);
    }
}

/// Lets a rollout that keeps a smaller size keep whoever is there beyond it: members that were about to
/// go when the group was made larger, or that a list shows only now. As many as before are to serve.
fn keep_who_is_there(draft: &mut Draft<'_>) {
    let tally = draft.ledger.tally();
    let there = (tally.working + tally.leaving).saturating_sub(tally.strangers) as u64;
    let size = draft.spec.size.count();
    let hold = draft.memory.roll.as_mut().map(|roll| &mut roll.hold);
    if let Some(hold) = hold.filter(|hold| hold.is_some_and(|kept| kept > 0 && kept < there)) {
        *hold = (there < size).then_some(there);
        draft.ledger.hold(there);
    }
}

/// Ends a rollout of which nothing is left to do.
///
/// A change of size is no end: neither a pause nor a window that is closed is passed by it, and a
/// group without a ready member has proved nothing, be it because nobody is wanted.
fn end_roll(draft: &mut Draft<'_>) {
    let Some(roll) = &draft.memory.roll else {
        return;
    };
    let stages = stages(draft, roll);
    let leaving = draft
        .departing()
        .any(|member| draft.spec.size.concerns(member) && draft.outdated(member));
    let unproved = unproved(draft) > 0;
    let short = draft.ledger.tally().working < draft.ledger.wanted || lacks_identities(draft);
    // Of one that no commit began, and that knows no way back, an empty group keeps nothing.
    let moot = draft.spec.size.count() == 0
        && roll.former.is_none()
        && roll.failed == 0
        && roll.direction == Direction::Forward;
    if draft.frozen || draft.has_left() || leaving || unproved || short {
        return;
    }
    let ready = is_ready(draft);
    if moot || ready && roll.stage >= stages {
        draft.memory.roll = None;
    } else if ready {
        return;
    } else if let Some(roll) = &mut draft.memory.roll {
        // There is nobody to wait for any more.
        roll.hold = None;
    }
    draft.ledger.release_hold();
}

/// Returns whether fewer identities are there than are wanted while a rollout lasts. Where members that are
/// held have their places, the group has its size all the same.
pub(crate) fn lacks_identities(draft: &Draft<'_>) -> bool {
    match &draft.spec.size {
        Size::Cattle(_) => false,
        Size::Pets(ids) => {
            let there = ids.len().saturating_sub(draft.index.free.len());
            there < draft.ledger.wanted
        }
    }
}

/// Returns whether nothing but members that are not touched keeps a rollout from its end: their places are
/// those of identities that are not there. A person lets them go, and no deadline runs for that.
fn waits_for_places(draft: &Draft<'_>) -> bool {
    let awaited = draft.ledger.tally().leaving + draft.pending() + unproved(draft);
    lacks_identities(draft) && draft.ledger.free() == 0 && awaited == 0 && !draft.has_left()
}

impl Roll {
    /// A rollout that begins now, of a group with these members.
    #[must_use]
    pub fn begin(seen: &Observed, now: Timestamp) -> Self {
        let foreign = seen.members().filter(|member| member.token.is_none());
        Self {
            begun: now,
            progress: now,
            shown: foreign.map(|member| member.id.clone()).collect(),
            ..Self::default()
        }
    }

    /// Takes in that nobody was there to see it until now: no deadline ran meanwhile. One that was noted by
    /// a clock that was set back since runs from now on.
    pub fn wake(&mut self, now: Timestamp) {
        let idle = u64::try_from(self.idle.as_nanos()).unwrap_or(u64::MAX);
        let ran = Timestamp(now.0.saturating_sub(idle));
        self.progress = self.progress.max(ran).min(now);
    }

    /// Takes in that nobody could see to it for so long: no deadline ran meanwhile.
    pub fn delay(&mut self, late: Duration, now: Timestamp) {
        self.progress = (self.progress + late).min(now);
    }

    /// Approves the stage that waits for it. Returns its number, from 1; `None` when none waits.
    pub fn approve(&mut self) -> Option<usize> {
        if self.complete.is_none() || self.approved > self.stage {
            return None;
        }
        self.approved = self.stage + 1;
        Some(self.approved)
    }

    /// Lets a paused rollout go on: failures so far are forgotten, the deadline begins anew.
    pub fn resume(&mut self, now: Timestamp) {
        self.paused = None;
        self.strangers.clear();
        self.failed = 0;
        self.progress = now;
    }
}

/// Returns how many stages a rollout goes through.
fn stages(draft: &Draft<'_>, roll: &Roll) -> usize {
    match roll.direction {
        Direction::Forward => draft.spec.updating.stages.len(),
        Direction::Back => 0,
    }
}

/// Sets how many members may have the configuration in force, and pauses or reverts a rollout that
/// has failed.
pub(crate) fn limit(draft: &mut Draft<'_>, illness: &Illness<'_>) {
    let Some(mut roll) = draft.memory.roll.take() else {
        return;
    };
    strangers::pause_for_strangers(draft, &mut roll);
    note_progress(draft, &mut roll);
    // What a smaller size no longer asks for is owed to nobody.
    roll.owed = roll.owed.min(draft.ledger.free() as u64);
    // Where nobody is wanted nothing can come forward.
    let (mut waits, mut owed) = (draft.ledger.wanted == 0 || drains(draft), 0);
    waits |= waits_for_places(draft);
    roll.waits |= waits;
    let mut most = number(u64::MAX);
    if roll.paused.is_none()
        && let Some(by) = failure(draft, &roll, illness)
    {
        fail(draft, &mut roll, by);
    }
    if let Some(pause) = &roll.paused {
        draft.wait(WaitingOn::Paused {
            by: pause.by.clone(),
        });
        draft.frozen = true;
    } else if roll.direction == Direction::Forward {
        let opening = draft.spec.updating.opening(draft.config.wall(draft.now));
        if let Opening::Closed { opens } = opening
            && !roll.through
        {
            let opens = Some(opens);
            draft.wait(WaitingOn::Window { opens });
            if let Some(at) = opens {
                draft.wake(draft.config.moment(at));
            }
            draft.frozen = true;
            // What was taken in the window is made anew outside of it, and as it was meant to be.
            owed = number(roll.owed);
        } else {
            let (bakes, stage) = stage(draft, &mut roll);
            most = stage.min(batch(draft, &mut roll));
            waits |= bakes;
            roll.through |= roll.stage >= stages(draft, &roll) && !draft.has_left();
        }
    }
    // Members of the new configuration that are sick in such a number say enough about it; and so
    // does a mass illness that began in mid-rollout.
    let broke_since = draft
        .memory
        .breaker
        .is_some_and(|breaker| breaker.since > roll.begun);
    let ill = illness.unhealthy_new > illness.most || (illness.withheld && broke_since);
    if ill && roll.direction == Direction::Forward {
        draft.frozen = true;
        let unproved = on_trial(draft);
        wait_for_proof(draft, &unproved);
    }
    if draft.frozen {
        (waits, most) = (true, most.min(draft.ledger.tally().new + owed));
    }
    if waits {
        roll.waits = true;
    } else if roll.waits {
        roll.waits = false;
        roll.progress = draft.now;
    }
    if let Some(deadline) = draft.spec.updating.progress_deadline
        && !roll.waits
    {
        draft.wake(roll.progress + deadline);
    }
    let runs = draft.spec.updating.progress_deadline.is_some() && !roll.waits;
    roll.idle = if runs {
        draft.now.since(roll.progress)
    } else {
        Duration::ZERO
    };
    draft.ledger.most_new = most;
    draft.memory.roll = Some(roll);
    end_roll(draft);
}

/// Returns whether an old member is on its way out and nobody new is there yet. Before it is gone no
/// new one can come: how long its drain takes says nothing of them.
fn drains(draft: &Draft<'_>) -> bool {
    let mut leaving = draft.members(&draft.index.leaving);
    draft.pending() == 0
        && draft.index.unproved.is_empty()
        && leaving.any(|(_, member)| {
            member.departure.is_some_and(|departure| {
                departure.reason == Reason::Outdated && departure.is_in_flight()
            })
        })
}

fn note_progress(draft: &Draft<'_>, roll: &mut Roll) {
    let proved = proved(draft) as u64;
    if proved > roll.proved {
        roll.progress = draft.now;
    }
    roll.proved = proved;
}

/// Returns what makes the rollout a failure, if anything does.
fn failure(draft: &Draft<'_>, roll: &Roll, illness: &Illness<'_>) -> Option<PausedBy> {
    let updating = &draft.spec.updating;
    if let Some(stopped) = draft.memory.creation.stopped(&draft.spec.hash)
        && stopped.since >= roll.begun
        && updating.on_failure != OnFailure::Continue
    {
        let message = stopped.message.clone();
        return Some(PausedBy::Configuration { message });
    }
    let strict = !updating.stages.is_empty() || updating.on_failure != OnFailure::Pause;
    let most = match updating.failure_threshold {
        Some(share) => Some(share.ceil(draft.ledger.wanted as u64).max(1)),
        None => strict.then_some(1),
    };
    let failed = roll.failed + illness.sick_new as u64;
    if let Some(most) = most.filter(|most| failed >= *most) {
        return Some(PausedBy::Failures { failed, most });
    }
    let deadline = updating.progress_deadline?;
    (!roll.waits && draft.now >= roll.progress + deadline).then_some(PausedBy::Deadline)
}

fn fail(draft: &mut Draft<'_>, roll: &mut Roll, by: PausedBy) {
    let pause = |by| {
        Some(Pause {
            by,
            since: draft.now,
        })
    };
    match (draft.spec.updating.on_failure, roll.direction) {
        (OnFailure::Continue, _) => {
            // It is counted, and goes on.
            roll.progress = draft.now;
        }
        (OnFailure::Rollback, Direction::Back) => roll.paused = pause(PausedBy::Rollback),
        (OnFailure::Pause, _) => roll.paused = pause(by),
        (OnFailure::Rollback, Direction::Forward) => {
            roll.paused = pause(by);
            if let Some(former) = &roll.former {
                let to = former.revision;
                draft.actions.push(Action::Revert { to });
            }
        }
    }
}

/// Moves on through the stages. Returns whether one is complete and waits, and how many members
/// may have the configuration in force.
fn stage(draft: &mut Draft<'_>, roll: &mut Roll) -> (bool, usize) {
    let there = draft.ledger.tally().working + draft.pending();
    let nothing_left = !draft.has_left();
    let settled = draft.pending() == 0 && there >= draft.ledger.wanted;
    let ready = proved(draft) > 0;
    let done = nothing_left && settled && ready && unproved(draft) == 0;
    while let Some(stage) = draft.spec.updating.stages.get(roll.stage) {
        // A stage that nobody has passed is not behind the rollout, however small the group.
        let reaches = number(stage.reaches(draft.ledger.wanted as u64)).max(1);
        if proved(draft) < reaches && !done {
            roll.complete = None;
            return (false, reaches);
        }
        // A clock that was set back since has it lie ahead; it stands from now on.
        let complete = roll.complete.unwrap_or(draft.now).min(draft.now);
        roll.complete = Some(complete);
        if awaits_news(draft) {
            return (true, reaches);
        }
        let (number, until) = (roll.stage + 1, complete + stage.bake);
        if draft.now < until {
            draft.wait(WaitingOn::Bake {
                stage: number,
                until,
            });
            draft.wake(until);
            return (true, reaches);
        }
        // Where everybody was replaced before the gate, too: the group may grow, and the revision be
        // put in force elsewhere as one that somebody has looked at.
        if stage.approve && roll.approved <= roll.stage {
            draft.wait(WaitingOn::Approval { stage: number });
            return (true, reaches);
        }
        roll.stage = number;
        roll.complete = None;
        roll.progress = draft.now;
    }
    (false, usize::MAX)
}

/// Returns whether members that have proved themselves are to be asked first how they are: what they said
/// before the controller slept, or was away for long, says nothing of how they have stood since.
fn awaits_news(draft: &mut Draft<'_>) -> bool {
    let old = draft
        .members(&draft.index.outlived)
        .map(|(_, member)| member);
    let old: Vec<_> = old.filter(|member| !draft.is_self(member)).collect();
    wait_for_proof(draft, &old);
    !old.is_empty()
}

/// Returns how many members may have the configuration in force before the present batch has proved
/// itself.
fn batch(draft: &mut Draft<'_>, roll: &mut Roll) -> usize {
    let Some(size) = draft.spec.batch() else {
        return usize::MAX;
    };
    let unproved = unproved(draft) > 0 || awaits_news(draft);
    let there = draft.ledger.tally().working + draft.pending();
    let settled = !unproved
        && draft.pending() + draft.ledger.tally().leaving == 0
        && there >= draft.ledger.wanted;
    if settled {
        roll.batch = draft.ledger.tally().new as u64;
    }
    // Those that went with the size do not make the next batch bigger.
    roll.batch = roll.batch.min(draft.ledger.tally().new as u64);
    number(roll.batch + size)
}

/// Notes a revision as good once the group is as specified and has a member that shows it.
pub(crate) fn note_outcome(draft: &mut Draft<'_>, converged: bool) {
    let revision = draft.memory.revision;
    let ready = is_ready(draft) && !lacks_identities(draft);
    let outcomes = &mut draft.memory.outcomes;
    if converged
        && ready
        && draft.memory.aborted.is_none()
        && draft.index.unproved.is_empty()
        && !outcomes.contains_key(&revision)
    {
        outcomes.insert(
            revision,
            Outcome {
                result: RollResult::Completed,
                at: draft.now,
                note: String::new(),
            },
        );
    }
    while outcomes.len() > OUTCOMES {
        outcomes.pop_first();
    }
}
