//! How the providers behind the plugins behave: as declared, as the operator knows better, and what
//! they were seen to take.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use infrakit_spi::PluginName;
use infrakit_spi::behaviour::Behaviour;

use crate::records::PluginRecord;

/// A plugin that declares nothing.
static UNDECLARED: LazyLock<Behaviour> = LazyLock::new(Behaviour::default);

/// What an operator says instead of the plugins, by plugin and type.
pub type Overrides = BTreeMap<PluginName, Behaviour>;

/// How the providers behind all plugins behave.
#[derive(Debug, Default)]
pub(in crate::core) struct Behaviours {
    pub(in crate::core) by_plugin: BTreeMap<PluginName, Known>,
    pub(in crate::core) overrides: Overrides,
}

/// What is known of one plugin.
#[derive(Clone, Debug, Default)]
pub(in crate::core) struct Known {
    /// What it said, or why that cannot be read; `None` before it was asked.
    pub(in crate::core) declared: Option<Result<Box<Behaviour>, String>>,
    /// What holds.
    pub(in crate::core) behaviour: Behaviour,
    /// Why what it declares does not hold.
    pub(in crate::core) fault: Option<String>,
    /// What it was seen to take.
    pub(in crate::core) took: PluginRecord,
    /// What of that is in the store.
    pub(in crate::core) stored: PluginRecord,
}

impl Behaviours {
    /// Returns how the provider behind a plugin behaves; nothing is declared for one that was not
    /// asked yet, or that declares nonsense.
    pub(in crate::core) fn of(&self, plugin: &PluginName) -> &Behaviour {
        let known = self.by_plugin.get(plugin).map(|known| &known.behaviour);
        known
            .or_else(|| self.overrides.get(plugin))
            .unwrap_or(&UNDECLARED)
    }

    /// Returns what is wrong with what a plugin declares.
    pub(in crate::core) fn fault(&self, plugin: &PluginName) -> Option<&str> {
        self.by_plugin.get(plugin)?.fault.as_deref()
    }

    /// Returns the longest that a creation was seen to take, by any group and in any life.
    pub(in crate::core) fn longest_creation(&self, plugin: &PluginName) -> Duration {
        let known = self.by_plugin.get(plugin);
        known.map_or(Duration::ZERO, |known| known.took.creation.longest)
    }

    /// Notes how long a creation took.
    pub(in crate::core) fn created(&mut self, plugin: &PluginName, took: Duration) {
        self.known(plugin).took.creation.note(took);
    }

    /// Notes how long destructions took until a list showed it.
    pub(in crate::core) fn departures(&mut self, plugin: &PluginName, took: &[Duration]) {
        for took in took {
            self.known(plugin).took.departure.note(*took);
        }
    }

    pub(in crate::core) fn known(&mut self, plugin: &PluginName) -> &mut Known {
        if !self.by_plugin.contains_key(plugin) {
            let behaviour = self.of(plugin).clone();
            let known = Known {
                behaviour,
                ..Known::default()
            };
            self.by_plugin.insert(plugin.clone(), known);
        }
        self.by_plugin.entry(plugin.clone()).or_default()
    }

    /// Works out what holds. What cannot be meant is not taken in part: nobody knows which part is
    /// the mistake.
    pub(in crate::core) fn declare(
        &self,
        plugin: &PluginName,
        declared: Result<Box<Behaviour>, String>,
    ) -> (Behaviour, Option<String>) {
        let declared = declared.and_then(|declared| match declared.check() {
            Ok(()) => Ok(*declared),
            Err(nonsense) => Err(format!("it declares nonsense: {nonsense}")),
        });
        let (declared, fault) = match declared {
            Ok(declared) => (declared, None),
            Err(fault) => (Behaviour::default(), Some(fault)),
        };
        let Some(over) = self.overrides.get(plugin) else {
            return (declared, fault);
        };
        let behaviour = declared.overridden(over);
        match behaviour.check() {
            Ok(()) => (behaviour, fault),
            Err(nonsense) => {
                let fault = format!("what is set for it contradicts what it declares: {nonsense}");
                (Behaviour::default(), Some(fault))
            }
        }
    }
}
