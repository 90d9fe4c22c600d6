//! A healthy member of the right configuration stays.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene, Seen};

/// A member that matches and of which nothing bad is known goes only because there are too many,
/// because a person asked for it, because its identity is another's or nobody's, or with its group.
pub(super) struct Matching;

impl Invariant for Matching {
    fn name(&self) -> &'static str {
        "healthy members stay"
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
        let promise = scene.sight.promises.get(group)?;
        let seen = scene.sight.members.get(&(plugin.clone(), id.clone()))?;
        let asked_for = scene.ledger.destroying.contains(group)
            || scene
                .ledger
                .requested
                .contains(&(group.clone(), id.clone()));
        let sound = promise.matches(seen.hash.as_deref()) && seen.is_sound();
        if asked_for || seen.leaving || !sound {
            return None;
        }
        let excused = match &promise.ids {
            None => scene.sight.staying(group).count() as u64 > promise.size,
            Some(ids) => match &seen.logical_id {
                Some(own) => {
                    let same = |other: &&Seen| other.logical_id.as_ref() == Some(own);
                    !ids.contains(own) || scene.sight.staying(group).filter(same).count() > 1
                }
                None => scene.sight.staying(group).count() as u64 > promise.size,
            },
        };
        (!excused).then(|| format!("`{id}` of `{group}` is as promised, and destroyed: {why}"))
    }
}
