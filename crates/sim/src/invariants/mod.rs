//! What must always hold, one file each.

mod budget;
mod ceiling;
mod holds;
mod identities;
mod leaks;
mod matching;
mod observation;
mod strangers;

use crate::judge::Invariant;

/// All invariants.
pub static ALL: [&dyn Invariant; 8] = [
    &budget::Budget,
    &ceiling::Ceiling,
    &matching::Matching,
    &strangers::Strangers,
    &observation::Observation,
    &identities::Identities,
    &leaks::Leaks,
    &holds::Holds,
];
