//! How quickly a plugin gets calls done, and what may be written down ahead by that.

use std::time::Duration;

use infrakit_plan::Timestamp;

/// What a plugin gets done in this time may be written down ahead. It spans several syncs of a slow
/// disk, and a plan of the largest group with its rest; it is well below the time in which a person
/// notices a mistake and corrects it.
const AHEAD: Duration = Duration::from_millis(250);
/// Calls written down ahead at most: at 20,000 calls a second a quarter of a second's worth, and a few
/// megabytes of memory.
const MOST_AHEAD: usize = 5_000;
/// After this time a call that waits is withdrawn: the plugin has become slow, and what is known by
/// now may speak against it.
pub(in crate::core) const STALE: Duration = Duration::from_secs(1);

/// How quickly a plugin gets calls done: the successes of the present stretch of time, and what the
/// one before says of what may be written down ahead.
#[derive(Debug, Default)]
pub(in crate::core) struct Pace {
    since: Timestamp,
    /// When the last call succeeded.
    last: Timestamp,
    done: usize,
    ahead: usize,
}

impl Pace {
    /// Notes a success.
    pub(in crate::core) fn note(&mut self, now: Timestamp) {
        if now.since(self.since) >= AHEAD {
            self.ahead = self.ahead(now);
            (self.since, self.done) = (now, 0);
        }
        self.done += 1;
        self.last = now;
    }

    /// Returns how many calls may be written down beyond the window.
    pub(in crate::core) fn ahead(&self, now: Timestamp) -> usize {
        if now.since(self.last) >= STALE {
            return 0;
        }
        let passed = now.since(self.since);
        if passed < AHEAD {
            return self.ahead;
        }
        let done = self.done as u128 * AHEAD.as_nanos() / passed.as_nanos();
        usize::try_from(done).map_or(MOST_AHEAD, |done| done.min(MOST_AHEAD))
    }
}
