//! How long to wait before a process that ended is started again.

use std::time::Duration;

/// Waits that double from failure to failure, up to a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub least: Duration,
    /// The longest wait.
    pub most: Duration,
    /// How long a process must run to count as healthy, which makes the next wait the first one.
    pub healthy: Duration,
    failures: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60))
    }
}

impl Backoff {
    /// Returns waits from `least` to `most`; a minute makes a process healthy.
    #[must_use]
    pub fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most,
            healthy: Duration::from_secs(60),
            failures: 0,
        }
    }

    /// Returns how long to wait after a process that ran for `ran`.
    pub fn after(&mut self, ran: Duration) -> Duration {
        if ran >= self.healthy {
            self.failures = 0;
        }
        let doubled = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.least.saturating_mul(doubled).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_a_minute_and_starts_over_after_a_healthy_one() {
        let mut backoff = Backoff::default();
        let mut after = |seconds| backoff.after(Duration::from_secs(seconds)).as_secs();
        let waits: Vec<_> = (0..8).map(|_| after(0)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(after(59), 60);
        assert_eq!([after(60), after(1)], [1, 2]);
        for _ in 0..100 {
            assert!(after(0) <= 60);
        }
    }
}
