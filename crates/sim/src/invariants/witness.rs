//! Nobody is destroyed on false witness.

use infrakit_spi::flavor::Health;

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Victim};

/// A member that was well all its life, and has booted for as long as nobody need know, is not destroyed because a flavor says that
/// it is not, unless it says so of this member alone and for as long as would be believed of a sick
/// one. When everybody is said to be unhealthy at once, nobody goes.
pub(super) struct Witness;

impl Invariant for Witness {
    fn name(&self) -> &'static str {
        "nobody goes on false witness"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let victim = Victim::of(scene, ask)?;
        // Of one that was not well a moment ago, since it was coming up, that is what its flavor said.
        let well = victim.is_innocent() && scene.now >= victim.machine.ready + scene.age;
        let Victim { group, id, why, .. } = victim;
        // Of two members one may be sick while the other is; of more so many at once are not.
        let all = scene.staying(group).chain(scene.lost(group));
        let own = all.filter(|(_, one)| scene.owns(group, one));
        let alone = scene.dark.is_none() || own.count() < 3;
        let believed = victim.is_slandered(scene.now) || (scene.dark.is_some() && alone);
        (well
            && victim.verdict == Health::Unhealthy
            && !believed
            && !victim.requested
            && !victim.is_excess(scene))
        .then(|| format!("`{id}` of `{group}` was well all its life, and is destroyed: {why}"))
    }
}
