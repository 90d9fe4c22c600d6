//! What a run is made of: a world to begin with, and what happens in it.

mod deed;
mod draw;
mod run;
mod small;

pub use deed::Deed;
pub use draw::Extent;
pub use run::{Outcome, ours};
pub use small::SMALL;

use infrakit_spi::GroupId;

use crate::faults::{Forced, Strike};
use crate::world::{Park, Traits};

/// A run, from its beginning to its end. Everything in it follows from it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Seed of the dice and of all latencies.
    pub seed: u64,
    /// What controllers are told.
    pub traits: Traits,
    /// The plugins.
    pub park: Park,
    /// What happens, and how long after the beginning, in nanoseconds.
    pub deeds: Vec<(u64, Deed)>,
    /// What is asked for once all faults have ended, so that the world can come to rest.
    pub finals: Vec<(GroupId, Deed)>,
    /// How long it lasts, in nanoseconds.
    pub span: u64,
    /// Strikes that are taken out of it.
    pub spared: Vec<Strike>,
    /// Strikes that are put into it, some by a certain amount.
    pub forced: Vec<Forced>,
}
