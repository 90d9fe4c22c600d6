//! How the providers behind the plugins behave: as declared, as the operator knows better, and what
//! they were seen to take.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use infrakit_spi::PluginName;
use infrakit_spi::behaviour::{Behaviour, Seconds};

use crate::records::PluginRecord;

/// What an operator says instead of the plugins, by plugin and type.
pub type Overrides = BTreeMap<PluginName, Behaviour>;

/// How the providers behind all plugins behave.
#[derive(Debug, Default)]
pub(in crate::core) struct Behaviours {
    pub(in crate::core) by_plugin: BTreeMap<PluginName, Known>,
    pub(in crate::core) overrides: Overrides,
    /// How a plugin is taken to behave that declares nothing.
    pub(in crate::core) undeclared: Arc<Behaviour>,
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
            .unwrap_or(&self.undeclared)
    }

    /// Returns how the providers behave of which anything is known. What one was seen to take counts
    /// as its usual time, where nobody said when to give up.
    pub(in crate::core) fn effective(&self) -> BTreeMap<PluginName, Behaviour> {
        let set = self.overrides.iter();
        let set = set.map(|(plugin, behaviour)| (plugin.clone(), behaviour.clone()));
        let mut all: BTreeMap<_, _> = set.collect();
        for (plugin, known) in &self.by_plugin {
            let mut behaviour = known.behaviour.clone();
            if behaviour.create.give_up.is_none() {
                let longest = Seconds::from(known.took.creation.longest);
                let usual = &mut behaviour.create.running_p99;
                *usual = Some(usual.map_or(
                    longest,
                    |usual| if usual < longest { longest } else { usual },
                ));
            }
            all.insert(plugin.clone(), behaviour);
        }
        all
    }

    /// Returns what is wrong with what a plugin declares.
    pub(in crate::core) fn fault(&self, plugin: &PluginName) -> Option<&str> {
        self.by_plugin.get(plugin)?.fault.as_deref()
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
            Ok(()) if declared.is_undeclared() => Ok(Behaviour::clone(&self.undeclared)),
            Ok(()) => Ok(*declared),
            Err(nonsense) => Err(format!("it declares nonsense: {nonsense}")),
        });
        let (declared, fault) = match declared {
            Ok(declared) => (declared, None),
            Err(fault) => (Behaviour::clone(&self.undeclared), Some(fault)),
        };
        let Some(over) = self.overrides.get(plugin) else {
            return (declared, fault);
        };
        let behaviour = declared.overridden(over);
        match behaviour.check() {
            Ok(()) => (behaviour, fault),
            Err(nonsense) => {
                let fault = format!("what is set for it contradicts what it declares: {nonsense}");
                (Behaviour::clone(&self.undeclared), Some(fault))
            }
        }
    }
}
