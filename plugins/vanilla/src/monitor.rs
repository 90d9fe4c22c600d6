//! Checks instances in the background and remembers the verdicts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::{GoDuration, InstanceId};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::check::Checker;
use crate::properties::HealthCheck;
use crate::tally::{Outcome, Tally, Thresholds};

/// Background checks, one task per instance that is asked for. Dropping it ends them all.
pub(crate) struct Monitor {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

/// How much is done at once, and how long unasked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) at_once: usize,
    pub(crate) keep: Duration,
}

struct Shared {
    checker: Box<dyn Checker>,
    watched: Mutex<HashMap<Key, Watched>>,
    slots: Semaphore,
    keep: Duration,
}

/// What is watched: a check of other properties starts from nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    check: Arc<HealthCheck>,
    id: InstanceId,
}

struct Watched {
    /// The instance as it was described last: its tags may change.
    instance: Arc<Description>,
    asked: Instant,
    tally: Tally,
    task: AbortHandle,
}

impl Monitor {
    pub(crate) fn new(checker: Box<dyn Checker>, bounds: Bounds) -> Self {
        Self {
            shared: Arc::new(Shared {
                checker,
                watched: Mutex::default(),
                slots: Semaphore::new(bounds.at_once.clamp(1, Semaphore::MAX_PERMITS)),
                keep: bounds.keep,
            }),
            tasks: Mutex::default(),
        }
    }

    /// Returns the last verdict on `instance`, and starts to check it if nobody does yet.
    /// Must be called within a tokio runtime.
    pub(crate) fn verdict(&self, check: &Arc<HealthCheck>, instance: &Description) -> Health {
        let key = Key {
            check: Arc::clone(check),
            id: instance.id.clone(),
        };
        match lock(&self.shared.watched).entry(key) {
            Entry::Occupied(mut entry) if !entry.get().task.is_finished() => {
                let watched = entry.get_mut();
                watched.asked = Instant::now();
                if *watched.instance != *instance {
                    watched.instance = Arc::new(instance.clone());
                }
                watched.tally.verdict()
            }
            // A task that ended without leaving was stopped by a shutdown of its runtime.
            entry => {
                let key = entry.key().clone();
                entry.insert_entry(Watched {
                    instance: Arc::new(instance.clone()),
                    asked: Instant::now(),
                    tally: Tally::default(),
                    task: self.start(key),
                });
                Health::Unknown
            }
        }
    }

    fn start(&self, key: Key) -> AbortHandle {
        let mut tasks = lock(&self.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(watch(Arc::clone(&self.shared), key))
    }

    #[cfg(test)]
    fn watched(&self) -> usize {
        lock(&self.shared.watched).len()
    }
}

async fn watch(shared: Arc<Shared>, key: Key) {
    let mut ticks = interval(key.check.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // The wait for a slot is no part of the check's time.
        let Ok(slot) = shared.slots.acquire().await else {
            return;
        };
        let Some(instance) = shared.still_wanted(&key) else {
            return;
        };
        let checked = timeout(
            key.check.timeout,
            shared.checker.check(&key.check, &instance),
        )
        .await;
        drop(slot);
        shared.record(&key, checked.unwrap_or_else(|_| Err(too_slow(&key.check))));
    }
}

fn too_slow(check: &HealthCheck) -> String {
    format!("it did not finish within {}", GoDuration(check.timeout))
}

impl Shared {
    /// Returns the instance to check, or forgets it if nobody asked for it for long.
    fn still_wanted(&self, key: &Key) -> Option<Arc<Description>> {
        let mut watched = lock(&self.watched);
        let entry = watched.get(key)?;
        // Slow checks are asked for rarely, too.
        if entry.asked.elapsed() > self.keep.max(key.check.interval * 2) {
            watched.remove(key);
            return None;
        }
        Some(Arc::clone(&entry.instance))
    }

    fn record(&self, key: &Key, checked: Result<(), String>) {
        let thresholds = Thresholds {
            failures: key.check.threshold,
            successes: key.check.success_threshold,
        };
        let outcome = if checked.is_ok() {
            Outcome::Passed
        } else {
            Outcome::Failed
        };
        let (before, after) = {
            let mut watched = lock(&self.watched);
            let Some(entry) = watched.get_mut(key) else {
                return;
            };
            let before = entry.tally.verdict();
            entry.tally = entry.tally.count(outcome, thresholds);
            (before, entry.tally.verdict())
        };
        let reason = checked.err().unwrap_or_default();
        if before == after {
            tracing::debug!(instance = %key.id, ?outcome, reason, "health checked");
        } else {
            tracing::info!(instance = %key.id, health = ?after, reason, "health changed");
        }
    }
}

/// Nothing is left half done when a holder panics: each holder changes one entry at a time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use infrakit_spi::Tags;
    use tokio::time::sleep;

    use super::*;
    use crate::properties::Probe;

    /// Answers by the tag `state`: `up`, `down`, or `slow`, which never ends. Counts.
    #[derive(Default)]
    struct Script {
        running: AtomicUsize,
        most: AtomicUsize,
        checks: AtomicUsize,
    }

    struct Running<'a>(&'a AtomicUsize);

    impl Drop for Running<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[async_trait]
    impl Checker for Arc<Script> {
        async fn check(&self, _: &HealthCheck, instance: &Description) -> Result<(), String> {
            self.checks.fetch_add(1, Ordering::SeqCst);
            let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            let _running = Running(&self.running);
            sleep(Duration::from_millis(10)).await;
            match instance
                .tags
                .as_ref()
                .and_then(|tags| tags.get("state"))
                .map(String::as_str)
            {
                Some("up") => Ok(()),
                Some("slow") => std::future::pending().await,
                _ => Err("down".to_owned()),
            }
        }
    }

    fn instance(id: &str, state: &str) -> Description {
        Description {
            id: id.into(),
            tags: Some(Tags::from([("state".to_owned(), state.to_owned())])),
            ..Description::default()
        }
    }

    fn check() -> Arc<HealthCheck> {
        Arc::new(HealthCheck {
            probe: Probe::Tcp("unused:1".to_owned()),
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            threshold: 3,
            success_threshold: 1,
        })
    }

    fn monitor(at_once: usize) -> (Monitor, Arc<Script>) {
        let script = Arc::new(Script::default());
        let bounds = Bounds {
            at_once,
            keep: Duration::from_secs(300),
        };
        (Monitor::new(Box::new(Arc::clone(&script)), bounds), script)
    }

    #[tokio::test(start_paused = true)]
    async fn verdicts_come_from_the_background() {
        let (monitor, _) = monitor(8);
        let check = check();
        let mut seen = Vec::new();
        for second in 0..60 {
            let state = if (15..45).contains(&second) {
                "down"
            } else {
                "up"
            };
            seen.push(monitor.verdict(&check, &instance("i", state)));
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(seen[0], Health::Unknown);
        assert!(
            seen[1..=40].iter().all(|health| *health == Health::Healthy),
            "{seen:?}"
        );
        // Checks at 20, 30 and 40 s fail.
        assert!(
            seen[41..=50]
                .iter()
                .all(|health| *health == Health::Unhealthy),
            "{seen:?}"
        );
        assert!(
            seen[51..].iter().all(|health| *health == Health::Healthy),
            "{seen:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_never_ends_fails_in_time() {
        let (monitor, script) = monitor(8);
        let check = check();
        for _ in 0..25 {
            assert_eq!(
                monitor.verdict(&check, &instance("i", "slow")),
                Health::Unknown
            );
            sleep(Duration::from_secs(1)).await;
        }
        sleep(Duration::from_secs(1)).await;
        assert_eq!(
            monitor.verdict(&check, &instance("i", "slow")),
            Health::Unhealthy
        );
        assert_eq!(script.running.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn checks_are_bounded_and_all_get_their_turn() {
        let (monitor, script) = monitor(4);
        let check = check();
        let ids: Vec<String> = (0..100).map(|n| format!("i-{n}")).collect();
        for id in &ids {
            assert_eq!(
                monitor.verdict(&check, &instance(id, "up")),
                Health::Unknown
            );
        }
        sleep(Duration::from_secs(5)).await;
        for id in &ids {
            assert_eq!(
                monitor.verdict(&check, &instance(id, "up")),
                Health::Healthy,
                "{id}"
            );
        }
        assert_eq!(script.most.load(Ordering::SeqCst), 4);
        assert_eq!(script.checks.load(Ordering::SeqCst), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_asks_for_is_forgotten() {
        let (monitor, script) = monitor(4);
        monitor.verdict(&check(), &instance("i", "up"));
        sleep(Duration::from_secs(290)).await;
        assert_eq!(
            monitor.verdict(&check(), &instance("i", "up")),
            Health::Healthy
        );
        sleep(Duration::from_secs(320)).await;
        assert_eq!(monitor.watched(), 0);
        let checks = script.checks.load(Ordering::SeqCst);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(script.checks.load(Ordering::SeqCst), checks);
        assert_eq!(
            monitor.verdict(&check(), &instance("i", "up")),
            Health::Unknown
        );
    }

    #[tokio::test(start_paused = true)]
    async fn another_check_starts_from_nothing_and_a_drop_ends_all() {
        let (monitor, script) = monitor(4);
        monitor.verdict(&check(), &instance("i", "up"));
        sleep(Duration::from_secs(1)).await;
        let other = HealthCheck {
            threshold: 1,
            ..(*check()).clone()
        };
        assert_eq!(
            monitor.verdict(&Arc::new(other), &instance("i", "up")),
            Health::Unknown
        );
        assert_eq!(
            monitor.verdict(&check(), &instance("i", "up")),
            Health::Healthy
        );
        assert_eq!(monitor.watched(), 2);
        drop(monitor);
        let checks = script.checks.load(Ordering::SeqCst);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(script.checks.load(Ordering::SeqCst), checks);
        assert_eq!(Arc::strong_count(&script), 1);
    }
}
