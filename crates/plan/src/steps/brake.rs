//! The brake: a group that is frozen is looked at, and nothing else.

use crate::diagnosis::sickness;
use crate::draft::Draft;
use crate::memory::Phase;
use crate::steps::checks;
use crate::waiting::WaitingOn;
use crate::{Brake, Timestamp};

impl Draft<'_> {
    /// Returns what keeps the group still, and since when. The brake of the group itself comes
    /// first: it stays when that of all groups is let go.
    fn brake(&self) -> Option<(Brake, Timestamp)> {
        let own = self.memory.frozen.map(|since| (Brake::Group, since));
        own.or_else(|| self.config.frozen.map(|since| (Brake::All, since)))
    }
}

/// Returns whether the group is frozen; if it is, its health is asked for and nothing is begun.
///
/// What was begun before goes on by itself and is still heard of. No deadline of a rollout runs:
/// that nobody proves itself is the brake's doing.
pub(crate) fn stand_still(draft: &mut Draft<'_>) -> bool {
    let Some((brake, since)) = draft.brake() else {
        return false;
    };
    draft.wait(WaitingOn::Frozen { brake, since });
    draft.frozen = true;
    if draft.memory.phase == Phase::Active {
        if let Some(roll) = &mut draft.memory.roll {
            roll.waits = true;
        }
        let illness = sickness::diagnose(draft);
        checks::check(draft, &illness);
    }
    draft.note_waiting();
    true
}
