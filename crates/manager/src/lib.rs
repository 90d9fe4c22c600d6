//! Leads: serves the groups, controllers and documents of a stack under the original's names.
//!
//! For now there is a single leader, which keeps its documents in the store beside it. The objects
//! are those of the original's manager: `groups` and one per group, as Group and as Controller;
//! `status` and `vars` as Updatable; and the stack itself.

mod controller;
mod groups;
mod plugins;
mod stack;
mod status;
mod vars;

pub use controller::{GroupController, Scope};
pub use groups::{GROUPS, ManagedGroups};
pub use plugins::{Local, LocalFirst};
pub use stack::Manager;
pub use status::Status;
pub use vars::Vars;
