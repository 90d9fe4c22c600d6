//! A limit on how often a plugin is called, and by whose word there is one.

use infrakit_plan::{RateLimit, Timestamp};

/// A limit, and the name of its bucket.
pub(in crate::core) struct Limit {
    pub(in crate::core) name: String,
    pub(in crate::core) source: Source,
    pub(in crate::core) rate: RateLimit,
    pub(in crate::core) closed_until: Option<Timestamp>,
}

/// By whose word there is a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Source {
    /// The operator's.
    Set,
    /// The plugin's.
    Declared,
    /// Nobody's: calls were refused.
    Learned,
}

impl Limit {
    /// Returns the account that has the bucket, which is the plugin itself where it names none.
    pub(in crate::core) fn account(&self) -> &str {
        // What follows is the kind of call, and which of its limits it is.
        self.name.rsplitn(3, '/').last().unwrap_or_default()
    }
}
