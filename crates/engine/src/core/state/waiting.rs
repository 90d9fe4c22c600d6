//! What a group waits for, and since when.

use infrakit_plan::{Timestamp, Wait, WaitingOn, Waits};

/// What a group waits for, and since when.
#[derive(Default)]
pub(in crate::core) struct Waiting(Vec<(WaitingOn, Timestamp)>);

impl Waiting {
    /// Notes what the latest plan waits for. What was waited for before is waited for since then,
    /// even if its numbers have changed; what a former life waited for, since it did.
    pub(in crate::core) fn note(
        &mut self,
        waiting: Vec<WaitingOn>,
        remembered: &Waits,
        now: Timestamp,
    ) {
        let before = std::mem::take(&mut self.0);
        let since = |on: &WaitingOn| {
            let kind = std::mem::discriminant(on);
            let mut alike = before
                .iter()
                .filter(|(known, _)| std::mem::discriminant(known) == kind);
            let before = alike.next().map(|(_, since)| *since);
            let remembered = || remembered.get(&Wait::of(on)?).copied();
            before.or_else(remembered).unwrap_or(now)
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
