//! A healthy member of the right configuration stays.

use infrakit_spi::flavor::Health;

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Victim};

/// A member that was well all its life, of the configuration in force and of which nobody said
/// anything bad goes only because there are too many, because a person asked for it, because its
/// identity is another's or nobody's, or with its group.
pub(super) struct Matching;

impl Invariant for Matching {
    fn name(&self) -> &'static str {
        "healthy members stay"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let victim = Victim::of(scene, ask)?;
        let sound = victim.is_innocent() && victim.verdict != Health::Unhealthy;
        let Victim { group, id, why, .. } = victim;
        (sound && !victim.requested && !victim.is_excess(scene))
            .then(|| format!("`{id}` of `{group}` is as promised, and destroyed: {why}"))
    }
}
