//! A group never has more members than its size and surge.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};
use crate::world::Maker;

/// Whoever is there, whoever is leaving and whoever is about to come, all of ours together, are
/// never more than size and surge through a creation of ours.
pub(super) struct Ceiling;

impl Invariant for Ceiling {
    fn name(&self) -> &'static str {
        "size and surge"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let Ask::Create(creation) = ask else {
            return None;
        };
        let group = &creation.group;
        let promise = scene.sight.promises.get(group)?;
        if scene.is_asked_again(creation) {
            return None;
        }
        let ours = scene
            .park
            .of(group.as_str())
            .filter(|(plugin, _)| scene.ledger.is_home(group, plugin))
            .filter(|(_, one)| one.maker == Maker::Controller)
            .filter(|(plugin, one)| !scene.may_be_missed(group, (plugin, one)))
            .filter(|(_, one)| scene.owns(group, one));
        let there = ours.count();
        let coming = scene.coming.get(group).map_or(0, Vec::len);
        let total = (there + coming + 1) as u64;
        let most = promise.most();
        (total > most).then(|| {
            format!("`{group}` has {there} members and {coming} coming; one more exceeds {most}")
        })
    }
}
