//! Steering a rollout, and holding single members.
//!
//! Like every change, a command takes effect once the store has it; one that does not fit what the
//! group is doing is refused, and says what the group is doing.

use infrakit_plan::{
    Direction, Member, MemoryChange, Outcome, PausedBy, Phase, Roll, RollResult, Timestamp,
};
use infrakit_spi::rollout::{Command, Hold};
use infrakit_spi::{GroupId, InstanceId};

use crate::core::state::census::Census;
use crate::core::state::group::Committed;
use crate::core::words::{Wall, count};
use crate::core::{Accepted, Core, Group, Refused, Unfit};

impl Core {
    /// Steers the rollout of a group.
    ///
    /// # Errors
    /// Returns why it is refused; nothing changes then.
    pub fn steer(
        &mut self,
        id: &GroupId,
        command: &Command,
        now: Timestamp,
    ) -> Result<Accepted, Refused> {
        let asked = (self.on_wall(), now);
        let group = self.steerable(id)?;
        let (details, change) = match command {
            Command::Pause => pause(group, asked)?,
            Command::Resume => resume(group, now)?,
            Command::Approve => approve(group, asked)?,
            Command::Abort => abort(group, now)?,
            Command::Rollback { to } => return self.roll_back(id, *to, now),
        };
        let batch = change.and_then(|change| self.change(id, change));
        Ok(Accepted { details, batch })
    }

    /// Returns a group that can be changed.
    fn steerable(&self, id: &GroupId) -> Result<&Group, Refused> {
        self.free_to_change(id)?;
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NotWatched(id.clone()))?;
        match group.memory.phase {
            Phase::Active => Ok(group),
            Phase::Destroying => Err(Refused::BeingDestroyed(id.clone())),
            // Those that were freed are out of sight.
            Phase::Freed => Err(Refused::NotWatched(id.clone())),
        }
    }

    fn roll_back(
        &mut self,
        id: &GroupId,
        to: Option<u64>,
        now: Timestamp,
    ) -> Result<Accepted, Refused> {
        let group = self.steerable(id)?;
        // Who asks again since nobody answered in time means the same one: what it leads away from
        // must not be what the next one leads to.
        if to.is_none()
            && let Some(under_way) = returning(group)
        {
            return Ok(Accepted {
                details: format!("Group '{id}' is going back to revision {under_way} already"),
                batch: None,
            });
        }
        let to = target(group, to)?;
        let revision = group.revision + 1;
        let hash = group.revisions.get(&to).map(|former| &former.spec.hash);
        let staying = group.seen.members().filter(|member| member.stays());
        let (mut all, mut going) = (0, 0);
        for member in staying {
            all += 1;
            going += usize::from(!hash.is_some_and(|hash| member.matches(hash)));
        }
        let details = format!(
            "Group '{id}' goes back to revision {to}, as revision {revision}: {going} of {} to be replaced",
            count(all, "member")
        );
        let batch = Some(self.revert(id, to, now)?);
        Ok(Accepted { details, batch })
    }

    /// Holds a member of a group, or releases it.
    ///
    /// # Errors
    /// Returns why it is refused; nothing changes then.
    pub fn hold(
        &mut self,
        id: &GroupId,
        instance: &InstanceId,
        hold: Hold,
    ) -> Result<Accepted, Refused> {
        let group = self.steerable(id)?;
        let known = Known {
            group: id.clone(),
            instance: instance.clone(),
        };
        let known_held = group.memory.held.contains(instance);
        let member = group.memory.meant(instance, &group.seen);
        if member.is_none() && !known_held {
            return Err(known.no_member().into());
        }
        let instance = instance.clone();
        let (details, change): Change = match hold {
            Hold::Set => {
                if let Some(why) = member.and_then(|member| leaving(group, member)) {
                    return Err(known.leaving(why).into());
                }
                let details = format!(
                    "`{instance}` of group '{id}' is held: nothing destroys, repairs or replaces it until it is released"
                );
                let held = member.is_none_or(|member| group.memory.is_held(member));
                (details, (!held).then_some(MemoryChange::Hold(instance)))
            }
            Hold::Release if known_held => {
                let details =
                    format!("`{instance}` of group '{id}' is treated like any other member again");
                (details, Some(MemoryChange::Release(instance)))
            }
            Hold::Release => return Err(known.not_held().into()),
        };
        let batch = change.and_then(|change| self.change(id, change));
        Ok(Accepted { details, batch })
    }
}

/// An instance that a command names.
struct Known {
    group: GroupId,
    instance: InstanceId,
}

impl Known {
    fn no_member(self) -> Unfit {
        let Self { group, instance } = self;
        Unfit::NotMember { group, instance }
    }

    fn leaving(self, why: String) -> Unfit {
        let Self { group, instance } = self;
        Unfit::Leaving {
            group,
            instance,
            why,
        }
    }

    fn not_held(self) -> Unfit {
        let Self { group, instance } = self;
        Unfit::NotHeld { group, instance }
    }
}

/// Returns why a member cannot be kept any more.
fn leaving(group: &Group, member: &Member) -> Option<String> {
    if group.memory.is_doomed(member) {
        return Some(infrakit_plan::Reason::Requested.to_string());
    }
    let departure = member.departure.map(|departure| departure.reason);
    let key = (member.plugin.clone(), member.id.clone());
    let decided = group.memory.decided.get(&key).map(|decided| decided.reason);
    let reason = departure.or(decided);
    reason.map(|reason| reason.to_string())
}

/// What follows, in a sentence, and the change that makes it so, if it takes one.
type Change = (String, Option<MemoryChange>);

fn under_way(group: &Group) -> Result<&Roll, Unfit> {
    let id = group.id();
    if group.memory.aborted.as_ref() == Some(&group.spec.hash) {
        return Err(Unfit::Aborted(id.clone()));
    }
    let roll = group.memory.roll.as_ref();
    roll.ok_or_else(|| Unfit::NoRollout(id.clone()))
}

fn pause(group: &Group, (wall, now): (Wall, Timestamp)) -> Result<Change, Unfit> {
    let roll = under_way(group)?;
    let id = group.id();
    // One that ends by itself is none that a person asked for.
    let paused = roll.paused.as_ref();
    let paused = paused.filter(|pause| !matches!(pause.by, PausedBy::Changed { .. }));
    if let Some(pause) = paused {
        let since = wall.moment(pause.since);
        let details = format!(
            "The rollout of group '{id}' is paused already, since {since}, by {}",
            pause.by
        );
        return Ok((details, None));
    }
    let Census { updated, total, .. } = Census::of(group);
    let details = format!(
        "The rollout of group '{id}' is paused at {updated} of {}; healing and scaling go on",
        count(total, "member")
    );
    let by = PausedBy::Operator;
    Ok((details, Some(MemoryChange::Pause { by, since: now })))
}

fn resume(group: &Group, now: Timestamp) -> Result<Change, Unfit> {
    let id = group.id();
    let failed = group.memory.creation.holds_back();
    let paused = group
        .memory
        .roll
        .as_ref()
        .and_then(|roll| roll.paused.as_ref());
    let details = match (paused, failed) {
        (Some(_), false) => format!("The rollout of group '{id}' goes on"),
        (Some(_), true) => {
            format!("The rollout of group '{id}' goes on, and creations are tried again")
        }
        (None, true) => format!("Creations of group '{id}' are tried again"),
        (None, false) => {
            under_way(group)?;
            return Err(Unfit::NotPaused(id.clone()));
        }
    };
    Ok((details, Some(MemoryChange::Resume { at: now })))
}

fn approve(group: &Group, (wall, now): (Wall, Timestamp)) -> Result<Change, Unfit> {
    let roll = under_way(group).map_err(|why| Unfit::NothingToApprove(why.to_string()))?;
    let stages = &group.spec.updating.stages;
    let (stage, of) = (roll.stage + 1, stages.len());
    let asks = stages.get(roll.stage).filter(|stage| stage.approve);
    let complete = roll.complete.filter(|_| roll.approved <= roll.stage);
    let (Some(asked), Some(complete), Direction::Forward) = (asks, complete, roll.direction) else {
        return Err(Unfit::NothingToApprove(standing(group, roll, wall)));
    };
    let mut details = format!(
        "Stage {stage} of {of} of group '{}' is approved",
        group.id()
    );
    if roll.paused.is_some() {
        details.push_str("; the rollout is paused, and goes on when it is resumed");
    } else if now < complete + asked.bake {
        let until = wall.moment(complete + asked.bake);
        details.push_str(&format!("; it has to stand until {until}"));
    }
    Ok((details, Some(MemoryChange::Approve)))
}

/// Says why a rollout does not wait for approval.
fn standing(group: &Group, roll: &Roll, wall: Wall) -> String {
    let stages = &group.spec.updating.stages;
    let (stage, of) = (roll.stage + 1, stages.len());
    if roll.direction == Direction::Back {
        return "the group is being rolled back, and that has no stages".to_owned();
    }
    if stages.is_empty() {
        return format!("the rollout of group '{}' has no stages", group.id());
    }
    let Some(present) = stages.get(roll.stage) else {
        return format!("all {} are behind it", count(of, "stage"));
    };
    if roll.approved > roll.stage {
        return format!("stage {stage} of {of} is approved already");
    }
    if let Some(complete) = roll.complete {
        let until = wall.moment(complete + present.bake);
        return format!("stage {stage} of {of} needs no approval, and stands until {until}");
    }
    let size = group.spec.size.count();
    let wanted = roll.hold.map_or(size, |hold| size.min(hold));
    let reaches = present.reaches(wanted);
    format!(
        "stage {stage} of {of} is at {} of {}",
        roll.proved.min(reaches),
        count(usize::try_from(reaches).unwrap_or(usize::MAX), "member")
    )
}

fn abort(group: &Group, now: Timestamp) -> Result<Change, Unfit> {
    under_way(group)?;
    let Census { updated, total, .. } = Census::of(group);
    let at = format!("{updated} of {} have it", count(total, "member"));
    let details = format!(
        "The rollout of group '{}' ends where it stands: {at}; the others stay as they are until the next commit",
        group.id()
    );
    let outcome = Outcome {
        result: RollResult::Aborted,
        at: now,
        note: at,
    };
    let (revision, hash) = (group.revision, group.spec.hash.clone());
    let change = MemoryChange::Abort {
        revision,
        hash,
        outcome,
    };
    Ok((details, Some(change)))
}

/// Returns the revision that the group is going back to, if it is. A rollback that is paused may have
/// failed, too: whoever asks then wants something else.
fn returning(group: &Group) -> Option<u64> {
    let memory = &group.memory;
    let same = |committed: &Committed| committed.spec.hash == group.spec.hash;
    let mut older = group.revisions.range(..group.revision).rev();
    let to = older.find(|(_, committed)| same(committed))?.0;
    let under_way = match &memory.roll {
        Some(roll) => roll.direction == Direction::Back && roll.paused.is_none(),
        // Nobody has what it leads away from, and the others are being made.
        None => {
            let mut left = group.revisions.range(to + 1..group.revision).rev();
            let left = left.find(|(_, committed)| !same(committed));
            let left = left.and_then(|(revision, _)| memory.outcomes.get(revision));
            let rolled = left.is_some_and(|left| left.result == RollResult::RolledBack);
            rolled && !group.converged && !memory.outcomes.contains_key(&group.revision)
        }
    };
    under_way.then_some(*to)
}

/// Returns the revision to go back to.
fn target(group: &Group, to: Option<u64>) -> Result<u64, Unfit> {
    let id = group.id();
    let differs = |revision: &u64| {
        let former = group.revisions.get(revision);
        former.is_some_and(|former| former.spec.hash != group.spec.hash)
    };
    let Some(to) = to else {
        let outcomes = group.memory.outcomes.iter().rev();
        let mut good = outcomes
            .filter(|(_, outcome)| outcome.result == RollResult::Completed)
            .map(|(revision, _)| *revision)
            .filter(differs);
        let roll = group.memory.roll.as_ref();
        let former = || roll?.former.as_ref().map(|former| former.revision);
        // Nobody knows that it works, but nobody saw it fail either.
        let untried = || {
            let failed = |revision: &u64| {
                let outcome = group.memory.outcomes.get(revision);
                outcome.is_some_and(|outcome| match outcome.result {
                    RollResult::Aborted | RollResult::RolledBack => true,
                    RollResult::Completed | RollResult::Superseded => false,
                })
            };
            let earlier = group.revisions.keys().rev().copied();
            earlier.filter(differs).find(|revision| !failed(revision))
        };
        let found = good.next().or_else(|| former().filter(differs));
        return found
            .or_else(untried)
            .ok_or_else(|| Unfit::NoFormer(id.clone()));
    };
    if !group.revisions.contains_key(&to) {
        let from = group.revisions.keys().next().copied();
        return Err(Unfit::NoRevision {
            group: id.clone(),
            revision: to,
            from: from.unwrap_or(group.revision),
            to: group.revision,
        });
    }
    if !differs(&to) {
        return Err(Unfit::InForce {
            group: id.clone(),
            revision: to,
        });
    }
    Ok(to)
}
