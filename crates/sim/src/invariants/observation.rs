//! An incomplete observation decides nothing.

use crate::controller::Ask;
use crate::judge::{Cause, Invariant, Scene};

/// Before the first complete list of a life nothing is created or destroyed, and a list that did
/// not come brings nothing about: neither a call nor a plan of one.
pub(super) struct Observation;

impl Invariant for Observation {
    fn name(&self) -> &'static str {
        "incomplete observations decide nothing"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let (group, plugin) = match ask {
            Ask::Create(creation) => (&creation.group, &creation.plugin),
            Ask::Destroy { group, plugin, .. } => (group, plugin),
            Ask::Write { changes, .. } => {
                let plans =
                    |key: &str| key.starts_with("intents/") || key.starts_with("departures/");
                let put = changes.iter().find(|change| {
                    matches!(change, infrakit_store::Change::Put { .. })
                        && plans(change.key().as_str())
                })?;
                return (scene.sight.cause == Cause::FailedList)
                    .then(|| format!("`{}` is planned on a list that did not come", put.key()));
            }
            Ask::List { .. }
            | Ask::Label { .. }
            | Ask::Check { .. }
            | Ask::Repair { .. }
            | Ask::Drain { .. } => return None,
        };
        if scene.sight.cause == Cause::FailedList {
            return Some(format!("`{group}` is changed on a list that did not come"));
        }
        let place = (group.clone(), plugin.clone());
        (!scene.sight.complete.contains(&place))
            .then(|| format!("`{group}` is changed before `{plugin}` was seen"))
    }
}
