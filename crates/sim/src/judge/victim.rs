//! A member that a controller is about to destroy of its own accord.

use infrakit_spi::{GroupId, InstanceId, PluginName};

use super::{Promise, Scene, Seen};
use crate::controller::Ask;

/// A member of a managed group that is about to be destroyed although nobody asked for it.
#[derive(Clone, Copy)]
pub struct Victim<'a> {
    /// Its group.
    pub group: &'a GroupId,
    /// The plugin that it lives on.
    pub plugin: &'a PluginName,
    /// Its id.
    pub id: &'a InstanceId,
    /// What is said to be the reason.
    pub why: &'a str,
    /// What its group promises.
    pub promise: &'a Promise,
    /// What the controller was told of it.
    pub seen: &'a Seen,
}

impl<'a> Victim<'a> {
    /// Returns whom `ask` destroys. Nobody, when a person asked for it by name or with the whole
    /// group, or when the member was leaving before.
    #[must_use]
    pub fn of(scene: &Scene<'a>, ask: &'a Ask) -> Option<Self> {
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
        (!seen.leaving && !scene.ledger.asked_for(group, id)).then_some(Self {
            group,
            plugin,
            id,
            why,
            promise,
            seen,
        })
    }

    /// Returns whether its identity is not among those that are wanted.
    #[must_use]
    pub fn is_unlisted(&self) -> bool {
        match (&self.promise.ids, &self.seen.logical_id) {
            (Some(ids), Some(own)) => !ids.contains(own),
            _ => false,
        }
    }

    /// Returns whether it is one too many, of all or of its name.
    #[must_use]
    pub fn is_excess(&self, scene: &Scene<'_>) -> bool {
        match (&self.promise.ids, &self.seen.logical_id) {
            (Some(_), Some(own)) => {
                let same = |other: &&Seen| other.logical_id.as_ref() == Some(own);
                self.is_unlisted() || scene.sight.staying(self.group).filter(same).count() > 1
            }
            _ => scene.sight.staying(self.group).count() as u64 > self.promise.size,
        }
    }
}
