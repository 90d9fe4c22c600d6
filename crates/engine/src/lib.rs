//! Observes, plans, journals, acts, and observes again.
//!
//! [`core::Core`] is the whole logic as a state machine without input or output: events go in,
//! effects come out. [`Engine`] is the shell around it: it owns the tasks and timers, carries the
//! effects out through plugins and the store, and feeds back what came of them. The simulator
//! drives the same core under virtual time.

mod api;
pub mod core;
mod metadata;
mod options;
mod records;
mod rollouts;
mod serial_queue;
mod shell;
mod shown;

pub use api::{Engine, StartError, Started, Unreadable};
pub use metadata::GroupMetadata;
pub use options::Options;
pub use shell::{Clocks, SystemClocks, Uptime};
