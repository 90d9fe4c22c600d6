//! How many calls of one kind a plugin is asked for, and how many of them it refuses.

use infrakit_plan::Timestamp;

/// Fewer calls than this say nothing of what share of them is refused.
const FEW: u32 = 4;

/// Calls a second.
#[derive(Debug, Default)]
pub(in crate::core) struct Meter {
    now: Stretch,
    last: Stretch,
    /// Calls a second in the last stretch.
    per_second: f64,
}

/// A second of calls, or the first one after a rest.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    since: Timestamp,
    calls: u32,
    refused: u32,
}

/// What was asked of a plugin that refuses a call.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Asked {
    /// Calls a second.
    pub(in crate::core) per_second: f64,
    /// Calls a second that got through beside the one that was refused, where most did not.
    pub(in crate::core) through: Option<f64>,
    /// When the call that was refused began.
    pub(in crate::core) begun: Timestamp,
}

impl Meter {
    /// Notes a call.
    pub(in crate::core) fn note(&mut self, now: Timestamp) {
        let passed = now.since(self.now.since).as_secs_f64();
        if passed >= 1.0 {
            self.per_second = f64::from(self.now.calls) / passed;
            self.last = self.now;
            self.now = Stretch {
                since: now,
                ..Stretch::default()
            };
        }
        self.now.calls += 1;
    }

    /// Notes that a call which began at `begun` was refused, and returns what was asked for.
    pub(in crate::core) fn refuse(&mut self, begun: Timestamp, now: Timestamp) -> Asked {
        let passed = now.since(self.now.since).as_secs_f64().max(1.0);
        let per_second = self.per_second.max(f64::from(self.now.calls) / passed);
        let stretch = if begun >= self.now.since {
            &mut self.now
        } else if begun >= self.last.since {
            &mut self.last
        } else {
            // How many were made with it nobody knows any more.
            let through = None;
            return Asked {
                per_second,
                through,
                begun,
            };
        };
        stretch.refused = (stretch.refused + 1).min(stretch.calls);
        // What a second lets through: the first one after a rest has what was saved up, too.
        let most = stretch.calls >= FEW && stretch.refused > stretch.calls / 2;
        let through = most.then(|| f64::from(stretch.calls - stretch.refused));
        Asked {
            per_second,
            through,
            begun,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp(1_000_000_000_000 + millis * 1_000_000)
    }

    #[test]
    fn what_got_through_is_what_was_not_refused_of_the_same_second() {
        let mut meter = Meter::default();
        (0..80).for_each(|_| meter.note(at(0)));
        let refused: Vec<Asked> = (0..75).map(|_| meter.refuse(at(0), at(20))).collect();
        assert!(refused.iter().all(|asked| asked.per_second == 80.0));
        let through = refused.iter().map(|asked| asked.through);
        let through: Vec<f64> = through.flatten().collect();
        assert_eq!((through.len(), through.last()), (35, Some(&5.0)));
        // They are heard of late, when others were made.
        (0..40).for_each(|_| meter.note(at(1_000)));
        let late = meter.refuse(at(0), at(1_500));
        assert_eq!(late.through, Some(4.0));
        let one = meter.refuse(at(1_000), at(1_500));
        assert_eq!(one.through, None, "one of forty");
    }

    /// A provider may take seconds to refuse.
    #[test]
    fn what_was_refused_of_long_ago_is_not_of_the_last_second() {
        let mut meter = Meter::default();
        for second in 0..6 {
            (0..40).for_each(|_| meter.note(at(1_000 * second)));
        }
        let late: Vec<Asked> = (0..40).map(|_| meter.refuse(at(0), at(5_100))).collect();
        assert!(late.iter().all(|asked| asked.through.is_none()), "{late:?}");
        let one = meter.refuse(at(4_000), at(5_100));
        assert_eq!(one.through, None, "one of forty");
    }

    #[test]
    fn few_calls_tell_nothing_of_a_share() {
        let mut meter = Meter::default();
        (0..3).for_each(|_| meter.note(at(0)));
        let all = [at(0); 3].map(|begun| meter.refuse(begun, at(20)).through);
        assert_eq!(all, [None; 3]);
    }
}
