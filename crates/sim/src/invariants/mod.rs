//! What must always hold, one file each.

mod budget;
mod ceiling;
mod holds;
mod identities;
mod leaks;
mod matching;
mod observation;
mod own;
mod strangers;
mod terms;
mod witness;

use crate::judge::Invariant;

/// All invariants.
pub static ALL: [&dyn Invariant; 11] = [
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
];

/// Promises that the world itself watches over.
pub const OF_THE_WORLD: [&str; 6] = [
    "takes the lead",
    "no busy loops",
    "takes what is asked",
    "pretend equals done",
    "arrives",
    "stays silent",
];
