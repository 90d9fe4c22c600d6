//! What is doubted: that members are gone which a list lacks. What is believed is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_spi::{InstanceId, PluginName};
use serde::{Deserialize, Serialize};

use super::key::Key;
use super::member::{Birth, Departure};
use super::tomb::ToldBy;
use super::trust::{Tally, Trust};
use crate::Timestamp;

/// Until then a loss is doubted that only a person can confirm.
pub(super) const NEVER: Timestamp = Timestamp(u64::MAX);

/// Since when a member is missing, and until when that is doubted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absent {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
    /// Whether too many others are missing with it: what a list says that lacks them is doubted. Else it is only
    /// not enough for this one.
    pub(super) in_company: bool,
}

/// Members of a plugin whose loss is doubted, as it is written down: a restart must not begin to wait
/// anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// How many.
    pub count: usize,
    /// Since when the first of them is missing.
    pub since: Timestamp,
    /// When others were believed to be gone, where the plugin has shown nobody since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub believed: Option<Timestamp>,
}

impl Missing {
    pub(super) fn nobody(since: Timestamp) -> Self {
        Self {
            count: 0,
            since,
            believed: None,
        }
    }
}

/// What is doubted.
#[derive(Clone, Debug, Default)]
pub(super) struct Losses {
    pub(super) absent: BTreeMap<Key, Absent>,
    /// What a former life doubted, until the first list of the plugin.
    pub(super) former: BTreeMap<PluginName, Missing>,
    pub(super) trust: BTreeMap<PluginName, Trust>,
    /// Losses that were believed lately where nobody was shown: when, on which plugin, and in which
    /// domain. What is made in their place may be missing in the next list, too, for the same reason.
    pub(super) believed: Vec<(Timestamp, PluginName, String)>,
    /// Those among them that were on their way out, until the plugin shows somebody: should they be
    /// there after all, they are still the ones that were chosen to go.
    pub(super) leaving: BTreeMap<Key, (Birth, Departure)>,
}

impl Losses {
    /// Returns for how long it is doubted that so many are gone of a plugin's members.
    pub(super) fn wait(&self, plugin: &PluginName, tally: Tally) -> Option<Duration> {
        let trust = self.trust_in(plugin);
        let least = trust.least().filter(|_| tally.lost > 0);
        trust.wait(tally).max(least)
    }

    /// Returns since when so many are missing of a plugin's members that a list lacks which was started
    /// at `started`: a former life may have missed them before. If they are more now, it did not.
    pub(super) fn since(&self, plugin: &PluginName, lost: usize, started: Timestamp) -> Timestamp {
        let former = self.former.get(plugin);
        let former = former.filter(|former| lost <= former.count);
        former.map_or(started, |former| former.since.min(started))
    }

    /// Forgets what a former life doubted, now that a list of the plugin was judged.
    pub(super) fn forget_former(&mut self, plugin: &PluginName) {
        self.former.remove(plugin);
    }

    /// Returns the tag or property that tells two lives of an id of this plugin apart; empty where
    /// nothing is declared.
    pub(super) fn incarnation_field(&self, plugin: &PluginName) -> &str {
        let trust = self.trust.get(plugin);
        trust.map_or("", |trust| &trust.incarnation_field)
    }

    /// Returns whether lists of a plugin show what creation an instance came of.
    pub(super) fn shows_tokens(&self, plugin: &PluginName) -> bool {
        let trust = self.trust.get(plugin);
        trust.is_none_or(|trust| trust.shows_tokens)
    }

    /// Returns whether an id of a plugin that is gone may be that of another one later.
    pub(super) fn reuses_ids(&self, plugin: &PluginName) -> bool {
        let trust = self.trust.get(plugin);
        trust.is_none_or(|trust| trust.reuses_ids)
    }

    /// Returns who told that a member is gone which its plugin calls so.
    pub(super) fn told_gone(&self, plugin: &PluginName) -> ToldBy {
        self.trust_in(plugin).told_gone()
    }

    pub(super) fn trust_in(&self, plugin: &PluginName) -> Trust {
        self.trust.get(plugin).cloned().unwrap_or_default()
    }

    /// Forgets losses of a plugin in domains of which it shows somebody. One whose domain is not known
    /// may be in any.
    pub(super) fn forget_silence(&mut self, plugin: &PluginName, domains: &BTreeSet<String>) {
        if !domains.is_empty() {
            self.believed.retain(|(_, home, domain)| {
                home != plugin || !(domain.is_empty() || domains.contains(domain))
            });
        }
    }

    pub(super) fn is_silent(&self, plugin: &PluginName) -> bool {
        let mut believed = self.believed.iter();
        let leaves = || self.leaving.keys().any(|key| key.plugin == *plugin);
        believed.any(|(_, home, _)| home == plugin) || leaves()
    }

    /// Returns how far the departure had come of a member that was believed to be gone and is there
    /// again.
    pub(super) fn departure_of(&mut self, key: &Key, birth: &Birth) -> Option<Departure> {
        let (own, departure) = self.leaving.remove(key)?;
        own.is_same(birth).then_some(departure)
    }

    /// Returns the departure of a member that is believed to be gone.
    pub(super) fn unseen(&self, key: &Key, birth: &Birth) -> Option<Departure> {
        let (own, departure) = self.leaving.get(key)?;
        own.is_same(birth).then_some(*departure)
    }

    /// Notes how far the departure has come of a member that is believed to be gone.
    pub(super) fn note_unseen(&mut self, key: &Key, departure: Departure) {
        if let Some((_, known)) = self.leaving.get_mut(key) {
            *known = departure;
        }
    }

    /// Forgets the departure of a member that is gone for sure.
    pub(super) fn bury(&mut self, key: &Key) {
        self.leaving.remove(key);
    }

    /// Forgets losses that are so long ago that lists were believed anew since.
    pub(super) fn forget_believed(
        &mut self,
        plugin: &PluginName,
        started: Timestamp,
        silence: Duration,
    ) {
        self.believed.retain_mut(|(at, home, _)| {
            // By the clock of a former life it may lie ahead.
            *at = if home == plugin {
                started.min(*at)
            } else {
                *at
            };
            home != plugin || started < *at + silence
        });
    }

    /// Forgets what is doubted, and was believed, of a plugin that nobody looks at any more.
    pub(super) fn unwatch(&mut self, plugin: &PluginName) {
        self.former.remove(plugin);
        self.believed.retain(|(_, home, _)| home != plugin);
        self.leaving.retain(|key, _| key.plugin != *plugin);
    }

    pub(super) fn forget(&mut self, key: &Key) {
        self.absent.remove(key);
    }
}

/// Members that are missing, which is doubted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubted {
    /// How many.
    pub count: usize,
    /// Since when the first of them is missing.
    pub since: Timestamp,
    /// When a list can be asked for that settles it for the last of them; `None` where only a person
    /// can.
    pub until: Option<Timestamp>,
    /// The domains in which they are, where the plugin names them.
    pub domains: Vec<String>,
}

/// What an earlier life knew of a plugin, and what its first lists lack of that.
#[derive(Clone, Debug)]
pub(super) struct Former {
    /// How many members there were that nobody had asked to go.
    pub(super) members: usize,
    /// Those that were asked to go, and may have been there; and the first creation since.
    pub(super) leaving: BTreeMap<InstanceId, u64>,
    /// How many of the others a list lacks, and since when.
    pub(super) lacks: Option<(usize, Absent)>,
}

impl Former {
    pub(super) fn of(members: usize) -> Self {
        Self {
            members,
            leaving: BTreeMap::new(),
            lacks: None,
        }
    }

    /// Returns how many members there were.
    pub(super) fn members(&self) -> usize {
        self.members
    }

    /// Returns the loss that is doubted.
    pub(super) fn lacks(&self) -> Option<(usize, Absent)> {
        self.lacks
    }
}
