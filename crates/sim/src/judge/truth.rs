//! What is true of a group, as far as whoever acts could know it.

use infrakit_spi::{GroupId, PluginName};

use super::{Scene, is_not_kept_yet};
use crate::world::{Machine, SECOND};

/// After so long even a list with nobody in it is believed.
const CONFIRMED: u64 = 60 * SECOND;

impl<'a> Scene<'a> {
    /// Returns the instances of a group that are there and are not on their way out.
    pub fn staying(
        &self,
        group: &'a GroupId,
    ) -> impl Iterator<Item = (&'a PluginName, &'a Machine)> {
        let ledger = self.ledger;
        self.park
            .of(group.as_str())
            .filter(move |(plugin, one)| ledger.is_home(group, plugin) && !one.leaving)
    }

    /// Returns whether an instance may be taken for gone although it is there: lists do not show it,
    /// and a second sight has confirmed that, or so few are missing that one sight is believed. What
    /// comes to light later is too many then, and nobody could know.
    #[must_use]
    pub fn may_be_missed(&self, group: &'a GroupId, (home, one): (&PluginName, &Machine)) -> bool {
        let Some(provider) = self.park.get(home) else {
            return false;
        };
        let hidden = |one: &Machine| provider.is_out_of_sight(one, self.now);
        if !hidden(one) {
            return false;
        }
        let (mut all, mut missed) = (0, 0);
        for (_, other) in self
            .park
            .of(group.as_str())
            .filter(|(plugin, _)| *plugin == home)
        {
            all += 1;
            missed += u64::from(hidden(other));
        }
        missed <= 2.max(all / 2) || self.now >= provider.hidden_since + CONFIRMED
    }

    /// Returns the instances of a group that went by themselves, so lately that nobody need know.
    pub fn lost(&self, group: &'a GroupId) -> impl Iterator<Item = (&'a PluginName, &'a Machine)> {
        let (now, age) = (self.now, self.age);
        let all = self
            .park
            .providers()
            .flat_map(|(name, provider)| provider.former().map(move |one| (name, one)));
        all.filter(move |(_, one)| {
            let lately = one.gone.is_some_and(|gone| gone + age >= now);
            lately && !one.leaving && one.group() == Some(group.as_str())
        })
    }

    /// Returns how many instances of a group serve, or did so lately, one of them left out.
    #[must_use]
    pub fn serving_without(&self, group: &'a GroupId, (home, out): (&PluginName, &Machine)) -> u64 {
        let others = self
            .staying(group)
            .filter(|(plugin, one)| *plugin != home || one.id != out.id)
            .filter(|(_, one)| {
                one.served_lately(self.now, self.age) || self.passes_for_serving(group, one)
            });
        let lost = self.lost(group).filter(|(_, one)| one.served.is_some());
        (others.count() + lost.count()) as u64
    }

    /// Returns whether a promise is not kept yet, and that is overlooked.
    #[must_use]
    pub fn overlooks(&self, promise: &str) -> bool {
        self.lenient && is_not_kept_yet(promise, false)
    }

    /// Returns whether the core takes a member for one that serves: that is not kept yet.
    fn passes_for_serving(&self, group: &GroupId, one: &Machine) -> bool {
        if !self.overlooks("budget") {
            return false;
        }
        let promise = self.sight.promises.get(group);
        promise.is_some_and(|promise| !promise.matches(one.hash()))
    }

    /// Returns how many instances of a group there are, or were lately.
    #[must_use]
    pub fn there(&self, group: &'a GroupId) -> u64 {
        (self.staying(group).count() + self.lost(group).count()) as u64
    }
}
