//! The engine with plugins in memory: groups that are kept, and rollouts that are steered, restarted in
//! the middle, rolled back, and explained. Real tasks and timers on a paused clock.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod failures;
mod frozen;
mod groups;
mod machine;
mod plans;
mod reasons;
mod sizes;
mod world;
