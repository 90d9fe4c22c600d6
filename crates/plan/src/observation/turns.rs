//! Whose turn it is to be asked for its health in the routine, which looks at each member once a round.

use std::time::Duration;

use super::Key;
use super::index::Index;
use crate::Timestamp;

impl Index {
    /// Returns the members whose routine check is due, and when the next one after them is, at a
    /// round that takes `routine` and is rounded by `round`.
    pub(crate) fn due(
        &self,
        now: Timestamp,
        routine: Duration,
        round: impl Fn(Timestamp) -> Timestamp,
    ) -> (Vec<&Key>, Option<Timestamp>) {
        let mut due = Vec::new();
        let mut next = None::<Timestamp>;
        for (checked, key) in &self.checked {
            if self.flying.contains(key) {
                continue;
            }
            let at = round(*checked + routine);
            if at > now {
                next = Some(at);
                break;
            }
            due.push(key);
        }
        for (moment, members) in &self.first {
            for (spread, key) in members {
                if self.flying.contains(key) {
                    continue;
                }
                let share = f64::from(*spread) / f64::from(u32::MAX);
                let at = round(*moment + routine.mul_f64(share));
                if at > now {
                    next = Some(next.map_or(at, |next| next.min(at)));
                    break;
                }
                due.push(key);
            }
        }
        (due, next)
    }

    /// Returns the members that are asked before their turn, and when the next one after them is, so that
    /// a round that takes `routine` has one in each part of it.
    ///
    /// Those that proved themselves at one time have their turns at one time ever after: a thousand would
    /// be asked within seconds, and then nobody for a minute and a half. As many go ahead, those that were
    /// asked longest ago first, as a round that is spread evenly would have asked since the last verdict;
    /// after one round their turns are as far apart.
    ///
    /// Time is counted in whole steps: verdicts take a moment, and what is a moment short of the time for
    /// ten would be nine, each time. Who was heard in this step was asked in it.
    pub(crate) fn ahead(
        &self,
        now: Timestamp,
        routine: Duration,
        step: Duration,
    ) -> (Vec<&Key>, Option<Timestamp>) {
        let count = u32::try_from(self.checked.len()).unwrap_or(u32::MAX);
        let Some((last, _)) = self.checked.last() else {
            return (Vec::new(), None);
        };
        // Those that were never asked have turns of their own, which are spread.
        if !self.first.is_empty() {
            return (Vec::new(), None);
        }
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX).max(1);
        let (apart, step) = (nanos(routine / count), nanos(step));
        let (heard, present) = (last.0 / step, now.0 / step);
        let passed = present.saturating_sub(heard).saturating_mul(step);
        let most = usize::try_from(passed / apart).unwrap_or(usize::MAX);
        let room = most.saturating_sub(self.flying.len());
        let waiting = self.checked.iter().map(|(_, key)| key);
        let waiting = waiting.filter(|key| !self.flying.contains(*key));
        let steps = heard.saturating_add(apart.div_ceil(step)).max(present + 1);
        let next = Timestamp(steps.saturating_mul(step));
        (waiting.take(room).collect(), Some(next))
    }
}
