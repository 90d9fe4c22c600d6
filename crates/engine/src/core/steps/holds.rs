//! Holds outlive their group: who frees one to commit it anew still wants to look into a member.

use infrakit_plan::{Holds, Memory};
use infrakit_spi::GroupId;
use infrakit_store::{Change, Store};

use crate::core::{Core, Group};
use crate::records::{HOLDS, delete, holds_key, put};

/// Returns the change by which the holds of a group outlive it.
pub(in crate::core) fn holds_changes(group: &Group) -> Change {
    let key = holds_key(group.id());
    match Holds::of(&group.memory) {
        Some(holds) => put(key, &holds),
        None => delete(key),
    }
}

impl Core {
    /// Keeps the holds of a group that is let go.
    pub(in crate::core) fn keep_holds(&mut self, group: &Group) {
        if let Some(holds) = Holds::of(&group.memory) {
            tracing::info!(group = %group.id(), "its holds are kept until it is committed anew");
            self.holds.insert(group.id().clone(), holds);
        }
    }

    /// Sets the holds of a former group in the memory of the one that is committed anew. Returns the
    /// change by which they are no longer kept apart.
    pub(in crate::core) fn set_holds(&self, id: &GroupId, memory: &mut Memory) -> Option<Change> {
        self.holds.get(id)?.set_in(memory);
        Some(delete(holds_key(id)))
    }

    /// Takes up the holds of groups that were let go. A group that was committed since, by a release
    /// that knows of none, has gone on without.
    pub(in crate::core) fn restore_holds(&mut self, store: &dyn Store) {
        for (key, record) in store.scan(HOLDS) {
            let Some(id) = key.strip_prefix(HOLDS).map(GroupId::from) else {
                continue;
            };
            if self.groups.contains_key(&id) {
                continue;
            }
            match record.value.decode::<Holds>() {
                Ok(holds) => drop(self.holds.insert(id, holds)),
                Err(error) => tracing::warn!(group = %id, %error, "cannot read its holds"),
            }
        }
    }
}
