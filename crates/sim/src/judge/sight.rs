//! What a life of a controller was told.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::instance::{Description, Listing};
use infrakit_spi::{GroupId, InstanceId, PluginName, tags};

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
    /// When the store last took a plan of it.
    pub planned: u64,
    pub(super) open: BTreeMap<Ticket, Open>,
}

impl Sight {
    /// Notes a list. Of groups that were given up and of which something is under way, too, it tells.
    pub(super) fn listed(
        &mut self,
        open: &Open,
        listing: &Listing,
        (lag, former): (u64, &BTreeSet<GroupId>),
    ) {
        let Open::List {
            plugin,
            group,
            started,
        } = open
        else {
            return;
        };
        let covered = |id: &GroupId| group.as_ref().is_none_or(|only| only == id);
        if let Listing::Part(list, ..) = listing {
            // It denies nobody, and is complete for nobody.
            for one in list {
                self.learn(plugin, one, covered);
            }
            return;
        }
        let all = self.promises.keys().chain(former);
        for id in all.filter(|id| covered(id)) {
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
            if let Some(owner) = self.learn(plugin, one, covered) {
                // What remains of a freed group is watched, too: nothing is promised of it.
                self.complete.insert((owner, plugin.clone()));
            }
        }
    }

    /// Notes an instance that a list shows. Returns its group, where that is covered.
    fn learn(
        &mut self,
        plugin: &PluginName,
        one: &Description,
        covered: impl Fn(&GroupId) -> bool,
    ) -> Option<GroupId> {
        let owner = one.tags.as_ref()?.get(tags::GROUP)?;
        let owner = GroupId::from(owner.as_str());
        covered(&owner).then(|| self.note(plugin, owner.clone(), (one, None)))?;
        Some(owner)
    }

    pub(super) fn note(
        &mut self,
        plugin: &PluginName,
        group: GroupId,
        (one, answered): (&Description, Option<u64>),
    ) {
        let token = one
            .tags
            .as_ref()
            .and_then(|own| own.get(tags::TOKEN))
            .cloned();
        let place = (plugin.clone(), one.id.clone());
        let seen = self.members.entry(place).or_insert_with(|| Seen {
            group: group.clone(),
            token: None,
            answered,
        });
        seen.group = group;
        seen.token = token;
        if answered.is_none() {
            seen.answered = None;
        }
    }
}

/// What a life was told of an instance.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its group.
    pub group: GroupId,
    /// The token of what made it.
    pub token: Option<String>,
    /// When it was told of its creation, as long as no list has shown it.
    pub(super) answered: Option<u64>,
}

impl Seen {
    /// Returns whether nothing but an answer has told of it.
    #[must_use]
    pub fn is_unlisted(&self) -> bool {
        self.answered.is_some()
    }
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
