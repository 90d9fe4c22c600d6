//! What belongs to nobody, or to another, is not touched.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};

/// Nothing is destroyed, labelled or repaired that does not carry the tag of the group that it is
/// done for, or for a group that is nobody's affair any more.
pub(super) struct Strangers;

impl Invariant for Strangers {
    fn name(&self) -> &'static str {
        "strangers are left alone"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let (Ask::Destroy {
            group, plugin, id, ..
        }
        | Ask::Label {
            group, plugin, id, ..
        }
        | Ask::Repair {
            group, plugin, id, ..
        }) = ask
        else {
            return None;
        };
        let provider = scene.park.get(plugin)?;
        if provider.promised_to(id) == Some(group) {
            return None;
        }
        let Some(machine) = provider.recall(id) else {
            // It is gone for so long that nobody remembers it: nothing can happen to it.
            return None;
        };
        // Between a look and a call another may have been given the id of one that is gone.
        let mut gone = scene.gone_lately(group);
        if gone.any(|(home, one)| home == plugin && one.id == *id) {
            return None;
        }
        (machine.group() != Some(group.as_str()))
            .then(|| format!("`{id}` on `{plugin}` does not belong to `{group}`, and is touched"))
    }
}
