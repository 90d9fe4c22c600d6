//! What a life of a controller was told.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Listing};
use infrakit_spi::{GroupId, InstanceId, PluginName, Tags, tags};

use super::Promise;
use crate::controller::Ticket;

/// What brought a step about, as far as it matters to the judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// Anything.
    #[default]
    Any,
    /// A list that did not come.
    FailedList,
    /// The store took a transaction at this moment.
    Written(u64),
}

/// What a life of a controller was told.
#[derive(Debug, Default)]
pub struct Sight {
    /// What it promised, by group.
    pub promises: BTreeMap<GroupId, Promise>,
    /// Complete lists that it has had, by group and plugin.
    pub complete: BTreeSet<(GroupId, PluginName)>,
    /// The members that it was told of.
    pub members: BTreeMap<(PluginName, InstanceId), Seen>,
    /// What brought the present step about.
    pub cause: Cause,
    /// Its term of office.
    pub term: u64,
    pub(super) open: BTreeMap<Ticket, Open>,
}

impl Sight {
    /// Returns the members of a group that are not on their way out.
    pub fn staying<'a>(&'a self, group: &'a GroupId) -> impl Iterator<Item = &'a Seen> + 'a {
        self.members
            .values()
            .filter(move |seen| seen.group == *group && !seen.leaving)
    }

    /// Returns how many members of a group serve: those known to be healthy, and outdated ones of
    /// which nothing bad is known.
    #[must_use]
    pub fn serving(&self, group: &GroupId) -> u64 {
        let Some(promise) = self.promises.get(group) else {
            return 0;
        };
        let serves = |seen: &&Seen| seen.serves(promise);
        self.staying(group).filter(serves).count() as u64
    }

    pub(super) fn listed(&mut self, open: &Open, listing: &Listing, (lag, books): (u64, &Books)) {
        let Open::List {
            plugin,
            group,
            started,
        } = open
        else {
            return;
        };
        let covered = |id: &GroupId| group.as_ref().is_none_or(|only| only == id);
        for id in self.promises.keys().filter(|id| covered(id)) {
            self.complete.insert((id.clone(), plugin.clone()));
        }
        let Listing::Changed(list, _) = listing else {
            return;
        };
        let present: BTreeSet<&InstanceId> = list.iter().map(|one| &one.id).collect();
        self.members.retain(|(home, id), seen| {
            home != plugin
                || !covered(&seen.group)
                || present.contains(id)
                || seen.answered.is_some_and(|at| *started <= at + lag)
        });
        for one in list {
            let tag = |key: &str| one.tags.as_ref().and_then(|tags| tags.get(key));
            let Some(owner) = tag(tags::GROUP).map(|id| GroupId::from(id.as_str())) else {
                continue;
            };
            if covered(&owner) {
                self.note(plugin, owner, (one, None), books);
            }
        }
    }

    pub(super) fn note(
        &mut self,
        plugin: &PluginName,
        group: GroupId,
        (one, answered): (&Description, Option<u64>),
        books: &Books,
    ) {
        let empty = Tags::new();
        let labels = one.tags.as_ref().unwrap_or(&empty);
        let named = one.logical_id.as_ref().map(|id| id.as_str().to_owned());
        let logical_id = named.or_else(|| labels.get(tags::LOGICAL_ID).cloned());
        let hash = tags::config_hash(labels).map(str::to_owned);
        let place = (plugin.clone(), one.id.clone());
        match self.members.get_mut(&place) {
            Some(seen) => {
                seen.group = group;
                seen.hash = hash;
                seen.logical_id = logical_id;
                if answered.is_none() {
                    seen.answered = None;
                }
            }
            None => {
                let former = books.verdicts.get(&place).copied().unwrap_or_default();
                let seen = Seen {
                    group,
                    hash,
                    logical_id,
                    verdict: Health::Unknown,
                    former,
                    leaving: books.condemned.contains_key(&place),
                    unproved: answered.is_some(),
                    answered,
                };
                self.members.insert(place, seen);
            }
        }
    }
}

/// What a life was told of an instance.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its group.
    pub group: GroupId,
    /// Its config hash.
    pub hash: Option<String>,
    /// Its identity.
    pub logical_id: Option<String>,
    /// The last verdict that this life was told.
    pub verdict: Health,
    /// The last verdict but unknown that any life was told.
    pub former: Health,
    /// Whether this life has asked for its end.
    pub leaving: bool,
    /// Whether this life made it and has yet to hear that it is healthy.
    pub unproved: bool,
    /// When it was told of its creation, as long as no list has shown it.
    pub(super) answered: Option<u64>,
}

impl Seen {
    /// Returns whether the member counts as doing its work, under this promise: it is known to, or
    /// it is outdated and nothing bad is known of it.
    #[must_use]
    pub fn serves(&self, promise: &Promise) -> bool {
        match self.verdict {
            Health::Healthy => true,
            Health::Unknown => {
                self.former == Health::Healthy || !promise.matches(self.hash.as_deref())
            }
            Health::Unhealthy => false,
        }
    }

    /// Returns whether nothing bad is known of the member.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match self.verdict {
            Health::Healthy => true,
            Health::Unknown => self.former != Health::Unhealthy,
            Health::Unhealthy => false,
        }
    }
}

/// What outlives the lives of controllers.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// The last verdict on each instance that any life was told.
    pub(super) verdicts: BTreeMap<(PluginName, InstanceId), Health>,
    /// Instances whose end is journaled.
    pub(super) condemned: BTreeMap<(PluginName, InstanceId), GroupId>,
    /// Instances that no controller asked for.
    pub(super) uninvited: BTreeSet<(PluginName, InstanceId)>,
}

/// A call that a life has made and not heard of.
#[derive(Debug)]
pub(super) enum Open {
    List {
        plugin: PluginName,
        group: Option<GroupId>,
        started: u64,
    },
    Create {
        group: GroupId,
        plugin: PluginName,
    },
    Check(PluginName, InstanceId),
    Destroy(PluginName, InstanceId),
    Other,
}
