//! Those that are gone, and that a list may still show: from before they went, or since their provider
//! lists the dead.

use infrakit_spi::{InstanceId, PluginName};

use super::lists::Lag;
use super::{Key, Member, Observed, Seen, key};
use crate::Timestamp;

impl Observed {
    /// Takes in that members are gone that a list goes on showing: their plugin says so, or calls them
    /// going away, and its provider lists the dead and takes for ending nobody that long.
    pub(super) fn lay_out(
        &mut self,
        plugin: &PluginName,
        (started, lag): (Timestamp, Lag),
        (now, seen): (Timestamp, &mut Seen),
    ) {
        let long = |since: Timestamp| lag.dying.is_some_and(|dying| started >= since + dying);
        let is_dead = |one: &Member| one.is_gone() || one.terminating.is_some_and(long);
        let dead = |key: &&Key| key.plugin == *plugin && self.members.get(key).is_some_and(is_dead);
        let dead: Vec<Key> = self.index.leaving.iter().filter(dead).cloned().collect();
        for key in dead {
            let token = self.members.get(&key).and_then(|member| member.token);
            self.lose(&key, (started, lag), now, seen);
            self.dead.insert(key, token);
        }
    }

    /// Forgets those that a list, started at `started`, cannot show any more.
    pub(super) fn bury(&mut self, plugin: &PluginName, (started, lag): (Timestamp, Lag)) {
        let late = |seen: Timestamp| started <= seen + lag.relapse;
        self.tombs
            .retain(|key, (seen, _)| key.plugin != *plugin || late(*seen));
    }

    /// Returns whether an instance went so lately that a list may still show it.
    #[must_use]
    pub fn is_late(&self, plugin: &PluginName, id: &InstanceId) -> bool {
        self.tombs.contains_key(&key(plugin, id))
    }

    /// Returns the creations of which nothing more comes, since lists show on `plugin` that what they
    /// made is gone: the number, and the id.
    pub fn ended<'a>(
        &'a self,
        plugin: &'a PluginName,
    ) -> impl Iterator<Item = (u64, &'a InstanceId)> {
        let there = self
            .dead
            .iter()
            .filter(move |(key, _)| key.plugin == *plugin);
        there.filter_map(|(key, token)| Some(((*token)?, &key.id)))
    }
}
