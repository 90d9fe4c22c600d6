//! How the providers behind the plugins behave: as declared, as the operator knows better, and what
//! they were seen to take.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{LossPolicy, Trust};
use infrakit_spi::PluginName;
use infrakit_spi::behaviour::{Behaviour, IdempotencyKind, Seconds};

use crate::core::state::overrides::InForce;
use crate::records::PluginRecord;

/// How the providers behind all plugins behave.
#[derive(Debug, Default)]
pub(in crate::core) struct Behaviours {
    pub(in crate::core) by_plugin: BTreeMap<PluginName, Known>,
    pub(in crate::core) overrides: InForce,
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
    /// What is wrong with what it declares, or with what is set for it.
    pub(in crate::core) fault: Option<String>,
    /// Two instances that it made with one token, where it was seen to.
    pub(in crate::core) doubled: Option<String>,
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
        known.unwrap_or(&self.undeclared)
    }

    /// Returns how far the lists of a plugin are believed that lack members of a group with this
    /// policy.
    pub(in crate::core) fn trust(&self, plugin: &PluginName, policy: LossPolicy) -> Trust {
        let set = self.overrides.of(plugin);
        let set = set.map_or_else(LossPolicy::default, |set| set.losses);
        Trust::of(self.of(plugin), &policy.or(set))
    }

    /// Returns how the providers behave of which anything is known. What one was seen to take counts
    /// as its usual time, where nobody said when to give up.
    pub(in crate::core) fn effective(&self) -> BTreeMap<PluginName, Behaviour> {
        let mut all = BTreeMap::new();
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

    /// Returns what is wrong with what a plugin declares, or with what is set for it.
    pub(in crate::core) fn fault(&self, plugin: &PluginName) -> Option<String> {
        match self.by_plugin.get(plugin) {
            Some(known) => known.fault.clone(),
            None => self.holds(plugin, None).1,
        }
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
            let (behaviour, fault) = self.holds(plugin, None);
            let known = Known {
                behaviour,
                fault,
                ..Known::default()
            };
            self.by_plugin.insert(plugin.clone(), known);
        }
        self.by_plugin.entry(plugin.clone()).or_default()
    }

    /// Works out what holds of a plugin, and what is wrong with what is said of it. What cannot be
    /// meant is not taken in part: nobody knows which part is the mistake.
    pub(in crate::core) fn holds(
        &self,
        plugin: &PluginName,
        declared: Option<Result<Box<Behaviour>, String>>,
    ) -> (Behaviour, Option<String>) {
        let undeclared = || Behaviour::clone(&self.undeclared);
        let ignored = |why: &str| format!("is treated as if it declared nothing: {why}");
        let (mut behaviour, mut faults) = match declared.transpose().map(Option::unwrap_or_default)
        {
            Ok(declared) if declared.is_undeclared() => (undeclared(), Vec::new()),
            Ok(declared) => match declared.check() {
                Ok(()) => (*declared, Vec::new()),
                Err(nonsense) => {
                    let why = format!("it declares nonsense: {nonsense}");
                    (undeclared(), vec![ignored(&why)])
                }
            },
            Err(why) => (undeclared(), vec![ignored(&why)]),
        };
        let set = self.overrides.of(plugin);
        if let Some(set) = set {
            let both = behaviour.overridden(&set.behaviour);
            if let Err(nonsense) = both.check() {
                let why = format!("what is set for it contradicts what it declares: {nonsense}");
                return (undeclared(), Some(ignored(&why)));
            }
            behaviour = both;
        }
        let known = self.by_plugin.get(plugin);
        if let Some(doubled) = known.and_then(|known| known.doubled.as_ref())
            && behaviour.asks_again_within().is_some()
        {
            behaviour.idempotency.kind = IdempotencyKind::None;
            faults.push(format!(
                "declares that it knows creations by their tokens, and made two with one, {doubled}; \
                 it is not asked again any more"
            ));
        }
        if let Some(fault) = self.overrides.fault(plugin) {
            if self.overrides.is_lost(plugin) {
                behaviour = undeclared();
                faults.push(ignored(&format!("what is set for it is wrong: {fault}")));
            } else {
                faults.push(format!(
                    "is treated as was set for it before; what is set now is wrong: {fault}"
                ));
            }
        }
        (
            behaviour,
            (!faults.is_empty()).then(|| faults.join(", and ")),
        )
    }
}
