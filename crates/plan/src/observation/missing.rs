//! What is written down of losses: a restart must neither begin to wait anew nor forget what was believed.

use std::collections::BTreeMap;

use infrakit_spi::PluginName;

use super::Observed;
use super::doubts::Missing;

impl Observed {
    /// Takes in what a former life doubted, and what it believed of plugins that showed nobody.
    pub fn recall_missing(&mut self, missing: BTreeMap<PluginName, Missing>) {
        let believed = missing.iter().filter_map(|(plugin, missing)| {
            Some((missing.believed?, plugin.clone(), String::new()))
        });
        self.losses.believed.extend(believed);
        self.losses.former = missing;
        self.losses.former.retain(|_, missing| missing.count > 0);
    }

    /// Returns what is doubted of each plugin, for a life to come. Before the first list of a plugin
    /// that is what a former life doubted.
    #[must_use]
    pub fn missing(&self) -> BTreeMap<PluginName, Missing> {
        let mut missing = self.losses.former.clone();
        let absent = self.losses.absent.iter();
        let known = absent.map(|(key, absent)| (&key.plugin, 1, absent.since));
        let first = self.former.iter();
        let first = first.filter_map(|(plugin, former)| Some((plugin, former.lacks()?)));
        let first = first.map(|(plugin, (count, absent))| (plugin, count, absent.since));
        for (plugin, count, since) in known.chain(first) {
            let missing = missing
                .entry(plugin.clone())
                .or_insert_with(|| Missing::nobody(since));
            missing.count += count;
            missing.since = missing.since.min(since);
        }
        for missing in missing.values_mut() {
            missing.believed = None;
        }
        for (at, plugin, _) in &self.losses.believed {
            let missing = missing
                .entry(plugin.clone())
                .or_insert_with(|| Missing::nobody(*at));
            missing.believed = missing.believed.max(Some(*at));
        }
        missing
    }
}
