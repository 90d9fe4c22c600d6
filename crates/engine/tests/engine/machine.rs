//! The clocks of a machine, as the time of a test goes on.

use std::time::Duration;

use infrakit_engine::{Clocks, Uptime};
use infrakit_plan::Timestamp;
use tokio::time::Instant;

/// Clocks that go on with the time of the test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    since: Instant,
    /// Names the boot.
    pub(crate) boot: &'static str,
    /// How far the clock on the wall is ahead.
    pub(crate) ahead: Duration,
}

impl Machine {
    /// Boots it.
    pub(crate) fn booted() -> Self {
        Self {
            since: Instant::now(),
            boot: "first",
            ahead: Duration::ZERO,
        }
    }
}

impl Clocks for Machine {
    fn wall(&self) -> Timestamp {
        Timestamp(1_795_614_260_000_000_000) + self.since.elapsed() + self.ahead
    }

    fn uptime(&self) -> Option<Uptime> {
        Some(Uptime {
            boot: self.boot.to_owned(),
            passed: self.since.elapsed(),
        })
    }
}
