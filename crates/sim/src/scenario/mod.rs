//! What a run is made of: a world to begin with, and what happens in it.

mod befall;
mod deed;
mod draft;
mod draw;
mod edge;
mod real;
mod run;
mod small;

pub use deed::{Deed, Incident, Observer};
pub use draw::Extent;
pub use real::Scale;
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
    /// How it comes to rest.
    pub rest: Rest,
    /// Strikes that are taken out of it.
    pub spared: Vec<Strike>,
    /// Strikes that are put into it, some by a certain amount.
    pub forced: Vec<Forced>,
}

/// How a world comes to rest, and what is asked of it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The longest time until it is as specified.
    pub bound: u64,
    /// Whether it has to arrive without anybody's help first.
    pub alone: bool,
    /// Whether it has to arrive a second time, after some members are lost and a restart, and without
    /// anybody's help.
    pub again: bool,
    /// Whether what a commit was said to do has to be what is done.
    pub foresees: bool,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            bound: 180 * crate::world::MINUTE,
            alone: false,
            again: false,
            foresees: true,
        }
    }
}
