//! An identity has one holder.

use crate::controller::Ask;
use crate::judge::{Invariant, Scene};
use crate::world::Maker;

/// No pet is made while another of its name is there, is leaving, or is about to come.
pub(super) struct Identities;

impl Invariant for Identities {
    fn name(&self) -> &'static str {
        "identities are unique"
    }

    fn ask(&self, scene: &Scene<'_>, ask: &Ask) -> Option<String> {
        let Ask::Create(creation) = ask else {
            return None;
        };
        let promise = scene.sight.promises.get(&creation.group)?;
        promise.ids.as_ref()?;
        let Some(own) = &creation.logical_id else {
            return Some("a pet without identity is made".to_owned());
        };
        if scene.is_asked_again(creation) {
            return None;
        }
        let mut there = scene
            .park
            .of(creation.group.as_str())
            .filter(|(plugin, _)| scene.ledger.is_home(&creation.group, plugin))
            .filter(|(_, one)| one.maker == Maker::Controller)
            .filter(|(plugin, one)| !scene.may_be_missed(&creation.group, (plugin, one)));
        let holder = there.find(|(_, one)| one.identity() == Some(own.as_str()));
        let coming = scene.coming.get(&creation.group);
        let coming = coming.is_some_and(|coming| coming.contains(&Some(own.clone())));
        match holder {
            Some((plugin, one)) => Some(format!(
                "`{own}` is made while `{}` on `{plugin}` holds the name",
                one.id
            )),
            None => coming.then(|| format!("`{own}` is made while another of it is coming")),
        }
    }
}
