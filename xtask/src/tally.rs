//! Counts of tests, read from the summaries that the test runners print.

use std::fmt;

/// Whose summaries to read. Nextest shows the output of a failed test, the summary of the test
/// program in it included, which must not be counted a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// `cargo nextest run`: one summary for all.
    Nextest,
    /// `cargo test`: one summary for each test program.
    Cargo,
}

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Tally {
    /// Adds what `line` reports, if it is a summary of the runner.
    pub(crate) fn see(&mut self, runner: Runner, line: &str) {
        let counts = match runner {
            // "Summary [ 0.1s] 9 tests run: 7 passed (1 slow, 1 leaky), 1 failed, 1 timed out"
            Runner::Nextest if line.trim_start().starts_with("Summary [") => {
                line.split_once(" run: ").map(|(_, counts)| counts)
            }
            // "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out"
            Runner::Cargo => {
                let result = line.strip_prefix("test result: ");
                result
                    .and_then(|result| result.split_once(". "))
                    .map(|(_, counts)| counts)
            }
            Runner::Nextest => None,
        };
        if let Some(counts) = counts {
            for count in without_parentheses(counts).split([';', ',']) {
                self.add(count.trim());
            }
        }
    }

    /// Whether the runner reported no test at all, which a gate must not take for success.
    pub(crate) fn is_empty(self) -> bool {
        self.passed + self.failed == 0
    }

    fn add(&mut self, count: &str) {
        let Some((number, what)) = count.split_once(' ') else {
            return;
        };
        let Ok(number) = number.parse::<u64>() else {
            return;
        };
        match what {
            "passed" => self.passed += number,
            "skipped" | "ignored" => self.skipped += number,
            "failed" | "timed out" | "exec failed" => self.failed += number,
            // "measured", "filtered out" and the like count no outcome.
            _ => {}
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(out, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept.replace(" ,", ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_both_runners_add_up() {
        let mut tally = Tally::default();
        for (runner, line) in [
            (
                Runner::Nextest,
                "     Summary [   0.1s] 9 tests run: 7 passed (1 slow, 1 leaky), 1 failed, \
                 1 timed out, 4 skipped",
            ),
            (
                Runner::Nextest,
                "    test result: FAILED. 0 passed; 1 failed; 0 ignored",
            ),
            (
                Runner::Nextest,
                "        PASS [   0.003s] xtask tally::tests::one 12 passed",
            ),
            (
                Runner::Cargo,
                "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 5 filtered out; \
                 finished in 0.01s",
            ),
            (
                Runner::Cargo,
                "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured",
            ),
            (Runner::Cargo, "running 3 tests"),
        ] {
            tally.see(runner, line);
        }
        assert_eq!(
            tally,
            Tally {
                passed: 11,
                failed: 4,
                skipped: 5
            }
        );
        assert_eq!(tally.to_string(), "11 passed, 4 failed, 5 skipped");
    }

    #[test]
    fn one_test_is_a_summary_too() {
        let mut tally = Tally::default();
        assert!(tally.is_empty());
        tally.see(
            Runner::Nextest,
            "     Summary [   0.1s] 1 test run: 1 passed, 0 skipped",
        );
        assert_eq!(
            tally,
            Tally {
                passed: 1,
                failed: 0,
                skipped: 0
            }
        );
        assert!(!tally.is_empty());
    }
}
