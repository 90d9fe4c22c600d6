//! The judge: keeps a ledger of its own and holds what is done against what was promised.
//!
//! Nothing here looks into a controller. What counts is the truth of the world, of an age that
//! whoever acts could know, and what people were told; promises are read from the specs by the judge
//! itself.

mod ledger;
mod pace;
mod promise;
mod sight;
mod told;
mod truth;
mod victim;

pub use ledger::Ledger;
pub use pace::Pace;
pub use promise::Promise;
pub use sight::{Cause, Seen, Sight};
pub use told::Told;
pub use victim::Victim;

use std::collections::BTreeMap;
use std::fmt;

use infrakit_spi::{GroupId, LogicalId};

use crate::controller::Ask;
use crate::trace::Clock;
use crate::world::Park;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The invariant.
    pub invariant: &'static str,
    /// When.
    pub at: u64,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            invariant,
            at,
            what,
        } = self;
        write!(f, "{}: {invariant}: {what}", Clock(*at))
    }
}

/// Creations under way that will come true, by group: the identity of each.
pub type Coming = BTreeMap<GroupId, Vec<Option<LogicalId>>>;

/// What an invariant may look at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Now.
    pub now: u64,
    /// The life of the controller that it is about.
    pub life: u32,
    /// What that life was told.
    pub sight: &'a Sight,
    /// The judge's books.
    pub ledger: &'a Ledger,
    /// The truth.
    pub park: &'a Park,
    /// What is about to be true.
    pub coming: &'a Coming,
    /// What is younger than that nobody need know.
    pub age: u64,
    /// Since when health is told wrongly of everybody, where it is.
    pub dark: Option<u64>,
}

/// Something that must always hold. Each returns what is wrong, if something is.
pub trait Invariant: Sync {
    /// Its name in reports.
    fn name(&self) -> &'static str;

    /// Judges something that is about to be done.
    fn ask(&self, _scene: &Scene<'_>, _ask: &Ask) -> Option<String> {
        None
    }

    /// Judges the world after a step.
    fn step(&self, _scene: &Scene<'_>) -> Option<String> {
        None
    }

    /// Judges a world that has come to rest.
    fn rest(&self, _scene: &Scene<'_>, _group: &GroupId) -> Option<String> {
        None
    }
}
