//! A healthy member of the right configuration stays.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Victim};

/// A member that matches and of which nothing bad is known goes only because there are too many,
/// because a person asked for it, because its identity is another's or nobody's, or with its group.
pub(super) struct Matching;

impl Invariant for Matching {
    fn name(&self) -> &'static str {
        "healthy members stay"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let victim = Victim::of(scene, ask)?;
        let seen = victim.seen;
        let sound = victim.promise.matches(seen.hash.as_deref()) && seen.is_sound();
        let Victim { group, id, why, .. } = victim;
        (sound && !victim.is_excess(scene))
            .then(|| format!("`{id}` of `{group}` is as promised, and destroyed: {why}"))
    }
}
