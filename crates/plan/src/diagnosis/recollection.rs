//! What is written down of members and of their health, so that it outlives the controller.
//!
//! Most members do well, and of those that is all there is to say: a bit for each creation of the
//! group tells it. Of the others the verdicts are kept, for as many as can matter.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_spi::flavor::Health;
use infrakit_spi::{InstanceId, PluginName};
use serde::{Deserialize, Serialize};

use crate::diagnosis::health::HealthRecord;
use crate::diagnosis::verdicts::Verdicts;
use crate::observation::key::Key;
use crate::observation::member::{Birth, Member};
use crate::{Timestamp, Updating};

/// Members of which all verdicts are kept. When more than that are not well, no more than the
/// breaker needs to know is kept of the rest. A record has some 150 bytes, and all of them are written
/// anew every few seconds while something changes: 150 KB.
const DETAILED: usize = 1_000;
/// How long what was read is kept for members that no list has shown. The first lists after a
/// restart may lag behind, by less than this for all providers that are known to be that slow: the
/// lists of a cloud's resource cache were empty for eighteen minutes.
const KEPT: Duration = Duration::from_secs(1_200);
/// Bits of a word. Not more, because other programs read numbers as floating point.
const WORD: u64 = 32;
/// For how long a verdict of a former life, or of one that was interrupted, is counted on, when a list
/// shows the member. A restart and its first lists take seconds. Where two of a thousand members die in a
/// day, less than one in a hundred thousand does in five minutes; and to ask anew costs no more than that a
/// rollout waits for it.
pub(crate) const COUNTED_ON: Duration = Duration::from_secs(300);

/// A set of creation numbers, as words of bits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Numbers(BTreeMap<u64, u32>);

impl Numbers {
    fn insert(&mut self, number: u64) {
        *self.0.entry(number / WORD).or_default() |= 1 << (number % WORD);
    }

    fn contains(&self, number: u64) -> bool {
        let word = self.0.get(&(number / WORD)).copied().unwrap_or_default();
        word & (1 << (number % WORD)) != 0
    }

    fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(at, word)| {
            let bits = (0..WORD).filter(move |bit| word & (1 << bit) != 0);
            bits.map(move |bit| at * WORD + bit)
        })
    }
}

/// A member that is not plainly well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ailing {
    /// Number of the creation that made it. An id that was used again is another member.
    token: Option<u64>,
    /// What tells it from another one with its id, beside the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<String>,
    /// When it became known.
    created: Timestamp,
    verdicts: Verdicts,
}

impl Ailing {
    fn is(&self, member: &Member) -> bool {
        let birth = Birth {
            token: self.token,
            incarnation: self.incarnation.clone(),
        };
        birth.is_same(&member.birth())
    }
}

/// What is written down of the health of a group's members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recollection {
    /// When.
    #[serde(default)]
    written: Timestamp,
    /// How many members each plugin had that nobody had asked to go.
    #[serde(default)]
    members: BTreeMap<PluginName, usize>,
    /// Members that are plainly well, by the numbers of their creations.
    #[serde(default)]
    well: Numbers,
    /// The same for members that others made.
    #[serde(default)]
    well_of_others: BTreeMap<PluginName, BTreeSet<InstanceId>>,
    /// Members that are not well, beyond those of which more is kept.
    #[serde(default)]
    ill: Numbers,
    /// The verdicts on members that are not plainly well.
    #[serde(default)]
    ailing: BTreeMap<PluginName, BTreeMap<InstanceId, Ailing>>,
    /// How many those are.
    #[serde(skip)]
    detailed: usize,
}

impl Recollection {
    /// An empty one.
    pub(crate) fn begun(now: Timestamp) -> Self {
        Self {
            written: now,
            ..Self::default()
        }
    }

    /// One of a group of which no more is known than how many members each plugin has.
    pub(crate) fn of_members(members: BTreeMap<PluginName, usize>, now: Timestamp) -> Self {
        Self {
            members,
            ..Self::begun(now)
        }
    }

    /// Takes in a member.
    pub(crate) fn note(&mut self, member: &Member, updating: &Updating) {
        let health = &member.health;
        let (plugin, id) = (&member.plugin, &member.id);
        if member.departure.is_none() {
            *self.members.entry(plugin.clone()).or_default() += 1;
        }
        if health.checked().is_none() {
            return;
        }
        if health.is_plainly_well(updating) {
            match (member.token, &member.incarnation) {
                (Some(number), _) => return self.well.insert(number),
                (None, None) => {
                    let others = self.well_of_others.entry(plugin.clone()).or_default();
                    others.insert(id.clone());
                    return;
                }
                // By its id alone the next life of that would be taken for it.
                (None, Some(_)) => {}
            }
        }
        if self.detailed >= DETAILED {
            if let Some(number) = member.token
                && health.last() == Health::Unhealthy
            {
                self.ill.insert(number);
            }
            return;
        }
        let ailing = Ailing {
            token: member.token,
            incarnation: member.incarnation.clone(),
            created: member.created,
            verdicts: health.verdicts(),
        };
        self.detailed += 1;
        let there = self.ailing.entry(plugin.clone()).or_default();
        there.insert(id.clone(), ailing);
    }

    /// Leaves out members of a plugin that were asked to go at `asked`, if that was after this was
    /// written: nobody misses them.
    pub fn leave_out(&mut self, plugin: &PluginName, members: usize, asked: Timestamp) {
        if asked > self.written
            && let Some(count) = self.members.get_mut(plugin)
        {
            *count = count.saturating_sub(members);
        }
    }

    /// Returns how many members each plugin had that nobody had asked to go.
    pub(crate) fn members(&self) -> &BTreeMap<PluginName, usize> {
        &self.members
    }

    /// Takes over what was read of members that are not known yet.
    pub(crate) fn keep(
        &mut self,
        read: &Self,
        known: impl Fn(u64) -> bool,
        knows: impl Fn(&PluginName, &InstanceId) -> bool,
    ) {
        if self.written.since(read.written) > KEPT {
            return;
        }
        for number in read.well.iter().filter(|number| !known(*number)) {
            self.well.insert(number);
        }
        for number in read.ill.iter().filter(|number| !known(*number)) {
            self.ill.insert(number);
        }
        for (plugin, ids) in &read.well_of_others {
            let unknown = ids.iter().filter(|id| !knows(plugin, id));
            let others = self.well_of_others.entry(plugin.clone()).or_default();
            others.extend(unknown.cloned());
        }
        for (plugin, ailing) in &read.ailing {
            let unknown = ailing.iter().filter(|(id, _)| !knows(plugin, id));
            let there = self.ailing.entry(plugin.clone()).or_default();
            there.extend(unknown.map(|(id, one)| (id.clone(), one.clone())));
        }
    }

    /// Gives a member back what is known of its health.
    pub(crate) fn recall(&self, key: &Key, member: &mut Member, updating: &Updating) {
        let outlived = member.created.since(self.written) > COUNTED_ON;
        self.give_back(key, member, updating);
        if outlived {
            member.health.outlive();
        }
    }

    fn give_back(&self, key: &Key, member: &mut Member, updating: &Updating) {
        let ailing = self.ailing.get(&key.plugin);
        let ailing = ailing.and_then(|there| there.get(&key.id));
        if let Some(ailing) = ailing.filter(|ailing| ailing.is(member)) {
            member.created = ailing.created.min(member.created);
            member.health = HealthRecord::recall(&ailing.verdicts);
            return;
        }
        let well = match member.token {
            Some(number) => self.well.contains(number),
            None => {
                let others = self.well_of_others.get(&key.plugin);
                others.is_some_and(|others| others.contains(&key.id))
            }
        };
        if well {
            member.health = HealthRecord::well(updating, self.written);
        } else if member.token.is_some_and(|number| self.ill.contains(number)) {
            member.health = HealthRecord::ill(self.written);
        }
    }
}
