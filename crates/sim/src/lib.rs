//! The engine's real logic in a simulated world.
//!
//! [`world::World`] has a virtual clock, instance plugins, a store and controllers, all of them at
//! the mercy of a catalogue of [`faults`]. The controllers are the engine's own core, driven event
//! by event ([`ours`]). A [`judge`] keeps books of its own and holds every single thing that a
//! controller does against the [`invariants`]. The same seed gives the same course, bit by bit.

pub mod controller;
pub mod exhaustive;
pub mod faults;
#[cfg(debug_assertions)]
pub mod guards;
pub mod invariants;
pub mod judge;
pub mod ours;
pub mod rng;
pub mod scenario;
pub mod shrink;
pub mod trace;
pub mod world;
