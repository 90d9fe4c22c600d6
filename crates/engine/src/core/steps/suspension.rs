//! A controller that was suspended: its process was stopped, or its machine was. What it knows is as old
//! as that, and it does not notice but by the clock.
//!
//! It goes on as after a restart: nobody is counted on whose verdict is from before, and nothing is done
//! before a list tells who is there. Members die meanwhile, and their ids may be given to others.

use std::time::Duration;

use infrakit_plan::Timestamp;
use infrakit_spi::GroupId;

use crate::core::Core;

/// When all is well something is heard every poll interval. So much more than three of them is no busy
/// machine any more: a list may take fifteen seconds, and a disk that has trouble tens of them.
const ASLEEP: Duration = Duration::from_secs(60);

impl Core {
    /// Takes in that time has passed until now in which nothing could happen: a simulation need not live
    /// through it.
    pub fn idle_until(&mut self, now: Timestamp) {
        self.heard = self.heard.max(now);
    }

    /// Takes in what time it is. Where that much has passed since it was last told, it was suspended.
    pub(in crate::core) fn note_time(&mut self, now: Timestamp) {
        let former = std::mem::replace(&mut self.heard, now);
        let longest = self.config.poll_interval.saturating_mul(3) + ASLEEP;
        if former == Timestamp::default() || now.since(former) <= longest {
            return;
        }
        let asleep = now.since(former);
        tracing::info!(
            ?asleep,
            "nothing was heard for so long: everything is looked at anew"
        );
        self.woke = now;
        for observer in self.observers.values_mut() {
            observer.remember(None);
        }
        let groups: Vec<GroupId> = self
            .groups
            .all_with_remains()
            .map(|group| group.id().clone())
            .collect();
        for id in groups {
            if let Some(group) = self.groups.with_remains_mut(&id) {
                group.seen.wake(now);
            }
            self.refresh(&id, now);
        }
    }
}
