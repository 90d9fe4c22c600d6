//! The truth: which instances there are on which plugin.

use std::collections::BTreeMap;

use infrakit_spi::{GroupId, InstanceId, PluginName};

use super::{Machine, Provider};

/// All instance plugins.
#[derive(Clone, Debug, Default)]
pub struct Park {
    providers: BTreeMap<PluginName, Provider>,
}

impl Park {
    /// Adds a plugin.
    pub fn add(&mut self, name: impl Into<PluginName>, provider: Provider) {
        self.providers.insert(name.into(), provider);
    }

    /// Returns the plugins with their names.
    pub fn providers(&self) -> impl Iterator<Item = (&PluginName, &Provider)> {
        self.providers.iter()
    }

    /// Returns a plugin.
    #[must_use]
    pub fn get(&self, name: &PluginName) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// Returns a plugin, to change.
    pub fn get_mut(&mut self, name: &PluginName) -> Option<&mut Provider> {
        self.providers.get_mut(name)
    }

    /// Returns an instance.
    #[must_use]
    pub fn machine(&self, name: &PluginName, id: &InstanceId) -> Option<&Machine> {
        self.providers.get(name)?.get(id)
    }

    /// Returns an instance, to change.
    pub fn machine_mut(&mut self, name: &PluginName, id: &InstanceId) -> Option<&mut Machine> {
        self.providers.get_mut(name)?.get_mut(id)
    }

    /// Returns all instances that there are, with their plugins.
    pub fn machines(&self) -> impl Iterator<Item = (&PluginName, &Machine)> {
        self.providers
            .iter()
            .flat_map(|(name, provider)| provider.machines().map(move |one| (name, one)))
    }

    /// Returns the ids that creations of a group were answered with whose instances do not exist yet.
    pub fn promises<'a>(&'a self, group: &'a GroupId) -> impl Iterator<Item = &'a InstanceId> {
        let promised = self.providers.values().flat_map(Provider::promised);
        promised
            .filter(move |(_, own)| *own == group)
            .map(|(id, _)| id)
    }

    /// Returns the instances of a group, with their plugins.
    pub fn of<'a>(
        &'a self,
        group: &'a str,
    ) -> impl Iterator<Item = (&'a PluginName, &'a Machine)> + 'a {
        self.machines()
            .filter(move |(_, one)| one.group() == Some(group))
    }
}
