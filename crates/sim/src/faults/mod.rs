//! What can go wrong, and when it does.
//!
//! A fault strikes at an *opportunity*: a call of its kind that is about to be made, for example.
//! Opportunities of each kind are counted, and whether the fault strikes at the n-th depends on
//! the seed, the kind and n alone. So one strike can be taken out of a run, or put into one,
//! without a change of all others, which is what shrinking and the exhaustive runs live on.

mod catalogue;
mod dice;

pub use catalogue::{CATALOGUE, FORMER, Fault, Kind};
pub use dice::{Dice, Forced, Strike};
