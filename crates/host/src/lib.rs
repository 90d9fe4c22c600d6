//! Runs plugins: which way each one starts, and the care for those that are child processes.
//!
//! What a plugin is and how it is spoken to is not known here. [`start_arg`] reads what a user
//! wrote, [`config`] says how a kind is started, and [`Child`] keeps a command running.

mod backoff;
mod child;
pub mod config;
mod output;
pub mod start_arg;

pub use backoff::Backoff;
pub use child::{Child, Command, Ended, Group, Output, State};
