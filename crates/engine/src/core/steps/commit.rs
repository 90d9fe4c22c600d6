//! What operators ask for: commit, free, destroy, scale, describe.
//!
//! A change is checked, then written to the store, and takes effect only when the store has it.
//! Each function returns the journal entry to wait for; a refused change leaves nothing behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use infrakit_plan::{Change as SpecChange, MemoryChange, Phase, Size, Spec, Timestamp, sentence};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{GroupId, InstanceId};
use infrakit_store::Durability;

use crate::core::state::group::Committed;
use crate::core::state::remembered::stored_part;
use crate::core::state::unwritten::{Batch, PendingCommit};
use crate::core::steps::freed::freed_change;
use crate::core::steps::remains::{forget_changes, has_open, remains_changes};
use crate::core::steps::transition::{self, Cause, Wanted};
use crate::core::{Core, Group, Refused};
use crate::records::{
    Fate, SpecRecord, delete, history_key, put, put_memory, remains_key, spec_key,
};

/// A change that was accepted: what it leads to, and the journal entry that makes it so.
#[derive(Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What follows, in a sentence.
    pub details: String,
    /// The entry to wait for; `None` when there is nothing to write.
    pub batch: Option<u64>,
}

impl Core {
    /// Says what a commit would lead to.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn explain(&self, id: &GroupId, spec: &Spec) -> Result<String, Refused> {
        self.check_ceiling(id, spec)?;
        let Some(group) = self.groups.get(id) else {
            let empty = infrakit_plan::Observed::default();
            let change = SpecChange {
                before: None,
                after: spec,
            };
            return Ok(sentence(change, &empty));
        };
        if group.memory.phase == Phase::Destroying {
            return Err(Refused::BeingDestroyed(id.clone()));
        }
        let change = SpecChange {
            before: Some(&group.spec),
            after: spec,
        };
        Ok(sentence(change, &group.seen))
    }

    /// Refuses a spec that lets a group have more instances than any may. One that lets it have no
    /// more than it may have already is a step in the right direction.
    fn check_ceiling(&self, id: &GroupId, spec: &Spec) -> Result<(), Refused> {
        let Some(most) = self.config.max_instances else {
            return Ok(());
        };
        let all = |spec: &Spec| {
            let size = spec.size.count();
            size.saturating_add(spec.updating.surge(size))
        };
        let before = self.groups.get(id).map_or(0, |group| all(&group.spec));
        if all(spec) <= most.max(before) {
            return Ok(());
        }
        let size = spec.size.count();
        let surge = spec.updating.surge(size);
        Err(Refused::Ceiling { size, surge, most })
    }

    /// Commits a spec. `nonce` names the record of a group that is new.
    ///
    /// The spec in force, committed anew, lets an aborted rollout go on and has failed creations
    /// tried again; otherwise it changes nothing.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn commit(
        &mut self,
        raw: GroupSpec,
        spec: Spec,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Accepted, Refused> {
        self.free_to_change(&raw.id)?;
        if self
            .groups
            .get(&raw.id)
            .is_some_and(|group| *group.spec == spec)
        {
            let details = self.explain(&raw.id, &spec)?;
            let details = self.unless_frozen(&raw.id, details);
            let batch = self.commit_again(&raw.id, now);
            return Ok(Accepted { details, batch });
        }
        self.put_in_force(raw, spec, Cause::Committed, (nonce, now))
    }

    fn put_in_force(
        &mut self,
        raw: GroupSpec,
        spec: Spec,
        cause: Cause,
        (nonce, now): (&str, Timestamp),
    ) -> Result<Accepted, Refused> {
        let details = self.explain(&raw.id, &spec)?;
        let details = self.unless_frozen(&raw.id, details);
        let wanted = Wanted {
            raw,
            spec,
            doomed: BTreeSet::new(),
            urgent: BTreeSet::new(),
            cause,
        };
        let batch = self.store_commit(wanted, nonce, now);
        Ok(Accepted {
            details,
            batch: Some(batch),
        })
    }

    /// Commits the spec in force once more.
    fn commit_again(&mut self, id: &GroupId, now: Timestamp) -> Option<u64> {
        let change = transition::anew(self.groups.get(id)?, now)?;
        self.change(id, change)
    }

    pub(in crate::core) fn store_commit(
        &mut self,
        wanted: Wanted,
        nonce: &str,
        now: Timestamp,
    ) -> u64 {
        let id = wanted.raw.id.clone();
        let mut changes = Vec::new();
        let group = self.groups.get(&id);
        // Of what remains of a former group, revisions go on: creations under way know theirs by number.
        let last = self.groups.with_remains(&id);
        let revision = last.map_or(1, |last| last.revision + 1);
        let change = transition::transition(group, &wanted, revision, now);
        let mut expired = Vec::new();
        let mut memory = match group {
            Some(group) => {
                expired = group.expiring(transition::kept_for(group, &change));
                let old = expired.iter();
                changes.extend(old.map(|old| delete(history_key(&id, *old))));
                stored_part(&group.memory)
            }
            None => {
                if self.groups.remains(&id).is_some() {
                    changes.push(delete(remains_key(&id)));
                }
                let mut memory = self.first_memory(&id, nonce);
                changes.extend(self.hand_over(&id, &mut memory, now));
                memory
            }
        };
        let change = MemoryChange::Commit(Box::new(change));
        change.apply(&mut memory);
        let note = wanted.note();
        let Wanted { raw, spec, .. } = wanted;
        let record = SpecRecord {
            revision,
            committed: now,
            spec: raw.clone(),
            note: note.clone(),
        };
        changes.push(put(spec_key(&id), &record));
        changes.push(put(history_key(&id, revision), &record));
        changes.push(put_memory(&memory));
        let committed = Committed {
            at: now,
            spec: Arc::new(spec),
            note,
        };
        let pending = PendingCommit {
            raw,
            revision,
            committed,
            memory,
            change,
            expired,
        };
        self.write(
            Batch::Commit(Box::new(pending)),
            changes,
            Durability::Synced,
        )
    }

    pub(in crate::core) fn committed(&mut self, pending: PendingCommit, now: Timestamp) {
        let PendingCommit {
            raw,
            revision,
            committed,
            memory,
            change,
            expired,
        } = pending;
        let id = raw.id.clone();
        let size = committed.spec.size.count();
        tracing::info!(group = %id, revision, size, "committed");
        if let Some(group) = self.groups.get_mut(&id) {
            if revision <= group.revision {
                return;
            }
            change.apply(&mut group.memory);
            group.converged = false;
            for old in expired {
                group.revisions.remove(&old);
            }
            group.adopt_spec(raw, revision, committed);
        } else if let Some(remains) = self.groups.take_remains(&id) {
            self.freed.remove(&id);
            self.take_over(remains, (raw, revision), (committed, memory));
        } else {
            let mut group = Group::new(raw, revision, committed, memory);
            group.stored = stored_part(&group.memory);
            if let Some(freed) = self.freed.remove(&id) {
                freed.expect_in(&mut group.seen, now);
            }
            if let Some(buried) = self.buried.remove(&id).filter(|one| !one.is_over(now)) {
                group.seen.recall_buried(buried);
            }
            self.insert_group(group);
        }
        self.settle_homes(&id, now);
        self.touch(&id);
    }

    /// Stops managing a group; its instances stay.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn free(&mut self, id: &GroupId, now: Timestamp) -> Result<u64, Refused> {
        self.free_to_change(id)?;
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NotWatched(id.clone()))?;
        let target = group.target.clone();
        let (mut changes, batch) = if has_open(group) {
            let changes = remains_changes(group, Fate::Freed, now);
            (changes, Batch::Leave(target, Fate::Freed))
        } else {
            (forget_changes(group), Batch::Forget(target))
        };
        changes.push(freed_change(group, now));
        changes.extend(self.forget_freed(now));
        Ok(self.write(batch, changes, Durability::Synced))
    }

    pub(in crate::core) fn forget(&mut self, id: &GroupId, now: Timestamp) {
        if let Some(group) = self.remove_group(id) {
            self.leave_homes(&group);
            self.keep_freed(&group, now);
            self.keep_buried(&group, now);
            tracing::info!(group = %id, "no longer managed");
        }
        self.forget_remains(id, now);
    }

    /// Begins to destroy a group with all its members. It stays known until they are gone.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn destroy(&mut self, id: &GroupId) -> Result<u64, Refused> {
        self.free_to_change(id)?;
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NotWatched(id.clone()))?;
        let held = held_members(group, group.memory.held.iter());
        if !held.is_empty() {
            return Err(Refused::Held {
                group: id.clone(),
                instances: held,
            });
        }
        let change = self.change(id, MemoryChange::Destroy);
        change.ok_or_else(|| Refused::NotWatched(id.clone()))
    }

    pub(in crate::core) fn destroying(&mut self, id: &GroupId, now: Timestamp) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        tracing::info!(group = %id, "destroying the group");
        group.destroying_since.get_or_insert(now);
        self.refresh(id, now);
        self.touch(id);
    }

    /// Returns whether a list since the destruction of a group began shows nobody of it any more. Creations
    /// may be under way.
    fn is_emptied(&self, group: &Group) -> bool {
        // The list that the request itself asked for bears the request's own time.
        group.memory.phase == Phase::Destroying
            && group.destroying_since.is_some()
            && group.seen.listed() >= group.destroying_since
            && group.seen.members().all(|member| self.is_dead(member))
            && group.seen.shown_again().next().is_none()
    }

    /// Forgets a group whose members are all gone, once the store has forgotten it: its records must not
    /// be taken for those of the next group of its id. While creations are under way, the dead
    /// are listed, or somebody who was lost lately may be back, it only goes out of sight, so that it can be
    /// committed anew; one that is frozen by name does not.
    pub(in crate::core) fn finish_destroying(&mut self, id: &GroupId, now: Timestamp) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        if !self.is_emptied(group) {
            return;
        }
        let target = group.target.clone();
        let nothing_left = group.seen.is_empty() && !group.seen.may_have_others();
        let (changes, batch) = if group.memory.intents.is_empty() && nothing_left {
            (forget_changes(group), Batch::Forget(target))
        } else if group.memory.frozen.is_some() {
            // What comes late stays as long as that holds, and out of sight nobody could let it go.
            return;
        } else {
            let fate = Fate::Destroyed;
            let changes = remains_changes(group, fate, now);
            (changes, Batch::Leave(target, fate))
        };
        self.write(batch, changes, Durability::Synced);
    }

    /// Destroys members and lowers the size by their number.
    ///
    /// # Errors
    /// Returns why it is refused; nothing is destroyed then.
    pub fn destroy_instances(
        &mut self,
        id: &GroupId,
        instances: &[InstanceId],
        now: Timestamp,
    ) -> Result<Option<u64>, Refused> {
        self.doom(id, instances, BTreeSet::new(), now)
    }

    /// Destroys members at once, whoever else serves, and lowers the size by their number.
    ///
    /// # Errors
    /// Returns why it is refused; nothing is destroyed then.
    pub fn destroy_instances_now(
        &mut self,
        id: &GroupId,
        instances: &[InstanceId],
        now: Timestamp,
    ) -> Result<Option<u64>, Refused> {
        self.doom(id, instances, instances.iter().cloned().collect(), now)
    }

    fn doom(
        &mut self,
        id: &GroupId,
        instances: &[InstanceId],
        urgent: BTreeSet<InstanceId>,
        now: Timestamp,
    ) -> Result<Option<u64>, Refused> {
        self.free_to_change(id)?;
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NotWatched(id.clone()))?;
        let Size::Cattle(size) = group.spec.size else {
            return Err(Refused::PetsHaveNoSize);
        };
        let doomed: BTreeSet<InstanceId> = instances.iter().cloned().collect();
        let strangers: Vec<InstanceId> = doomed
            .iter()
            .filter(|id| group.seen.get(id).is_none())
            .cloned()
            .collect();
        if !strangers.is_empty() {
            return Err(Refused::NotMembers {
                group: id.clone(),
                instances: strangers,
            });
        }
        if doomed.is_empty() {
            return Ok(None);
        }
        let held = held_members(group, doomed.iter());
        if !held.is_empty() {
            return Err(Refused::Held {
                group: id.clone(),
                instances: held,
            });
        }
        // Who is named again, since nobody answered in time, has made the group smaller already.
        let members = doomed.iter().filter_map(|id| group.seen.get(id));
        let news = members.filter(|member| !group.memory.is_doomed(member));
        let news = news.count() as u64;
        if news == 0 && urgent.is_subset(&group.memory.urgent) {
            return Ok(None);
        }
        let spec = group.spec.with_size(size.saturating_sub(news));
        let raw = GroupSpec {
            id: id.clone(),
            properties: Some(spec.canonical()),
        };
        let wanted = Wanted {
            raw,
            spec,
            doomed,
            urgent,
            cause: Cause::Scaled,
        };
        Ok(Some(self.store_commit(wanted, "", now)))
    }

    /// Changes the size of a group.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn set_size(
        &mut self,
        id: &GroupId,
        size: i64,
        now: Timestamp,
    ) -> Result<Accepted, Refused> {
        let size = u64::try_from(size).map_err(|_| Refused::NegativeSize)?;
        self.free_to_change(id)?;
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NoGroupToScale(id.clone()))?;
        if matches!(group.spec.size, Size::Pets(_)) {
            return Err(Refused::PetsHaveNoSize);
        }
        // Decoding it again applies every check that a committed size goes through.
        let properties = group.spec.with_size(size).canonical();
        let spec = Spec::decode(Some(&properties))?;
        let grows = size > group.spec.size.count();
        if let Some(most) = spec.max_instances.filter(|most| grows && size > *most) {
            return Err(Refused::OwnCeiling { size, most });
        }
        if spec == *group.spec {
            let details = self.explain(id, &spec)?;
            let batch = None;
            return Ok(Accepted { details, batch });
        }
        let raw = GroupSpec {
            id: id.clone(),
            properties: Some(properties),
        };
        self.put_in_force(raw, spec, Cause::Scaled, ("", now))
    }
}

/// Returns those of these members that are held, and there as far as anybody knows: before a list has come
/// they may be.
fn held_members<'a>(group: &Group, ids: impl Iterator<Item = &'a InstanceId>) -> Vec<InstanceId> {
    let memory = &group.memory;
    let unlisted = group.seen.listed().is_none();
    let held = |id: &&InstanceId| match memory.meant(id, &group.seen) {
        Some(member) => memory.is_held(member),
        None => unlisted && memory.held.contains(*id),
    };
    ids.filter(held).cloned().collect()
}
