//! A lane: the calls of one plugin that wait, and how many may run at once.
//!
//! The window grows while answers stay as quick as the quickest were, which shows that the plugin
//! has room, and shrinks when calls are given up. It is slow start and multiplicative decrease, as
//! in TCP (RFC 5681), with latency as the sign of congestion, as in TCP Vegas (1994).

use std::collections::VecDeque;
use std::time::Duration;

use infrakit_spi::{Delivery, Error, PluginName};

use crate::core::{Call, Event};

/// Calls at once to begin with.
const FIRST: usize = 128;
/// Calls at once at most. Each is a connection of about 16 KiB on either side.
const MOST: usize = 2048;
const LEAST: usize = 8;
/// A plugin that answers within this time is busy enough with the first window: 128 calls of 10 ms
/// are 12,800 a second, and more connections would only cost memory.
const QUICK: Duration = Duration::from_millis(10);

/// What shares a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LaneKey {
    /// Creations, destructions, repairs and labels of an instance plugin.
    Instances(PluginName),
    /// Health checks of a flavor plugin.
    Health(PluginName),
}

impl LaneKey {
    pub(crate) fn of(call: &Call) -> Self {
        match call {
            Call::Provision { spec, .. } => Self::Instances(spec.instance.plugin.clone()),
            Call::Destroy { subject, .. }
            | Call::Drain { subject, .. }
            | Call::Repair { subject, .. }
            | Call::Label { subject, .. } => Self::Instances(subject.plugin.clone()),
            Call::Check { spec, .. } => Self::Health(spec.flavor.plugin.clone()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Lane {
    waiting: VecDeque<Call>,
    running: usize,
    window: usize,
    most: usize,
    quickest: Option<Duration>,
}

impl Lane {
    /// Creates a lane of at most `most` calls at once; 0 leaves it to the lane.
    pub(crate) fn new(most: usize) -> Self {
        let most = if most == 0 { MOST } else { most };
        Self {
            waiting: VecDeque::new(),
            running: 0,
            window: FIRST.min(most),
            most,
            quickest: None,
        }
    }

    pub(crate) fn push(&mut self, call: Call) {
        self.waiting.push_back(call);
    }

    /// Returns the next call to start, if one may be started now.
    pub(crate) fn next(&mut self) -> Option<Call> {
        if self.running >= self.window {
            return None;
        }
        let call = self.waiting.pop_front()?;
        self.running += 1;
        Some(call)
    }

    /// Notes that a call has ended.
    pub(crate) fn finished(&mut self, took: Duration, event: &Event) {
        let full = self.running >= self.window;
        self.running = self.running.saturating_sub(1);
        if error_of(event).is_some_and(|error| error.delivery() != Delivery::Refused) {
            self.window = (self.window / 2).max(LEAST.min(self.most));
            return;
        }
        let quickest = self.quickest.map_or(took, |quickest| quickest.min(took));
        self.quickest = Some(quickest);
        if full && quickest > QUICK && took <= quickest + quickest / 2 + Duration::from_millis(1) {
            self.window = (self.window + 1).min(self.most);
        }
    }
}

fn error_of(event: &Event) -> Option<&Error> {
    match event {
        Event::Provisioned(answer) => answer.outcome.as_ref().err(),
        Event::Destroyed { outcome, .. }
        | Event::Drained { outcome, .. }
        | Event::Labelled { outcome, .. } => outcome.as_ref().err(),
        Event::Repaired { outcome, .. } => outcome.as_ref().err(),
        Event::Checked { outcome, .. } => outcome.as_ref().err(),
        Event::Changed { .. }
        | Event::Watched { .. }
        | Event::Behaves { .. }
        | Event::Listed(_)
        | Event::Journaled { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use infrakit_spi::flavor::Health;

    use super::*;
    use crate::core::{Subject, Target};

    fn checked(outcome: Result<Health, Error>) -> Event {
        let target = Target {
            group: "g".into(),
            nonce: "n".into(),
        };
        let subject = Subject {
            target,
            plugin: "p".into(),
            id: "i".into(),
        };
        Event::Checked { subject, outcome }
    }

    #[test]
    fn the_window_grows_while_answers_stay_quick() {
        let mut lane = Lane::new(0);
        let quick = Duration::from_millis(500);
        for _ in 0..FIRST {
            lane.running = lane.window;
            lane.finished(quick, &checked(Ok(Health::Healthy)));
        }
        assert_eq!(lane.window, 2 * FIRST);
        lane.running = lane.window;
        lane.finished(quick * 2, &checked(Ok(Health::Healthy)));
        assert_eq!(lane.window, 2 * FIRST);
    }

    #[test]
    fn the_window_shrinks_when_calls_are_given_up_and_not_when_they_are_refused() {
        let mut lane = Lane::new(0);
        lane.finished(Duration::ZERO, &checked(Err(Error::refused("no"))));
        assert_eq!(lane.window, FIRST);
        lane.finished(Duration::ZERO, &checked(Err(Error::unknown("late"))));
        assert_eq!(lane.window, FIRST / 2);
        for _ in 0..20 {
            lane.finished(Duration::ZERO, &checked(Err(Error::unknown("late"))));
        }
        assert_eq!(lane.window, LEAST);
    }

    #[test]
    fn an_operators_limit_holds() {
        assert_eq!(Lane::new(3).window, 3);
    }
}
