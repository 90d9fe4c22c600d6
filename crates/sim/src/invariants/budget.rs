//! No action of ours takes the members that serve below what the budget demands.

use std::collections::BTreeSet;

use infrakit_spi::flavor::Health;

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};

/// Of the members that serve, by the verdicts that the controller has had, at least the size less
/// `MaxUnavailable` go on serving, whatever the reason is. What a person asks for by name, and the
/// end of a whole group, are that person's affair.
pub(super) struct Budget;

impl Invariant for Budget {
    fn name(&self) -> &'static str {
        "budget"
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
        let place = (group.clone(), id.clone());
        if scene.ledger.destroying.contains(group) || scene.ledger.requested.contains(&place) {
            return None;
        }
        let promise = scene.sight.promises.get(group)?;
        let seen = scene.sight.members.get(&(plugin.clone(), id.clone()))?;
        // Whoever takes a name out of the list takes out what bears it.
        let unlisted = |ids: &BTreeSet<String>| {
            let own = seen.logical_id.as_ref();
            own.is_some_and(|own| !ids.contains(own))
        };
        if promise.ids.as_ref().is_some_and(unlisted) {
            return None;
        }
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
        if seen.leaving || !serves {
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
