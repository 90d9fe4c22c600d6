//! Losses: members that a list lacks although nobody asked them to go, and whether that is believed.
//!
//! A few die now and then. That many are gone at once is rarely true: a plugin was restarted and has
//! forgotten them, a zone is out of its sight, a page is missing. Believed, it would make a second
//! set beside the first one. So many are kept as missed, and nothing is made for them, until a second
//! look confirms it, or a person does.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_spi::PluginName;

use super::doubts::{Absent, Doubted, Missing, NEVER};
use super::listed::Lag;
use super::member::{Birth, told_by, value_of};
use super::trust::{FEW, Proof, Tally, Trust};
use super::{Key, Member, Observed, Origin, Seen};
use crate::Timestamp;

impl Observed {
    /// Says how far the lists of a plugin are believed from now on, and what tells lives apart there.
    pub fn trust(&mut self, plugin: &PluginName, trust: Trust) {
        let other = self.losses.incarnation_field(plugin) != trust.incarnation_field;
        if other {
            // Lists that show the same as before are not read again.
            let members = self.members.iter_mut();
            for (_, member) in members.filter(|(key, _)| key.plugin == *plugin) {
                member.incarnation = told_by(&member.description, &trust.incarnation_field);
            }
        }
        self.losses.trust.insert(plugin.clone(), trust);
    }

    /// Returns whether lists of a plugin show what creation an instance came of.
    pub(crate) fn shows_tokens(&self, plugin: &PluginName) -> bool {
        self.losses.shows_tokens(plugin)
    }

    /// Takes in that a list shows these: who is lost where it shows somebody is lost by itself.
    pub(super) fn end_silence(&mut self, plugin: &PluginName, present: &BTreeSet<Key>) {
        if !self.losses.is_silent(plugin) {
            return;
        }
        let shown = present.iter().filter_map(|key| self.members.get(key));
        let domains = shown.map(|member| self.domain_of(plugin, member).into_owned());
        let domains: BTreeSet<String> = domains.collect();
        self.losses.forget_silence(plugin, &domains);
        if !present.is_empty() {
            let leaving = &mut self.losses.leaving;
            leaving.retain(|key, _| key.plugin != *plugin || present.contains(key));
        }
    }

    /// Takes in that a list lacks members which it would have to show if they were there.
    pub(super) fn judge_lost(
        &mut self,
        plugin: &PluginName,
        gone: Vec<Key>,
        (started, lag): (Timestamp, Lag),
        (now, seen): (Timestamp, &mut Seen),
    ) {
        let (lost, asked): (BTreeSet<Key>, BTreeSet<Key>) =
            gone.into_iter().partition(|key| self.is_lost(key));
        let trust = self.losses.trust_in(plugin);
        self.losses.forget_believed(plugin, started, trust.silence);
        let mut doubt = self.doubt(plugin, (&lost, &asked), started);
        let together: BTreeSet<Key> = doubt.keys().cloned().collect();
        if let Some(least) = trust.least() {
            let stays = |key: &&Key| self.members.get(key).is_some_and(Member::stays);
            for key in lost.iter().filter(stays) {
                let wait = doubt.entry(key.clone()).or_insert(least);
                *wait = least.max(*wait);
            }
        }
        let missing: BTreeSet<Key> = lost.into_iter().chain(asked).collect();
        let silent = self.silent_domains(plugin, &missing, &trust);
        let first = self.losses.since(plugin, missing.len(), started);
        let mut absent = std::mem::take(&mut self.losses.absent);
        absent.retain(|key, _| {
            let member = self.members.get(key);
            let told_of = member.is_some_and(|member| self.tells_of(plugin, member));
            key.plugin != *plugin || missing.contains(key) || !told_of
        });
        self.losses.absent = absent;
        for key in missing {
            let Some(wait) = doubt.get(&key) else {
                self.note_believed(&key, (started, &silent), &trust);
                self.lose(&key, (started, lag), now, seen);
                continue;
            };
            let before = self.losses.absent.get(&key);
            let since = before.map_or(first, |absent| absent.since);
            let until = since + *wait;
            if started > since && started >= until {
                self.note_believed(&key, (started, &silent), &trust);
                self.lose(&key, (started, lag), now, seen);
                continue;
            }
            let absent = Absent {
                since,
                until,
                in_company: together.contains(&key),
            };
            self.losses.absent.insert(key.clone(), absent);
            self.note_missed(key);
            if until != NEVER {
                seen.look_again_at(until);
            }
        }
    }

    /// Returns whether a member that a list lacks was not asked to go when the first one lacked it: a
    /// loss that is doubted is none the less so because the group is ended meanwhile.
    fn is_lost(&self, key: &Key) -> bool {
        let absent = self.losses.absent.get(key).map(|absent| absent.since);
        self.members.get(key).is_some_and(|member| {
            let asked = member.departure.map(|departure| departure.since);
            let before = absent
                .zip(asked)
                .is_some_and(|(absent, asked)| absent < asked);
            member.stays() || before
        })
    }

    /// Returns the domains in which members are missing and nobody is shown.
    fn silent_domains(
        &self,
        plugin: &PluginName,
        missing: &BTreeSet<Key>,
        trust: &Trust,
    ) -> BTreeSet<String> {
        let gone = missing.iter().filter_map(|key| self.members.get(key));
        let mut silent: BTreeSet<String> = gone
            .map(|member| domain(member, &trust.domain_of).into_owned())
            .collect();
        for (key, member) in &self.members {
            if silent.is_empty() {
                break;
            }
            if key.plugin == *plugin && !member.missed && !missing.contains(key) {
                silent.remove(domain(member, &trust.domain_of).as_ref());
            }
        }
        silent
    }

    /// Notes a loss that is believed, where nobody is shown.
    fn note_believed(
        &mut self,
        key: &Key,
        (started, silent): (Timestamp, &BTreeSet<String>),
        trust: &Trust,
    ) {
        if trust.proof == Proof::Whole {
            return;
        }
        if let Some(member) = self.members.get(key) {
            let domain = domain(member, &trust.domain_of).into_owned();
            if !silent.contains(&domain) {
                return;
            }
            self.losses
                .believed
                .push((started, key.plugin.clone(), domain));
            // Only a token or its like tells it from another one of that id.
            let birth = member.birth();
            if let Some(departure) = member.departure
                && birth != Birth::default()
            {
                self.losses.leaving.insert(key.clone(), (birth, departure));
            }
        }
    }

    /// Returns those that are not believed to be gone, and for how long: of the lost, and of those that
    /// were asked to go. A list that is not believed of the others says nothing of those either, and
    /// what is made in their place too early is one too many.
    fn doubt(
        &self,
        plugin: &PluginName,
        (lost, asked): (&BTreeSet<Key>, &BTreeSet<Key>),
        started: Timestamp,
    ) -> BTreeMap<Key, Duration> {
        let mut doubt = BTreeMap::new();
        let trust = self.losses.trust_in(plugin);
        let before = self.losses.believed.iter();
        let before = before.filter(|(_, home, _)| home == plugin);
        // The usual case costs nothing. Those that are too young to be missed count as well: else the
        // losses of a group that was made lately would be few each time that one comes of age.
        let absent = lost.union(&self.missed).take(FEW + 1).count();
        let usual = absent + asked.len() <= FEW && before.clone().next().is_none();
        if absent == 0 || usual || trust.is_proof() {
            return doubt;
        }
        let (whole, domains) = self.tally((plugin, started), (lost, asked.len()), before, &trust);
        if whole.lost == 0 {
            // Nobody is missing but those that were asked to go.
            return doubt;
        }
        // A domain that is out of sight is one event, however large it is beside the others.
        let wait = |key: &Key| {
            let member = self.members.get(key)?;
            let own = domains.get(&domain(member, &trust.domain_of));
            let tally = if whole.is_silent() { &whole } else { own? };
            trust.wait(*tally)
        };
        doubt.extend(
            lost.iter()
                .filter_map(|key| Some((key.clone(), wait(key)?))),
        );
        // What is left is judged as what is lost of the whole.
        let rest = Tally {
            lost: whole.lost.saturating_sub(doubt.len()),
            ..whole
        };
        let rest = trust.wait(rest);
        if let Some(wait) = rest {
            for key in lost {
                doubt.entry(key.clone()).or_insert(wait);
            }
        }
        let hidden = asked.iter();
        doubt.extend(hidden.filter_map(|key| Some((key.clone(), wait(key).or(rest)?))));
        doubt
    }

    /// Counts the members of a plugin that stay as far as anybody said, all of them and by domain.
    fn tally<'a>(
        &'a self,
        (plugin, started): (&PluginName, Timestamp),
        (lost, asked): (&BTreeSet<Key>, usize),
        before: impl Iterator<Item = &'a (Timestamp, PluginName, String)>,
        trust: &Trust,
    ) -> (Tally, BTreeMap<Cow<'a, str>, Tally>) {
        let mut whole = Tally {
            before: asked,
            ..Tally::default()
        };
        // In the first list of a life everybody is new.
        let known = self.looked_on(plugin).is_some();
        // A plugin that has forgotten its instances shows those that it made since.
        let absent = |key: &Key| self.losses.absent.get(key).map(|absent| absent.since);
        let first = lost.iter().filter_map(absent).min();
        let first = first.map_or(started, |since| since.min(started));
        let mut domains: BTreeMap<Cow<'_, str>, Tally> = BTreeMap::new();
        for (_, _, domain) in before {
            whole.before += 1;
            whole.again = true;
            let domain = domains.entry(Cow::Borrowed(domain)).or_default();
            domain.before += 1;
            domain.again = true;
        }
        for (key, member) in &self.members {
            let is_lost = lost.contains(key);
            let counts = member.stays() || is_lost;
            if key.plugin != *plugin || !counts || !self.tells_of(plugin, member) {
                continue;
            }
            let domain = domains.entry(domain(member, &trust.domain_of)).or_default();
            for tally in [&mut whole, domain] {
                if is_lost || member.missed {
                    tally.lost += 1;
                } else if member.origin != Origin::Listed {
                    tally.young += 1;
                } else {
                    tally.shown += 1;
                    let fresh = known && member.first_shown >= Some(first);
                    tally.fresh += usize::from(fresh);
                }
            }
        }
        (whole, domains)
    }

    /// Returns the domain that a member is in; empty where nobody knows.
    pub(super) fn domain_of<'a>(&self, plugin: &PluginName, member: &'a Member) -> Cow<'a, str> {
        let trust = self.losses.trust.get(plugin);
        domain(member, trust.map_or("", |trust| &trust.domain_of))
    }

    /// Returns the loss that is doubted, if there is one.
    #[must_use]
    pub fn doubted(&self) -> Option<Doubted> {
        let absent = self.losses.absent.iter();
        let lost = |key: &Key| self.members.get(key).is_some_and(Member::stays);
        let absent: BTreeMap<&Key, &Absent> = absent.filter(|(key, _)| lost(key)).collect();
        let named = |key: &Key| {
            let trust = self.losses.trust.get(&key.plugin)?;
            let domain = domain(self.members.get(key)?, &trust.domain_of);
            (!domain.is_empty()).then(|| domain.into_owned())
        };
        let domains: BTreeSet<String> = absent.keys().copied().filter_map(named).collect();
        let first: Vec<(usize, Absent)> = self
            .former
            .values()
            .filter_map(|former| former.lacks())
            .collect();
        let all = || {
            absent
                .values()
                .copied()
                .chain(first.iter().map(|(_, absent)| absent))
        };
        Some(Doubted {
            count: absent.len() + first.iter().map(|(count, _)| count).sum::<usize>(),
            since: all().map(|absent| absent.since).min()?,
            until: Some(all().map(|absent| absent.until).max()?).filter(|until| *until != NEVER),
            domains: domains.into_iter().collect(),
        })
    }

    /// Returns the members whose loss is doubted, those aside that were asked to go.
    pub fn doubted_members(&self) -> impl Iterator<Item = &Member> {
        let absent = self.losses.absent.keys();
        let members = absent.filter_map(|key| self.members.get(key));
        members.filter(|member| member.stays())
    }

    /// Returns whether the last list of a plugin is doubted, since it lacks too many.
    pub(crate) fn is_doubted_on(&self, plugin: &PluginName) -> bool {
        let first = self.former.get(plugin).and_then(|former| former.lacks());
        let mut absent = self.losses.absent.iter();
        first.is_some()
            || absent.any(|(key, absent)| {
                let stays = || self.members.get(key).is_some_and(Member::stays);
                absent.in_company && key.plugin == *plugin && stays()
            })
    }

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

    /// Believes a loss that is doubted, since somebody says so who knows. Returns what that changed.
    pub fn confirm_losses(&mut self, now: Timestamp) -> Seen {
        let mut seen = Seen::default();
        for (key, absent) in std::mem::take(&mut self.losses.absent) {
            let lag = self
                .homes
                .get(&key.plugin)
                .map_or_else(Lag::default, |home| home.lag);
            self.lose(&key, (absent.since, lag), now, &mut seen);
        }
        seen.vanished += self.confirm_first();
        // Somebody knows what became of them: that speaks against nobody's configuration.
        seen.early.clear();
        seen
    }
}

/// Returns the domain that a member is in: the tag of that name, or else the property.
pub(crate) fn domain<'a>(member: &'a Member, domain_of: &str) -> Cow<'a, str> {
    value_of(&member.description, domain_of)
}

#[cfg(test)]
mod tests;
