//! Simulated instances and load balancers, with delays and failures on demand.
//!
//! A stand-in for a cloud: for tests, for the playground, and for trying a specification before
//! it costs anything. What goes wrong, and how slowly, is switched while it runs, by a test
//! through [`Faults`] or by a person through the metadata object `faults`.

mod balancer;
mod behaviour;
mod fault_tree;
mod faults;
mod instances;
mod options;
mod simulator;
mod store;
mod wishes;

pub use faults::{CallFaults, Failure, Faults, HEALTH_TAG, InvalidFaults, TypeFaults, UNHEALTHY};
pub use options::{SimulatorOptions, Store};
pub use simulator::{OpenError, Simulator};
