//! What an operator says of plugins, and what of it holds.

use std::collections::BTreeMap;

use infrakit_plan::LossPolicy;
use infrakit_spi::PluginName;
use infrakit_spi::behaviour::{Behaviour, Facts};
use serde_json::Value;

/// What an operator says of one plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Override {
    /// How its provider behaves, instead of what it declares, field by field.
    pub behaviour: Behaviour,
    /// When the losses of groups on it are believed whose specs do not say that.
    pub losses: LossPolicy,
}

impl Override {
    /// Returns what is set, field by field.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let mut facts = self.behaviour.facts();
        let losses: BTreeMap<String, Value> = self.losses.canonical().decode().unwrap_or_default();
        for (name, value) in losses {
            let word = value.as_str().map(str::to_owned);
            let said = word.unwrap_or_else(|| value.to_string());
            facts.insert(format!("Losses.{name}"), said);
        }
        facts
    }
}

impl From<Behaviour> for Override {
    fn from(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            losses: LossPolicy::default(),
        }
    }
}

/// What an operator says of plugins, by plugin and type, as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// What is set, or why it cannot be meant.
    pub by_plugin: BTreeMap<PluginName, Result<Override, String>>,
    /// Why nothing of it can be read.
    pub fault: Option<String>,
}

impl FromIterator<(PluginName, Override)> for Overrides {
    fn from_iter<T: IntoIterator<Item = (PluginName, Override)>>(all: T) -> Self {
        let all = all.into_iter();
        Self {
            by_plugin: all.map(|(plugin, set)| (plugin, Ok(set))).collect(),
            fault: None,
        }
    }
}

/// What of it holds. What cannot be meant changes nothing: a slip while it is edited must not have
/// creations given up that need longer than is usual.
#[derive(Debug, Default)]
pub(in crate::core) struct InForce {
    by_plugin: BTreeMap<PluginName, Override>,
    faults: BTreeMap<PluginName, String>,
    fault: Option<String>,
    /// Whether it could be read as a whole before.
    was_read: bool,
}

impl InForce {
    /// Takes in what was read.
    pub(in crate::core) fn take(&mut self, read: Overrides) {
        self.fault = read.fault;
        if self.fault.is_some() {
            return;
        }
        self.was_read = true;
        self.faults.clear();
        let mut before = std::mem::take(&mut self.by_plugin);
        for (plugin, set) in read.by_plugin {
            let set = set.map_err(|fault| self.faults.insert(plugin.clone(), fault));
            let set = set.ok().or_else(|| before.remove(&plugin));
            self.by_plugin.extend(set.map(|set| (plugin, set)));
        }
    }

    /// Returns what holds of one plugin, if anything is set.
    pub(in crate::core) fn of(&self, plugin: &PluginName) -> Option<&Override> {
        self.by_plugin.get(plugin)
    }

    /// Returns the plugins of which something is set, or was meant to be.
    pub(in crate::core) fn plugins(&self) -> impl Iterator<Item = &PluginName> {
        self.by_plugin.keys().chain(self.faults.keys())
    }

    /// Returns why what is set for a plugin cannot be meant.
    pub(in crate::core) fn fault(&self, plugin: &PluginName) -> Option<&str> {
        // What was wrong with an entry may have been put right in a text that cannot be read since.
        let fault = self.fault.as_ref().or_else(|| self.faults.get(plugin));
        fault.map(String::as_str)
    }

    /// Returns whether something is set for a plugin and nobody knows what: it is then taken at its
    /// own word in nothing.
    pub(in crate::core) fn is_lost(&self, plugin: &PluginName) -> bool {
        let nothing = !self.by_plugin.contains_key(plugin);
        nothing && (self.faults.contains_key(plugin) || self.fault.is_some() && !self.was_read)
    }
}
