//! Rollouts through the engine: steered, restarted in the middle, rolled back, and explained. Real
//! tasks and timers on a paused clock, with plugins in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod failures;
mod frozen;
#[path = "../machine/mod.rs"]
mod machine;
mod plans;
mod reasons;
mod sizes;
mod world;
