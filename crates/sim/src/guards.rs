//! What goes wrong once a guard of the core is taken out.

use infrakit_plan::guards::{Guard, take_out};

use crate::scenario::{Extent, Scale, Scenario, ours};
use crate::trace::Tells;

/// Random histories within which it has to show that a guard is missing.
pub const MOST: u64 = 2_000;

/// The worlds that are played, by name.
pub const WORLDS: [&str; 4] = ["small", "real", "days", "edge"];

/// A history that goes wrong without a guard, and only without it.
#[derive(Debug)]
pub struct Missed {
    /// The guard.
    pub guard: Guard,
    /// The world that the history is of.
    pub world: &'static str,
    /// Its seed.
    pub seed: u64,
    /// The promise that is broken.
    pub promise: &'static str,
}

/// Returns the promise that the history of `seed` breaks without a guard, if it keeps all with it.
#[must_use]
pub fn breaks(guard: Guard, world: &str, seed: u64) -> Option<&'static str> {
    let broken = |out| {
        take_out(out);
        let outcome = draw(world, seed).run(ours(), Tells::Hash);
        take_out(None);
        outcome.breaches.first().map(|breach| breach.invariant)
    };
    let promise = broken(Some(guard))?;
    broken(None).is_none().then_some(promise)
}

/// Looks for a history that goes wrong without a guard, world by world in turn.
#[must_use]
pub fn first(guard: Guard) -> Option<Missed> {
    let histories = (0..MOST).flat_map(|seed| WORLDS.map(|world| (world, seed)));
    let mut histories = histories.take(usize::try_from(MOST).unwrap_or(usize::MAX));
    histories.find_map(|(world, seed)| {
        let promise = breaks(guard, world, seed)?;
        Some(Missed {
            guard,
            world,
            seed,
            promise,
        })
    })
}

fn draw(world: &str, seed: u64) -> Scenario {
    match world {
        "small" => Scenario::draw(seed, Extent::Small),
        "days" => Scenario::draw(seed, Extent::Days),
        "edge" => Scenario::draw_real(seed, Scale::Edge),
        _ => Scenario::draw_real(seed, Scale::Usual),
    }
}
