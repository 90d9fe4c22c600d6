//! The core, event by event, with a world that answers at once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod behaviours;
mod bench;
mod failures;
mod hearing;
mod homes;
mod limits;
mod losses;
mod naming;
mod neighbours;
mod records;
mod repairs;
mod restarts;
mod rolling;
mod slots;
mod terms;
