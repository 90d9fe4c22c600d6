//! Lists: when they are asked for, and what they tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Labelling, Listed, Seen, Step, Timestamp, Token};
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::instance::{Description, Domains, Lifecycle, Listing};
use infrakit_spi::{Error, GroupId, InstanceId, PluginName, tags};

use crate::core::state::group::Said;
use crate::core::state::observer::Observer;
use crate::core::state::under_way::CallsUnderWay;
use crate::core::state::young::Keep;
use crate::core::words::names;
use crate::core::{Core, Effect, Group, ListAnswer};

impl Core {
    /// Begins the lists that are due.
    pub fn look(&mut self, now: Timestamp) {
        if self.deposed {
            return;
        }
        for (plugin, observer) in &mut self.observers {
            if observer.due().is_some_and(|due| due <= now) {
                let of = (plugin, self.behaviours.of(plugin));
                if let Err(next) = self.rates.may_list(of, now) {
                    observer.put_off(next);
                    continue;
                }
                let (filter, seen) = observer.begin(now);
                let plugin = plugin.clone();
                self.effects.push(Effect::List {
                    plugin,
                    filter,
                    seen,
                    started: now,
                });
            }
        }
    }

    pub(in crate::core) fn listed(&mut self, answer: ListAnswer, now: Timestamp) {
        let ListAnswer {
            plugin,
            started,
            locality,
            outcome,
        } = answer;
        let plugin = &plugin;
        let Some(observer) = self.observers.get_mut(plugin) else {
            return;
        };
        // How long it was on its way says nothing where the controller slept meanwhile.
        let slept = started < self.woke;
        let took = (!slept).then(|| now.since(started));
        let Some(mut served) = observer.end(started, took) else {
            return;
        };
        let poll_interval = self.config.poll_interval;
        let behaviour = self.behaviours.of(plugin);
        let outcome = outcome.map(|listing| one_life_each(listing, behaviour));
        let (mut untold, mut withdrawn) = (BTreeSet::new(), Vec::new());
        match outcome {
            Ok((listing, doubled)) => {
                if slept {
                    // It is from before that, and so is whatever it is compared with.
                    observer.want_all(now);
                    return;
                }
                observer.succeeded(started, now, locality, poll_interval);
                // What was not taken in must be shown again.
                let known = |fingerprint: Option<_>| fingerprint.filter(|_| doubled.is_empty());
                let circumstances = Listed {
                    plugin,
                    started,
                    now,
                    lag: self.config.lag(plugin),
                };
                let of_all =
                    observer.groups().is_subset(&served) && matches!(listing, Listing::Changed(..));
                for (id, ids) in &doubled {
                    if let Some(group) = self.groups.with_remains_mut(id)
                        && served.remove(id)
                    {
                        let news = group.seen.note_doubled(plugin, ids, of_all);
                        withdrawn.extend(news.then(|| group.target.clone()));
                        cannot_list(group, plugin, &doubled_error(ids), now);
                        untold.insert(id.clone());
                    }
                }
                if of_all {
                    self.groups.forget_doubled(plugin, &served);
                }
                match listing {
                    Listing::Unchanged => self.nothing_new(&served, circumstances),
                    Listing::Changed(list, fingerprint) => {
                        observer.remember(known(fingerprint));
                        observer.note_shown(taken(&list, behaviour), None, started);
                        self.take_in(&served, (list, None), circumstances);
                    }
                    Listing::Part(list, covers, fingerprint) => {
                        observer.remember(known(fingerprint));
                        observer.note_shown(taken(&list, behaviour), Some(&covers), started);
                        let covers = Some(Arc::new(covers));
                        self.take_in(&served, (list, covers), circumstances);
                    }
                }
                self.keep_looking(plugin, &served, now);
            }
            Err(error) => {
                let failures = observer.failed(now, poll_interval);
                // A plugin that stays away is said ever more rarely.
                if failures.is_power_of_two() {
                    tracing::warn!(%plugin, failures, %error, "cannot list instances");
                }
                for id in &served {
                    if let Some(group) = self.groups.with_remains_mut(id) {
                        cannot_list(group, plugin, &error, now);
                    }
                }
            }
        }
        // What was decided and has not begun may be about one of those.
        for target in withdrawn {
            self.withdraw(&target);
            self.touch(&target.group);
        }
        for id in served.union(&untold) {
            self.note_trouble(id, now);
        }
    }

    /// Puts the plugin's own words for states into those that all share, and leaves out what a plugin
    /// declares not to show: its provider may copy tags, or cut them.
    fn translate(&self, plugin: &PluginName, list: &mut [Description]) {
        let behaviour = self.behaviours.of(plugin);
        if !behaviour.shows_tokens() {
            for tags in list.iter_mut().filter_map(|one| one.tags.as_mut()) {
                tags.remove(tags::TOKEN);
            }
        }
        if behaviour.states.is_empty() && behaviour.tombstone_states.is_empty() {
            return;
        }
        for one in list {
            one.state = std::mem::take(&mut one.state).meant_by(behaviour);
        }
    }

    fn nothing_new(&mut self, served: &BTreeSet<GroupId>, circumstances: Listed<'_>) {
        let Listed {
            plugin,
            started,
            now,
            ..
        } = circumstances;
        for id in served {
            let Some(group) = self.groups.with_remains_mut(id) else {
                continue;
            };
            let trust = self.behaviours.trust(plugin, group.spec.losses);
            group.seen.trust(plugin, trust);
            let seen = group.seen.unchanged(plugin, started, now);
            settle_labels(group, circumstances);
            let grown = note_seen(group, circumstances, &self.calls);
            learn(group, &seen, circumstances.now);
            self.behaviours.departures(plugin, &seen.departed);
            look_then(self.observers.get_mut(plugin), (group, plugin), &seen);
            if seen.anything() || grown || !group.converged {
                self.touch(id);
            }
        }
    }

    fn take_in(
        &mut self,
        served: &BTreeSet<GroupId>,
        (mut list, covers): (Vec<Description>, Option<Arc<Domains>>),
        circumstances: Listed<'_>,
    ) {
        let Listed {
            plugin,
            started,
            now,
            ..
        } = circumstances;
        self.translate(plugin, &mut list);
        self.note_doubled(plugin, &list, now);
        self.refute(served, plugin, &list, (started, now));
        let mut by_group: BTreeMap<&GroupId, Vec<Description>> =
            served.iter().map(|id| (id, Vec::new())).collect();
        for description in list {
            let owner = description
                .tags
                .as_ref()
                .and_then(|tags| tags.get(tags::GROUP));
            let owner = owner.and_then(|owner| served.get(owner.as_str()));
            if let Some(members) = owner.and_then(|owner| by_group.get_mut(owner)) {
                members.push(description);
            }
        }
        for (id, mut members) in by_group {
            let Some(group) = self.groups.with_remains_mut(id) else {
                continue;
            };
            let plugin = circumstances.plugin;
            if group.seen.homes().any(|home| home != plugin) {
                members.retain(|one| !lives_elsewhere(group, plugin, one));
            }
            let first = group.seen.listed_on(circumstances.plugin).is_none();
            let trust = self.behaviours.trust(plugin, group.spec.losses);
            group.seen.trust(plugin, trust);
            let nonce = group.memory.nonce.as_str();
            let seen = match &covers {
                Some(covers) => {
                    let part = (members, Arc::clone(covers));
                    group.seen.apply_part(id, part, circumstances, nonce)
                }
                None => group.seen.apply(id, members, circumstances, nonce),
            };
            settle_labels(group, circumstances);
            let grown = note_seen(group, circumstances, &self.calls);
            learn(group, &seen, circumstances.now);
            self.behaviours.departures(plugin, &seen.departed);
            if seen.ghosts + seen.outdated > 0
                && let Some(observer) = self.observers.get_mut(plugin)
            {
                // A list like this one may tell something else once they are believed.
                observer.remember(None);
            }
            look_then(self.observers.get_mut(plugin), (group, plugin), &seen);
            if seen.vanished > 0 {
                tracing::info!(group = %id, vanished = seen.vanished, "members are gone");
            }
            if seen.anything() || grown || first || !group.converged {
                self.touch(id);
            }
        }
        self.settle_claims(served, circumstances.plugin, (started, now));
        self.pass_on_the_missing(served, circumstances.plugin, (started, now));
    }

    /// Believes a loss that is doubted; returns how many members are gone.
    pub(in crate::core) fn lose_doubted(&mut self, id: &GroupId, now: Timestamp) -> usize {
        let Some(group) = self.groups.get_mut(id) else {
            return 0;
        };
        let seen = group.seen.confirm_losses(now);
        // What is on record of young members the next list settles.
        learn(group, &seen, now);
        group.converged &= !seen.anything();
        self.touch(id);
        seen.vanished
    }

    /// Looks again soon while something is awaited that only a list can show.
    fn keep_looking(&mut self, plugin: &PluginName, served: &BTreeSet<GroupId>, now: Timestamp) {
        let Some(observer) = self.observers.get_mut(plugin) else {
            return;
        };
        let groups = &self.groups;
        for group in served.iter().filter_map(|id| groups.with_remains(id)) {
            if awaits_list(group, plugin) {
                observer.want_eagerly(group.id(), now, self.config.poll_interval);
            }
        }
    }
}

/// Notes that a list of `plugin` tells nothing of a group.
fn cannot_list(group: &mut Group, plugin: &PluginName, error: &Error, now: Timestamp) {
    group.unlisted = Some((now, format!("cannot list `{plugin}`: {error}")));
}

fn doubled_error(ids: &BTreeSet<InstanceId>) -> Error {
    Error::unknown(format!(
        "its list shows {} twice, with two tokens: ids have to be unique",
        names(ids)
    ))
}

fn is_dead(one: &Description, behaviour: &Behaviour) -> bool {
    one.state.clone().meant_by(behaviour) == Lifecycle::Gone
}

/// Returns the ids of a list that no creation can be answered with. Those of the dead may be used again,
/// where any are.
fn taken<'a>(
    list: &'a [Description],
    behaviour: &Behaviour,
) -> impl Iterator<Item = &'a InstanceId> {
    let taken = list
        .iter()
        .filter(|one| !behaviour.reuses_ids() || !is_dead(one, behaviour));
    taken.map(|one| &one.id)
}

/// Leaves one life of each id in a list: providers that list the dead show the former life of an id beside
/// the one that has it now. Returns the groups, too, that have ids of two creations that live each, and these
/// ids. The list is nothing for those: taken in, the one would seem to have come in the place of the other
/// with each list, and be asked to go again and again.
fn one_life_each(
    mut listing: Listing,
    behaviour: &Behaviour,
) -> (Listing, BTreeMap<GroupId, BTreeSet<InstanceId>>) {
    let mut doubled = BTreeMap::new();
    let (Listing::Changed(list, _) | Listing::Part(list, ..)) = &mut listing else {
        return (listing, doubled);
    };
    let tag = |one: &Description, tag| one.tags.as_ref()?.get(tag).cloned();
    let token = |one: &Description| tag(one, tags::TOKEN);
    // Of two that are dead the one that was begun later had the id last.
    let number = |one: &Description| token(one)?.rsplit_once('-')?.1.parse::<u64>().ok();
    let (mut lives, mut former) = (HashMap::with_capacity(list.len()), BTreeSet::new());
    for (at, one) in list.iter().enumerate() {
        let Some(other) = lives.insert(&one.id, at) else {
            continue;
        };
        let dead = is_dead(one, behaviour);
        if dead && (!is_dead(&list[other], behaviour) || number(one) < number(&list[other])) {
            former.insert(at);
            lives.insert(&one.id, other);
        } else if is_dead(&list[other], behaviour) {
            former.insert(other);
        } else if let (Some(own), Some(of_other)) = (token(one), token(&list[other]))
            && own != of_other
        {
            let owners = [one, &list[other]].into_iter();
            for owner in owners.filter_map(|one| tag(one, tags::GROUP)) {
                let ids: &mut BTreeSet<InstanceId> =
                    doubled.entry(GroupId::from(owner.as_str())).or_default();
                ids.insert(one.id.clone());
            }
        }
    }
    drop(lives);
    if !former.is_empty() {
        let mut at = 0..;
        list.retain(|_| at.next().is_none_or(|at| !former.contains(&at)));
    }
    (listing, doubled)
}

/// Returns whether an instance that `plugin` lists is known as a member on another plugin. Two names
/// may lead to the same instances; counted twice, half of them would be too many.
fn lives_elsewhere(group: &Group, plugin: &PluginName, listed: &Description) -> bool {
    let nonce = &group.memory.nonce;
    let tag = listed.tags.as_ref().and_then(|all| all.get(tags::TOKEN));
    let token = tag.and_then(|tag| Token::number_of(nonce, tag));
    let mut others = group.seen.homes().filter(|home| *home != plugin);
    others.any(|home| {
        group.seen.get_on(home, &listed.id).is_some_and(|known| {
            let same = known.description.tags == listed.tags;
            same || token.is_some() && known.token == token
        })
    })
}

/// Returns whether something is awaited that only a list of `plugin` can show.
fn awaits_list(group: &Group, plugin: &PluginName) -> bool {
    let seen = &group.seen;
    let departing = seen.leaving().any(|member| {
        let awaited = |departure: infrakit_plan::Departure| match departure.step {
            Step::Accepted(_) => true,
            // It is not asked for again before that.
            Step::Failed(..) => departure
                .taken
                .is_some_and(|taken| !seen.has_shown_since(member, taken)),
            Step::InFlight(_) => false,
        };
        member.plugin == *plugin && member.departure.is_some_and(awaited)
    });
    let decided = group.memory.decided.iter();
    let decided = decided.filter(|((home, _), _)| home == plugin);
    let mut decided = decided.filter_map(|((_, id), one)| Some((seen.get_on(plugin, id)?, one)));
    departing
        || decided.any(|(member, one)| !seen.has_shown_since(member, one.since))
        || group
            .memory
            .intents
            .values()
            .any(|intent| intent.doubt.is_some() && intent.plugin == *plugin)
}

/// Notes which creations a list has told of. Returns whether some need be on record no longer.
fn note_seen(group: &mut Group, circumstances: Listed<'_>, calls: &CallsUnderWay) -> bool {
    let Listed {
        plugin,
        started,
        now,
        lag,
    } = circumstances;
    let seen = &group.seen;
    // The next list may come from an older copy of the truth, and a restart come in between.
    let open = group.memory.intents.iter();
    let found = open.filter(|(_, intent)| intent.plugin == *plugin);
    let found = found.filter_map(|(number, _)| Some((*number, seen.made_by(*number)?.id.clone())));
    for (number, id) in found.collect::<Vec<_>>() {
        let answered_later = calls.is_creating(&group.target, number);
        if answered_later && !group.young.note_told(number) {
            continue;
        }
        // Nothing else tells another life that it came, should it be gone by then.
        let home = (plugin.clone(), id);
        group.young.insert(number, home, now, Keep::Recorded);
    }
    // Those whose instances are gone by now were told of as well.
    let ended = seen.ended(plugin);
    for number in ended.filter(|number| group.memory.intents.contains_key(number)) {
        group.young.end(number, plugin);
        if calls.is_creating(&group.target, number) {
            group.young.note_told(number);
        }
    }
    let grown = group.young.settle(seen, plugin, (started, lag));
    grown || group.departures.wait()
}

/// Learns from what a list changed.
pub(in crate::core) fn learn(group: &mut Group, seen: &Seen, now: Timestamp) {
    if !seen.anything() {
        return;
    }
    group.departures.doubt();
    // How many there are is on record with it.
    group.note_health(now);
    for took in &seen.departed {
        group.memory.measured.departure.note(*took);
    }
    for id in &seen.named {
        group.memory.doomed.remove(id);
        group.memory.urgent.remove(id);
    }
    if let Some(roll) = &mut group.memory.roll {
        roll.failed += seen.stillborn as u64;
    }
    for death in &seen.early {
        let size = group.spec.size.count();
        group.memory.note_early_death(death, size, now);
    }
    if !group.memory.decided.is_empty() {
        let (seen, memory) = (&group.seen, &mut group.memory);
        group.departures.spare_others(seen, memory);
    }
}

/// Asks for the list that tells whether members which a list lacks are gone, and notes whether there are
/// such.
fn look_then(observer: Option<&mut Observer>, (group, plugin): (&Group, &PluginName), seen: &Seen) {
    let Some(observer) = observer else { return };
    observer.note_lacking(group.id(), group.seen.lacks(plugin));
    if let Some(at) = seen.look_again {
        observer.want(group.id(), at + Duration::from_nanos(1));
    }
}

/// Labels are not there, where a list that was started long enough after their call lacks them. A
/// plugin that said that they are puts none on.
fn settle_labels(group: &mut Group, circumstances: Listed<'_>) {
    let seen = &mut group.seen;
    let part = seen.covered_on(circumstances.plugin).is_some();
    group
        .labels_in_doubt
        .retain(|(plugin, id), (said, settle_at)| {
            if plugin != circumstances.plugin || circumstances.started < *settle_at {
                return true;
            }
            // Of whoever is elsewhere a list of a part says nothing.
            let shown = |member| seen.has_shown(member, circumstances.started);
            if part && !seen.get_on(plugin, id).is_none_or(shown) {
                return true;
            }
            if let Some(mut member) = seen.get_mut_on(plugin, id)
                && member.is_being_labelled()
            {
                let named = matches!(member.labelling, Labelling::UnderWay(Some(_)));
                member.labelling = if named && *said == Said::Done {
                    member.label_failures += 1;
                    Labelling::Failed(circumstances.now)
                } else {
                    Labelling::Nothing
                };
            }
            false
        });
}
