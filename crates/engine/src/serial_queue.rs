//! A queue for each group, in which changes that people ask for are made one after the other.
//!
//! A change is worked out from the spec in force, and takes effect once the store has it. Of two
//! that overlapped, one would be worked out from a spec that the other is about to replace, and
//! the store could end up with another spec than the one in force. What the core changes by itself
//! is waited for in the loop, see `Shell::when_free`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infrakit_spi::GroupId;

/// Its waiters are served in the order in which they came.
type Queue = Arc<tokio::sync::Mutex<()>>;

/// The queues of all groups of which something is being changed.
#[derive(Clone, Default)]
pub(crate) struct SerialQueues {
    queues: Arc<Mutex<BTreeMap<GroupId, Queue>>>,
}

/// The first place in a group's queue, until it is dropped.
pub(crate) struct Place {
    queues: SerialQueues,
    group: GroupId,
    /// `None` only while the place is given up.
    held: Option<tokio::sync::OwnedMutexGuard<()>>,
}

impl SerialQueues {
    /// Enters the queue of a group, and waits until everybody before is done.
    pub(crate) async fn enter(&self, group: &GroupId) -> Place {
        let queue = Arc::clone(self.queues().entry(group.clone()).or_default());
        Place {
            queues: self.clone(),
            group: group.clone(),
            held: Some(queue.lock_owned().await),
        }
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<GroupId, Queue>> {
        // Nothing under the lock can panic half-way; a poisoned table is still a whole one.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut queues = self.queues.queues();
        drop(self.held.take());
        // Whoever waits has a copy of the queue, and copies are made under this very lock.
        if queues
            .get(&self.group)
            .is_some_and(|queue| Arc::strong_count(queue) == 1)
        {
            queues.remove(&self.group);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn changes_of_one_group_do_not_overlap_and_leave_nothing_behind() {
        let queues = SerialQueues::default();
        let (group, other) = (GroupId::from("a"), GroupId::from("b"));
        let first = queues.enter(&group).await;
        let elsewhere = queues.enter(&other).await;
        let soon = Duration::from_secs(1);
        let early = tokio::time::timeout(soon, queues.enter(&group)).await;
        assert!(early.is_err());
        let waiting = tokio::spawn({
            let (queues, group) = (queues.clone(), group.clone());
            async move { drop(queues.enter(&group).await) }
        });
        tokio::task::yield_now().await;
        drop(first);
        waiting.await.unwrap();
        drop(elsewhere);
        assert!(queues.queues().is_empty());
    }
}
