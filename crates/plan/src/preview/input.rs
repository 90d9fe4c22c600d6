//! What a preview is worked out from.

use crate::{Config, Memory, Observed, Spec, Timestamp};

/// What a preview is worked out from.
#[derive(Clone, Copy, Debug)]
pub struct PreviewInput<'a> {
    /// The spec in force; `None` for a group that does not exist yet.
    pub before: Option<&'a Spec>,
    /// The spec that is proposed.
    pub after: &'a Spec,
    /// What is known of the members.
    pub seen: &'a Observed,
    /// The memory as the commit would leave it, with what was measured so far.
    pub memory: &'a Memory,
    /// The moment of the commit.
    pub now: Timestamp,
    /// Settings of the controller.
    pub config: &'a Config,
}
