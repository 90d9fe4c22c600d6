//! What is true of a group, as far as whoever acts could know it.

use infrakit_spi::{GroupId, InstanceId, PluginName, tags};

use super::{Scene, Sight};
use crate::controller::Creation;
use crate::world::{Machine, Park, SECOND};

/// After so long even a list with nobody in it is believed.
const CONFIRMED: u64 = 60 * SECOND;
/// So old may a list be that is acted upon: half a minute from one to the next, twenty seconds until
/// it comes, ten until what follows from it is written down.
const ACTED_UPON: u64 = 60 * SECOND;

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

    /// Returns whether an instance with the tag of a group is its own: in one of named members those without a
    /// name are nobody's.
    #[must_use]
    pub fn owns(&self, group: &GroupId, one: &Machine) -> bool {
        one.identity().is_some() || self.ledger.owns_nameless(group)
    }

    /// Returns the instances of a group that are there and not on their way out where it lived when it was
    /// given up. Whoever takes it up again may count on them.
    pub fn left_behind(
        &self,
        group: &'a GroupId,
    ) -> impl Iterator<Item = (&'a PluginName, &'a Machine)> {
        let ledger = self.ledger;
        let left =
            move |plugin| ledger.may_be_home(group, plugin) && !ledger.is_home(group, plugin);
        self.park
            .of(group.as_str())
            .filter(move |(plugin, one)| left(plugin) && !one.leaving)
    }

    /// Returns whether an instance may be taken for gone although it is there: lists do not show it,
    /// and a second sight has confirmed that, or so few are missing that one sight is believed. What
    /// comes to light later is too many then, and nobody could know.
    #[must_use]
    pub fn may_be_missed(&self, group: &'a GroupId, whom: (&PluginName, &Machine)) -> bool {
        may_be_missed(self.park, (group, self.sight), whom, self.now)
    }

    /// Returns whether a creation was asked for before of a plugin that makes it only once.
    #[must_use]
    pub fn is_asked_again(&self, creation: &Creation) -> bool {
        let token = creation.tags.get(tags::TOKEN);
        let provider = self.park.get(&creation.plugin);
        token.is_some_and(|token| provider.is_some_and(|one| one.asked.contains_key(token)))
    }

    /// Returns the instances of a group that went by themselves, so lately that nobody need know.
    pub fn lost(&self, group: &'a GroupId) -> impl Iterator<Item = (&'a PluginName, &'a Machine)> {
        self.gone_lately(group).filter(|(_, one)| !one.leaving)
    }

    /// Returns the instances of a group that went so lately that lists may still show them, those included
    /// that somebody asked to go.
    pub fn gone_lately(
        &self,
        group: &'a GroupId,
    ) -> impl Iterator<Item = (&'a PluginName, &'a Machine)> {
        let (now, age) = (self.now, self.age);
        let all = self
            .park
            .providers()
            .flat_map(|(name, provider)| provider.former().map(move |one| (name, one)));
        all.filter(move |(_, one)| {
            let lately = one.gone.is_some_and(|gone| gone + age >= now);
            lately && one.group() == Some(group.as_str())
        })
    }

    /// Returns how many instances of a group serve, or did so lately, or seem to after their destruction came
    /// to nothing, one of them left out. Whoever takes one on a plugin counts the others there, too: what was
    /// under way when a group was given up is taken over by whoever takes the group up, with the plugin that it
    /// is on.
    #[must_use]
    pub fn serving_without(&self, group: &'a GroupId, (home, out): (&PluginName, &Machine)) -> u64 {
        let ledger = self.ledger;
        let others = self
            .park
            .of(group.as_str())
            .filter(|(plugin, _)| *plugin == home || ledger.may_be_home(group, plugin))
            .filter(|(plugin, one)| *plugin != home || one.id != out.id)
            .filter(|(plugin, one)| {
                if one.leaving {
                    ledger.seems_to_stay((plugin, &one.id), group, (self.now, self.age))
                } else {
                    one.served_lately(self.now, self.age)
                }
            });
        // Whoever was said to do well is counted on like any other until that is found out.
        let flattered = |one: &Machine| one.flattered.is_some_and(|at| at + self.age >= self.now);
        let lost = self.lost(group);
        let lost = lost.filter(|(_, one)| one.served.is_some() || flattered(one));
        (others.count() + lost.count()) as u64
    }

    /// Returns how many instances of a group there are, or were lately, or are said to be in an answer
    /// that no list could deny yet.
    #[must_use]
    pub fn there(&self, group: &'a GroupId) -> u64 {
        let said = self.sight.members.iter();
        let promised = |plugin: &PluginName, id: &InstanceId| {
            let provider = self.park.get(plugin);
            provider.is_some_and(|provider| provider.promised_to(id).is_some())
        };
        let said = said.filter(|((plugin, id), seen)| {
            let there = self.park.machine(plugin, id).is_some() || promised(plugin, id);
            seen.group == *group && seen.is_unlisted() && !there
        });
        let promises = self.park.promises(group).count();
        // Who was asked to go with the group that was there before, and given up unseen, is shown as before.
        let leaving = self.park.of(group.as_str()).filter(|(_, one)| one.leaving);
        let places = leaving.map(|(plugin, one)| (plugin.clone(), one.id.clone()));
        let given_up = places.filter(|place| self.ledger.given_up.contains(place));
        let given_up = given_up.count();
        let there = self.staying(group).count() + self.lost(group).count() + given_up;
        (there + said.count() + promises) as u64
    }
}

/// Returns whether an instance may be taken for gone although it is there, by whoever was told that.
pub(super) fn may_be_missed(
    park: &Park,
    (group, sight): (&GroupId, &Sight),
    (home, one): (&PluginName, &Machine),
    now: u64,
) -> bool {
    let Some(provider) = park.get(home) else {
        return false;
    };
    // Once its group has moved nobody looks where it was out of sight.
    let promise = sight.promises.get(group);
    if one.unseen.is_some() && promise.is_some_and(|promise| promise.plugin != *home) {
        return true;
    }
    // Where no list has come since, nobody knows better.
    let lately = |(_, last): (u64, u64)| last + ACTED_UPON >= now.min(provider.answered);
    let hidden = |one: &Machine| one.unseen.is_some_and(lately);
    if !hidden(one) {
        return false;
    }
    // Nobody ever heard of it who could tell, and lists show nothing of it.
    let heard_of = |home: &PluginName, one: &Machine| {
        let told = || sight.members.contains_key(&(home.clone(), one.id.clone()));
        one.listed || told()
    };
    if !heard_of(home, one) {
        return true;
    }
    let twice = |one: &Machine| one.unseen.is_some_and(|(first, last)| first < last);
    let all = || {
        park.of(group.as_str())
            .filter(|(plugin, _)| *plugin == home)
    };
    // Others are shown again by the list that still lacks it: a zone comes back before another.
    let shown = all().any(|(_, other)| !hidden(other) || other.seen_again);
    // Of those that are lost beside others that are shown a second list tells. Those of whom it has
    // told are gone for all that anybody knows, and so are those that were asked to go: only the others
    // are missing together.
    let gone = |other: &Machine| (shown && hidden(other) && twice(other)) || other.leaving;
    // Those that went out of sight before it were missed by themselves, and so are those that were made
    // for them since. Those that go out of sight later are still there.
    let first = |other: &Machine| {
        other
            .unseen
            .map(|(first, _)| first)
            .filter(|_| hidden(other))
    };
    let lost = first(one);
    let before = |other: &Machine| first(other).is_some_and(|at| Some(at) < lost);
    let since = |other: &Machine| Some(other.born) > lost;
    let together = || all().filter(|(_, other)| !gone(other) && !before(other) && !since(other));
    // Of whom nobody has heard nobody is missed.
    let missed = together()
        .filter(|(home, other)| first(other) == lost && heard_of(home, other))
        .count();
    // Who was believed to be gone is no longer missed, whoever goes after it.
    let of = one.unseen_of.max(together().count());
    (shown && twice(one)) || missed <= 2.max(of / 2) || now >= provider.hidden_since + CONFIRMED
}
