//! How much may be done: how many members may go or come, and how many calls a plugin gets.

pub(crate) mod allowance;
pub(crate) mod bucket;
pub(crate) mod budget;
pub(crate) mod errand;
pub(crate) mod right;
pub(crate) mod tally;
