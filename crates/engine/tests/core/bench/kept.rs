//! Calls that wait for better times, and what a test makes of them.

use super::Bench;

impl Bench {
    /// Has the kept call at this position be the first.
    pub(crate) fn put_first(&mut self, position: usize) {
        self.kept.swap(0, position);
    }
}
