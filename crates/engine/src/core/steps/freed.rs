//! What outlives a group that is freed: who frees one to commit it anew still wants to look into the
//! members that are held, has not lost the others, and has not let the brake go.

use infrakit_plan::{Freed, Memory, Timestamp};
use infrakit_spi::GroupId;
use infrakit_store::{Change, Store};

use crate::core::{Core, Group};
use crate::records::{FREED, delete, freed_key, health_key, put};

/// Returns the change by which what is kept of a group outlives it.
pub(in crate::core) fn freed_change(group: &Group, now: Timestamp) -> Change {
    let key = freed_key(group.id());
    match Freed::of(&group.memory, &group.seen, now) {
        Some(freed) => put(key, &freed),
        None => delete(key),
    }
}

impl Core {
    /// Keeps what outlives a group that is let go.
    pub(in crate::core) fn keep_freed(&mut self, group: &Group, now: Timestamp) {
        if let Some(freed) = Freed::of(&group.memory, &group.seen, now) {
            self.freed.insert(group.id().clone(), freed);
        }
    }

    /// Keeps who went lately of a group of which nothing is left.
    pub(in crate::core) fn keep_buried(&mut self, group: &Group, now: Timestamp) {
        self.buried.retain(|_, buried| !buried.is_over(now));
        if let Some(buried) = group.seen.buried().filter(|buried| !buried.is_over(now)) {
            self.buried.insert(group.id().clone(), buried);
        }
    }

    /// Sets the holds, the brake and the homes of a former group in the memory of the one that is committed
    /// anew. Returns the changes by which nothing is kept of it any longer but with that one.
    pub(in crate::core) fn hand_over(
        &self,
        id: &GroupId,
        memory: &mut Memory,
        now: Timestamp,
    ) -> Vec<Change> {
        let Some(freed) = self.freed.get(id) else {
            return Vec::new();
        };
        freed.hand_over(memory, now);
        let mut changes = vec![delete(freed_key(id))];
        // Of what remains of a group its health is on record already.
        if self.groups.remains(id).is_none() {
            let there = freed.recollection(now);
            changes.extend(there.map(|there| put(health_key(id), &there)));
        }
        changes
    }

    /// Forgets what is of no consequence any more, of groups that were not committed anew. Returns the
    /// changes by which it is gone.
    pub(in crate::core) fn forget_freed(&mut self, now: Timestamp) -> Vec<Change> {
        let over = self.freed.iter().filter(|(_, freed)| freed.is_over(now));
        let over: Vec<GroupId> = over.map(|(id, _)| id.clone()).collect();
        for id in &over {
            self.freed.remove(id);
        }
        over.iter().map(|id| delete(freed_key(id))).collect()
    }

    /// Takes up what is kept of groups that were let go. A group that was committed since, by a release
    /// that knows of no such record, has gone on without.
    pub(in crate::core) fn restore_freed(&mut self, store: &dyn Store) {
        for (key, record) in store.scan(FREED) {
            let Some(id) = key.strip_prefix(FREED).map(GroupId::from) else {
                continue;
            };
            if self.groups.contains_key(&id) {
                continue;
            }
            match record.value.decode::<Freed>() {
                Ok(freed) => drop(self.freed.insert(id, freed)),
                Err(error) => tracing::warn!(group = %id, %error, "cannot read what is kept of it"),
            }
        }
    }
}
