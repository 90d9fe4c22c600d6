//! When memory goes back to the system.

use std::time::Duration;

/// Members with which it begins to matter: a member takes some two kilobytes, so that this many are a
/// fifth of what the process takes that has none.
const WORTH_IT: usize = 1_000;

/// What members used is free a moment after they went: the store and plugins in this process keep
/// records of theirs, which go by and by.
pub(super) const SETTLED: Duration = Duration::from_secs(1);

/// How many members there were since memory was last given back.
#[derive(Debug, Default)]
pub(super) struct Footprint {
    most: usize,
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
}
