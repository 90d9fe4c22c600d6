//! What is known of a member's health over time.

use infrakit_spi::flavor::Health;

use crate::{HealthPolicy, Timestamp, Updating};

/// Verdicts on one member, condensed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthRecord {
    last: Health,
    /// Equal verdicts in a row, the last one included.
    streak: u32,
    /// When the present row of equal verdicts began.
    since: Timestamp,
    /// When the last verdict came; zero before the first.
    checked: Timestamp,
    ever_healthy: bool,
    in_flight: bool,
}

impl HealthRecord {
    /// Notes that a verdict was asked for.
    pub fn ask(&mut self) {
        self.in_flight = true;
    }

    /// Notes a verdict. Returns whether it differs from the one before.
    pub fn note(&mut self, verdict: Health, now: Timestamp) -> bool {
        let changed = self.last != verdict || self.checked == Timestamp::default();
        if changed {
            self.streak = 0;
            self.since = now;
        }
        self.last = verdict;
        self.streak = self.streak.saturating_add(1);
        self.checked = now;
        self.in_flight = false;
        self.ever_healthy |= verdict == Health::Healthy;
        changed
    }

    /// Returns the last verdict.
    #[must_use]
    pub fn last(&self) -> Health {
        self.last
    }

    /// Returns when the present row of equal verdicts began.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Returns whether a verdict was asked for and has not come.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        self.in_flight
    }

    /// Returns when the last verdict came; `None` before the first.
    #[must_use]
    pub fn checked(&self) -> Option<Timestamp> {
        (self.checked != Timestamp::default()).then_some(self.checked)
    }

    /// Returns whether a new member has proved itself: healthy `Count` times in a row, or for
    /// `Duration`, or once when neither is asked for. Time that merely went by since the last
    /// verdict proves nothing.
    pub(crate) fn proved(&self, updating: &Updating) -> bool {
        self.last == Health::Healthy
            && self.streak >= updating.count.max(1)
            && self.checked.since(self.since) >= updating.duration
    }

    /// Returns whether a member counts as sick: unhealthy `Threshold` times in a row, and past its
    /// grace period unless it was healthy before. Unknown is not sick.
    pub(crate) fn sick(&self, policy: &HealthPolicy, created: Timestamp, now: Timestamp) -> bool {
        self.last == Health::Unhealthy
            && self.streak >= policy.threshold.max(1)
            && (self.ever_healthy || now.since(created) >= policy.grace_period)
    }
}
