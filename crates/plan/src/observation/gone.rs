//! Those that are gone, and that a list may still show: from before they went, or since their provider
//! lists the dead.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::instance::Description;
use infrakit_spi::{InstanceId, PluginName};

use super::listed::Lag;
use super::tomb::{Buried, Dead, GivenAway, ToldBy, Tomb, tells_of};
use super::{Birth, Departure, Key, Member, Observed, Origin, Seen, Step, key};
use crate::guards::Guard;
use crate::{Reason, Timestamp};

impl Observed {
    /// Takes in that a member is gone: so its plugin answered, which declares that it answers when it is
    /// done. Lists may go on showing it, from before that, or as one of the dead.
    pub fn destroyed(&mut self, plugin: &PluginName, id: &InstanceId, now: Timestamp) -> Seen {
        let mut seen = Seen::default();
        let key = key(plugin, id);
        self.losses.bury(&key);
        let Some(member) = self.members.get(&key) else {
            return seen;
        };
        let lag = self
            .homes
            .get(plugin)
            .map_or_else(Lag::default, |home| home.lag);
        let dead = self.dead_as(member);
        self.lose(&key, (now, lag), now, &mut seen);
        let tomb = Tomb {
            since: now,
            birth: dead.birth.clone(),
            told: ToldBy::Plugin,
            unasked: false,
            domain: dead.domain.clone(),
        };
        self.dead.insert(key.clone(), dead);
        self.tombs.insert(key, tomb);
        seen
    }

    /// Returns what is kept of one that is gone, as long as lists show it.
    pub(super) fn dead_as(&self, member: &Member) -> Dead {
        Dead {
            birth: member.birth(),
            domain: self.domain_of(&member.plugin, member).into_owned(),
        }
    }

    /// Takes in that the id of a member was given to another one by `since`: that one is gone, and lists
    /// from before show it.
    pub(super) fn succeed(&mut self, key: &Key, went: Birth, since: Timestamp) {
        let member = self.members.get(key);
        let domain = member.map(|member| self.domain_of(&key.plugin, member).into_owned());
        let tomb = Tomb {
            since,
            birth: went,
            told: ToldBy::Plugin,
            unasked: false,
            domain: domain.unwrap_or_default(),
        };
        self.tombs.insert(key.clone(), tomb);
    }

    /// Returns the departure of a member that is believed to be gone since its plugin shows nobody, and
    /// that may be back.
    #[must_use]
    pub fn unseen_departure(
        &self,
        (plugin, id): (&PluginName, &InstanceId),
        birth: &Birth,
    ) -> Option<Departure> {
        self.losses.unseen(&key(plugin, id), birth)
    }

    /// Notes how far the departure of such a member has come.
    pub fn note_unseen(&mut self, (plugin, id): (&PluginName, &InstanceId), departure: Departure) {
        self.losses.note_unseen(&key(plugin, id), departure);
    }

    /// Takes in that members are gone that a list goes on showing: their plugin says so, or calls them
    /// going away, and its provider lists the dead and takes for ending nobody that long.
    pub(super) fn lay_out(
        &mut self,
        plugin: &PluginName,
        (started, lag): (Timestamp, Lag),
        (now, seen): (Timestamp, &mut Seen),
    ) {
        let long = |since: Timestamp| lag.dying.is_some_and(|dying| started >= since + dying);
        let is_dead = |one: &Member| one.is_gone() || one.terminating.is_some_and(long);
        let dead = |key: &&Key| key.plugin == *plugin && self.members.get(key).is_some_and(is_dead);
        let dead: Vec<Key> = self.index.leaving.iter().filter(dead).cloned().collect();
        for key in dead {
            let member = self.members.get(&key);
            let told = if member.is_some_and(Member::is_gone) {
                self.losses.told_gone(plugin)
            } else {
                ToldBy::List
            };
            let dead = member.map(|member| self.dead_as(member));
            self.lose(&key, (started, lag), now, seen);
            if let Some(tomb) = self.tombs.get_mut(&key) {
                tomb.told = told;
                // Its plugin calls it dead, and does not only not name it.
                tomb.unasked = false;
            }
            self.dead.extend(dead.map(|dead| (key, dead)));
        }
    }

    /// Forgets those that a list, started at `started`, would show and cannot show any more.
    pub(super) fn bury(&mut self, plugin: &PluginName, (started, lag): (Timestamp, Lag)) {
        let covers = self.homes.get(plugin);
        let covers = covers.and_then(|home| home.covers.clone());
        let late = |tomb: &Tomb| started <= tomb.since + lag.relapse;
        let kept = |tomb: &Tomb| late(tomb) || !tells_of(covers.as_deref(), &tomb.domain);
        for tombs in [&mut self.tombs, &mut self.former_tombs] {
            tombs.retain(|key, tomb| key.plugin != *plugin || kept(tomb));
        }
        self.given
            .retain(|key, given| key.plugin != *plugin || started <= given.since + lag.relapse);
    }

    /// Returns those that went lately, of this group and of the one before, for the next group of this id.
    /// Where somebody has the id since, lists show that one.
    #[must_use]
    pub fn buried(&self) -> Option<Buried> {
        let tombs = self.former_tombs.iter().chain(&self.tombs);
        let tombs = tombs.filter(|(key, _)| !self.members.contains_key(key));
        let tombs = tombs.map(|(key, tomb)| (key.clone(), tomb.clone()));
        let tombs: BTreeMap<Key, Tomb> = tombs.collect();
        let shown = |(key, tomb): (&Key, &Tomb)| self.proof_of_life(&key.plugin, tomb.since);
        Some(Buried {
            until: tombs.iter().map(shown).max()?,
            tombs,
        })
    }

    /// Takes in who went lately of a former group of this id.
    pub fn recall_buried(&mut self, buried: Buried) {
        self.former_tombs = buried.tombs;
    }

    /// Returns what is left of whoever had the id of an instance that is no member, if it is that one.
    pub(super) fn tomb_of(&self, key: &Key, shown: &Birth) -> Option<&Tomb> {
        let own = self.tombs.get(key).filter(|tomb| tomb.is_of(shown));
        // What this group made has a token of its own, and what the former one made has none here.
        let former = |tomb: &&Tomb| {
            let birth = Birth {
                token: None,
                ..tomb.birth.clone()
            };
            shown.token.is_none() && !shown.is_another(&birth)
        };
        own.or_else(|| self.former_tombs.get(key).filter(former))
    }

    /// Returns whether one that a list shows is a former one than the member that has its id: it is known to
    /// have gone lately, or was begun earlier, be it by no creation of this record of the group, and the
    /// list may be from before the member came.
    pub(super) fn is_former(
        &self,
        (key, shown): (&Key, &Birth),
        (started, lag): (Timestamp, Lag),
    ) -> bool {
        let earlier = self.members.get(key).is_some_and(|member| {
            shown.token < member.token && started <= member.created + lag.relapse
        });
        let late = |tomb: &Tomb| started <= tomb.since + lag.relapse;
        let went = || self.tomb_of(key, shown).is_some_and(late);
        (earlier || went()) && Guard::Tombstones.stands()
    }

    /// Returns whether a list shows an instance in the place of a member only because it may be from before
    /// that one came.
    #[must_use]
    pub fn shows_a_former(
        &self,
        (plugin, shown): (&PluginName, &Description),
        (started, lag): (Timestamp, Lag),
        nonce: &str,
    ) -> bool {
        let field = self.losses.incarnation_field(plugin);
        let shown = Member::new(shown.clone(), plugin, Origin::Listed, nonce, started);
        let shown = shown.incarnate(field);
        let key = key(plugin, &shown.id);
        self.is_former((&key, &shown.birth()), (started, lag))
    }

    /// Takes in that an id was given to another group by then: lists that may be from before that say
    /// nothing of it, but for whom a later creation made.
    pub fn give_away(&mut self, plugin: &PluginName, id: &InstanceId, given: GivenAway) {
        self.given.insert(key(plugin, id), given);
    }

    /// Takes in that the id of a member that was asked to go was given to another group by then, as its
    /// plugin says. It is asked again only on the word of a list from after that. Returns whether it was
    /// asked to go, and the last list showed it.
    pub fn contest(&mut self, plugin: &PluginName, id: &InstanceId, given: GivenAway) -> bool {
        let asked = self.may_have_gone(plugin, id, given.since);
        if asked {
            self.give_away(plugin, id, given);
        }
        asked
    }

    /// Takes in that a member that was asked to go may have gone by `since`, and its id be another one's: it is
    /// asked again only on the word of a list from after that. Returns whether it was asked to go, and the
    /// last list showed it.
    pub fn may_have_gone(
        &mut self,
        plugin: &PluginName,
        id: &InstanceId,
        since: Timestamp,
    ) -> bool {
        let Some(mut member) = self.get_mut_on(plugin, id).filter(|one| !one.missed) else {
            return false;
        };
        let Some(departure) = &mut member.departure else {
            return false;
        };
        departure.taken = Some(since);
        if let Step::Accepted(at) = &mut departure.step {
            *at = since;
        }
        true
    }

    /// Returns whether the id of a member was given to another group so lately that lists may not tell.
    #[must_use]
    pub fn is_contested(&self, member: &Member) -> bool {
        self.was_given_away(&key(&member.plugin, &member.id), member.token)
    }

    /// Returns whether an id was given to another group so lately that lists may show its former owner, and
    /// whoever came of this creation may be that one.
    pub(super) fn was_given_away(&self, key: &Key, token: Option<u64>) -> bool {
        let given = self.given.get(key);
        given.is_some_and(|given| token.is_none_or(|token| token < given.before))
    }

    /// Notes the ids that a list of a plugin shows alive twice, as those of two instances. Whom a call for such
    /// an id would reach nobody knows, until a list `of_all` shows one of them: one of a single group, or of a
    /// zone, does not show the other one. Returns whether there are others than before.
    pub fn note_doubled(
        &mut self,
        plugin: &PluginName,
        ids: &BTreeSet<InstanceId>,
        of_all: bool,
    ) -> bool {
        let mut doubled = self.doubled.clone();
        if of_all {
            doubled.retain(|key| key.plugin != *plugin);
        }
        doubled.extend(ids.iter().map(|id| key(plugin, id)));
        let news = doubled != self.doubled;
        self.doubled = doubled;
        news
    }

    /// Takes in that the id of a member may be another one's, as a plugin answered: a list from after that tells.
    pub fn doubt_id(&mut self, plugin: &PluginName, id: &InstanceId, now: Timestamp) {
        let key = key(plugin, id);
        if self.members.get(&key).is_some() {
            self.doubtful.insert(key, now);
        }
    }

    fn is_id_doubted(&self, member: &Member) -> bool {
        let at = self.doubtful.get(&key(&member.plugin, &member.id));
        at.is_some_and(|at| !self.has_shown_since(member, *at))
    }

    /// Returns whether a call for the end of a member may reach another one, which has the same id: lists show
    /// both, the last one lacks a member that others showed, and ids are used again, or its plugin gave an
    /// answer that leaves it open. Only a person who names it can want that.
    #[must_use]
    pub fn may_reach_another(&self, member: &Member, reason: Reason) -> bool {
        let doubted = !self.doubtful.is_empty() && self.is_id_doubted(member);
        if reason == Reason::Requested {
            // What a person asked for was tried.
            let failed = |departure: Departure| matches!(departure.step, Step::Failed(..));
            return doubted && member.departure.is_some_and(failed);
        }
        let taken = member.is_lacked() && self.losses.reuses_ids(&member.plugin);
        doubted || taken || self.is_doubled(member)
    }

    /// Returns whether a list shows the id of a member alive twice.
    pub(crate) fn is_doubled(&self, member: &Member) -> bool {
        !self.doubled.is_empty() && self.doubled.contains(&key(&member.plugin, &member.id))
    }

    /// Returns whether a list, started at `started`, may show an instance only because it is from before
    /// that one went.
    #[must_use]
    pub fn may_be_from_before(
        &self,
        (plugin, id): (&PluginName, &InstanceId),
        (started, lag): (Timestamp, Lag),
    ) -> bool {
        let key = key(plugin, id);
        let tomb = self.tombs.get(&key).map(|tomb| tomb.since);
        let went = tomb.max(self.given.get(&key).map(|given| given.since));
        went.is_some_and(|went| started <= went + lag.relapse)
    }

    /// Returns whether somebody may be there beside the members.
    #[must_use]
    pub fn may_have_others(&self) -> bool {
        self.homes().any(|plugin| self.may_have_others_on(plugin))
    }

    /// Returns whether somebody may be there on `plugin` beside the members: the last list shows one that
    /// another lacked, or one went lately by nobody's doing, as a list says that may be the older one. Of
    /// whom a former life has lost so nobody knows.
    pub(crate) fn may_have_others_on(&self, plugin: &PluginName) -> bool {
        let lost = |(key, tomb): (&Key, &Tomb)| {
            let unasked = tomb.unasked && tomb.told == ToldBy::List;
            unasked && key.plugin == *plugin && !self.members.contains_key(key)
        };
        let unsure = self.began.is_some_and(|began| {
            let sure = self.proof_of_life(plugin, began);
            self.listed_on(plugin).is_none_or(|listed| listed < sure)
        });
        let mut lately = self.tombs.iter().chain(&self.former_tombs);
        unsure || self.ghosts.keys().any(|key| key.plugin == *plugin) || lately.any(lost)
    }

    /// Takes in that what was seen by a former life of the controller, which ended by now, is forgotten.
    pub fn begin_anew(&mut self, now: Timestamp) {
        self.began = Some(now);
    }

    /// Returns those that the last list of their plugin shows although another one lacked them, and from
    /// when on a list that does so is believed.
    pub fn shown_again(&self) -> impl Iterator<Item = (&InstanceId, Timestamp)> {
        let ghosts = self.ghosts.keys();
        ghosts.filter_map(|key| {
            let former = || self.former_tombs.get(key);
            let tomb = self.tombs.get(key).or_else(former)?;
            Some((&key.id, self.proof_of_life(&key.plugin, tomb.since)))
        })
    }

    /// Returns whether an instance went so lately that a list may still show it.
    #[must_use]
    pub fn is_late(&self, plugin: &PluginName, id: &InstanceId) -> bool {
        self.tombs.contains_key(&key(plugin, id))
    }

    /// Returns the creations of which nothing more comes, since lists show on `plugin` that what they
    /// made is gone.
    pub fn ended<'a>(&'a self, plugin: &'a PluginName) -> impl Iterator<Item = u64> {
        let there = self.dead.iter();
        let there = there.filter(move |(key, _)| key.plugin == *plugin);
        there.filter_map(|(_, dead)| dead.birth.token)
    }
}
