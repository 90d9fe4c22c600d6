//! An instance plugin: what it has made, and what its lists show of it.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::behaviour::Reuse;
use infrakit_spi::instance::{Description, Fingerprint, Lifecycle, Locality};
use infrakit_spi::{GroupId, InstanceId, LogicalId, Tags, tags};

use super::nature::{Fill, Nature, Stage};
use super::{Machine, Maker, Truth};
use crate::rng::mix;

/// How long a provider remembers what is gone, for lists that come from the past.
const REMEMBERED: u64 = 120_000_000_000;

/// An instance plugin with what it has made.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Where it runs.
    pub locality: Locality,
    /// Whether it can say that a list is as before.
    pub fingerprints: bool,
    /// Shortest and longest time that a creation takes.
    pub creation: (u64, u64),
    /// Shortest and longest time that an instance takes to boot.
    pub boot: (u64, u64),
    /// Longest time that lists lag behind when they are stale.
    pub lag: u64,
    /// After that time a creation is given up.
    pub patience: u64,
    /// So much later at most a creation that was given up comes true.
    pub late: u64,
    /// The latest moment that a list has shown.
    pub shown: u64,
    /// How the provider behind it behaves; `None` where each time is given by itself.
    pub nature: Option<Nature>,
    /// When it last showed a list with all that is there.
    pub seen: u64,
    /// When it last answered with a list, whatever that showed, but for one that shows an id twice: that tells
    /// those whose ids are in it twice nothing.
    pub answered: u64,
    /// Until when its lists show nobody.
    pub blank: u64,
    /// A zone that its lists do not show, and until when.
    pub hidden_zone: Option<(String, u64)>,
    /// Since when lists show nobody, or not all.
    pub hidden_since: u64,
    /// Until when all of its calls fail.
    pub outage: u64,
    /// Until when it cannot tell in which state its instances are.
    pub hazy: u64,
    /// What it was asked to make, by token, where it makes it only once.
    pub asked: BTreeMap<String, Option<InstanceId>>,
    /// How full the bucket of creations is.
    pub creates: Fill,
    /// How full the bucket of destructions is.
    pub destroys: Fill,
    /// Ids that creations were answered with whose instances do not exist yet, and for which groups.
    promised: BTreeMap<InstanceId, GroupId>,
    /// Ids that are free again, the latest last, where those are given first.
    freed: Vec<InstanceId>,
    machines: BTreeMap<InstanceId, Machine>,
    former: Vec<Machine>,
    made: u64,
    stamps: u64,
}

impl Default for Provider {
    /// A remote plugin that creates within a second.
    fn default() -> Self {
        Self {
            locality: Locality::Remote,
            fingerprints: true,
            creation: (200_000_000, 1_000_000_000),
            boot: (0, 2_000_000_000),
            lag: 4_000_000_000,
            patience: 4_000_000_000,
            late: 4_000_000_000,
            shown: 0,
            nature: None,
            seen: 0,
            answered: 0,
            blank: 0,
            hidden_zone: None,
            hidden_since: 0,
            outage: 0,
            hazy: 0,
            asked: BTreeMap::new(),
            creates: Fill::default(),
            destroys: Fill::default(),
            promised: BTreeMap::new(),
            freed: Vec::new(),
            machines: BTreeMap::new(),
            former: Vec::new(),
            made: 0,
            stamps: 0,
        }
    }
}

/// An instance that is about to be.
#[derive(Clone, Debug, Default)]
pub struct Birth {
    /// Its id, where that was promised.
    pub id: Option<InstanceId>,
    /// Its identity.
    pub logical_id: Option<LogicalId>,
    /// Its tags.
    pub tags: Tags,
    /// How it will really be.
    pub truth: Truth,
    /// Whether its flavor looks at nothing.
    pub plain: bool,
    /// Who makes it.
    pub maker: Maker,
    /// Time until lists show it.
    pub hidden: u64,
    /// Time until it has booted.
    pub boot: u64,
    /// Time until it runs.
    pub starts: u64,
    /// Time until whoever asked for it is answered.
    pub answers: u64,
    /// Whether it comes to nothing before it runs.
    pub fails: bool,
}

impl Provider {
    /// Draws the id of a new instance; ids are not in the order of creation.
    pub fn name(&mut self) -> InstanceId {
        if let Some(id) = self.freed.pop() {
            return id;
        }
        self.made += 1;
        let number = self.made;
        let reuse = self
            .nature
            .as_ref()
            .map_or(Reuse::Never, |nature| nature.reuse);
        match reuse {
            Reuse::AfterDelete => return self.lowest_free("vm", 100),
            Reuse::Always => return self.lowest_free("host", 1),
            Reuse::Never | Reuse::Undeclared => {}
        }
        InstanceId::new(format!("m{}-{number}", mix(number) % 10))
    }

    fn lowest_free(&self, kind: &str, first: u64) -> InstanceId {
        let ids = (first..).map(|number| InstanceId::new(format!("{kind}-{number}")));
        let taken =
            |id: &InstanceId| self.machines.contains_key(id) || self.promised.contains_key(id);
        let mut free = ids.filter(|id| !taken(id));
        free.next().unwrap_or_default()
    }

    /// Draws the id of an instance that does not exist yet.
    pub fn promise(&mut self, group: &GroupId) -> InstanceId {
        let id = self.name();
        self.promised.insert(id.clone(), group.clone());
        id
    }

    /// Returns the group that this id was promised to, if its instance does not exist yet.
    #[must_use]
    pub fn promised_to(&self, id: &InstanceId) -> Option<&GroupId> {
        self.promised.get(id)
    }

    /// Returns the ids that were promised, and to which groups.
    pub fn promised(&self) -> impl Iterator<Item = (&InstanceId, &GroupId)> {
        self.promised.iter()
    }

    /// Brings an instance to life.
    pub fn give_birth(&mut self, id: InstanceId, birth: Birth, now: u64) {
        self.stamps += 1;
        self.promised.remove(&id);
        let machine = Machine {
            id: id.clone(),
            logical_id: birth.logical_id,
            tags: birth.tags,
            shown: None,
            born: now,
            visible: now + birth.hidden,
            ready: now + birth.boot,
            gone: None,
            leaving: false,
            truth: birth.truth,
            ever_ill: birth.truth != Truth::Well,
            plain: birth.plain,
            maker: birth.maker,
            running: now + birth.starts,
            lingers: birth.hidden,
            served: None,
            slandered: None,
            flattered: None,
            ill_since: (birth.truth != Truth::Well).then_some(now),
            recovered: 0,
            unseen: None,
            unseen_of: 0,
            seen_again: false,
            listed: false,
            passed_over: false,
            stamp: self.stamps,
        };
        self.machines.insert(id, machine);
    }

    /// Ends everything wrong that is said of instances.
    pub fn end_slander(&mut self, now: u64) {
        for machine in self.machines.values_mut() {
            if let Some((_, until)) = &mut machine.slandered {
                *until = now.min(*until);
            }
        }
    }

    /// Ends an instance. Returns it, if it was there.
    pub fn bury(&mut self, id: &InstanceId, now: u64) -> Option<&Machine> {
        let mut machine = self.machines.remove(id)?;
        machine.ceases_to_serve(now);
        machine.gone = Some(now);
        let nature = self.nature.as_ref();
        let lag = nature.map_or(0, |nature| nature.tombstone + 2 * nature.longest_lag());
        self.former
            .retain(|one| one.gone.is_some_and(|gone| gone + REMEMBERED + lag > now));
        if self.nature.as_ref().is_some_and(|nature| nature.recycles) {
            self.freed.push(machine.id.clone());
        }
        self.former.push(machine);
        self.former.last()
    }

    /// Returns the instances that there are.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.machines.values()
    }

    /// Returns the instances that there were a short while ago.
    pub fn former(&self) -> impl Iterator<Item = &Machine> {
        self.former.iter()
    }

    /// Notes that whoever asked for the health of the last instance of a group that had an id was told that
    /// it is well: another one has the id by now.
    pub fn flatter_former(&mut self, group: &GroupId, id: &InstanceId, now: u64) {
        let mut former = self.former.iter_mut().rev();
        let last = former.find(|one| one.id == *id && one.group() == Some(group.as_str()));
        if let Some(last) = last {
            last.flattered = Some(now);
        }
    }

    /// Returns an instance that there is.
    #[must_use]
    pub fn get(&self, id: &InstanceId) -> Option<&Machine> {
        self.machines.get(id)
    }

    /// Returns an instance that there is, to change.
    pub fn get_mut(&mut self, id: &InstanceId) -> Option<&mut Machine> {
        self.machines.get_mut(id)
    }

    /// Returns an instance that there is or was a short while ago.
    #[must_use]
    pub fn recall(&self, id: &InstanceId) -> Option<&Machine> {
        let former = || self.former.iter().rev().find(|one| one.id == *id);
        self.machines.get(id).or_else(former)
    }

    /// Puts labels on an instance; lists show them `lag` later.
    pub fn label(&mut self, id: &InstanceId, labels: &Tags, now: u64, lag: u64) -> bool {
        self.stamps += 1;
        let stamp = self.stamps;
        let Some(machine) = self.machines.get_mut(id) else {
            return false;
        };
        if lag > 0 {
            machine.shown = Some((now + lag, machine.tags.clone()));
        }
        machine.tags.extend(labels.clone());
        machine.stamp = stamp;
        true
    }

    /// Returns the zone that a list of that moment does not show.
    pub fn unseen_zone(&self, moment: u64) -> Option<&str> {
        let zone = self.hidden_zone.as_ref();
        let zone = zone.filter(|(_, until)| moment < *until);
        zone.map(|(zone, _)| zone.as_str())
    }

    /// Returns the zones that a list of that moment covers, where it says that and does not cover all.
    pub fn covered(&self, moment: u64) -> Option<BTreeSet<String>> {
        let nature = self.nature.as_ref().filter(|nature| nature.covers)?;
        let hidden = self.unseen_zone(moment)?;
        let zones = (0..nature.zones).map(|zone| format!("z{zone}"));
        Some(zones.filter(|zone| zone != hidden).collect())
    }

    /// Notes whom a list of that moment lacks for want of memory or of sight, and does not say so. Returns the
    /// groups of those that others showed.
    pub fn note_unseen(&mut self, moment: u64, now: u64) -> Vec<GroupId> {
        let mut lost = Vec::new();
        let admits = self.nature.as_ref().is_some_and(|nature| nature.covers);
        let zone = self
            .hidden_zone
            .clone()
            .filter(|(_, until)| moment < *until);
        let blank = moment < self.blank;
        if !blank && zone.is_none() {
            return lost;
        }
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        for one in self.machines.values().filter(|one| !one.leaving) {
            let group = one.group().unwrap_or_default();
            *groups.entry(group.to_owned()).or_default() += 1;
        }
        for machine in self.machines.values_mut() {
            let hidden = zone
                .as_ref()
                .is_some_and(|(zone, _)| machine.zone() == Some(zone));
            machine.passed_over |= hidden && admits;
            if blank || (hidden && !admits) {
                let before = machine.unseen.filter(|_| !machine.seen_again);
                let first = before.map_or(now, |(first, _)| first);
                if before.is_none() {
                    let group = machine.group().unwrap_or_default();
                    let of = groups.get(group).copied().unwrap_or_default();
                    lost.push(GroupId::from(group));
                    machine.unseen_of = of;
                }
                machine.unseen = Some((first, now));
                machine.seen_again = false;
            }
        }
        lost
    }

    /// Notes whom a list has shown.
    pub fn note_listed(&mut self, list: &[Description]) {
        for one in list {
            if let Some(machine) = self.machines.get_mut(&one.id) {
                machine.listed = true;
                machine.seen_again = machine.unseen.is_some();
            }
        }
    }

    /// Lists what there was at `moment` with these tags.
    #[must_use]
    pub fn list(&self, filter: &Tags, moment: u64) -> Vec<Description> {
        let there = self.there(filter, moment);
        let describe = |one: &Machine| Description {
            id: one.id.clone(),
            logical_id: one.logical_id.clone(),
            tags: Some(one.tags_at(moment).clone()),
            state: self.state(one, moment),
            ..Description::default()
        };
        let mut list: Vec<Description> = there.map(describe).collect();
        list.sort_by(|one, other| one.id.cmp(&other.id));
        list
    }

    /// Returns a fingerprint of the list of that moment.
    #[must_use]
    pub fn fingerprint(&self, filter: &Tags, moment: u64) -> Fingerprint {
        // What it shows, and what it says that it covers.
        let covers = self.covered(moment).and_then(|_| self.unseen_zone(moment));
        let covers = covers.map_or(0, |zone| zone.bytes().map(u64::from).sum());
        let mut sum = [0, covers];
        for one in self.there(filter, moment) {
            let lags = one.shown.as_ref().is_some_and(|(until, _)| moment < *until);
            let stage = self.tells_states();
            let stage = stage.map_or(0, |_| self.stage(one, moment) as u64);
            let print = mix(one.stamp << 4 | stage << 1 | u64::from(lags));
            sum = [sum[0] ^ print, sum[1].wrapping_add(print)];
        }
        Fingerprint(sum)
    }

    fn there<'a>(&'a self, filter: &'a Tags, moment: u64) -> impl Iterator<Item = &'a Machine> {
        let former = self
            .former
            .iter()
            .filter(move |one| self.is_shown_dead(one, moment));
        self.machines.values().chain(former).filter(move |one| {
            one.visible <= moment
                && !self.is_out_of_sight(one, moment)
                && tags::matches(Some(one.tags_at(moment)), filter)
        })
    }

    /// The dead are shown as long as lists lag, and after that as what is going away; but not where
    /// another has their id.
    fn is_shown_dead(&self, one: &Machine, moment: u64) -> bool {
        let rests = self.tells_states().map_or(0, |nature| nature.tombstone);
        let shown = one
            .gone
            .is_some_and(|gone| gone + one.lingers + rests > moment);
        let successor = || {
            self.machines
                .get(&one.id)
                .is_some_and(|other| other.visible <= moment)
        };
        shown && !successor()
    }

    /// Returns whether lists show now what they will go on showing, if nothing happens.
    #[must_use]
    pub fn is_settled(&self, now: u64) -> bool {
        // Who comes to light again is not believed to be back before lists could have been behind.
        let nature = self.nature.as_ref();
        let doubt = REMEMBERED + nature.map_or(0, |nature| 2 * nature.longest_lag());
        let lately = |(_, last): (u64, u64)| last + doubt > now;
        let shown = self.machines.values().all(|one| {
            if one.unseen.is_some_and(lately) {
                return false;
            }
            let labels = one.shown.as_ref().is_none_or(|(until, _)| *until <= now);
            // What came up a moment ago is still to be found out, and what comes up later as well.
            let up = one.running.max(one.ready) + REMEMBERED <= now;
            one.visible <= now && up && labels
        });
        let mut dead = self.former.iter();
        shown && !dead.any(|one| self.is_shown_dead(one, now)) && now >= self.blank
    }

    /// Returns whether lists do not show an instance that is there, for want of memory or of sight.
    #[must_use]
    pub fn is_out_of_sight(&self, one: &Machine, moment: u64) -> bool {
        let zone = self.unseen_zone(moment);
        moment < self.blank || (zone.is_some() && one.zone() == zone)
    }

    /// Notes that lists do not show all from now on, if they did until now.
    pub fn hides(&mut self, now: u64) {
        let zone = self.hidden_zone.as_ref();
        if now >= self.blank && zone.is_none_or(|(_, until)| now >= *until) {
            self.hidden_since = now;
        }
    }

    /// Only a plugin that declares how it behaves tells states, too.
    fn tells_states(&self) -> Option<&Nature> {
        self.nature.as_ref().filter(|nature| nature.declared)
    }

    fn state(&self, one: &Machine, moment: u64) -> Lifecycle {
        self.tells_states().map_or(Lifecycle::Unsaid, |nature| {
            let stage = self.stage(one, moment);
            Lifecycle::from_word(nature.words()[stage as usize])
        })
    }

    fn stage(&self, one: &Machine, moment: u64) -> Stage {
        if one.leaving || one.gone.is_some_and(|gone| gone + one.lingers <= moment) {
            Stage::Going
        } else if moment < one.running {
            Stage::ComingUp
        } else if moment < self.hazy {
            Stage::Unknown
        } else {
            match one.truth {
                Truth::Stopped => Stage::Stopped,
                Truth::Broken => Stage::Broken,
                Truth::Well | Truth::Sick | Truth::Hung => Stage::Up,
            }
        }
    }

    /// Returns the moment right before the last `count` changes of what lists show, no longer than
    /// `lag` ago.
    #[must_use]
    pub fn before_changes(&self, now: u64, lag: u64, count: u64) -> u64 {
        let all = self.machines.values().chain(&self.former);
        let moments = all.flat_map(|one| [Some(one.visible), one.gone]).flatten();
        let mut moments: Vec<u64> = moments.filter(|at| *at <= now).collect();
        moments.sort_unstable();
        let index = moments
            .len()
            .saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        let before = moments.get(index).map_or(now, |at| at.saturating_sub(1));
        before.max(now - lag)
    }
}
