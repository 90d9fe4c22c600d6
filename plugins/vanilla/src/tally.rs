//! From the outcomes of checks to a verdict. Pure.

use infrakit_spi::flavor::Health;

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
}

/// Outcomes in a row that change the verdict.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    pub(crate) failures: u64,
    pub(crate) successes: u64,
}

/// The verdict on an instance and the run of outcomes that may change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    verdict: Health,
    failures: u64,
    successes: u64,
}

impl Tally {
    pub(crate) fn verdict(self) -> Health {
        self.verdict
    }

    /// Counts one more outcome.
    pub(crate) fn count(self, outcome: Outcome, thresholds: Thresholds) -> Self {
        let mut next = match outcome {
            Outcome::Passed => Self {
                successes: self.successes.saturating_add(1),
                failures: 0,
                ..self
            },
            Outcome::Failed => Self {
                failures: self.failures.saturating_add(1),
                successes: 0,
                ..self
            },
        };
        if next.failures >= thresholds.failures {
            next.verdict = Health::Unhealthy;
        } else if next.successes >= thresholds.successes {
            next.verdict = Health::Healthy;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdicts(outcomes: &str, failures: u64, successes: u64) -> Vec<Health> {
        let thresholds = Thresholds {
            failures,
            successes,
        };
        let mut tally = Tally::default();
        outcomes
            .chars()
            .map(|c| {
                let outcome = if c == '+' {
                    Outcome::Passed
                } else {
                    Outcome::Failed
                };
                tally = tally.count(outcome, thresholds);
                tally.verdict()
            })
            .collect()
    }

    #[test]
    fn verdicts_follow_runs_of_outcomes() {
        use Health::{Healthy as H, Unhealthy as U, Unknown as N};
        assert_eq!(verdicts("+--+---+", 3, 1), [H, H, H, H, H, H, U, H]);
        assert_eq!(verdicts("---", 3, 1), [N, N, U]);
        assert_eq!(verdicts("-++-+-++", 1, 2), [U, U, H, U, U, U, U, H]);
    }

    proptest! {
        #[test]
        fn a_verdict_needs_its_run(outcomes in "[+-]{1,30}", failures in 1u64..5, successes in 1u64..5) {
            let verdicts = verdicts(&outcomes, failures, successes);
            let mut before = Health::Unknown;
            for (index, verdict) in verdicts.into_iter().enumerate() {
                let run = |sign: char| {
                    outcomes[..=index].chars().rev().take_while(|c| *c == sign).count() as u64
                };
                let want = if run('-') >= failures {
                    Health::Unhealthy
                } else if run('+') >= successes {
                    Health::Healthy
                } else {
                    before
                };
                prop_assert_eq!(verdict, want);
                before = verdict;
            }
        }
    }
}
