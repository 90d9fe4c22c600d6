//! That a group is degraded is an event: once when it begins, and once when it ends.

use infrakit_plan::Timestamp;
use infrakit_spi::GroupId;

use crate::core::Core;
use crate::core::steps::deeds;

impl Core {
    /// Notes whether a group is degraded, where that is news.
    pub(in crate::core) fn note_trouble(&mut self, id: &GroupId, now: Timestamp) {
        let poll_interval = self.config.poll_interval;
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let trouble = group.degraded_by(poll_interval, now);
        match (&group.trouble, trouble) {
            (None, Some(trouble)) => {
                let (reason, message) = (&trouble.reason, &trouble.message);
                tracing::warn!(group = %id, reason, message, "degraded");
                deeds::degraded(group, &trouble, now);
                group.trouble = Some(trouble);
            }
            (Some(former), None) => {
                tracing::info!(group = %id, reason = former.reason, "no longer degraded");
                let former = former.clone();
                deeds::recovered(group, &former, now);
                group.trouble = None;
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}
