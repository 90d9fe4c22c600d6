//! What plugins declare is taken in; what they were seen to take is kept.

use std::collections::{BTreeSet, HashMap};

use infrakit_plan::Timestamp;
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::instance::Description;
use infrakit_spi::{PluginName, tags};
use infrakit_store::{Durability, Store};

use crate::core::Core;
use crate::core::state::overrides::Overrides;
use crate::core::state::unwritten::Batch;
use crate::records::{PLUGINS, PluginRecord, plugin_key, put};

impl Core {
    /// Returns the core with what an operator says of plugins.
    #[must_use]
    pub fn overridden(mut self, overrides: Overrides) -> Self {
        self.override_plugins(overrides, Timestamp::default());
        self
    }

    /// Takes in what an operator says of plugins from now on.
    pub fn override_plugins(&mut self, overrides: Overrides, now: Timestamp) {
        let mut plugins: BTreeSet<PluginName> = self.behaviours.by_plugin.keys().cloned().collect();
        plugins.extend(self.behaviours.overrides.plugins().cloned());
        self.behaviours.overrides.take(overrides);
        plugins.extend(self.behaviours.overrides.plugins().cloned());
        for plugin in plugins {
            self.settle_behaviour(&plugin, now);
        }
        self.behave();
    }

    /// Has what is known of plugins hold for plans.
    fn behave(&mut self) {
        self.config.behaviours = std::sync::Arc::new(self.behaviours.effective());
    }

    /// Takes in what a plugin declares, or why that cannot be read.
    pub(in crate::core) fn behaves(
        &mut self,
        plugin: &PluginName,
        declared: Result<Box<Behaviour>, String>,
        now: Timestamp,
    ) {
        // Asked before each list, most plugins say what they have said before.
        let known = self.behaviours.known(plugin);
        if known.declared.as_ref() == Some(&declared) {
            return;
        }
        known.declared = Some(declared);
        known.doubled = None;
        if self.settle_behaviour(plugin, now) {
            self.behave();
        }
    }

    /// Notes that a plugin made two instances with one token: it is not what it declares, and asked
    /// again it would do so again.
    pub(in crate::core) fn note_doubled(
        &mut self,
        plugin: &PluginName,
        list: &[Description],
        now: Timestamp,
    ) {
        if self.behaviours.of(plugin).asks_again_within().is_none() {
            return;
        }
        let mut tokens = HashMap::new();
        let doubled = list.iter().find_map(|one| {
            let tags = one.tags.as_ref()?;
            let token = (tags.get(tags::GROUP)?, tags.get(tags::TOKEN)?);
            let other = tokens.insert(token, &one.id)?;
            (*other != one.id).then(|| format!("`{other}` and `{}`", one.id))
        });
        if doubled.is_some() {
            self.behaviours.known(plugin).doubled = doubled;
            self.settle_behaviour(plugin, now);
            self.behave();
        }
    }

    /// Works out anew what holds of a plugin, for the groups on it; returns whether that is another
    /// behaviour.
    fn settle_behaviour(&mut self, plugin: &PluginName, now: Timestamp) -> bool {
        let declared = self.behaviours.known(plugin).declared.clone();
        let (behaviour, fault) = self.behaviours.holds(plugin, declared);
        let known = self.behaviours.known(plugin);
        if fault != known.fault
            && let Some(fault) = &fault
        {
            tracing::error!(%plugin, %fault, "what is said of the plugin is wrong");
        }
        known.fault = fault;
        let is_other = known.behaviour != behaviour;
        known.behaviour = behaviour;
        if is_other && let Some(observer) = self.observers.get_mut(plugin) {
            // What the last list said in the plugin's own words may mean something else now.
            observer.forget();
        }
        self.rates.declare(plugin, self.behaviours.of(plugin));
        let on_it = self.groups.all_with_remains();
        let on_it = on_it.filter(|group| group.homes().any(|home| home == plugin));
        let on_it: Vec<_> = on_it.map(|group| group.id().clone()).collect();
        for id in on_it {
            self.wake_by(&id, now);
        }
        is_other
    }

    /// Returns how the provider behind a plugin behaves.
    #[must_use]
    pub fn behaviour(&self, plugin: &PluginName) -> &Behaviour {
        self.behaviours.of(plugin)
    }

    /// Writes what plugins were seen to take, where it is more than the store knows. It decides how
    /// long creations are waited for after a crash.
    pub(in crate::core) fn keep_took(&mut self) {
        let mut changes = Vec::new();
        for (plugin, known) in &mut self.behaviours.by_plugin {
            if known.took.is_news_to(&known.stored) {
                known.stored = known.took;
                changes.push(put(plugin_key(plugin), &known.took));
            }
        }
        if !changes.is_empty() {
            self.behave();
            self.write(Batch::Nothing, changes, Durability::Buffered);
        }
    }

    /// Takes up what plugins were seen to take, so that it holds for plans. What cannot be read is
    /// measured anew.
    pub(in crate::core) fn restore_took(&mut self, store: &dyn Store) {
        for (key, record) in store.scan(PLUGINS) {
            let Some(plugin) = key.strip_prefix(PLUGINS).map(PluginName::from) else {
                continue;
            };
            match record.value.decode::<PluginRecord>() {
                Ok(took) => {
                    let known = self.behaviours.known(&plugin);
                    (known.took, known.stored) = (took, took);
                }
                Err(error) => tracing::warn!(%plugin, %error, "its record cannot be read"),
            }
        }
        self.behave();
    }
}
