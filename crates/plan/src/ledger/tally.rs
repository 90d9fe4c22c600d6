//! Members as the budget counts them.

use super::errand::Stake;

/// Numbers of members, kept up to date while a plan is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Members that the size is about and that are not on their way out.
    pub(crate) working: usize,
    /// Those of them that serve.
    pub(crate) serving: usize,
    /// Those of them that serve and owe no proof: outdated ones, and new ones that proved themselves.
    pub(crate) ready: usize,
    /// Working members of the configuration in force, those being made from it included.
    pub(crate) new: usize,
    /// Working members from elsewhere that a rollout waits for a person to look at. They serve as well as
    /// others, and nobody is too many beside them: should they go, the others are needed.
    pub(crate) strangers: usize,
    /// Members on their way out, and still there.
    pub(crate) leaving: usize,
    /// Creations without an outcome.
    pub(crate) coming: usize,
}

impl Tally {
    /// Returns how many working members there are beside those from elsewhere.
    pub(crate) fn own(&self) -> usize {
        self.working.saturating_sub(self.strangers)
    }

    /// Returns how many there are at most, those on their way out and those that are being made included.
    pub(crate) fn all(&self) -> usize {
        self.working + self.coming + self.leaving
    }

    /// Counts a member as one that goes.
    pub(super) fn let_go(&mut self, stake: Stake) {
        self.leaving += 1;
        for (count, counted) in self.counts(stake) {
            *count -= usize::from(counted);
        }
    }

    /// Counts a member again that was counted as one that goes.
    pub(super) fn take_back(&mut self, stake: Stake) {
        self.leaving -= 1;
        for (count, counted) in self.counts(stake) {
            *count += usize::from(counted);
        }
    }

    /// Returns the numbers that a member which stays is part of, or is not.
    fn counts(&mut self, stake: Stake) -> [(&mut usize, bool); 5] {
        [
            (&mut self.working, stake.working),
            (&mut self.serving, stake.serves),
            (&mut self.ready, stake.ready),
            (&mut self.new, stake.new),
            (&mut self.strangers, stake.stranger),
        ]
    }
}
