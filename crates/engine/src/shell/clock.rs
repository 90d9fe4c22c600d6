//! The clock of the core: it begins with the one on the wall, goes on by what has passed, and over a restart
//! by what the machine has counted since it was booted.
//!
//! How long a creation is under way must not depend on somebody setting the clock between two lives: one that
//! was begun a second ago would be given up, and made a second time. What a person reads or sets follows the
//! wall all the same; how far that is ahead is told to the core.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::Timestamp;
use infrakit_store::{Change, Key, Store};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::records::{CLOCK, put};

/// The clocks of the machine.
pub trait Clocks: fmt::Debug + Send + Sync {
    /// Returns what the clock on the wall says.
    fn wall(&self) -> Timestamp;

    /// Returns since when the machine is up; `None` where it does not tell.
    fn uptime(&self) -> Option<Uptime>;
}

/// For how long a machine is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uptime {
    /// Names this boot of this machine.
    pub boot: String,
    /// How long ago that was, the time that it slept included.
    pub passed: Duration,
}

/// The clocks of the machine that this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClocks;

impl Clocks for SystemClocks {
    fn wall(&self) -> Timestamp {
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::default() + wall.unwrap_or_default()
    }

    #[cfg(target_os = "linux")]
    fn uptime(&self) -> Option<Uptime> {
        use rustix::time::{ClockId, clock_gettime};

        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let passed = clock_gettime(ClockId::Boottime);
        Some(Uptime {
            boot: boot.trim().to_owned(),
            passed: Duration::try_from(passed).ok()?,
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn uptime(&self) -> Option<Uptime> {
        None
    }
}

/// What time it was to a controller, for the life after this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClockRecord {
    /// The moment, by the clock of the core.
    at: Timestamp,
    /// For how long the machine was up; absent where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uptime: Option<Uptime>,
}

/// Returns at which moment a life begins: on the same boot as many later than what is on record as the machine
/// has counted since. On another one nobody knows how long it was down, and the wall is all there is; but no
/// moment that is on record already lies ahead.
fn begin(record: Option<&ClockRecord>, uptime: Option<&Uptime>, wall: Timestamp) -> Timestamp {
    let Some(ClockRecord { at, uptime: former }) = record else {
        return wall;
    };
    let counted = former.as_ref().zip(uptime).and_then(|(former, now)| {
        // A copy of the machine as it was may count from further back.
        let passed = now.passed.checked_sub(former.passed)?;
        (former.boot == now.boot).then_some(passed)
    });
    match counted {
        Some(passed) => *at + passed,
        None => wall.max(*at),
    }
}

/// The record is as old as this at most when something is written. On another boot, whose wall is behind, no
/// moment on record lies ahead by more; and a write of some hundred bytes that goes with another one every ten
/// minutes costs nothing.
const FRESH: Duration = Duration::from_secs(600);

/// Time that never runs backwards and never stands still: that of its beginning, and what has passed since.
#[derive(Debug)]
pub(crate) struct Clock {
    clocks: Arc<dyn Clocks>,
    origin: (Instant, Timestamp),
    last: Timestamp,
    /// When it was last noted for the life after this one.
    noted: Option<Timestamp>,
}

impl Clock {
    /// Goes on where the record in the store ends.
    pub(crate) fn start(clocks: Arc<dyn Clocks>, store: &dyn Store) -> Self {
        let found = store.get(&Key::from(CLOCK));
        let record = found.and_then(|found| match found.value.decode::<ClockRecord>() {
            Ok(record) => Some(record),
            Err(error) => {
                tracing::warn!(%error, "cannot read what time it was; the clock on the wall counts");
                None
            }
        });
        // Before the moment that it stands for: what is counted later is never less than what has passed.
        let uptime = clocks.uptime();
        let begun = begin(record.as_ref(), uptime.as_ref(), clocks.wall());
        Self {
            clocks,
            origin: (Instant::now(), begun),
            last: begun,
            noted: None,
        }
    }

    pub(crate) fn now(&mut self) -> Timestamp {
        let (instant, begun) = self.origin;
        self.last = (begun + instant.elapsed()).max(Timestamp(self.last.0 + 1));
        self.last
    }

    /// Returns how far the clock on the wall is ahead by now, in nanoseconds: it was set, or the machine
    /// was suspended.
    pub(super) fn wall_ahead(&self) -> i64 {
        let (instant, begun) = self.origin;
        let here = begun + instant.elapsed();
        self.clocks.wall().0.wrapping_sub(here.0).cast_signed()
    }

    pub(super) fn instant(&self, at: Timestamp) -> Instant {
        let (instant, begun) = self.origin;
        instant + at.since(begun)
    }

    /// Returns what to write so that the life after this one can go on, where that is due.
    pub(crate) fn note(&mut self) -> Option<Change> {
        let (instant, begun) = self.origin;
        let due = |noted| begun + instant.elapsed() >= noted + FRESH;
        if !self.noted.is_none_or(due) {
            return None;
        }
        let uptime = self.clocks.uptime();
        let at = self.now();
        self.noted = Some(at);
        Some(put(CLOCK.into(), &ClockRecord { at, uptime }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_000_000_000_000_000_000 + seconds * 1_000_000_000)
    }

    fn up(boot: &str, seconds: u64) -> Uptime {
        Uptime {
            boot: boot.to_owned(),
            passed: Duration::from_secs(seconds),
        }
    }

    fn record(seconds: u64, uptime: Option<Uptime>) -> ClockRecord {
        ClockRecord {
            at: at(seconds),
            uptime,
        }
    }

    #[test]
    fn on_the_same_boot_what_the_machine_has_counted_is_what_has_passed() {
        let noted = record(100, Some(up("a", 50)));
        for wall in [at(0), at(107), at(86_400)] {
            let begun = begin(Some(&noted), Some(&up("a", 57)), wall);
            assert_eq!(begun, at(107), "whatever the wall says");
        }
    }

    #[test]
    fn where_the_boot_is_another_or_unknown_the_wall_is_all_there_is() {
        let cases = [
            (Some(up("a", 50)), Some(up("b", 57))),
            (Some(up("a", 50)), None),
            (None, Some(up("a", 57))),
            (None, None),
            // It counts from further back than before: it is no boot that was seen.
            (Some(up("a", 50)), Some(up("a", 49))),
        ];
        for (former, now) in cases {
            let noted = record(100, former);
            let begun = |wall| begin(Some(&noted), now.as_ref(), wall);
            assert_eq!(begun(at(160)), at(160));
            assert_eq!(begun(at(40)), at(100), "nothing on record lies ahead");
        }
        assert_eq!(begin(None, Some(&up("a", 57)), at(160)), at(160));
    }

    #[test]
    fn the_record_is_renewed_now_and_then() {
        #[derive(Debug)]
        struct Still;
        impl Clocks for Still {
            fn wall(&self) -> Timestamp {
                at(0)
            }
            fn uptime(&self) -> Option<Uptime> {
                None
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut clock = Clock::start(Arc::new(Still), &infrakit_store::MemStore::default());
            assert!(clock.note().is_some());
            tokio::time::advance(FRESH / 2).await;
            assert!(clock.note().is_none());
            tokio::time::advance(FRESH / 2 + Duration::from_secs(1)).await;
            assert!(clock.note().is_some());
        });
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_machine_tells_for_how_long_it_is_up() {
        let first = SystemClocks.uptime().unwrap();
        let then = SystemClocks.uptime().unwrap();
        assert!(!first.boot.is_empty() && first.boot == then.boot);
        assert!(first.passed <= then.passed && !first.passed.is_zero());
    }
}
