//! What is wrong: with members, with the observer, with creations.

pub(crate) mod backoff;
pub(crate) mod breaker;
pub(crate) mod crashes;
pub(crate) mod domains;
pub(crate) mod failures;
pub(crate) mod health;
pub(crate) mod lately;
pub(crate) mod recollection;
pub(crate) mod repair;
pub(crate) mod restraint;
pub(crate) mod sickness;
pub(crate) mod verdicts;
