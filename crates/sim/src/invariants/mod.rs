//! What must always hold, one file each.

mod budget;
mod ceiling;
mod freed;
mod holds;
mod identities;
mod leaks;
mod matching;
mod observation;
mod own;
mod rate;
mod stopped;
mod storms;
mod strangers;
mod surplus;
mod terms;
mod witness;

pub use surplus::{Suspicion, spared_sick};

use crate::judge::Invariant;

/// All invariants.
pub static ALL: [&dyn Invariant; 15] = [
    &budget::Budget,
    &ceiling::Ceiling,
    &matching::Matching,
    &strangers::Strangers,
    &observation::Observation,
    &identities::Identities,
    &leaks::Leaks,
    &holds::Holds,
    &own::Own,
    &terms::Terms,
    &witness::Witness,
    &freed::Freed,
    &stopped::Stopped,
    &rate::Rate,
    &storms::Storms,
];

/// Promises that the world itself watches over.
pub const OF_THE_WORLD: [&str; 10] = [
    "takes the lead",
    "no busy loops",
    "takes what is asked",
    "pretend equals done",
    "arrives",
    "arrives alone",
    "arrives again",
    "acknowledged commits hold",
    "the sick go first",
    "stays silent",
];
