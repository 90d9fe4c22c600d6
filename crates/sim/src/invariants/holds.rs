//! A member that a person has put a hand over stays as it is.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};

/// A held member is neither destroyed nor repaired, unless that person asks for it, by its name or
/// with its group.
pub(super) struct Holds;

impl Invariant for Holds {
    fn name(&self) -> &'static str {
        "held members stay"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let (Ask::Destroy {
            group, plugin, id, ..
        }
        | Ask::Repair {
            group, plugin, id, ..
        }) = ask
        else {
            return None;
        };
        let place = (group.clone(), id.clone());
        let machine = scene.park.machine(plugin, id)?;
        // A person names an id, and two plugins may have given the same one: either may be meant.
        let namesakes = scene.park.of(group.as_str());
        if namesakes.filter(|(_, one)| one.id == *id).count() > 1 {
            return None;
        }
        let asked_for = scene.ledger.asked_for(group, id) || machine.leaving;
        (scene.ledger.told.held.contains(&place) && !asked_for)
            .then(|| format!("`{id}` of `{group}` is held, and touched"))
    }
}
