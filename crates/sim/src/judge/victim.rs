//! A member that a controller is about to destroy of its own accord.

use infrakit_spi::flavor::Health;
use infrakit_spi::{GroupId, InstanceId, PluginName};

use super::{Promise, Scene};
use crate::controller::Ask;
use crate::world::{Machine, SECOND, Truth};

/// A member of a managed group that is about to be destroyed, as it really is.
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
    /// What it really is.
    pub machine: &'a Machine,
    /// The last verdict on it that any life was told.
    pub verdict: Health,
    /// Whether a person asked for its end by its name.
    pub requested: bool,
}

/// For so long something wrong has to be said before it may be believed: two intervals of five
/// seconds lie between three verdicts.
const BELIEVED: u64 = 10 * SECOND;

impl<'a> Victim<'a> {
    /// Returns whom `ask` destroys. Nobody, when it is gone or leaving, when its whole group is to
    /// go, or when it is not the group's.
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
        let machine = scene.park.machine(plugin, id)?;
        let own = machine.group() == Some(group.as_str()) && !machine.leaving;
        // Between a look and a call another may have been given the id of one that is gone.
        let taken = scene
            .lost(group)
            .any(|(home, one)| home == plugin && one.id == *id);
        if !own || taken || scene.ledger.destroying.contains(group) {
            return None;
        }
        let verdict = scene.ledger.verdicts.get(&(plugin.clone(), id.clone()));
        Some(Self {
            group,
            plugin,
            id,
            why,
            promise,
            machine,
            verdict: verdict.copied().unwrap_or_default(),
            requested: scene.ledger.asked_for(group, id),
        })
    }

    /// Returns whether it was well all its life and is of the configuration in force.
    #[must_use]
    pub fn is_innocent(&self) -> bool {
        let well = self.machine.truth == Truth::Well && !self.machine.ever_ill;
        well && self.promise.matches(self.machine.hash())
    }

    /// Returns whether it is said to be unhealthy for so long that it may be believed.
    #[must_use]
    pub fn is_slandered(&self, now: u64) -> bool {
        let since = self.machine.slandered.map(|(from, _)| from);
        since.is_some_and(|from| from + BELIEVED <= now && self.verdict == Health::Unhealthy)
    }

    /// Returns whether another does its work: one that has the same name and serves.
    #[must_use]
    pub fn has_a_deputy(&self, scene: &Scene<'a>) -> bool {
        let own = self.machine.identity();
        let others = scene
            .staying(self.group)
            .filter(|(plugin, one)| *plugin != self.plugin || one.id != *self.id);
        let mut same = others.filter(|(_, one)| own.is_some() && one.identity() == own);
        self.promise.ids.is_some() && same.any(|(_, one)| one.serves(scene.now))
    }

    /// Returns whether its identity is not among those that are wanted.
    #[must_use]
    pub fn is_unlisted(&self) -> bool {
        match (&self.promise.ids, self.machine.identity()) {
            (Some(ids), Some(own)) => !ids.contains(own),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Returns whether it is one too many, of all or of its name.
    #[must_use]
    pub fn is_excess(&self, scene: &Scene<'a>) -> bool {
        match (&self.promise.ids, self.machine.identity()) {
            (Some(_), Some(own)) => {
                let all = scene.staying(self.group).chain(scene.lost(self.group));
                let same = all.filter(|(_, one)| one.identity() == Some(own));
                self.is_unlisted() || same.count() > 1
            }
            _ => {
                let left_behind = scene.left_behind(self.group).count() as u64;
                self.is_unlisted() || scene.there(self.group) + left_behind > self.promise.size
            }
        }
    }
}
