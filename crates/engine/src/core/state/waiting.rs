//! What a group waits for, and since when.

use infrakit_plan::{Timestamp, WaitingOn};

/// What a group waits for, and since when.
#[derive(Default)]
pub(in crate::core) struct Waiting(Vec<(WaitingOn, Timestamp)>);

impl Waiting {
    /// Notes what the latest plan waits for. What was waited for before is waited for since then,
    /// even if its numbers have changed.
    pub(in crate::core) fn note(&mut self, waiting: Vec<WaitingOn>, now: Timestamp) {
        let before = std::mem::take(&mut self.0);
        let since = |on: &WaitingOn| {
            let kind = std::mem::discriminant(on);
            let mut alike = before
                .iter()
                .filter(|(known, _)| std::mem::discriminant(known) == kind);
            alike.next().map_or(now, |(_, since)| *since)
        };
        self.0 = waiting
            .into_iter()
            .map(|on| {
                let since = since(&on);
                (on, since)
            })
            .collect();
    }

    /// Returns what is waited for, and since when.
    pub(in crate::core) fn iter(&self) -> std::slice::Iter<'_, (WaitingOn, Timestamp)> {
        self.0.iter()
    }
}
