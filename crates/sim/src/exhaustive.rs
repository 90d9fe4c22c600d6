//! Every single fault at every single opportunity, in histories that are small enough for that.
//!
//! A history is first played without faults, to learn which opportunities it has. Then it is played
//! once for each kind of fault and each opportunity: a crash before, after and in the middle of each
//! effect, each list failing, each list as it was before the last one, two, … changes, each answer
//! lost. Then with two crashes, for each pair of moments.

use crate::faults::{Forced, Kind, Strike};
use crate::judge::Breach;
use crate::scenario::{Scenario, ours};
use crate::trace::Tells;

/// What came of all those runs.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    /// How many histories were played.
    pub runs: u64,
    /// Creations and destructions in the history without faults.
    pub effects: u64,
    /// Those that broke a promise: what was done to them, and the promise.
    pub failed: Vec<(Vec<Forced>, Breach)>,
}

/// Changes that a stale list may lack at most.
const STALEST: u64 = 4;

/// Faults that end a life; what matters about them is the moment.
const DEATHS: [Kind; 3] = [Kind::CrashBefore, Kind::CrashAfter, Kind::CrashHearing];

/// Plays a history with each single fault at each opportunity of these kinds.
#[must_use]
pub fn singly(scenario: &Scenario, kinds: &[Kind]) -> Explored {
    let mut explored = Explored::default();
    let met = explored.play(scenario, Vec::new());
    for (kind, count) in met {
        if !kinds.contains(&kind) {
            continue;
        }
        for at in 0..count {
            let strike = Strike { kind, at };
            if kind == Kind::ListStale {
                for changes in 1..=STALEST {
                    explored.play(scenario, vec![(strike, Some(changes))]);
                }
            } else {
                explored.play(scenario, vec![(strike, None)]);
            }
        }
    }
    explored
}

/// Plays a history with a death at each moment, and with it a second fault of `kinds` at each
/// opportunity from there on.
#[must_use]
pub fn after_deaths(scenario: &Scenario, kinds: &[Kind]) -> Explored {
    let mut explored = Explored::default();
    let met = explored.play(scenario, Vec::new());
    let deaths = met.iter().filter(|(kind, _)| DEATHS.contains(kind));
    for (death, count) in deaths {
        for at in 0..*count {
            let first = (Strike { kind: *death, at }, None);
            let before = explored.met_until(scenario, first);
            let after = explored.play(scenario, vec![first]);
            for (kind, until) in after.into_iter().filter(|(kind, _)| kinds.contains(kind)) {
                let from = before.iter().find(|(own, _)| *own == kind);
                let from = from.map_or(0, |(_, met)| *met);
                // What comes long after a death is as it would be without it.
                for at in from..until.min(from + 8) {
                    let amount = (kind == Kind::ListStale).then_some(1);
                    explored.play(scenario, vec![first, (Strike { kind, at }, amount)]);
                }
            }
        }
    }
    explored
}

impl Explored {
    /// Adds what came of other runs.
    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.effects = self.effects.max(other.effects);
        self.failed.extend(other.failed);
    }

    /// Plays a history with these strikes; returns the opportunities that it had.
    fn play(&mut self, scenario: &Scenario, forced: Vec<Forced>) -> Vec<(Kind, u32)> {
        let scenario = Scenario {
            forced,
            ..scenario.clone()
        };
        let outcome = scenario.run(ours(), Tells::Hash);
        self.runs += 1;
        if scenario.forced.is_empty() {
            self.effects = outcome.counts.creates + outcome.counts.destroys;
        }
        if let Some(breach) = outcome.breaches.first() {
            self.failed.push((scenario.forced, breach.clone()));
        }
        outcome.met
    }

    /// Returns the opportunities that a history had when this death came.
    fn met_until(&mut self, scenario: &Scenario, death: (Strike, Option<u64>)) -> Vec<(Kind, u32)> {
        let scenario = Scenario {
            forced: vec![death],
            ..scenario.clone()
        };
        self.runs += 1;
        scenario.run(ours(), Tells::Hash).met_at_death
    }
}
