//! A loss that is doubted, and somebody who knows that it is one.

use infrakit_plan::Timestamp;
use infrakit_spi::GroupId;

use crate::core::steps::commit::Accepted;
use crate::core::words::count;
use crate::core::{Core, Refused};

impl Core {
    /// Believes that the members of a group are gone which lists lack. Nothing is written: the next
    /// plan makes others, which is.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn confirm_loss(&mut self, id: &GroupId, now: Timestamp) -> Result<Accepted, Refused> {
        self.known(id)?;
        let said = |details: String| {
            Ok(Accepted {
                details,
                batch: None,
            })
        };
        let lost = self.lose_doubted(id, now);
        if lost == 0 {
            return said(format!(
                "no member of group '{id}' is missing in doubt; nothing changes"
            ));
        }
        tracing::warn!(group = %id, lost, "somebody says that they are gone");
        said(format!(
            "{} of group '{id}' count as gone, and are made again",
            count(lost, "member")
        ))
    }
}
