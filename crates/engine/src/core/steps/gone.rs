//! Members that are gone by the answer to their destruction.

use infrakit_plan::Timestamp;

use crate::core::steps::lists::learn;
use crate::core::{Core, Subject};

impl Core {
    /// Takes in that a member is gone, as its plugin answered, which declares that it answers when it
    /// is done. A list is looked at all the same: until one lacks it, the decision stays on record, for
    /// another life of the controller.
    pub(in crate::core) fn gone_by_answer(&mut self, subject: &Subject, now: Timestamp) {
        let Subject {
            target, plugin, id, ..
        } = subject;
        let Some(group) = self.living(target) else {
            return;
        };
        let seen = group.seen.destroyed(plugin, id, now);
        learn(group, &seen, now);
        self.behaviours.departures(plugin, &seen.departed);
        self.refresh_on(&target.group, plugin, now);
        self.touch(&target.group);
    }
}
