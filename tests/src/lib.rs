//! What the end-to-end tests stand on: a home, daemons, the command line and a small RPC client.
//!
//! It knows the program from outside only: files, sockets, arguments, output. It panics where a
//! library would return an error, since a test has nothing better to do with one.

pub mod capture;
pub mod census;
pub mod cloud;
mod compare;
pub mod daemon;
pub mod deviation;
pub mod document;
pub mod fleet;
pub mod home;
pub mod hostile;
pub mod output;
pub mod peer;
pub mod playbook;
mod process;
pub mod program;
pub mod provider;
pub mod random;
pub mod refusal;
pub mod rollout;
pub mod rpc;
pub mod site;
pub mod wait;
pub mod web;

pub use daemon::Daemon;
pub use home::Home;
pub use output::Output;
pub use wait::{eventually, until};
