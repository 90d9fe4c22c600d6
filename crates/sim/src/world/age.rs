//! How much of the truth a controller could know.

use infrakit_spi::PluginName;
use infrakit_spi::instance::Locality;

use super::{MINUTE, SECOND, Truth, World, time};
use crate::controller::Ask;
use crate::invariants;

/// Until a change of health is found out and believed: some checks that are lost, three verdicts,
/// some that confirm them.
const FOUND_OUT: u64 = 2 * MINUTE;

impl World {
    /// Returns how old the truth may be that whoever asks this knows: what lists may lag, since when
    /// there was no list, how often is looked, and how slowly the store may write.
    pub(super) fn age(&self, ask: &Ask) -> u64 {
        let (Ask::Destroy { plugin, .. } | Ask::Repair { plugin, .. }) = ask else {
            return 0;
        };
        let lag = self
            .park
            .get(plugin)
            .map_or(0, |provider| match &provider.nature {
                Some(nature) => 2 * nature.longest_lag() + provider.lag,
                None if provider.locality == Locality::InProcess => 0,
                None => 2 * provider.lag,
            });
        let looks = 2 * time::nanos(self.traits.poll_interval);
        let blind = self.blind(plugin);
        let health = self.now.saturating_sub(self.darkened.max(1));
        // While everybody's health is told wrongly nobody knows of anybody.
        let health = if self.dark.0 + FOUND_OUT > self.now {
            health
        } else {
            0
        };
        let checks = self.park.machines().count() as u64 * SECOND
            / u64::from(self.traits.checks_per_second.max(1));
        FOUND_OUT + looks + lag + blind.max(health) + 4 * checks
    }

    /// Where there are too many, the sick go first: but all that go at once go in any order.
    pub(super) fn suspect(&mut self, life: u32, ask: &Ask, age: u64) {
        let suspicion = self
            .scene(life, age)
            .and_then(|scene| invariants::spared_sick(&scene, ask));
        self.suspicions.extend(suspicion);
    }

    /// Looks whether the sick that were spared are gone since then.
    pub(super) fn settle_suspicions(&mut self) {
        let (due, later) = std::mem::take(&mut self.suspicions)
            .into_iter()
            .partition(|one| one.at + 2 * SECOND <= self.now);
        self.suspicions = later;
        for one in due {
            let sick = self.park.machine(&one.sick.0, &one.sick.1);
            if sick.is_some_and(|sick| !sick.leaving && sick.truth != Truth::Well) {
                self.breach("the sick go first", one.what);
                return;
            }
        }
    }

    /// Returns for how long there has been no list of a plugin that shows what is there.
    fn blind(&self, plugin: &PluginName) -> u64 {
        let Some(provider) = self.park.get(plugin) else {
            return 0;
        };
        self.now.saturating_sub(provider.seen)
    }
}
