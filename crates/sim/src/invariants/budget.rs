//! No action of ours takes the members that serve below what the budget demands.

use infrakit_spi::flavor::Health;

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Victim};

/// Of the members that really serve, at least the size less `MaxUnavailable` go on serving, whatever
/// the reason is: healing, rolling, growing smaller, other names, or a person who names a member. The
/// end of a whole group is that person's affair.
pub(super) struct Budget;

impl Invariant for Budget {
    fn name(&self) -> &'static str {
        "budget"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let victim = Victim::of(scene, ask)?;
        let Victim {
            group,
            id,
            why,
            promise,
            machine,
            verdict,
            ..
        } = victim;
        // Whoever is said to be unhealthy counts as such; whether that may be said is another promise.
        if !machine.serves(scene.now) || verdict == Health::Unhealthy {
            return None;
        }
        // That it has come up nobody need know who has not been told.
        let lately = machine.ready + scene.age > scene.now;
        // A flavor that looks at nothing tells nobody.
        if lately && (verdict != Health::Healthy || machine.plain) {
            return None;
        }
        // Nor that it runs again, whatever its flavor says, before a list tells.
        if machine.recovered > 0 && machine.recovered + scene.age > scene.now {
            return None;
        }
        if victim.has_a_deputy(scene) {
            return None;
        }
        let without = scene.serving_without(group, (victim.plugin, machine));
        let needed = scene
            .ledger
            .grown(group)
            .min(promise.size)
            .saturating_sub(promise.unavailable);
        (without < needed).then(|| {
            format!(
                "`{id}` of `{group}` is destroyed ({why}); {without} serve then, {needed} have to"
            )
        })
    }
}
