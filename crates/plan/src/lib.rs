//! Decides what a group needs next.
//!
//! Everything here is a pure function over values: no clock, no randomness, no input or output.
//! [`plan()`] looks at a [`Spec`], at what was [`Observed`] and at the controller's [`Memory`], and
//! returns a [`Plan`]: actions that leave no choice to whoever carries them out, the memory to keep,
//! and, where it does nothing, what it waits for. Planning again at any moment is safe.

mod action;
mod backoff;
mod budget;
pub mod check;
mod config;
mod diff;
mod fields;
mod health;
mod memory;
mod observed;
mod plan;
mod replace;
mod scale;
mod sentence;
mod spec;
mod time;
mod token;

pub use action::{Action, Drain, Plan, Provision, Reason, WaitingOn};
pub use backoff::Backoff;
pub use config::Config;
pub use diff::{FieldChange, spec_diff};
pub use health::HealthRecord;
pub use memory::{Doubt, Intent, Memory, Phase, Roll};
pub use observed::{Departure, Listed, Member, Observed, Origin, Seen, Step};
pub use plan::plan;
pub use sentence::{Change, Unsupported, sentence};
pub use spec::{
    HealthPolicy, InvalidSpec, MAX_SIZE, OnFailure, Opening, Order, PluginPart, Share, Size, Skip,
    Spec, Stage, Updating, Window,
};
pub use time::Timestamp;
pub use token::Token;
