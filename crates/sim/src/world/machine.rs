//! The truth: which instances there are, and how they really are.

use std::collections::BTreeMap;

use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Fingerprint, Locality};
use infrakit_spi::{InstanceId, LogicalId, PluginName, Tags, tags};

use crate::rng::mix;

/// How long a provider remembers what is gone, for lists that come from the past.
const REMEMBERED: u64 = 120_000_000_000;

/// Who made an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// A controller asked for it.
    Controller,
    /// A controller asked for it once, and the request was delivered a second time.
    Echo,
    /// A person made it.
    Hand,
}

/// How an instance really is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It does its work, once it has booted.
    Well,
    /// It does not, and nothing but replacement helps.
    Sick,
    /// It does not until it is rebooted.
    Hung,
}

/// An instance.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its id.
    pub id: InstanceId,
    /// Its identity.
    pub logical_id: Option<LogicalId>,
    /// Its tags as they are.
    pub tags: Tags,
    /// The tags that lists show until that moment, when a change of them lags.
    pub shown: Option<(u64, Tags)>,
    /// When it came to be.
    pub born: u64,
    /// When lists begin to show it.
    pub visible: u64,
    /// When it has booted.
    pub ready: u64,
    /// When it ceased to be.
    pub gone: Option<u64>,
    /// Whether its destruction was accepted and is under way.
    pub leaving: bool,
    /// How it really is.
    pub truth: Truth,
    /// Whether it ever was anything but well.
    pub ever_ill: bool,
    /// Who made it.
    pub maker: Maker,
    /// Changes whenever something changes that a list shows.
    stamp: u64,
}

impl Machine {
    /// Returns the group that it belongs to.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.tags.get(tags::GROUP).map(String::as_str)
    }

    /// Returns the identity that it has, from its birth or by a label.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        let label = self.tags.get(tags::LOGICAL_ID).map(String::as_str);
        label.or_else(|| self.logical_id.as_ref().map(LogicalId::as_str))
    }

    /// Returns the token of the intent that made it.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.tags.get(tags::TOKEN).map(String::as_str)
    }

    /// Returns the config hash on it.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        tags::config_hash(&self.tags)
    }

    /// Returns the verdict of an honest flavor.
    #[must_use]
    pub fn health(&self, now: u64) -> Health {
        match self.truth {
            Truth::Well if now >= self.ready => Health::Healthy,
            Truth::Well if self.born.is_multiple_of(2) => Health::Unknown,
            Truth::Well | Truth::Sick | Truth::Hung => Health::Unhealthy,
        }
    }

    fn tags_at(&self, moment: u64) -> &Tags {
        match &self.shown {
            Some((until, tags)) if moment < *until => tags,
            _ => &self.tags,
        }
    }
}

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
            machines: BTreeMap::new(),
            former: Vec::new(),
            made: 0,
            stamps: 0,
        }
    }
}

/// An instance that is about to be.
#[derive(Clone, Debug)]
pub struct Birth {
    /// Its identity.
    pub logical_id: Option<LogicalId>,
    /// Its tags.
    pub tags: Tags,
    /// How it will really be.
    pub truth: Truth,
    /// Who makes it.
    pub maker: Maker,
    /// Time until lists show it.
    pub hidden: u64,
    /// Time until it has booted.
    pub boot: u64,
}

impl Provider {
    /// Draws the id of a new instance; ids are not in the order of creation.
    pub fn name(&mut self) -> InstanceId {
        self.made += 1;
        let number = self.made;
        InstanceId::new(format!("m{}-{number}", mix(number) % 10))
    }

    /// Brings an instance to life.
    pub fn give_birth(&mut self, id: InstanceId, birth: Birth, now: u64) {
        self.stamps += 1;
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
            maker: birth.maker,
            stamp: self.stamps,
        };
        self.machines.insert(id, machine);
    }

    /// Ends an instance. Returns it, if it was there.
    pub fn bury(&mut self, id: &InstanceId, now: u64) -> Option<&Machine> {
        let mut machine = self.machines.remove(id)?;
        machine.gone = Some(now);
        self.former
            .retain(|one| one.gone.is_some_and(|gone| gone + REMEMBERED > now));
        self.former.push(machine);
        self.former.last()
    }

    /// Returns the instances that there are.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.machines.values()
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

    /// Lists what there was at `moment` with these tags.
    #[must_use]
    pub fn list(&self, filter: &Tags, moment: u64) -> Vec<Description> {
        let there = self.there(filter, moment);
        let describe = |one: &Machine| Description {
            id: one.id.clone(),
            logical_id: one.logical_id.clone(),
            tags: Some(one.tags_at(moment).clone()),
            ..Description::default()
        };
        let mut list: Vec<Description> = there.map(describe).collect();
        list.sort_by(|one, other| one.id.cmp(&other.id));
        list
    }

    /// Returns a fingerprint of the list of that moment.
    #[must_use]
    pub fn fingerprint(&self, filter: &Tags, moment: u64) -> Fingerprint {
        let mut sum = [0, 0_u64];
        for one in self.there(filter, moment) {
            let lags = one.shown.as_ref().is_some_and(|(until, _)| moment < *until);
            let print = mix(one.stamp << 1 | u64::from(lags));
            sum = [sum[0] ^ print, sum[1].wrapping_add(print)];
        }
        Fingerprint(sum)
    }

    fn there<'a>(&'a self, filter: &'a Tags, moment: u64) -> impl Iterator<Item = &'a Machine> {
        let former = self
            .former
            .iter()
            .filter(move |one| one.gone.is_some_and(|gone| gone > moment));
        self.machines.values().chain(former).filter(move |one| {
            one.visible <= moment && tags::matches(Some(one.tags_at(moment)), filter)
        })
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

/// All instance plugins.
#[derive(Clone, Debug, Default)]
pub struct Park {
    providers: BTreeMap<PluginName, Provider>,
}

impl Park {
    /// Adds a plugin.
    pub fn add(&mut self, name: impl Into<PluginName>, provider: Provider) {
        self.providers.insert(name.into(), provider);
    }

    /// Returns the plugins with their names.
    pub fn providers(&self) -> impl Iterator<Item = (&PluginName, &Provider)> {
        self.providers.iter()
    }

    /// Returns a plugin.
    #[must_use]
    pub fn get(&self, name: &PluginName) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// Returns a plugin, to change.
    pub fn get_mut(&mut self, name: &PluginName) -> Option<&mut Provider> {
        self.providers.get_mut(name)
    }

    /// Returns an instance.
    #[must_use]
    pub fn machine(&self, name: &PluginName, id: &InstanceId) -> Option<&Machine> {
        self.providers.get(name)?.get(id)
    }

    /// Returns an instance, to change.
    pub fn machine_mut(&mut self, name: &PluginName, id: &InstanceId) -> Option<&mut Machine> {
        self.providers.get_mut(name)?.get_mut(id)
    }

    /// Returns all instances that there are, with their plugins.
    pub fn machines(&self) -> impl Iterator<Item = (&PluginName, &Machine)> {
        self.providers
            .iter()
            .flat_map(|(name, provider)| provider.machines().map(move |one| (name, one)))
    }

    /// Returns the instances of a group, with their plugins.
    pub fn of<'a>(
        &'a self,
        group: &'a str,
    ) -> impl Iterator<Item = (&'a PluginName, &'a Machine)> + 'a {
        self.machines()
            .filter(move |(_, one)| one.group() == Some(group))
    }
}
