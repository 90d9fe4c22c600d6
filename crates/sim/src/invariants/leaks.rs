//! Once all is quiet, every instance is somebody's, and no intent has two.

use std::collections::BTreeMap;

use infrakit_spi::GroupId;

use crate::judge::{Invariant, Scene};
use crate::world::Maker;

/// At rest, every instance that carries the tag of a group is among the members that the
/// controller knows, and no token is on two.
pub(super) struct Leaks;

impl Invariant for Leaks {
    fn name(&self) -> &'static str {
        "nothing is leaked or doubled"
    }

    fn rest(&self, scene: &Scene<'_>, group: &GroupId) -> Option<String> {
        let promise = scene.sight.promises.get(group);
        let mut tokens = BTreeMap::new();
        for (plugin, one) in scene.park.of(group.as_str()) {
            if !scene.ledger.is_home(group, plugin) {
                continue;
            }
            // Once its group has moved nobody looks where it was out of sight.
            if one.unseen.is_some() && promise.is_some_and(|promise| promise.plugin != *plugin) {
                continue;
            }
            // Nor for what somebody made there since.
            if one.maker == Maker::Hand && promise.is_some_and(|promise| promise.plugin != *plugin)
            {
                continue;
            }
            // Where lists lag by more than anybody declared it is taken for gone until one shows it.
            if one.visible > scene.now {
                continue;
            }
            let place = (plugin.clone(), one.id.clone());
            if !scene.sight.members.contains_key(&place) {
                return Some(format!(
                    "`{}` on `{plugin}` is unknown to `{group}`",
                    one.id
                ));
            }
            if one.maker != Maker::Echo
                && let Some(token) = one.token()
                && let Some(other) = tokens.insert(token, &one.id)
            {
                return Some(format!("`{}` and `{other}` are of one intent", one.id));
            }
        }
        None
    }
}
