//! What a group is degraded by.

use infrakit_plan::Timestamp;

/// What a group is degraded by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core) struct Trouble {
    /// In one word.
    pub(in crate::core) reason: String,
    /// In a sentence.
    pub(in crate::core) message: String,
    /// Since when, as far as it is known.
    pub(in crate::core) since: Option<Timestamp>,
}
