//! Nobody is destroyed on false witness.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Seen};
use crate::world::Truth;

/// A member that was well all its life, and has booted, is not destroyed because a flavor says that
/// it is not, however often flavors lie.
pub(super) struct Witness;

impl Invariant for Witness {
    fn name(&self) -> &'static str {
        "nobody goes on false witness"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let Ask::Destroy {
            group,
            plugin,
            id,
            why,
            ..
        } = ask
        else {
            return None;
        };
        let promise = scene.sight.promises.get(group)?;
        let seen = scene.sight.members.get(&(plugin.clone(), id.clone()))?;
        let machine = scene.park.machine(plugin, id)?;
        let well = machine.truth == Truth::Well && !machine.ever_ill && scene.now >= machine.ready;
        let asked_for = scene.ledger.destroying.contains(group)
            || scene
                .ledger
                .requested
                .contains(&(group.clone(), id.clone()));
        let sound = well && promise.matches(seen.hash.as_deref());
        if asked_for || seen.leaving || !sound || excess(scene, ask, seen) {
            return None;
        }
        Some(format!(
            "`{id}` of `{group}` was well all its life, and is destroyed: {why}"
        ))
    }
}

/// Returns whether there are more members than there should be, or more of one name.
fn excess(scene: &Scene<'_>, ask: &Ask, seen: &Seen) -> bool {
    let Ask::Destroy { group, .. } = ask else {
        return false;
    };
    let Some(promise) = scene.sight.promises.get(group) else {
        return false;
    };
    let Some(ids) = &promise.ids else {
        return scene.sight.staying(group).count() as u64 > promise.size;
    };
    let Some(own) = &seen.logical_id else {
        return scene.sight.staying(group).count() as u64 > promise.size;
    };
    let same = |other: &&Seen| other.logical_id.as_ref() == Some(own);
    !ids.contains(own) || scene.sight.staying(group).filter(same).count() > 1
}
