//! What is said of it: computed from the state, never fed back into a decision.

pub(in crate::core) mod deeds;
pub(in crate::core) mod describe;
pub(in crate::core) mod evidence;
pub(in crate::core) mod leaving;
pub(in crate::core) mod limits;
pub(in crate::core) mod preview;
pub(in crate::core) mod remains;
pub(in crate::core) mod settings;
pub(in crate::core) mod status;
pub(in crate::core) mod why;
