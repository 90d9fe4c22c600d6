//! A rollout that a person has stopped does not go on.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Victim};

/// Between the acknowledgement that a rollout is paused or given up and a person's word that it goes
/// on, no member that serves is destroyed for its configuration.
pub(super) struct Stopped;

impl Invariant for Stopped {
    fn name(&self) -> &'static str {
        "what is stopped stands"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let victim = Victim::of(scene, ask)?;
        let Victim { group, id, why, .. } = victim;
        if !scene.ledger.told.stopped.contains(group) || victim.requested {
            return None;
        }
        let outdated = !victim.promise.matches(victim.machine.hash());
        let well = victim.machine.serves(scene.now) && !victim.machine.ever_ill;
        let known = victim.verdict == infrakit_spi::flavor::Health::Healthy;
        (outdated && well && known && !victim.is_excess(scene))
            .then(|| format!("the rollout of `{group}` is stopped, and `{id}` destroyed: {why}"))
    }
}
