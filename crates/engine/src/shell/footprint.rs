//! When memory goes back to the system.

use std::time::Duration;

use tokio::time::Instant;

/// Members with which it begins to matter: a member takes some two kilobytes, so that this many are a
/// fifth of what the process takes that has none.
const WORTH_IT: usize = 1_000;

/// What members used is free a moment after they went: the store and plugins in this process keep
/// records of theirs, which go by and by.
pub(super) const SETTLED: Duration = Duration::from_secs(1);

/// Entries of a list with which it begins to matter what reading it took: some seven hundred bytes each,
/// which the allocator keeps where what the members take lies above them. So long a list is 7 MB.
const LONG: usize = 10_000;

/// How long after a long list memory is given back, and so how often at most: to walk a heap of 300 MiB
/// takes tens of milliseconds, and a fleet that changes all the time is listed every ten seconds.
pub(super) const READ: Duration = Duration::from_secs(60);

/// How many members there were since memory was last given back, and when it will be for a list.
#[derive(Debug, Default)]
pub(super) struct Footprint {
    most: usize,
    due: Option<Instant>,
}

impl Footprint {
    /// Takes in how many members there are. Returns whether half of them or more went since memory
    /// was last given back: what it costs follows what went, however many are left.
    pub(super) fn shrank(&mut self, members: usize) -> bool {
        self.most = self.most.max(members);
        if self.most < WORTH_IT || members > self.most / 2 {
            return false;
        }
        self.most = members;
        true
    }

    /// Takes in that a list of so many entries was read. Returns whether memory is to be given back for
    /// that: for lists that come before then it is as well.
    pub(super) fn read(&mut self, entries: usize, now: Instant) -> bool {
        if entries < LONG || self.due.is_some_and(|due| now < due) {
            return false;
        }
        self.due = Some(now + READ);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_each_time_half_of_the_members_went() {
        let mut footprint = Footprint::default();
        let told = [
            0, 500, 100, 4_000, 2_001, 2_000, 1_999, 1_001, 1_000, 400, 0,
        ];
        let given: Vec<usize> = told
            .into_iter()
            .filter(|members| footprint.shrank(*members))
            .collect();
        assert_eq!(given, [2_000, 1_000, 400]);
    }

    #[test]
    fn for_long_lists_memory_is_given_back_once_a_minute() {
        let mut footprint = Footprint::default();
        let begin = Instant::now();
        let told = [
            (0, 9_999),
            (1, 10_000),
            (11, 90_000),
            (60, 90_000),
            (61, 90_000),
        ];
        let given: Vec<u64> = told
            .into_iter()
            .filter(|(second, entries)| {
                footprint.read(*entries, begin + Duration::from_secs(*second))
            })
            .map(|(second, _)| second)
            .collect();
        assert_eq!(given, [1, 61]);
    }
}
