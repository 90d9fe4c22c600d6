//! What operators ask for: commit, free, destroy, scale, describe.
//!
//! A change is checked, then written to the store, and takes effect only when the store has it.
//! Each function returns the journal entry to wait for; a refused change leaves nothing behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use infrakit_plan::{
    Change as SpecChange, InvalidSpec, Memory, Phase, Roll, Size, Spec, Timestamp, Unsupported,
    sentence,
};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{GroupId, InstanceId};
use infrakit_store::{Change, Durability};

use super::acting::{Batch, stored_part};
use super::{Core, Group};
use crate::records::{
    SpecRecord, delete, history_key, intent_key, memory_key, put, put_memory, spec_key,
};

/// Why a request was refused. Texts are the original's where it has one.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such group.
    #[error("Group '{0}' is not being watched")]
    NotWatched(GroupId),
    /// There is no such group to ask the size of.
    #[error("group {0} not found")]
    NoSize(GroupId),
    /// There is no such group to set the size of.
    #[error("group not found {0}")]
    NoGroupToScale(GroupId),
    /// A size below zero.
    #[error("size cannot be negative")]
    NegativeSize,
    /// The group has its size from its list of identities.
    #[error("cannot set size if logic ids are explicitly set")]
    PetsHaveNoSize,
    /// The group is on its way out.
    #[error(
        "Group '{0}' is being destroyed: wait until it is gone, or free it to keep what is left"
    )]
    BeingDestroyed(GroupId),
    /// Instances to destroy that do not belong to the group.
    #[error("{}: not in group '{group}'; nothing was destroyed", list(.instances))]
    NotMembers {
        /// The group.
        group: GroupId,
        /// The strangers.
        instances: Vec<InstanceId>,
    },
    /// The spec is faulty.
    #[error(transparent)]
    Invalid(#[from] InvalidSpec),
    /// The change is not carried out on a live group.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
}

fn list(instances: &[InstanceId]) -> String {
    let names: Vec<String> = instances
        .iter()
        .take(5)
        .map(|id| format!("`{id}`"))
        .collect();
    let more = instances.len().saturating_sub(5);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", names.join(", "))
}

/// A change that was accepted: what it leads to, and the journal entry that makes it so.
#[derive(Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What follows, in a sentence.
    pub details: String,
    /// The entry to wait for; `None` when there is nothing to write.
    pub batch: Option<u64>,
}

/// What a group is to become.
struct Wanted {
    raw: GroupSpec,
    spec: Spec,
    /// Members to destroy by name.
    doomed: BTreeSet<InstanceId>,
}

/// A commit that takes effect once the store has it.
pub(super) struct PendingCommit {
    raw: GroupSpec,
    spec: Arc<Spec>,
    revision: u64,
    memory: Memory,
    doomed: BTreeSet<InstanceId>,
}

impl Core {
    /// Says what a commit would lead to.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn explain(&self, id: &GroupId, spec: &Spec) -> Result<String, Refused> {
        let Some(group) = self.groups.get(id) else {
            let empty = infrakit_plan::Observed::default();
            return Ok(sentence(
                SpecChange {
                    before: None,
                    after: spec,
                },
                &empty,
            )?);
        };
        if group.memory.phase == Phase::Destroying {
            return Err(Refused::BeingDestroyed(id.clone()));
        }
        let change = SpecChange {
            before: Some(&group.spec),
            after: spec,
        };
        Ok(sentence(change, &group.seen)?)
    }

    /// Commits a spec. `nonce` names the record of a group that is new.
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
        let details = self.explain(&raw.id, &spec)?;
        if let Some(group) = self.groups.get(&raw.id)
            && *group.spec == spec
        {
            return Ok(Accepted {
                details,
                batch: None,
            });
        }
        let wanted = Wanted {
            raw,
            spec,
            doomed: BTreeSet::new(),
        };
        let batch = self.store_commit(wanted, nonce, now);
        Ok(Accepted {
            details,
            batch: Some(batch),
        })
    }

    fn store_commit(&mut self, wanted: Wanted, nonce: &str, now: Timestamp) -> u64 {
        let Wanted { raw, spec, doomed } = wanted;
        let id = raw.id.clone();
        let mut changes = Vec::new();
        let (revision, mut memory) = match self.groups.get(&id) {
            Some(group) => {
                let mut memory = stored_part(&group.memory);
                memory.roll = roll_for(group, &spec);
                changes.extend(expired_history(group).map(|old| delete(history_key(&id, old))));
                (group.revision + 1, memory)
            }
            None => {
                let nonce = nonce.to_owned();
                (
                    1,
                    Memory {
                        group: id.clone(),
                        nonce,
                        ..Memory::default()
                    },
                )
            }
        };
        memory.doomed.extend(doomed.iter().cloned());
        let record = SpecRecord {
            revision,
            committed: now,
            spec: raw.clone(),
        };
        changes.push(put(spec_key(&id), &record));
        changes.push(put(history_key(&id, revision), &record));
        changes.push(put_memory(&memory));
        let pending = PendingCommit {
            raw,
            spec: Arc::new(spec),
            revision,
            memory,
            doomed,
        };
        self.write(
            Batch::Commit(Box::new(pending)),
            changes,
            Durability::Synced,
        )
    }

    pub(super) fn committed(&mut self, pending: PendingCommit, now: Timestamp) {
        let PendingCommit {
            raw,
            spec,
            revision,
            memory,
            doomed,
        } = pending;
        let id = raw.id.clone();
        tracing::info!(group = %id, revision, size = spec.size.count(), "committed");
        if let Some(group) = self.groups.get_mut(&id) {
            if revision <= group.revision {
                return;
            }
            group.memory.roll.clone_from(&memory.roll);
            group.memory.doomed.extend(doomed);
            group.memory.creation = infrakit_plan::Backoff::default();
            group.converged = false;
            group.adopt_spec(raw, revision, spec);
        } else {
            let plugin = spec.instance.plugin.clone();
            let mut group = Group::new(raw, revision, spec, memory);
            group.stored = stored_part(&group.memory);
            self.groups.insert(id.clone(), group);
            self.watch(&plugin, &id, now);
        }
        self.touch(&id);
    }

    /// Stops managing a group; its instances stay.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn free(&mut self, id: &GroupId) -> Result<u64, Refused> {
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NotWatched(id.clone()))?;
        let changes = forget_changes(group);
        let batch = Batch::Forget(group.target.clone());
        Ok(self.write(batch, changes, Durability::Synced))
    }

    pub(super) fn forget(&mut self, id: &GroupId) {
        if let Some(group) = self.groups.remove(id) {
            self.unwatch(&group.spec.instance.plugin, id);
            tracing::info!(group = %id, "no longer managed");
        }
    }

    /// Begins to destroy a group with all its members. It stays known until they are gone.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn destroy(&mut self, id: &GroupId) -> Result<u64, Refused> {
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NotWatched(id.clone()))?;
        let mut memory = stored_part(&group.memory);
        memory.phase = Phase::Destroying;
        let changes = vec![put_memory(&memory)];
        let batch = Batch::Destroying(group.target.clone());
        Ok(self.write(batch, changes, Durability::Synced))
    }

    pub(super) fn destroying(&mut self, id: &GroupId, now: Timestamp) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        tracing::info!(group = %id, "destroying the group");
        group.memory.phase = Phase::Destroying;
        group.destroying_since.get_or_insert(now);
        self.refresh(id, now);
        self.touch(id);
    }

    /// Forgets a group whose members are all gone.
    pub(super) fn finish_destroying(&mut self, id: &GroupId) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        // The list that the request itself asked for bears the request's own time.
        let listed_since = group.seen.listed() >= group.destroying_since;
        let gone = group.seen.is_empty() && group.memory.intents.is_empty();
        let done = group.memory.phase == Phase::Destroying
            && group.destroying_since.is_some()
            && listed_since
            && gone;
        if done {
            let changes = forget_changes(group);
            self.write(Batch::Nothing, changes, Durability::Synced);
            self.forget(id);
        }
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
        let spec = group
            .spec
            .with_size(size.saturating_sub(doomed.len() as u64));
        let raw = GroupSpec {
            id: id.clone(),
            properties: Some(spec.canonical()),
        };
        Ok(Some(self.store_commit(
            Wanted { raw, spec, doomed },
            "",
            now,
        )))
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
        self.commit(
            GroupSpec {
                id: id.clone(),
                properties: Some(properties),
            },
            spec,
            "",
            now,
        )
    }
}

/// A group that is to grow while it has outdated members keeps its size until they are replaced.
fn roll_for(group: &Group, spec: &Spec) -> Option<Roll> {
    let outdated = group
        .seen
        .members()
        .any(|member| !member.matches(&spec.hash));
    if !outdated {
        return group.memory.roll.clone();
    }
    let held = group.memory.roll.as_ref().and_then(|roll| roll.hold);
    let former = held.unwrap_or_else(|| group.spec.size.count());
    let hold = (former < spec.size.count()).then_some(former);
    Some(Roll { hold })
}

fn expired_history(group: &Group) -> impl Iterator<Item = u64> + use<> {
    let oldest_kept = (group.revision + 2).saturating_sub(super::group::HISTORY as u64);
    // One commit adds one revision, so at most one falls out at a time.
    oldest_kept
        .checked_sub(1)
        .filter(|revision| *revision > 0)
        .into_iter()
}

fn forget_changes(group: &Group) -> Vec<Change> {
    let id = group.id();
    let mut changes = vec![delete(spec_key(id)), delete(memory_key(id))];
    changes.extend(
        group
            .batches
            .keys()
            .map(|first| delete(intent_key(id, *first))),
    );
    let oldest = (group.revision + 1)
        .saturating_sub(super::group::HISTORY as u64)
        .max(1);
    changes.extend((oldest..=group.revision).map(|revision| delete(history_key(id, revision))));
    changes
}
