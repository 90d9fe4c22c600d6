//! What is under way outlives the record of its group.
//!
//! A creation whose group is freed or destroyed meanwhile comes true all the same. Forgotten, it
//! would be made a second time by the next commit of that group, or stay for ever with nobody who
//! knows of it. So its group goes out of sight, and what remains of it is kept until all is settled.

use infrakit_plan::{Member, Memory, Phase, Timestamp};
use infrakit_spi::GroupId;
use infrakit_store::{Change, Durability};

use crate::core::state::group::Committed;
use crate::core::state::remains::Remains;
use crate::core::state::remembered::stored_part;
use crate::core::state::unwritten::Batch;
use crate::core::{Core, Group};
use crate::records::{
    Fate, delete, health_key, history_key, intent_key, memory_key, put_memory, remains_key,
    spec_key,
};

/// Returns whether something is under way for a group that outlives it.
pub(in crate::core) fn has_open(group: &Group) -> bool {
    let open = !group.memory.intents.is_empty() || !group.young.is_empty();
    open || group.departures.any()
}

/// Returns the changes by which a group goes out of sight.
pub(in crate::core) fn remains_changes(group: &Group, fate: Fate, now: Timestamp) -> Vec<Change> {
    let id = group.id();
    let mut memory = stored_part(&group.memory);
    memory.phase = phase(fate);
    memory.roll = None;
    let mut changes = vec![
        delete(spec_key(id)),
        Remains::record(group, fate, now),
        put_memory(&memory),
    ];
    let revisions = group.revisions.keys();
    changes.extend(revisions.map(|revision| delete(history_key(id, *revision))));
    changes
}

/// Returns the changes by which nothing is left of a group.
pub(in crate::core) fn forget_changes(group: &Group) -> Vec<Change> {
    let id = group.id();
    let mut changes = vec![
        delete(spec_key(id)),
        delete(memory_key(id)),
        delete(health_key(id)),
    ];
    changes.extend(
        group
            .batches
            .keys()
            .map(|first| delete(intent_key(id, *first))),
    );
    changes.extend(group.undeleted.iter().cloned());
    changes.extend(group.departures.forget(id));
    changes.extend(group.young.forget(id));
    let revisions = group.revisions.keys();
    changes.extend(revisions.map(|revision| delete(history_key(id, *revision))));
    changes
}

/// Says what becomes of late arrivals.
fn phase(fate: Fate) -> Phase {
    match fate {
        Fate::Freed => Phase::Freed,
        Fate::Destroyed => Phase::Destroying,
    }
}

impl Core {
    /// Puts a group out of sight.
    pub(in crate::core) fn leave_remains(&mut self, id: &GroupId, fate: Fate, now: Timestamp) {
        let Some(mut group) = self.remove_group(id) else {
            return;
        };
        self.keep_freed(&group, now);
        let open = group.memory.intents.len();
        tracing::info!(group = %id, ?fate, open, "out of sight; what is under way is waited for");
        group.counted = 0;
        group.memory.phase = phase(fate);
        group.memory.roll = None;
        group.stored = stored_part(&group.memory);
        self.groups.leave_remains(Remains::of(group, fate, now));
        self.touch(id);
    }

    /// Returns whether a member is going away by its plugin's word, or gone: its provider goes on
    /// listing the dead.
    pub(in crate::core) fn is_dead(&self, member: &Member) -> bool {
        let behaviour = self.config.behaviour(&member.plugin);
        let dying = member.terminating.is_some() && !behaviour.dead_are_listed().is_zero();
        member.is_gone() || dying
    }

    /// Forgets what remains of a group once nothing can come of it any more, and the store has
    /// forgotten it.
    pub(in crate::core) fn finish_remains(&mut self, id: &GroupId, now: Timestamp) {
        let again = now + self.config.poll_interval;
        let Some(remains) = self.groups.remains_mut(id) else {
            return;
        };
        remains.settle();
        if !remains.is_over(&self.config) {
            return self.wake_by(id, again);
        }
        let mut changes = forget_changes(&remains.group);
        changes.push(delete(remains_key(id)));
        let batch = Batch::Forget(remains.group.target.clone());
        self.write(batch, changes, Durability::Synced);
    }

    pub(in crate::core) fn forget_remains(&mut self, id: &GroupId, now: Timestamp) {
        self.wake(id, None);
        self.dirty.remove(id);
        if let Some(remains) = self.groups.take_remains(id) {
            self.members -= remains.group.counted;
            self.leave_homes(&remains.group);
            self.keep_buried(&remains.group, now);
            tracing::info!(group = %id, "nothing is left of it");
        }
    }

    /// Returns the memory that a group that is new begins with: where something remains of a former
    /// one, its tokens and what is under way go on.
    pub(in crate::core) fn first_memory(&self, id: &GroupId, nonce: &str) -> Memory {
        let fresh = Memory {
            group: id.clone(),
            ..Memory::default()
        };
        match self.groups.remains(id) {
            None => Memory {
                nonce: nonce.to_owned(),
                ..fresh
            },
            Some(Remains { group, .. }) => Memory {
                nonce: group.memory.nonce.clone(),
                next_token: group.memory.next_token,
                measured: group.memory.measured,
                ..fresh
            },
        }
    }

    /// Takes over what remains of a group that is committed anew; `memory` is what the commit says.
    pub(in crate::core) fn take_over(
        &mut self,
        mut remains: Remains,
        (raw, revision): (infrakit_spi::group::GroupSpec, u64),
        (committed, memory): (Committed, Memory),
    ) {
        self.members -= remains.group.counted;
        let group = &mut remains.group;
        group.counted = 0;
        let former = std::mem::replace(&mut group.memory, memory);
        group.stored = stored_part(&group.memory);
        group.memory.next_token = group.memory.next_token.max(former.next_token);
        // What is under way is looked for where it is, be it that it comes or that it goes.
        let coming = former.intents.values().map(|intent| &intent.plugin);
        let decided = former.decided.keys().map(|(plugin, _)| plugin);
        let young = group.young.members().map(|(_, plugin, ..)| plugin);
        let homes = coming.chain(decided).chain(young);
        // Whoever is there moves with it.
        let homes = homes.chain(group.seen.homes());
        let homes = homes.filter(|home| **home != committed.spec.instance.plugin);
        group.memory.homes.extend(homes.cloned());
        group.memory.intents = former.intents;
        group.memory.decided = former.decided;
        group.revisions.clear();
        group.destroying_since = None;
        group.converged = false;
        group.adopt_spec(raw, revision, committed);
        let open = group.memory.intents.len();
        tracing::info!(group = %group.id(), open, "takes over what remained of it");
        self.insert_group(remains.group);
    }
}
