//! Lists: what they show, what they cannot deny, and how far they may be behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use infrakit_spi::instance::{Description, Domains, Lifecycle};
use infrakit_spi::{GroupId, PluginName, tags};

use super::listed::{Lag, Listed, Seen};
use super::member::identified;
use super::tomb::{ToldBy, Tomb};
use super::{Aim, Key, Member, Observed, Origin, Step, key};
use crate::diagnosis::crashes;
use crate::guards::Guard;
use crate::{Reason, Timestamp};

impl Observed {
    /// Takes in that a later look showed the same list as before. Members that it lacks, and that
    /// it would have to show by now, are gone.
    pub fn unchanged(&mut self, plugin: &PluginName, started: Timestamp, now: Timestamp) -> Seen {
        let mut seen = Seen::default();
        // As before what? A home that was never listed is not known by that.
        if self.looked_on(plugin).is_none() || self.is_stale(plugin, started) {
            return seen;
        }
        let lag = self
            .homes
            .get(plugin)
            .map_or_else(Lag::default, |home| home.lag);
        self.bury(plugin, (started, lag));
        // Those that the list showed it shows again.
        let unlisted = self.members.iter();
        let unlisted = unlisted.filter(|(_, member)| member.origin != Origin::Listed);
        let missing: Vec<Key> = unlisted
            .map(|(key, _)| key)
            .chain(&self.missed)
            .filter(|key| key.plugin == *plugin)
            .cloned()
            .collect();
        let missing = self.denied(plugin, missing);
        self.miss(plugin, missing, (started, lag), (now, &mut seen));
        self.lay_out(plugin, (started, lag), (now, &mut seen));
        self.note_looked(plugin, (started, lag), &mut seen);
        seen
    }

    fn is_stale(&self, plugin: &PluginName, started: Timestamp) -> bool {
        let home = self.homes.get(plugin);
        home.is_some_and(|home| started < home.looked.max(home.woken).unwrap_or_default())
    }

    /// Takes in that a list lacks members: they are gone, unless they are too young to be missed, or
    /// so many that it is doubted.
    fn miss(
        &mut self,
        plugin: &PluginName,
        missing: Vec<Key>,
        (started, lag): (Timestamp, Lag),
        (now, seen): (Timestamp, &mut Seen),
    ) {
        let mut gone = Vec::new();
        let mut youngest = None;
        for key in &missing {
            let Some(member) = self.members.get(key) else {
                continue;
            };
            let until = still_there(member, started, lag).or_else(|| {
                let until = unproved(member, started, lag)?;
                let youngest = *youngest
                    .get_or_insert_with(|| self.youngest_shown(plugin, &missing, (started, lag)));
                (youngest < Some(member.created)).then_some(until)
            });
            let key = key.clone();
            match until {
                None => gone.push(key),
                Some(until) => {
                    self.note_missed(key);
                    seen.look_again_at(until);
                }
            }
        }
        self.judge_lost(plugin, gone, (started, lag), (now, seen));
    }

    /// Returns when the youngest of those came that a list shows, which lacks these. `None` where it lacks one
    /// that is there for all that is known: it is from before that one, and shows nobody young.
    fn youngest_shown(
        &self,
        plugin: &PluginName,
        missing: &[Key],
        (started, lag): (Timestamp, Lag),
    ) -> Option<Timestamp> {
        let missing: BTreeSet<&Key> = missing.iter().collect();
        let mut youngest = None;
        for (key, member) in &self.members {
            if key.plugin != *plugin || member.token.is_none() {
                continue;
            }
            if !missing.contains(key) {
                youngest = youngest.max(Some(member.created));
            } else if member.stays() && still_there(member, started, lag).is_some() {
                return None;
            }
        }
        youngest
    }

    /// Returns the members that the last list lacks, although nobody asked them to go and their loss is not
    /// doubted: it may be from before they came. From when on a list tells comes with each.
    pub fn too_young_to_miss(
        &self,
        lag: impl Fn(&PluginName) -> Lag,
    ) -> impl Iterator<Item = (&Member, Timestamp)> {
        let missed = self.missed.iter();
        let missed = missed.filter(|key| !self.losses.absent.contains_key(*key));
        let members = missed.filter_map(|key| self.members.get(key));
        members.filter_map(move |member| {
            let until = still_there(member, Timestamp::default(), lag(&member.plugin))?;
            (member.missed && member.stays()).then_some((member, until))
        })
    }

    /// Keeps a member that a list lacks. How long it lived is judged by the last list that showed it.
    pub(super) fn note_missed(&mut self, key: Key) {
        self.missed.insert(key.clone());
        let last_shown = self.looked_on(&key.plugin);
        if let Some(mut member) = self.changing(key) {
            if !member.missed {
                member.last_shown = last_shown;
            }
            member.missed = true;
        }
    }

    /// Takes in that a member is gone.
    pub(super) fn lose(
        &mut self,
        key: &Key,
        (started, lag): (Timestamp, Lag),
        now: Timestamp,
        seen: &mut Seen,
    ) {
        let Some(member) = self.remove(key) else {
            return;
        };
        let unproved = self.index.is_unproved(&member);
        let last_shown = match member.origin {
            Origin::Provisioned(_) => None,
            Origin::Listed if member.missed => member.last_shown,
            Origin::Listed => self.looked_on(&key.plugin),
        };
        let policy = self.index.aim.as_ref().map(Aim::health);
        if let Some(policy) = policy {
            let death = crashes::early_death(&member, last_shown, policy);
            seen.early.extend(death);
        }
        if !lag.relapse.is_zero() {
            let tomb = Tomb {
                since: started,
                birth: member.birth(),
                told: ToldBy::List,
                unasked: member.departure.is_none(),
                domain: self.domain_of(&key.plugin, &member).into_owned(),
            };
            self.tombs.insert(key.clone(), tomb);
        }
        seen.vanished += 1;
        match member.departure {
            Some(departure) => {
                seen.departed.push(now.since(departure.since));
                if departure.reason == Reason::Requested {
                    seen.named.push(member.id);
                }
            }
            None => seen.stillborn += usize::from(unproved),
        }
    }

    /// Takes in a complete list of the group's instances on one plugin; one that was started before
    /// another that was taken in already is ignored.
    pub fn apply(
        &mut self,
        group: &GroupId,
        list: impl IntoIterator<Item = Description>,
        circumstances: Listed<'_>,
        nonce: &str,
    ) -> Seen {
        self.take_in(group, (list, None), circumstances, nonce)
    }

    /// Takes in a list that covers everything, or some domains.
    pub(super) fn take_in(
        &mut self,
        group: &GroupId,
        (list, covers): (impl IntoIterator<Item = Description>, Option<Arc<Domains>>),
        circumstances: Listed<'_>,
        nonce: &str,
    ) -> Seen {
        let Listed {
            plugin,
            started,
            now,
            lag,
        } = circumstances;
        let mut seen = Seen::default();
        if self.is_stale(plugin, started) {
            return seen;
        }
        self.cover(plugin, covers);
        self.bury(plugin, (started, lag));
        self.forget_ghosts(plugin);
        self.forgive_missed(plugin);
        let mut present = BTreeSet::new();
        let mut tells_states = None;
        for description in list {
            let owner = description
                .tags
                .as_ref()
                .and_then(|tags| tags.get(tags::GROUP));
            if owner.map(String::as_str) != Some(group.as_str()) {
                continue;
            }
            let key = key(plugin, &description.id);
            // A list that names an instance twice shows one instance; the first entry counts.
            if present.insert(key.clone()) {
                tells_states = Some(description.state != Lifecycle::Unsaid);
                let circumstances = (nonce, (started, lag), now);
                self.see(key, identified(description), circumstances, &mut seen);
            }
        }
        if let Some(home) = self.homes.get_mut(plugin) {
            home.tells_states = tells_states.unwrap_or(home.tells_states);
        }
        self.end_silence(plugin, &present);
        let missing: Vec<Key> = self
            .members
            .keys()
            .filter(|key| key.plugin == *plugin && !present.contains(*key))
            .cloned()
            .collect();
        let missing = self.denied(plugin, missing);
        self.miss(plugin, missing, (started, lag), (now, &mut seen));
        self.forget_dead(plugin, &present);
        self.lay_out(plugin, (started, lag), (now, &mut seen));
        self.note_looked(plugin, (started, lag), &mut seen);
        seen
    }

    /// Takes in one entry of a list.
    fn see(
        &mut self,
        key: Key,
        description: Description,
        (nonce, (started, lag), now): (&str, (Timestamp, Lag), Timestamp),
        seen: &mut Seen,
    ) {
        let field = self.losses.incarnation_field(&key.plugin);
        let fresh = |description| {
            let fresh = Member::new(description, &key.plugin, Origin::Listed, nonce, now);
            Member {
                first_shown: Some(started),
                ..fresh.incarnate(field)
            }
        };
        let Some(member) = self.members.get(&key) else {
            let mut member = fresh(description);
            if self.was_given_away(&key, member.token) {
                seen.ghosts += 1;
                return;
            }
            self.remember(&key, &mut member);
            if member.is_gone() {
                // Nobody knew it alive: nothing is lost with it.
                self.dead.insert(key, self.dead_as(&member));
                return;
            }
            let dead = self.dead.get(&key);
            let dead = dead.is_some_and(|dead| dead.birth.is_same(&member.birth()));
            let dead = dead && member.terminating.is_some();
            let tomb = self.tomb_of(&key, &member.birth());
            let tomb = tomb.filter(|_| Guard::Tombstones.stands());
            match tomb.map(|tomb| tomb.told) {
                // Nothing waits for it: there is no doubt that it is gone. Who has its id later is shown
                // by a list like this one.
                Some(ToldBy::Plugin) => seen.ghosts += 1,
                _ if dead => {}
                Some(ToldBy::List) => {
                    seen.ghosts += 1;
                    self.ghosts.insert(key, member.logical_id);
                }
                None => {
                    self.dead.remove(&key);
                    seen.appeared += 1;
                    member.departure = self.losses.departure_of(&key, &member.birth());
                    self.insert(key, member);
                }
            }
            return;
        };
        let same = member.origin == Origin::Listed && *member.description == description;
        if same && !member.missed {
            return;
        }
        let mut fresh = fresh(description);
        if member.is_another(&fresh.birth()) || member.bears_another_token(&fresh) {
            // The list may be from before the id was given to this one.
            if self.is_former((&key, &fresh.birth()), (started, lag)) {
                // It says nothing of who has the id now.
                seen.ghosts += 1;
                if member.missed {
                    self.missed.insert(key);
                }
                return;
            }
            seen.changed += 1;
            let went = member.birth();
            self.succeed(&key, went, started);
            self.insert(key, fresh);
            return;
        }
        let shows_tokens = self.losses.shows_tokens(&key.plugin);
        let before = self.index.filing(member);
        let Some(member) = self.members.get_mut(&key) else {
            return;
        };
        member.missed = false;
        if member.origin != Origin::Listed {
            if fresh.is_pending() {
                let asked = member.health.asked();
                // Whoever was asked before knew no better.
                member.health.void();
                if asked.is_some_and(|asked| asked > started) {
                    // It may have come up since then: it is asked anew, and is not let go as one that does
                    // nothing meanwhile.
                    let state = member.description.state.clone();
                    Arc::make_mut(&mut fresh.description).state = state;
                    seen.outdated += 1;
                }
            }
            member.origin = Origin::Listed;
            member.first_shown = Some(started);
            seen.changed += 1;
        }
        if member.description != fresh.description {
            if member.is_down() && !fresh.is_down() {
                // What was found while its plugin said so is no reason to act before it was asked once more.
                member.health.outlive();
            }
            let answered = member.token;
            member.describe(Arc::unwrap_or_clone(fresh.description), nonce);
            if !shows_tokens {
                member.token = answered;
            }
            if fresh.incarnation.is_some() {
                member.incarnation = fresh.incarnation;
            }
            member.terminating = fresh
                .terminating
                .map(|now| member.terminating.unwrap_or(now));
            seen.changed += 1;
        }
        let after = self.index.filing(member);
        self.refile(&key, &before, &after);
    }
}

/// Returns until when a member is to be kept although a list that was started at `started` lacks
/// it; `None` when it is gone. Lists may lag behind creations: they may come from a copy of the truth
/// that is a little older, also after a younger one has shown the member. Of instances that
/// others made nobody knows how old they are; they are gone at once.
fn still_there(member: &Member, started: Timestamp, lag: Lag) -> Option<Timestamp> {
    let until = match (member.origin, member.departure) {
        // In an earlier life a list may have shown it: others may go back behind that one.
        (Origin::Provisioned(answered), None) => answered + lag.after_answer(),
        // Destroyed before any list showed it: who does not know of an instance yet may agree to
        // destroy it, too, so that only a list that would have to show it tells.
        (Origin::Provisioned(answered), Some(departure)) => {
            let shown = answered + lag.after_answer();
            match departure.step {
                Step::InFlight(at) | Step::Accepted(at) => shown.max(at),
                Step::Failed(..) => shown,
            }
        }
        // It may be from before its creation, whether it was asked to go since or not.
        (Origin::Listed, departure) if member.token.is_some() => {
            let relapse = match departure.map(|departure| departure.step) {
                Some(Step::Accepted(at)) if started > at => lag.declared_relapse,
                Some(Step::Accepted(_) | Step::InFlight(_) | Step::Failed(..)) | None => {
                    lag.relapse
                }
            };
            if relapse.is_zero() {
                return None;
            }
            came(member) + relapse
        }
        (Origin::Listed, _) => return None,
    };
    (started <= until).then_some(until)
}

/// Returns when a member came for all that is known: it may have come up long after its answer, and a list be
/// from before that.
fn came(member: &Member) -> Timestamp {
    member.created.max(member.first_shown.unwrap_or_default())
}

/// Returns until when one that its plugin says is destroyed, and whose place another one is to take, is there
/// all the same for all that a list says which lacks it: where nothing is said of its lists, that one may be
/// from before it came. One that shows another which came no earlier is not.
fn unproved(member: &Member, started: Timestamp, lag: Lag) -> Option<Timestamp> {
    let departure = member.departure?;
    let accepted = matches!(departure.step, Step::Accepted(at) if started > at);
    let replaced = match departure.reason {
        Reason::Outdated | Reason::Unhealthy | Reason::Unlisted | Reason::Requested => true,
        Reason::Surplus | Reason::Duplicate | Reason::GroupDestroyed => false,
    };
    let made = member.origin == Origin::Listed && member.token.is_some();
    let until = came(member) + lag.relapse;
    (accepted && replaced && made && started <= until).then_some(until)
}

#[cfg(test)]
mod tests;
