//! Decides what a group needs next.
//!
//! Everything here is a pure function over values: no clock, no randomness, no input or output.
//! [`plan()`] looks at a [`Spec`], at what was [`Observed`] and at the controller's [`Memory`], and
//! returns a [`Plan`]: actions that leave no choice to whoever carries them out, the memory to keep,
//! and, where it does nothing, what it waits for. Planning again at any moment is safe.

mod action;
pub mod check;
mod conditions;
mod config;
mod diagnosis;
mod diff;
mod draft;
mod fields;
mod freed;
pub mod guards;
mod ledger;
mod life;
mod lives;
mod measured;
mod memory;
mod memory_change;
mod observation;
mod plan;
mod preview;
mod proof;
mod reason;
mod rollout;
mod sentence;
mod spec;
mod steps;
mod time;
mod token;
mod waiting;
mod waits;

pub use action::{Action, Asked, Drain, Plan, Provision};
pub use conditions::{Condition, ConditionKind, Conditions};
pub use config::Config;
pub use diagnosis::backoff::Backoff;
pub use diagnosis::breaker::Breaker;
pub use diagnosis::crashes::EarlyDeath;
pub use diagnosis::failures::{FailedCreation, Failures, Stopped, Told};
pub use diagnosis::health::HealthRecord;
pub use diagnosis::recollection::Recollection;
pub use diagnosis::repair::{Repair, Repairs};
pub use diff::{FieldChange, spec_diff};
pub use freed::Freed;
pub use ledger::allowance::{Allowance, CallKind, Quota, Room, Scarce};
pub use ledger::bucket::{Bucket, RateLimit};
pub use ledger::right::Right;
pub use life::Life;
pub use measured::{Measured, Took};
pub use memory::{Again, Content, Decided, Doubt, Intent, Memory, Outcome, Phase, RollResult};
pub use memory_change::{CommitChange, MemoryChange};
pub use observation::{
    Birth, Buried, Changing, Departure, Doubted, GivenAway, Labelling, Lag, Listed, Member,
    Missing, Observed, Origin, Seen, Step, Trust,
};
pub use plan::plan;
pub use preview::{Coming, Going, Preview, PreviewInput, Wave, preview};
pub use reason::{Cause, Reason};
pub use rollout::{Direction, Former, Pause, Roll};
pub use sentence::{Change, sentence};
pub use spec::{
    HealthPolicy, InvalidSpec, LossPolicy, MAX_SIZE, OnFailure, Opening, Order, PluginPart, Share,
    Size, Skip, Spec, Stage, Updating, Window,
};
pub use steps::roll::drain;
pub use time::Timestamp;
pub use token::Token;
pub use waiting::{Brake, PausedBy, WaitingOn};
pub use waits::{Wait, Waits};
