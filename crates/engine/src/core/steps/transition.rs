//! What a commit means for the rollout under way, and how a former revision is put back.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_plan::{
    CommitChange, Direction, Former, MemoryChange, Outcome, Phase, Roll, RollResult, Size, Spec,
    Timestamp,
};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{GroupId, InstanceId};

use crate::core::words::{AT_ONCE, names};
use crate::core::{Core, Group, Refused};

/// What a group is to become.
pub(in crate::core) struct Wanted {
    pub(in crate::core) raw: GroupSpec,
    pub(in crate::core) spec: Spec,
    /// Members to destroy by name.
    pub(in crate::core) doomed: BTreeSet<InstanceId>,
    /// Those of them that go at once.
    pub(in crate::core) urgent: BTreeSet<InstanceId>,
    pub(in crate::core) cause: Cause,
}

impl Wanted {
    /// Says what it asks for beside its spec.
    pub(in crate::core) fn note(&self) -> String {
        if self.doomed.is_empty() {
            return String::new();
        }
        let what = format!("the destruction of {} was requested", names(&self.doomed));
        if self.urgent.is_empty() {
            what
        } else {
            format!("{what}, {AT_ONCE}")
        }
    }
}

/// Why a group gets another spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Cause {
    /// Somebody committed it.
    Committed,
    /// Somebody asked for another size, and for nothing else.
    Scaled,
    /// A former configuration is put back.
    Reverted,
}

/// Works out what a commit means for a group as it is now.
pub(in crate::core) fn transition(
    group: Option<&Group>,
    wanted: &Wanted,
    revision: u64,
    now: Timestamp,
) -> CommitChange {
    let spec = &wanted.spec;
    let mut change = CommitChange {
        revision,
        plugin: spec.instance.plugin.clone(),
        doomed: wanted.doomed.clone(),
        urgent: wanted.urgent.clone(),
        unabort: wanted.cause != Cause::Scaled,
        ..CommitChange::default()
    };
    let Some(group) = group else {
        // Members may be there from when the group was under management before, as like ones.
        change.naming = matches!(spec.size, Size::Pets(_)).then_some(true);
        return change;
    };
    let before = &group.spec;
    change.naming = match (&before.size, &spec.size) {
        (Size::Cattle(_), Size::Pets(_)) => Some(true),
        (Size::Pets(_), Size::Cattle(_)) => Some(false),
        (Size::Cattle(_), Size::Cattle(_)) | (Size::Pets(_), Size::Pets(_)) => None,
    };
    if before.hash == spec.hash {
        // The size alone, or how to roll: nothing new is rolled, and who grows grows at once.
        if change.unabort && group.memory.aborted.is_some() {
            change.roll = Some(restarted(group, now));
        } else if let Some(kept) = grown_afterwards(group, spec) {
            change.roll = Some(Some(kept));
        }
        change.growth = spec.size.count().saturating_sub(before.size.count());
        return change;
    }
    change.homes.insert(before.instance.plugin.clone());
    change.ended = ended(group, wanted.cause, revision, now);
    // While the way back is limited, members are made from where it leads: what it leads away
    // from has failed.
    let (direction, former) = match wanted.cause {
        Cause::Committed | Cause::Scaled => (Direction::Forward, former(group, spec)),
        Cause::Reverted => (Direction::Back, None),
    };
    let roll = roll(group, spec, former, now).map(|roll| Roll {
        hold: hold(group, spec),
        direction,
        ..roll
    });
    if let Some(former) = roll.as_ref().and_then(|roll| roll.former.as_ref()) {
        change.homes.insert(former.plugin.clone());
    }
    change.roll = Some(roll);
    change
}

/// Returns the revision that members beyond a rollout's limit will be made from.
pub(in crate::core) fn kept_for(group: &Group, change: &CommitChange) -> Option<u64> {
    let roll = change
        .roll
        .as_ref()
        .unwrap_or(&group.memory.roll)
        .as_ref()?;
    roll.former.as_ref().map(|former| former.revision)
}

/// Returns what becomes of the revision in force when another takes its place. When the group goes
/// back from it, other revisions of the same configuration are no more to go back to than this one.
fn ended(group: &Group, cause: Cause, revision: u64, now: Timestamp) -> BTreeMap<u64, Outcome> {
    let (memory, note) = (&group.memory, format!("revision {revision} took its place"));
    let outcome = |result, note| Outcome {
        result,
        at: now,
        note,
    };
    if cause != Cause::Reverted {
        let open = memory.roll.is_some() && !memory.outcomes.contains_key(&group.revision);
        let outcome = open.then(|| outcome(RollResult::Superseded, note));
        return outcome
            .map(|outcome| (group.revision, outcome))
            .into_iter()
            .collect();
    }
    let note = match group.paused_by_failure() {
        Some(why) => format!("{why}; {note}"),
        None => note,
    };
    let alike = group.revisions.iter();
    let alike = alike.filter(|(_, committed)| committed.spec.hash == group.spec.hash);
    let good = |revision: &u64| {
        let known = memory.outcomes.get(revision);
        known.is_some_and(|known| known.result == RollResult::Completed)
    };
    let left = alike.filter(|(revision, _)| **revision == group.revision || good(revision));
    left.map(|(revision, _)| (*revision, outcome(RollResult::RolledBack, note.clone())))
        .collect()
}

/// Returns what a commit of the spec in force changes, if anything: an aborted rollout begins anew,
/// and failed creations are tried again.
pub(in crate::core) fn anew(group: &Group, now: Timestamp) -> Option<MemoryChange> {
    let memory = &group.memory;
    if memory.aborted.is_none() && !memory.creation.holds_back() {
        return None;
    }
    let restarted = memory.aborted.is_some().then(|| restarted(group, now));
    Some(MemoryChange::Anew { restarted })
}

/// Returns the rollout of a spec that is in force and was aborted, from its beginning.
fn restarted(group: &Group, now: Timestamp) -> Option<Roll> {
    let spec = &group.spec;
    let mut older = group.revisions.range(..group.revision).rev();
    let former = older.find(|(_, committed)| committed.spec.hash != spec.hash);
    let former = former.map(|(revision, committed)| named(*revision, &committed.spec));
    roll(group, spec, former, now)
}

/// Returns the rollout to a spec, if there is something to roll. That nobody is there at the moment
/// makes no difference where the former configuration is known to be good: whoever comes is a
/// canary first.
fn roll(group: &Group, spec: &Spec, former: Option<Former>, now: Timestamp) -> Option<Roll> {
    let outdated = |member: &&infrakit_plan::Member| !member.matches(&spec.hash);
    let coming = group.memory.intents.values();
    let anything = group.seen.members().any(|member| outdated(&member))
        || coming.into_iter().any(|intent| intent.hash != spec.hash);
    let good = former.as_ref().is_some_and(|former| {
        let mut alike = group.revisions.iter();
        alike.any(|(revision, committed)| {
            let outcome = group.memory.outcomes.get(revision);
            committed.spec.hash == former.hash
                && outcome.is_some_and(|outcome| outcome.result == RollResult::Completed)
        })
    });
    if !anything && !good {
        return None;
    }
    let strangers = group.seen.members().filter(outdated);
    let strangers = strangers.filter(|member| member.token.is_none());
    Some(Roll {
        begun: now,
        progress: now,
        former,
        shown: strangers.map(|member| member.id.clone()).collect(),
        blind: group.seen.listed().is_none(),
        ..Roll::default()
    })
}

/// Returns the configuration to go back to, and to make members from that must not be new: the one
/// in force before. In a chain of rollouts that were never completed it is the last one that was.
fn former(group: &Group, spec: &Spec) -> Option<Former> {
    let before = (group.spec.hash != spec.hash).then(|| named(group.revision, &group.spec));
    if group.memory.roll.is_none() {
        return before;
    }
    let outcomes = group.memory.outcomes.iter().rev();
    let mut completed = outcomes
        .filter(|(_, outcome)| outcome.result == RollResult::Completed)
        .filter_map(|(revision, _)| Some((*revision, &group.revisions.get(revision)?.spec)));
    match completed.next() {
        Some((revision, good)) if good.hash != spec.hash => Some(named(revision, good)),
        Some(_) | None => before,
    }
}

fn named(revision: u64, spec: &Spec) -> Former {
    Former {
        revision,
        hash: spec.hash.clone(),
        plugin: spec.instance.plugin.clone(),
    }
}

/// Returns what becomes of the rollout of a group that is to grow while a gate is ahead, where nobody
/// knows what else its members could be made from, as after it was freed: whoever is made would be new
/// and not let through. It keeps its size until the gates are behind it.
fn grown_afterwards(group: &Group, spec: &Spec) -> Option<Roll> {
    let roll = group.memory.roll.as_ref()?;
    let gated = roll.direction == Direction::Forward && roll.stage < spec.updating.stages.len();
    let hold = hold(group, spec).filter(|_| gated && roll.former.is_none())?;
    Some(Roll {
        hold: Some(hold.min(group.spec.size.count())),
        ..roll.clone()
    })
}

/// A group of like members that is to grow by the same commit that changes them keeps its size until
/// they are replaced, as in the original.
fn hold(group: &Group, spec: &Spec) -> Option<u64> {
    let (Size::Cattle(before), Size::Cattle(after)) = (&group.spec.size, &spec.size) else {
        return None;
    };
    let held = group.memory.roll.as_ref().and_then(|roll| roll.hold);
    let former = held.unwrap_or(*before);
    (former < *after).then_some(former)
}

impl Core {
    /// Puts the instances and the flavor of a former revision in force again, as a new revision;
    /// size, budget and health stay as they are. Members that match it are not touched. Returns the
    /// journal entry to wait for.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub(in crate::core) fn revert(
        &mut self,
        id: &GroupId,
        to: u64,
        now: Timestamp,
    ) -> Result<u64, Refused> {
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NotWatched(id.clone()))?;
        if group.memory.phase == Phase::Destroying {
            return Err(Refused::BeingDestroyed(id.clone()));
        }
        let former = group
            .revisions
            .get(&to)
            .ok_or_else(|| Refused::NoRevision {
                group: id.clone(),
                revision: to,
            })?;
        let spec = Spec {
            instance: former.spec.instance.clone(),
            flavor: former.spec.flavor.clone(),
            hash: former.spec.hash.clone(),
            ..Spec::clone(&group.spec)
        };
        tracing::warn!(group = %id, revision = to, "going back to a former configuration");
        let raw = GroupSpec {
            id: id.clone(),
            properties: Some(spec.canonical()),
        };
        let wanted = Wanted {
            raw,
            spec,
            doomed: BTreeSet::new(),
            urgent: BTreeSet::new(),
            cause: Cause::Reverted,
        };
        Ok(self.store_commit(wanted, "", now))
    }
}
