//! No action of ours takes the members that serve below what the budget demands.

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
            group, plugin, id, ..
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
        if seen.leaving {
            return None;
        }
        let serving = scene.sight.serving(group);
        let mut without = serving;
        if seen.serves(promise) {
            without -= 1;
        }
        let needed = promise.size.saturating_sub(promise.unavailable);
        (without < serving && without < needed).then(|| {
            format!("`{id}` of `{group}` is destroyed; {without} serve then, {needed} have to")
        })
    }
}
