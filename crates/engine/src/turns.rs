//! Changes of one group, one after the other.
//!
//! A change is worked out from the spec in force, and takes effect once the store has it. Of two
//! that overlapped, one would be worked out from a spec that the other is about to replace, and
//! the store could end up with another spec than the one in force.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infrakit_spi::GroupId;

type Lane = Arc<tokio::sync::Mutex<()>>;

/// Who may change which group.
#[derive(Clone, Default)]
pub(crate) struct Turns {
    lanes: Arc<Mutex<BTreeMap<GroupId, Lane>>>,
}

/// The right to change a group, until it is dropped.
pub(crate) struct Turn {
    turns: Turns,
    group: GroupId,
    /// `None` only while the turn ends.
    held: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until nobody else changes the group.
    pub(crate) async fn take(&self, group: &GroupId) -> Turn {
        let lane = Arc::clone(self.lanes().entry(group.clone()).or_default());
        Turn {
            turns: self.clone(),
            group: group.clone(),
            held: Some(lane.lock_owned().await),
        }
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<GroupId, Lane>> {
        // Nothing under the lock can panic half-way; a poisoned table is still a whole one.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lanes = self.turns.lanes();
        drop(self.held.take());
        // Whoever waits has a copy of the lane, and copies are made under this very lock.
        if lanes
            .get(&self.group)
            .is_some_and(|lane| Arc::strong_count(lane) == 1)
        {
            lanes.remove(&self.group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn turns_of_one_group_do_not_overlap_and_leave_nothing_behind() {
        let turns = Turns::default();
        let (group, other) = (GroupId::from("a"), GroupId::from("b"));
        let first = turns.take(&group).await;
        let elsewhere = turns.take(&other).await;
        let soon = Duration::from_secs(1);
        let early = tokio::time::timeout(soon, turns.take(&group)).await;
        assert!(early.is_err());
        let waiting = tokio::spawn({
            let (turns, group) = (turns.clone(), group.clone());
            async move { drop(turns.take(&group).await) }
        });
        tokio::task::yield_now().await;
        drop(first);
        waiting.await.unwrap();
        drop(elsewhere);
        assert!(turns.lanes().is_empty());
    }
}
