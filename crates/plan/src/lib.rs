//! Decides what a group needs next.
//!
//! Everything here is a pure function over values: no clock, no randomness, no input or output.
//! [`plan()`] looks at a [`Spec`], at what was [`Observed`] and at the controller's [`Memory`], and
//! returns a [`Plan`]: actions that leave no choice to whoever carries them out, the memory to keep,
//! and, where it does nothing, what it waits for. Planning again at any moment is safe.

mod action;
mod backoff;
mod breaker;
mod budget;
pub mod check;
mod checks;
mod conditions;
mod config;
mod diff;
mod draft;
mod failures;
mod fields;
mod governor;
mod heal;
mod health;
mod intents;
mod measured;
mod memory;
mod observed;
mod plan;
mod preview;
mod repair;
mod replace;
mod roll;
mod rollout;
mod scale;
mod sentence;
mod spec;
mod time;
mod token;

pub use action::{Action, Cause, Drain, PausedBy, Plan, Provision, Reason, WaitingOn};
pub use backoff::Backoff;
pub use breaker::Breaker;
pub use conditions::{Condition, ConditionKind, Conditions};
pub use config::{Allowance, Config};
pub use diff::{FieldChange, spec_diff};
pub use failures::{Failures, Stopped};
pub use governor::Governor;
pub use health::HealthRecord;
pub use measured::{Measured, Took};
pub use memory::{Decided, Doubt, Intent, Memory, Outcome, Phase, RollResult};
pub use observed::{Changing, Departure, Labelling, Listed, Member, Observed, Origin, Seen, Step};
pub use plan::plan;
pub use preview::{Coming, Going, Preview, PreviewInput, Wave, preview};
pub use repair::{Repair, Repairs};
pub use roll::{Direction, Former, Pause, Roll};
pub use sentence::{Change, sentence};
pub use spec::{
    HealthPolicy, InvalidSpec, MAX_SIZE, OnFailure, Opening, Order, PluginPart, Share, Size, Skip,
    Spec, Stage, Updating, Window,
};
pub use time::Timestamp;
pub use token::Token;
