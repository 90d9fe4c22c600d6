//! Moments, spans, numbers and verdicts in words.

use std::time::Duration;

use infrakit_plan::{HealthRecord, Timestamp, WaitingOn};
use infrakit_spi::GoDuration;
use infrakit_spi::flavor::Health;

/// The clock on the wall, by which moments are told to people: how far it is ahead of the one that they are
/// counted by, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::core) struct Wall(i64);

impl Wall {
    /// The clock that is ahead by so much.
    pub(in crate::core) fn ahead(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// Returns a moment in RFC 3339, in UTC, to the second.
    pub(in crate::core) fn moment(self, at: Timestamp) -> String {
        let at = Timestamp(at.0.saturating_add_signed(self.0));
        let seconds = i64::try_from(at.0 / 1_000_000_000).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_second(seconds) {
            Ok(moment) => moment.to_string(),
            // Beyond the year 9999, where no clock of a controller is.
            Err(_) => at.to_string(),
        }
    }

    /// Returns a moment and how long ago it was.
    pub(in crate::core) fn since(self, at: Timestamp, now: Timestamp) -> String {
        format!("{} ({} ago)", self.moment(at), span(now.since(at)))
    }

    /// Says what is known of a member's health.
    pub(in crate::core) fn verdict(self, health: &HealthRecord) -> String {
        let (times, since) = (health.streak(), self.moment(health.since()));
        let times = count(times as usize, "time");
        let mut said = match health.last() {
            Health::Unknown if health.checked().is_none() => {
                "never asked for its health".to_owned()
            }
            Health::Unknown => format!("no verdict, asked {times} in a row since {since}"),
            Health::Healthy => format!("healthy {times} in a row since {since}"),
            Health::Unhealthy => {
                let before = if health.ever_healthy() {
                    "last healthy before that"
                } else {
                    "never healthy"
                };
                format!("unhealthy {times} in a row since {since}, {before}")
            }
        };
        if health.flaps() {
            said.push_str("; its verdicts keep changing");
        }
        said
    }

    /// Says what is waited for, and until when where that is known.
    pub(in crate::core) fn said(self, on: &WaitingOn) -> String {
        match on {
            WaitingOn::Backoff { until, .. }
            | WaitingOn::CrashLoop { until, .. }
            | WaitingOn::Governor { until, .. }
            | WaitingOn::Repair { until, .. }
            | WaitingOn::Bake { until, .. } => format!("{on}, until {}", self.moment(*until)),
            WaitingOn::Window { opens: Some(opens) } => {
                // Windows are worked out by the clock on the wall.
                format!("{on}, which opens at {}", Self(0).moment(*opens))
            }
            WaitingOn::Health { id, count: 1 } => {
                format!("waiting for the health of one new member, `{id}`")
            }
            WaitingOn::Creations { count: 1 } => "waiting for 1 creation".to_owned(),
            WaitingOn::Departures { count: 1 } => "waiting for 1 destroyed member to go".to_owned(),
            WaitingOn::Held { id, count: 1, .. } => format!("`{id}` would have to go, and is held"),
            WaitingOn::Observation
            | WaitingOn::Creations { .. }
            | WaitingOn::Departures { .. }
            | WaitingOn::Health { .. }
            | WaitingOn::Budget { .. }
            | WaitingOn::SelfMember { .. }
            | WaitingOn::Configuration
            | WaitingOn::Slots { .. }
            | WaitingOn::Ceiling { .. }
            | WaitingOn::Breaker { .. }
            | WaitingOn::Doubt { .. }
            | WaitingOn::Losses { .. }
            | WaitingOn::Confirmation { .. }
            | WaitingOn::Paused { .. }
            | WaitingOn::Approval { .. }
            | WaitingOn::Window { opens: None }
            | WaitingOn::Aborted { .. }
            | WaitingOn::Frozen { .. }
            | WaitingOn::Held { .. } => on.to_string(),
        }
    }
}

/// Returns a span to the second, as people write it.
pub(in crate::core) fn span(span: Duration) -> GoDuration {
    GoDuration(Duration::from_secs(span.as_secs()))
}

/// Returns a number of things.
pub(in crate::core) fn count(number: usize, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{ending}")
}

/// What `destroy-instance --now` asks for beyond a request that waits for the budget.
pub(in crate::core) const AT_ONCE: &str = "at once, whoever serves";

/// Returns names one after the other, the first few of many.
pub(in crate::core) fn names<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let shown = names.get(..SHOWN).unwrap_or(&names).join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Wall = Wall(0);

    #[test]
    fn moments_are_whole_seconds_in_utc() {
        let at = Timestamp(1_795_614_260_999_000_000);
        assert_eq!(WALL.moment(at), "2026-11-25T13:44:20Z");
        let later = at + Duration::from_millis(192_400);
        assert_eq!(WALL.since(at, later), "2026-11-25T13:44:20Z (3m12s ago)");
        assert_eq!(WALL.moment(Timestamp(u64::MAX)), "2554-07-21T23:34:33Z");
    }

    #[test]
    fn moments_are_told_by_the_clock_on_the_wall() {
        let at = Timestamp(1_795_614_260_999_000_000);
        let later = at + Duration::from_secs(5);
        let hour = 3_600_000_000_000;
        let (ahead, behind) = (Wall(hour), Wall(-hour));
        assert_eq!(ahead.since(at, later), "2026-11-25T14:44:20Z (5s ago)");
        assert_eq!(behind.since(at, later), "2026-11-25T12:44:20Z (5s ago)");
    }

    #[test]
    fn numbers_and_names_read_well() {
        assert_eq!(count(1, "member"), "1 member");
        assert_eq!(count(0, "member"), "0 members");
        assert_eq!(names(["a"]), "`a`");
        assert_eq!(names(["a", "b", "c", "d", "e"]), "`a`, `b`, `c` and 2 more");
    }

    #[test]
    fn a_verdict_says_how_often_since_when_and_what_was_before() {
        let at = |second: u64| Timestamp(1_795_614_260_000_000_000 + second * 1_000_000_000);
        let mut health = HealthRecord::default();
        assert_eq!(WALL.verdict(&health), "never asked for its health");
        health.note(Health::Healthy, at(0));
        assert_eq!(
            WALL.verdict(&health),
            "healthy 1 time in a row since 2026-11-25T13:44:20Z"
        );
        health.note(Health::Unhealthy, at(1));
        health.note(Health::Unhealthy, at(2));
        assert_eq!(
            WALL.verdict(&health),
            "unhealthy 2 times in a row since 2026-11-25T13:44:21Z, last healthy before that"
        );
        health.note(Health::Healthy, at(3));
        health.note(Health::Unhealthy, at(4));
        assert_eq!(
            WALL.verdict(&health),
            "unhealthy 1 time in a row since 2026-11-25T13:44:24Z, last healthy before that; its verdicts keep changing"
        );
    }
}
