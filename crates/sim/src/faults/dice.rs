//! Whether a fault strikes, opportunity by opportunity.

use std::collections::{BTreeMap, BTreeSet};

use super::{CATALOGUE, Kind};
use crate::rng::mix;

const KINDS: usize = CATALOGUE.len();

/// One strike: the kind, and at which of its opportunities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strike {
    /// The kind.
    pub kind: Kind,
    /// The opportunity, counted from 0 over the whole run.
    pub at: u32,
}

/// A strike that is put into a run, with its amount where that matters.
pub type Forced = (Strike, Option<u64>);

/// Decides for each opportunity whether the fault strikes.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: u64,
    rates: [u16; KINDS],
    met: [u32; KINDS],
    forced: BTreeMap<Strike, Option<u64>>,
    spared: BTreeSet<Strike>,
    struck: Vec<Strike>,
}

impl Dice {
    /// Creates dice of a seed; until rates are set nothing strikes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            rates: [0; KINDS],
            met: [0; KINDS],
            forced: BTreeMap::new(),
            spared: BTreeSet::new(),
            struck: Vec::new(),
        }
    }

    /// Lets a kind strike so many times in 1000 opportunities from now on.
    pub fn set(&mut self, kind: Kind, of_thousand: u16) {
        self.rates[kind as usize] = of_thousand;
    }

    /// Lets nothing strike any more.
    pub fn calm(&mut self) {
        self.rates = [0; KINDS];
        self.forced.clear();
    }

    /// Returns whether anything may strike.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        let past = |strike: &Strike| strike.at < self.met[strike.kind as usize];
        self.rates.iter().all(|rate| *rate == 0) && self.forced.keys().all(past)
    }

    /// Makes a fault strike at its opportunity of this number.
    pub fn force(&mut self, strike: Strike) {
        self.forced.insert(strike, None);
    }

    /// Makes a fault strike at its opportunity of this number, by this amount.
    pub fn force_by(&mut self, strike: Strike, amount: u64) {
        self.forced.insert(strike, Some(amount));
    }

    /// Returns the amount that the last strike of a kind was forced to have.
    #[must_use]
    pub fn forced_amount(&self, kind: Kind) -> Option<u64> {
        let at = self.met[kind as usize].saturating_sub(1);
        self.forced.get(&Strike { kind, at }).copied().flatten()
    }

    /// Makes a fault strike at its next opportunity.
    pub fn force_next(&mut self, kind: Kind) {
        let at = self.met[kind as usize];
        self.force(Strike { kind, at });
    }

    /// Takes strikes out of the run.
    pub fn spare(&mut self, strikes: impl IntoIterator<Item = Strike>) {
        self.spared.extend(strikes);
    }

    /// Returns whether the fault strikes at this opportunity, which it counts.
    pub fn strikes(&mut self, kind: Kind) -> bool {
        let at = self.met[kind as usize];
        self.met[kind as usize] += 1;
        let strike = Strike { kind, at };
        let rate = u64::from(self.rates[kind as usize]);
        if rate == 0 && self.forced.is_empty() {
            return false;
        }
        let strikes = (self.hash(strike, 0) % 1000 < rate && !self.spared.contains(&strike))
            || self.forced.contains_key(&strike);
        if strikes {
            self.struck.push(strike);
        }
        strikes
    }

    /// Returns a number from `first` to `last` that belongs to the last strike of a kind.
    #[must_use]
    pub fn amount(&self, kind: Kind, first: u64, last: u64) -> u64 {
        if let Some(amount) = self.forced_amount(kind) {
            return amount.clamp(first, last);
        }
        let at = self.met[kind as usize].saturating_sub(1);
        first + self.hash(Strike { kind, at }, 1) % (last - first + 1)
    }

    /// Returns how many opportunities of a kind there were.
    #[must_use]
    pub fn met(&self, kind: Kind) -> u32 {
        self.met[kind as usize]
    }

    /// Returns how many opportunities there were of each kind.
    #[must_use]
    pub fn all_met(&self) -> Vec<(Kind, u32)> {
        let kinds = CATALOGUE.iter().map(|fault| fault.kind);
        kinds.map(|kind| (kind, self.met(kind))).collect()
    }

    /// Returns the strikes so far.
    #[must_use]
    pub fn struck(&self) -> &[Strike] {
        &self.struck
    }

    fn hash(&self, strike: Strike, salt: u64) -> u64 {
        let place = (strike.kind as u64) << 40 | u64::from(strike.at) << 2 | salt;
        mix(self.seed ^ mix(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(dice: &mut Dice, kind: Kind) -> Vec<u32> {
        let strikes = (0..200).map(|at| (at, dice.strikes(kind)));
        strikes.filter(|(_, yes)| *yes).map(|(at, _)| at).collect()
    }

    #[test]
    fn a_strike_depends_on_its_own_kind_and_number_alone() {
        let mut dice = Dice::new(5);
        dice.set(Kind::ListFails, 100);
        let alone = strikes(&mut dice, Kind::ListFails);
        let mut dice = Dice::new(5);
        dice.set(Kind::ListFails, 100);
        dice.set(Kind::CheckLost, 300);
        strikes(&mut dice, Kind::CheckLost);
        assert_eq!(strikes(&mut dice, Kind::ListFails), alone);
        assert!((5..40).contains(&alone.len()), "{alone:?}");
    }

    #[test]
    fn strikes_can_be_taken_out_and_put_in() {
        let mut dice = Dice::new(5);
        dice.set(Kind::ListFails, 100);
        let before = strikes(&mut dice, Kind::ListFails);
        let mut dice = Dice::new(5);
        dice.set(Kind::ListFails, 100);
        let kind = Kind::ListFails;
        dice.spare([Strike {
            kind,
            at: before[0],
        }]);
        assert_eq!(strikes(&mut dice, kind), before[1..]);
        let mut dice = Dice::new(5);
        dice.force(Strike { kind, at: 3 });
        assert_eq!(strikes(&mut dice, kind), [3]);
    }
}
