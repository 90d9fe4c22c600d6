//! How long things take, learned from what was done.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a step took, over all times that it was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// Usual time: an average in which each new time weighs an eighth, as in TCP (RFC 6298).
    pub usual: Duration,
    /// Longest time.
    pub longest: Duration,
    /// How many times it was measured.
    pub count: u64,
}

impl Took {
    /// Takes in one more time.
    pub fn note(&mut self, took: Duration) {
        self.usual = if self.count == 0 {
            took
        } else {
            self.usual.saturating_mul(7).saturating_add(took) / 8
        };
        self.longest = self.longest.max(took);
        self.count = self.count.saturating_add(1);
    }

    /// Returns the usual time; `None` when it was never measured.
    #[must_use]
    pub fn usual(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.usual)
    }
}

/// How long the steps of a replacement take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// From the decision to create a member to the plugin's answer.
    pub provision: Took,
    /// From that answer to the member's first good verdict.
    pub proof: Took,
    /// From the decision to destroy a member until a list no longer shows it.
    pub departure: Took,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_time_follows_slowly_and_the_longest_stays() {
        let mut took = Took::default();
        assert_eq!(took.usual(), None);
        took.note(Duration::from_secs(8));
        took.note(Duration::from_secs(16));
        took.note(Duration::from_secs(8));
        assert_eq!(took.longest, Duration::from_secs(16));
        assert!(took.usual > Duration::from_secs(8) && took.usual < Duration::from_secs(9));
    }
}
