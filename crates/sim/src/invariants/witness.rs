//! Nobody is destroyed on false witness.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Victim};
use crate::world::Truth;

/// A member that was well all its life, and has booted, is not destroyed because a flavor says that
/// it is not, however often flavors lie.
pub(super) struct Witness;

impl Invariant for Witness {
    fn name(&self) -> &'static str {
        "nobody goes on false witness"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let victim = Victim::of(scene, ask)?;
        let machine = scene.park.machine(victim.plugin, victim.id)?;
        let well = machine.truth == Truth::Well && !machine.ever_ill && scene.now >= machine.ready;
        let sound = well && victim.promise.matches(victim.seen.hash.as_deref());
        let Victim { group, id, why, .. } = victim;
        (sound && !victim.is_excess(scene))
            .then(|| format!("`{id}` of `{group}` was well all its life, and is destroyed: {why}"))
    }
}
