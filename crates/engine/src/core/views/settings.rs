//! What of an operator's settings of plugins holds.

use std::collections::BTreeSet;

use infrakit_spi::rollout::Setting;

use crate::core::Core;
use crate::core::state::overrides::Override;

impl Core {
    /// Returns what holds of each plugin of which something is set, or was meant to be.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let overrides = &self.behaviours.overrides;
        // Where the text as a whole cannot be read nobody knows of which plugins it speaks.
        let known = self.behaviours.by_plugin.keys();
        let plugins: BTreeSet<_> = overrides.plugins().chain(known).collect();
        let settings = plugins.into_iter().map(|plugin| Setting {
            plugin: plugin.clone(),
            set: overrides
                .of(plugin)
                .map(Override::facts)
                .unwrap_or_default(),
            fault: overrides.fault(plugin).unwrap_or_default().to_owned(),
            lost: overrides.is_lost(plugin),
        });
        settings
            .filter(|setting| !setting.set.is_empty() || !setting.fault.is_empty())
            .collect()
    }
}
