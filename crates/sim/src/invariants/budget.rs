//! No action of ours takes the members that serve below what the budget demands.

use infrakit_spi::flavor::Health;

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Victim};

/// Of the members that serve, by the verdicts that the controller has had, at least the size less
/// `MaxUnavailable` go on serving, whatever the reason is. What a person asks for by name, and the
/// end of a whole group, are that person's affair.
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
            seen,
            ..
        } = victim;
        // What this life was not told of the one that goes cannot be held against it; of the others
        // it is taken to serve who served as far as any life knows.
        let serves = match seen.verdict {
            Health::Healthy => true,
            // Silence after sickness is no service.
            Health::Unknown => {
                seen.former != Health::Unhealthy && !promise.matches(seen.hash.as_deref())
            }
            Health::Unhealthy => false,
        };
        // Whoever takes a name out of the list takes out what bears it.
        if !serves || victim.is_unlisted() {
            return None;
        }
        let serving = scene.sight.serving(group);
        let without = serving.saturating_sub(1);
        let needed = scene
            .ledger
            .grown(group)
            .saturating_sub(promise.unavailable);
        (without < needed).then(|| {
            format!(
                "`{id}` of `{group}` is destroyed ({why}); {without} serve then, {needed} have to"
            )
        })
    }
}
