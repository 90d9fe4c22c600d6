//! A controller that was suspended: its process was stopped, or its machine was. What it knows is as old
//! as that, and it does not notice but by the clock.
//!
//! It goes on as after a restart: nobody is counted on whose verdict is from before, and nothing is done
//! before a list tells who is there. Members die meanwhile, and their ids may be given to others. What has
//! not begun is decided anew, no deadline of a rollout has run, and how long anything took says nothing.

use std::time::Duration;

use infrakit_plan::Timestamp;

use crate::core::{Core, Target};

/// When all is well something is heard every poll interval. So much more than three of them is no busy
/// machine any more: a list may take fifteen seconds, and a disk that has trouble tens of them.
const ASLEEP: Duration = Duration::from_secs(60);

/// So much later than it is due nothing happens on a machine that is merely busy. Deadlines of rollouts are
/// in minutes, so that delays below this are nothing to them; a machine that is held up for several seconds
/// again and again is not to have one run out.
const LATE: Duration = Duration::from_secs(2);

impl Core {
    /// Takes in that time has passed until now in which nothing could happen: a simulation need not live
    /// through it.
    pub fn idle_until(&mut self, now: Timestamp) {
        self.heard = self.heard.max(now);
    }

    /// Takes in that the clock on the wall has come forward by so much beside the one that counts, which
    /// stands still while a machine sleeps. One that was only set right costs a few questions.
    pub(in crate::core) fn note_wall(&mut self, forward: Duration) {
        if forward > self.longest_silence() {
            self.overslept += forward;
        }
    }

    /// Returns for how long nothing may be heard while all is well.
    fn longest_silence(&self) -> Duration {
        self.config.poll_interval.saturating_mul(3) + ASLEEP
    }

    /// Returns when it is to be told what time it is even if nothing happens. A list of a large account may
    /// take minutes in which nothing else is heard, and must not be taken for one from before a sleep: the
    /// next would be, too.
    pub(in crate::core) fn sign_of_life(&self) -> Option<Timestamp> {
        let watches = self.heard != Timestamp::default() && !self.observers.is_empty();
        watches.then(|| self.heard + self.longest_silence() / 2)
    }

    /// Takes in that nothing was heard from `former` until now. Where it should have acted meanwhile, it
    /// could not, and answers may wait that came in time: no deadline of a rollout has run since.
    fn note_delay(&mut self, former: Timestamp, now: Timestamp) {
        let due = self.wake_at().map_or(now, |due| due.max(former));
        let late = now.since(due);
        if late <= LATE {
            return;
        }
        let groups = self.groups.all_with_remains();
        let rolling = groups.filter(|group| group.memory.roll.is_some());
        let rolling: Vec<_> = rolling.map(|group| group.id().clone()).collect();
        for id in rolling {
            if let Some(group) = self.groups.with_remains_mut(&id)
                && let Some(roll) = &mut group.memory.roll
            {
                roll.delay(late, now);
            }
        }
    }

    /// Takes in what time it is. Where that much has passed since it was last told, it was suspended.
    pub(in crate::core) fn note_time(&mut self, now: Timestamp) {
        let former = std::mem::replace(&mut self.heard, now);
        let uncounted = std::mem::take(&mut self.overslept);
        let known = former != Timestamp::default();
        let silent = known && now.since(former) > self.longest_silence();
        if !silent && uncounted.is_zero() {
            if known && now.since(former) > LATE {
                self.note_delay(former, now);
            }
            return;
        }
        let asleep = now.since(former) + uncounted;
        tracing::info!(
            ?asleep,
            "nothing was heard for so long: everything is looked at anew"
        );
        self.woke = now;
        for observer in self.observers.values_mut() {
            observer.remember(None);
        }
        let groups = self.groups.all_with_remains();
        let targets: Vec<Target> = groups.map(|group| group.target.clone()).collect();
        for target in targets {
            self.withdraw(&target);
            if let Some(group) = self.groups.with_remains_mut(&target.group) {
                group.seen.wake(now, uncounted);
                group.memory.held_unseen.clear();
                if let Some(roll) = &mut group.memory.roll {
                    roll.wake(now);
                }
            }
            self.refresh(&target.group, now);
        }
    }
}
