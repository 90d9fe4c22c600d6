//! How many creations and destructions a minute each instance plugin gets.

use std::collections::BTreeMap;

use infrakit_plan::{Governor, Quota, Room, Timestamp};
use infrakit_spi::PluginName;

use crate::core::Core;

/// Limits that hold for each instance plugin, for all groups on it together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Creations a minute; `None` for no limit.
    pub creates_per_minute: Option<u32>,
    /// Destructions a minute; `None` for no limit.
    pub destroys_per_minute: Option<u32>,
}

/// The governors of all plugins.
#[derive(Default)]
pub(in crate::core) struct Governors {
    limits: Limits,
    by_plugin: BTreeMap<PluginName, Pair>,
}

struct Pair {
    creates: Governor,
    destroys: Governor,
}

impl Core {
    /// Returns the core with limits on what plugins are asked for.
    #[must_use]
    pub fn governed(mut self, limits: Limits) -> Self {
        self.governors = Governors {
            limits,
            by_plugin: BTreeMap::new(),
        };
        self
    }
}

impl Governors {
    fn of(&mut self, plugin: &PluginName) -> &mut Pair {
        let limits = self.limits;
        self.by_plugin
            .entry(plugin.clone())
            .or_insert_with(|| Pair {
                creates: Governor::new(limits.creates_per_minute),
                destroys: Governor::new(limits.destroys_per_minute),
            })
    }

    /// Returns what the limits of a plugin leave now.
    pub(in crate::core) fn room(&mut self, plugin: &PluginName, now: Timestamp) -> Room {
        if self.limits == Limits::default() {
            return Room::default();
        }
        let pair = self.of(plugin);
        Room {
            creates: quota(&mut pair.creates, now),
            destroys: quota(&mut pair.destroys, now),
            ..Room::default()
        }
    }

    /// Notes creations that are begun.
    pub(in crate::core) fn create(&mut self, plugin: &PluginName, calls: usize) {
        if self.limits.creates_per_minute.is_some() {
            self.of(plugin).creates.spend(calls);
        }
    }

    /// Notes destructions that are begun.
    pub(in crate::core) fn destroy(&mut self, plugin: &PluginName, calls: usize) {
        if self.limits.destroys_per_minute.is_some() {
            self.of(plugin).destroys.spend(calls);
        }
    }

    /// Notes that a creation which was begun never reaches the plugin.
    pub(in crate::core) fn uncreate(&mut self, plugin: &PluginName) {
        self.of(plugin).creates.give_back();
    }

    /// Notes that a destruction which was begun never reaches the plugin.
    pub(in crate::core) fn undestroy(&mut self, plugin: &PluginName) {
        self.of(plugin).destroys.give_back();
    }
}

fn quota(governor: &mut Governor, now: Timestamp) -> Quota {
    Quota {
        left: governor.allowance(now),
        next: governor.next(),
    }
}
