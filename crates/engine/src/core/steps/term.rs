//! Leading in a term that was won, and giving up when another controller leads.

use crate::core::{Core, Term};

impl Core {
    /// Leads from now on, in a term that was won. To be called before
    /// [`restore`](Self::restore), so that what is read is not older than the term.
    pub fn lead(&mut self, term: Term) {
        tracing::debug!(term = term.number(), "leading");
        self.term = Some(term);
    }

    /// Returns whether another controller has taken the lead. Nothing comes out of this one then.
    #[must_use]
    pub fn is_deposed(&self) -> bool {
        self.deposed
    }

    /// Gives up: another controller leads.
    pub(in crate::core) fn depose(&mut self) {
        self.deposed = true;
        self.journal.clear();
        self.effects.clear();
        self.dirty.clear();
        self.wakes.clear();
        self.observers.clear();
        self.calls.close();
    }
}
