//! Makes a failing scenario small: takes out of it whatever it fails without.

use crate::scenario::{Deed, Outcome, Scenario, ours};
use crate::trace::{DAWN, Tells};

/// A scenario that fails, and how.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The scenario.
    pub scenario: Scenario,
    /// What comes of it.
    pub outcome: Outcome,
    /// How many runs it took to find it.
    pub runs: usize,
}

struct Search {
    best: Scenario,
    outcome: Outcome,
    invariant: &'static str,
    runs: usize,
    limit: usize,
}

/// Takes deeds, faults and strikes out of a failing scenario as long as it breaks the same promise,
/// in at most `limit` runs. Returns `None` for one that does not fail.
#[must_use]
pub fn shrink(scenario: &Scenario, limit: usize) -> Option<Shrunk> {
    let outcome = scenario.run(ours(), Tells::Hash);
    let invariant = outcome.breaches.first()?.invariant;
    let mut search = Search {
        best: scenario.clone(),
        outcome,
        invariant,
        runs: 1,
        limit,
    };
    loop {
        let before = search.weight();
        search.cut_the_end();
        search.take_out_deeds();
        search.take_out_rates();
        search.take_out_strikes();
        if search.weight() == before || search.runs >= limit {
            break;
        }
    }
    let Search {
        best: scenario,
        runs,
        ..
    } = search;
    let outcome = scenario.run(ours(), Tells::Story);
    Some(Shrunk {
        scenario,
        outcome,
        runs,
    })
}

impl Search {
    fn weight(&self) -> (usize, usize) {
        (self.best.deeds.len(), self.outcome.struck.len())
    }

    /// Runs a smaller scenario, and keeps it if it breaks the same promise.
    fn attempt(&mut self, smaller: Scenario) -> bool {
        if self.runs >= self.limit {
            return false;
        }
        self.runs += 1;
        let outcome = smaller.run(ours(), Tells::Hash);
        let same = outcome.breaches.first().map(|breach| breach.invariant);
        if same != Some(self.invariant) {
            return false;
        }
        self.best = smaller;
        self.outcome = outcome;
        true
    }

    /// Leaves out what comes after the promise was broken.
    fn cut_the_end(&mut self) {
        let Some(breach) = self.outcome.breaches.first() else {
            return;
        };
        let end = breach.at.saturating_sub(DAWN);
        let mut smaller = self.best.clone();
        if end < smaller.span {
            smaller.span = end + 1;
        }
        smaller.deeds.retain(|(at, _)| *at <= end);
        if smaller.deeds.len() < self.best.deeds.len() {
            self.attempt(smaller);
        }
    }

    fn take_out_deeds(&mut self) {
        let mut size = self.best.deeds.len();
        while size > 0 {
            let mut from = 0;
            while from < self.best.deeds.len() {
                let to = (from + size).min(self.best.deeds.len());
                let mut smaller = self.best.clone();
                smaller.deeds.drain(from..to);
                if !self.attempt(smaller) {
                    from = to;
                }
            }
            size /= 2;
        }
    }

    fn take_out_rates(&mut self) {
        for index in 0..self.best.deeds.len() {
            let Some((_, Deed::Rates(rates))) = self.best.deeds.get(index) else {
                continue;
            };
            for (kind, _) in rates.clone() {
                let mut smaller = self.best.clone();
                if let Some((_, Deed::Rates(rates))) = smaller.deeds.get_mut(index)
                    && rates.len() > 1
                {
                    rates.retain(|(own, _)| *own != kind);
                    self.attempt(smaller);
                }
            }
        }
    }

    fn take_out_strikes(&mut self) {
        let mut size = self.outcome.struck.len();
        while size > 0 {
            let mut from = 0;
            while from < self.outcome.struck.len() {
                let to = (from + size).min(self.outcome.struck.len());
                let mut smaller = self.best.clone();
                smaller.spared.extend(&self.outcome.struck[from..to]);
                if !self.attempt(smaller) {
                    from = to;
                }
            }
            size /= 2;
        }
    }
}
