//! Which plugins are watched for which group.
//!
//! A group lives on the plugin of its spec, and on former ones as long as members may be left
//! there. Each plugin has one observer, whoever it serves.

use std::collections::BTreeSet;

use infrakit_plan::Timestamp;
use infrakit_spi::{GroupId, PluginName};

use crate::core::Core;

impl Core {
    /// Begins to watch the plugins that a group lives on, and ceases to watch those that it no
    /// longer does.
    pub(in crate::core) fn settle_homes(&mut self, id: &GroupId, now: Timestamp) {
        let Some(group) = self.groups.with_remains_mut(id) else {
            return;
        };
        let wanted: BTreeSet<PluginName> = group.homes().cloned().collect();
        if group.seen.homes().eq(&wanted) {
            return;
        }
        let known: BTreeSet<PluginName> = group.seen.homes().cloned().collect();
        for plugin in known.difference(&wanted) {
            tracing::info!(group = %id, %plugin, "nothing is left there");
            group.seen.unwatch(plugin);
        }
        for plugin in wanted.difference(&known) {
            group.seen.watch(plugin);
        }
        for plugin in known.difference(&wanted) {
            self.unwatch(plugin, id);
        }
        for plugin in wanted.difference(&known) {
            self.watch(plugin, id, now);
        }
        self.touch(id);
    }

    fn watch(&mut self, plugin: &PluginName, group: &GroupId, now: Timestamp) {
        let poll_interval = self.config.poll_interval;
        let observer = self.observers.entry(plugin.clone()).or_default();
        observer.enter(group, now, poll_interval);
    }

    fn unwatch(&mut self, plugin: &PluginName, group: &GroupId) {
        if let Some(observer) = self.observers.get_mut(plugin) {
            observer.leave(group);
        }
    }

    /// Ceases to watch anything for a group that is no longer managed.
    pub(in crate::core) fn leave_homes(&mut self, group: &crate::core::Group) {
        let homes: Vec<PluginName> = group.seen.homes().cloned().collect();
        for plugin in homes {
            self.unwatch(&plugin, group.id());
        }
    }

    /// Asks for a list of all groups of a plugin because it says that something changed.
    pub(in crate::core) fn look_again(&mut self, plugin: &PluginName, now: Timestamp) {
        let poll_interval = self.config.poll_interval;
        if let Some(observer) = self.observers.get_mut(plugin) {
            observer.changed(now, poll_interval);
        }
    }

    /// Notes that a plugin in another process began or ceased to tell of changes. What happened
    /// meanwhile nobody has told.
    pub(in crate::core) fn told(&mut self, plugin: &PluginName, watched: bool, now: Timestamp) {
        let poll_interval = self.config.poll_interval;
        if let Some(observer) = self.observers.get_mut(plugin) {
            tracing::info!(%plugin, watched, "its changes are heard of");
            observer.told(watched, now, poll_interval);
        }
    }

    /// Asks each plugin that a group lives on for a list that is started after this moment.
    pub fn refresh(&mut self, group: &GroupId, now: Timestamp) {
        let Some(found) = self.groups.with_remains(group) else {
            return;
        };
        for plugin in found.homes() {
            if let Some(observer) = self.observers.get_mut(plugin) {
                observer.want(group, now);
            }
        }
    }

    /// Asks one plugin for a list of one group that is started after this moment.
    pub(in crate::core) fn refresh_on(
        &mut self,
        group: &GroupId,
        plugin: &PluginName,
        now: Timestamp,
    ) {
        if let Some(observer) = self.observers.get_mut(plugin) {
            observer.want(group, now);
        }
    }

    /// Asks for lists without which a group that was listed before does not go on.
    pub(in crate::core) fn look_soon(&mut self, id: &GroupId, now: Timestamp) {
        let poll_interval = self.config.poll_interval;
        let group = self.groups.with_remains(id);
        let Some(group) = group.filter(|group| group.seen.listed().is_some()) else {
            return;
        };
        for plugin in group.homes() {
            if let Some(observer) = self.observers.get_mut(plugin) {
                observer.want_eagerly(id, now, poll_interval);
            }
        }
    }

    /// Notes that something new is awaited from a group's plugins.
    pub(in crate::core) fn look_eagerly(&mut self, id: &GroupId) {
        let Some(group) = self.groups.with_remains(id) else {
            return;
        };
        for plugin in group.homes() {
            if let Some(observer) = self.observers.get_mut(plugin) {
                observer.refresh_eagerness();
            }
        }
    }
}
