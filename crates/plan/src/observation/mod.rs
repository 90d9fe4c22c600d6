//! What is known of a group's members: the last complete list of each plugin that they live on, and
//! what was done since.
//!
//! A list says what was there when it was *started*. Whatever happened after that moment, it
//! cannot deny: an instance made since is not missing, one destroyed since is not back.

mod answered;
mod doubts;
mod first;
mod gone;
mod index;
pub(crate) mod key;
mod listed;
mod lists;
mod losses;
pub(crate) mod member;
mod members;
mod part;
mod tomb;
mod trust;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use infrakit_spi::instance::Domains;
use infrakit_spi::{InstanceId, LogicalId, PluginName};

pub use doubts::{Doubted, Missing};
use doubts::{Former, Losses};
use index::Aim;
use index::Filing;
pub(crate) use index::{Index, spread};
pub(crate) use key::Key;
pub use listed::{Lag, Listed, Seen};
pub(crate) use losses::domain;
pub(crate) use member::Standing;
pub use member::{Birth, Departure, Labelling, Member, Origin, Step};
use members::Members;
pub use tomb::{Buried, GivenAway};
use tomb::{Dead, Tomb};
pub use trust::Trust;

use crate::diagnosis::recollection::COUNTED_ON;
use crate::{Recollection, Spec, Timestamp};

/// What is known of one plugin's lists.
#[derive(Clone, Debug, Default)]
struct Home {
    /// When the last complete list was started.
    listed: Option<Timestamp>,
    /// When the last list was started, complete or not.
    looked: Option<Timestamp>,
    /// When it was found that nothing was heard for long, where no list has come that was started since.
    woken: Option<Timestamp>,
    /// The domains that the last list covers, where it is not complete.
    covers: Option<Arc<Domains>>,
    /// How far lists may lag behind; known from the last one.
    lag: Lag,
    /// Members that live there.
    population: usize,
    /// Whether the last entry of a list told in which state its instance is.
    tells_states: bool,
}

/// The members of a group, as far as known.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    members: Members,
    homes: BTreeMap<PluginName, Home>,
    /// Members that went lately: an older list, from a copy that lags behind, may still show them.
    tombs: BTreeMap<Key, Tomb>,
    /// The same of a former group of this id.
    former_tombs: BTreeMap<Key, Tomb>,
    /// Ids that another group was given: whoever had one of them before is gone, and a list from before
    /// that may still show it.
    given: BTreeMap<Key, GivenAway>,
    /// Ids of members that may be another one's since then, as an answer to a creation or a destruction leaves
    /// it open.
    doubtful: BTreeMap<Key, Timestamp>,
    /// Ids that the last list shows alive twice.
    doubled: BTreeSet<Key>,
    /// When this life of the controller began, where a former one knew of the group.
    began: Option<Timestamp>,
    /// Those that lists still show as going away although they are gone.
    dead: BTreeMap<Key, Dead>,
    /// Those that the last list of their plugin shows although another one lacked them a moment ago,
    /// with their identity: either list may be the older one.
    ghosts: BTreeMap<Key, Option<LogicalId>>,
    /// Members that the last list of their plugin lacks, and that are too young to be missed, or
    /// whose loss is doubted.
    missed: BTreeSet<Key>,
    /// Members that are missing, which is doubted.
    losses: Losses,
    /// What a former life of the controller knew of the plugins, until a list of theirs is believed.
    former: BTreeMap<PluginName, Former>,
    /// What it knew of the health of members.
    recollection: Option<Arc<Recollection>>,
    index: Index,
}

/// A member that is being changed; it is sorted anew when this is dropped.
pub struct Changing<'a> {
    seen: &'a mut Observed,
    key: Key,
    before: Filing,
}

impl Deref for Changing<'_> {
    type Target = Member;

    fn deref(&self) -> &Member {
        &self.seen.members[&self.key]
    }
}

impl DerefMut for Changing<'_> {
    fn deref_mut(&mut self) -> &mut Member {
        self.seen
            .members
            .get_mut(&self.key)
            .expect("nobody else can remove it while it is borrowed")
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        let after = self.seen.index.filing(&self.seen.members[&self.key]);
        self.seen.refile(&self.key, &self.before, &after);
    }
}

impl Observed {
    /// Takes in what a former life of the controller knew of the members, for when lists show them,
    /// or do not.
    pub fn recall(&mut self, recollection: Recollection) {
        let members = recollection.members().iter();
        let former = members.map(|(plugin, members)| (plugin.clone(), Former::of(*members)));
        self.former = former.collect();
        self.recollection = Some(Arc::new(recollection));
    }

    /// Takes in that nothing was heard for long: lists and verdicts that are on their way are from before
    /// that, and nobody can count on verdicts that old. `uncounted` has passed beside what the clock says.
    pub fn wake(&mut self, now: Timestamp, uncounted: Duration) {
        for home in self.homes.values_mut().filter(|home| home.looked.is_some()) {
            (home.listed, home.woken) = (None, Some(now));
        }
        self.outlive_verdicts(now + uncounted, |_| true);
        for member in self.members.values_mut() {
            // Members are not sorted by this.
            member.health.give_up();
        }
    }

    /// Takes in that members are planned for again: nobody was asked meanwhile, and nobody can count on
    /// verdicts that old.
    fn outlive_verdicts(&mut self, now: Timestamp, concerns: impl Fn(&Member) -> bool) {
        let old = |member: &Member| {
            let checked = member.health.checked();
            checked.is_some_and(|checked| now.since(checked) > COUNTED_ON)
        };
        let members = self.members.iter();
        let old = members.filter(|(_, member)| concerns(member) && old(member));
        for key in old.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            if let Some(mut member) = self.changing(key) {
                member.health.outlive();
            }
        }
    }

    /// Takes in that each plugin had so many members a moment ago: its first list is doubted if it lacks
    /// too many of them.
    pub(crate) fn expect(&mut self, there: BTreeMap<PluginName, usize>) {
        let there = there.into_iter();
        self.former = there
            .map(|(plugin, count)| (plugin, Former::of(count)))
            .collect();
    }

    /// Returns how many members each plugin has that nobody asked to go; where no list of it is believed yet,
    /// as many as were known before.
    pub(crate) fn there(&self) -> BTreeMap<PluginName, usize> {
        let mut there = BTreeMap::new();
        for member in self.members.values().filter(|member| member.stays()) {
            *there.entry(member.plugin.clone()).or_default() += 1;
        }
        for (plugin, former) in &self.former {
            let known = there.entry(plugin.clone()).or_default();
            *known = former.members().max(*known);
        }
        there.retain(|_, count| *count > 0);
        there
    }

    /// Returns what is to be written down of the health of members. `None` before a complete list of
    /// all plugins was seen, or where no spec is in force.
    #[must_use]
    pub fn recollect(&self, now: Timestamp) -> Option<Recollection> {
        self.listed()?;
        let updating = self.index.aim.as_ref()?.updating();
        let mut recollection = Recollection::begun(now);
        for member in self.members.values() {
            recollection.note(member, updating);
        }
        if let Some(read) = &self.recollection {
            recollection.keep(
                read,
                |number| self.index.tokens.contains_key(&number),
                |plugin, id| self.get_on(plugin, id).is_some(),
            );
        }
        Some(recollection)
    }

    /// Gives a member that comes into sight what a former life knew of its health.
    fn remember(&self, key: &Key, member: &mut Member) {
        if let (Some(read), Some(aim)) = (&self.recollection, &self.index.aim) {
            read.recall(key, member, aim.updating());
        }
    }

    /// Returns the members, ordered by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Returns the members on their way out, ordered by id. Where nothing was aimed at yet, none
    /// are known as such.
    pub fn leaving(&self) -> impl Iterator<Item = &Member> {
        let leaving = self.index.leaving.iter();
        leaving.filter_map(|key| self.members.get(key))
    }

    /// Returns how many members are on their way out. Where nothing was aimed at yet, none are known
    /// as such.
    #[must_use]
    pub fn departing(&self) -> usize {
        self.index.leaving.len()
    }

    /// Returns how many members are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether no member is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns a member; of two with one id on two plugins, the first by the plugin's name.
    #[must_use]
    pub fn get(&self, id: &InstanceId) -> Option<&Member> {
        self.key_of(id).and_then(|key| self.members.get(key))
    }

    /// Returns the member that lives on `plugin`.
    #[must_use]
    pub fn get_on(&self, plugin: &PluginName, id: &InstanceId) -> Option<&Member> {
        self.members.get(&key(plugin, id))
    }

    /// Returns the member that a creation made, by the creation's number. Where nothing was aimed at
    /// yet, none is known.
    #[must_use]
    pub fn made_by(&self, number: u64) -> Option<&Member> {
        self.members.get(self.index.tokens.get(&number)?)
    }

    /// Returns a member to change; of two with one id on two plugins, the first by the plugin's
    /// name.
    pub fn get_mut(&mut self, id: &InstanceId) -> Option<Changing<'_>> {
        let key = self.key_of(id)?.clone();
        self.changing(key)
    }

    /// Returns the member that lives on `plugin`, to change it.
    pub fn get_mut_on(&mut self, plugin: &PluginName, id: &InstanceId) -> Option<Changing<'_>> {
        self.changing(key(plugin, id))
    }

    fn key_of(&self, id: &InstanceId) -> Option<&Key> {
        let first = Key {
            id: id.clone(),
            plugin: PluginName::default(),
        };
        self.members.next(first..).filter(|key| key.id == *id)
    }

    fn changing(&mut self, key: Key) -> Option<Changing<'_>> {
        let before = self.index.filing(self.members.get(&key)?);
        Some(Changing {
            seen: self,
            key,
            before,
        })
    }

    pub(crate) fn at(&self, key: &Key) -> Option<&Member> {
        self.members.get(key)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Key, &Member)> {
        self.members.iter()
    }

    pub(crate) fn entry(&self, id: &InstanceId) -> Option<(&Key, &Member)> {
        self.members.get_key_value(self.key_of(id)?)
    }

    pub(crate) fn entry_on(&self, plugin: &PluginName, id: &InstanceId) -> Option<(&Key, &Member)> {
        self.members.get_key_value(&key(plugin, id))
    }

    /// Counts a plugin among those that members may live on: nothing is known of the group before
    /// it was listed.
    pub fn watch(&mut self, plugin: &PluginName) {
        self.homes.entry(plugin.clone()).or_default();
    }

    /// Counts a plugin no longer among those that members may live on. Members that it still had
    /// are forgotten.
    pub fn unwatch(&mut self, plugin: &PluginName) {
        self.homes.remove(plugin);
        self.former.remove(plugin);
        self.losses.unwatch(plugin);
        self.ghosts.retain(|key, _| key.plugin != *plugin);
        let gone: Vec<Key> = self
            .members
            .keys()
            .filter(|key| key.plugin == *plugin)
            .cloned()
            .collect();
        for key in gone {
            self.remove(&key);
        }
    }

    /// Returns the identities of those that may be back: the last list shows them, and one before it
    /// lacked them. They are no members as long as that list may be the older one.
    pub(crate) fn ghosts(&self) -> impl Iterator<Item = Option<&LogicalId>> {
        self.ghosts.values().map(Option::as_ref)
    }

    /// Returns the plugins that members may live on.
    pub fn homes(&self) -> impl Iterator<Item = &PluginName> {
        self.homes.keys()
    }

    /// Returns how many members live on `plugin`.
    #[must_use]
    pub fn population(&self, plugin: &PluginName) -> usize {
        self.homes.get(plugin).map_or(0, |home| home.population)
    }

    /// Returns whether lists of `plugin` tell in which state instances are, as far as one has shown. A
    /// plugin that says it of some members says it of all.
    #[must_use]
    pub fn tells_states(&self, plugin: &PluginName) -> bool {
        self.homes.get(plugin).is_some_and(|home| home.tells_states)
    }

    /// Returns since when everything is known: the earliest of the last complete lists of all
    /// plugins that members may live on. `None` before the first of any.
    #[must_use]
    pub fn listed(&self) -> Option<Timestamp> {
        let mut homes = self.homes.values();
        let first = homes.next()?.listed?;
        homes.try_fold(first, |least, home| Some(least.min(home.listed?)))
    }

    /// Returns when the last complete list of `plugin` was started.
    #[must_use]
    pub fn listed_on(&self, plugin: &PluginName) -> Option<Timestamp> {
        self.homes.get(plugin)?.listed
    }

    /// Sorts the members by a spec, so that plans for it cost what changes and not what there is.
    /// To be called when a spec comes into force, or naming of members begins or ends.
    pub fn aim(&mut self, spec: &Arc<Spec>, naming: bool) {
        self.index
            .aim(Arc::clone(spec), naming, self.members.iter());
        let held: Vec<LogicalId> = self.index.holders.keys().cloned().collect();
        for id in held {
            self.judge(&id);
        }
    }

    /// Returns whether members are sorted by this spec.
    pub(crate) fn is_aimed(&self, spec: &Spec, naming: bool) -> bool {
        self.index
            .aim
            .as_ref()
            .is_some_and(|aim| aim.is(spec, naming))
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    fn insert(&mut self, key: Key, member: Member) {
        self.remove(&key);
        let filing = self.index.filing(&member);
        self.index.put(&key, &filing);
        let id = member.identity().cloned();
        let home = self.homes.entry(key.plugin.clone()).or_default();
        home.population += 1;
        self.members.insert(key, member);
        self.judge_if(id.as_ref());
    }

    fn remove(&mut self, key: &Key) -> Option<Member> {
        let member = self.members.remove(key)?;
        self.missed.remove(key);
        self.losses.forget(key);
        self.doubtful.remove(key);
        if let Some(home) = self.homes.get_mut(&key.plugin) {
            home.population -= 1;
        }
        let filing = self.index.filing(&member);
        self.index.take(key, &filing);
        self.judge_if(member.identity());
        Some(member)
    }

    /// Takes in that lists show all members, as they will before long.
    pub(crate) fn show_the_young(&mut self) {
        for member in self.members.values_mut() {
            member.origin = Origin::Listed;
        }
    }

    /// Takes in that a member is gone, whatever lists say.
    pub(crate) fn vanish(&mut self, key: &Key) {
        self.remove(key);
    }

    fn refile(&mut self, key: &Key, before: &Filing, after: &Filing) {
        if before == after {
            return;
        }
        self.index.refile(key, before, after);
        self.judge_if(before.identity());
        if before.identity() != after.identity() {
            self.judge_if(after.identity());
        }
    }

    fn judge_if(&mut self, id: Option<&LogicalId>) {
        if let Some(id) = id {
            self.judge(&id.clone());
        }
    }

    fn judge(&mut self, id: &LogicalId) {
        let staying = self.index.holders.get(id).map_or(0, |holders| {
            let stays = |key: &&Key| self.members.get(key).is_some_and(Member::stays);
            holders.iter().filter(stays).count()
        });
        self.index.judge(id, staying);
    }
}

fn key(plugin: &PluginName, id: &InstanceId) -> Key {
    Key {
        id: id.clone(),
        plugin: plugin.clone(),
    }
}

#[cfg(test)]
mod tests;
