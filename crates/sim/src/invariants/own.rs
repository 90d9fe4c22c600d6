//! The controller does not saw off the branch that it sits on.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};

/// The member that the controller runs on is destroyed only when a person asks for it, by its name
/// or with its group.
pub(super) struct Own;

impl Invariant for Own {
    fn name(&self) -> &'static str {
        "the controller's own machine stays"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let Ask::Destroy {
            group, plugin, id, ..
        } = ask
        else {
            return None;
        };
        let own = scene.ledger.own.as_ref()?;
        let machine = scene.park.machine(plugin, id)?;
        let asked_for = scene.ledger.destroying.contains(group)
            || scene
                .ledger
                .requested
                .contains(&(group.clone(), id.clone()));
        (machine.logical_id.as_ref() == Some(own) && !asked_for)
            .then(|| format!("`{id}` of `{group}` is destroyed, and the controller runs on it"))
    }
}
