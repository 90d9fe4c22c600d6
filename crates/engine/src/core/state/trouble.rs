//! Whether a group is degraded: by what its last plan saw, or because nobody lists it any more.

use std::time::Duration;

use infrakit_plan::Timestamp;

use crate::core::Group;

/// Looks at a group that may fail in a row before it counts as degraded.
const MISSED: u32 = 3;

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

impl Group {
    /// Says why the instances cannot be listed, if the last attempt has failed, and since when
    /// nothing is known of them; `None` for since ever.
    pub(in crate::core) fn blind(&self) -> Option<(Option<Timestamp>, &str)> {
        let (at, message) = self.unlisted.as_ref()?;
        let listed = self.seen.looked();
        let stale = listed.is_none_or(|listed| listed < *at);
        stale.then_some((listed, message.as_str()))
    }

    /// Returns what the group is degraded by. A plan says what it knows; that it knows nothing new, it
    /// does not.
    pub(in crate::core) fn degraded_by(
        &self,
        poll_interval: Duration,
        now: Timestamp,
    ) -> Option<Trouble> {
        if let Some(trouble) = self.memory.conditions.trouble() {
            return Some(Trouble {
                reason: trouble.reason.clone(),
                message: trouble.message.clone(),
                since: Some(trouble.since),
            });
        }
        let (listed, message) = self.blind()?;
        let waits = self.waiting.iter().map(|(_, since)| *since).min();
        let from = listed.or(waits).unwrap_or(now);
        let long = now.since(from) >= poll_interval.saturating_mul(MISSED);
        long.then(|| Trouble {
            reason: "NotListed".to_owned(),
            message: message.to_owned(),
            since: listed,
        })
    }
}
