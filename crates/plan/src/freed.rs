//! What outlives a group that is freed, until it is committed anew: whom somebody holds, who may be
//! looking into the member still; whether it is frozen; on which plugins its members live, so that it moves
//! if it is committed on another one; and how many members there were. A plugin that shows nobody a moment
//! later has lost its memory more likely than they have all gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_spi::{InstanceId, PluginName};
use serde::{Deserialize, Serialize};

use crate::life::Life;
use crate::{Memory, Observed, Phase, Recollection, Timestamp};

/// For how long it is counted on that the members of a freed group are there. Whoever frees one in order
/// to commit it anew does so within minutes; whoever wants to be rid of the members deletes them then.
const COUNTED_ON: Duration = Duration::from_secs(300);

/// For how long it is remembered where the members of a freed group live. Whoever has looked after them by
/// hand for longer than a month no longer means them by the name of the group; and what is kept of groups
/// that never come again must not grow for ever.
const LIVE_THERE: Duration = Duration::from_secs(31 * 86_400);

/// What is kept of a group that was freed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freed {
    /// When it was freed.
    at: Timestamp,
    /// Names the record of the group by which lives are told apart.
    nonce: String,
    /// The members that somebody asked to leave alone, each with the life that is meant where that is
    /// known.
    #[serde(default)]
    held: BTreeMap<InstanceId, Option<Life>>,
    /// Since when somebody has it frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frozen: Option<Timestamp>,
    /// Plugins that members were left on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    homes: BTreeSet<PluginName>,
    /// How many members each plugin had that nobody had asked to go.
    #[serde(default)]
    there: BTreeMap<PluginName, usize>,
}

impl Freed {
    /// Returns what is to outlive a group, if there is anything. One that was destroyed leaves nobody
    /// behind; of one that is let go while it is being destroyed those stay that were not asked to go yet.
    #[must_use]
    pub fn of(memory: &Memory, seen: &Observed, at: Timestamp) -> Option<Self> {
        let destroying = memory.phase == Phase::Destroying;
        if destroying && seen.is_empty() && seen.listed().is_some() {
            return None;
        }
        let there = seen.there();
        let holds = !memory.held.is_empty() && !destroying;
        let mut homes = memory.homes.clone();
        if !holds && there.is_empty() && memory.frozen.is_none() && homes.is_empty() {
            return None;
        }
        // Whoever is committed on another plugin, or goes back to a former one, has members on these.
        homes.extend(there.keys().cloned());
        let held = memory.held.iter();
        let held = held.map(|id| (id.clone(), memory.lives.get(id).cloned()));
        Some(Self {
            at,
            nonce: memory.nonce.clone(),
            held: held.collect(),
            frozen: memory.frozen,
            homes,
            there,
        })
    }

    /// Returns whether somebody has the group frozen.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Sets the holds, the brake and what was being moved from in the memory of the group that is
    /// committed anew.
    pub fn hand_over(&self, memory: &mut Memory, now: Timestamp) {
        if self.is_meant(now) {
            memory.homes.extend(self.homes.iter().cloned());
        }
        memory.frozen = self.frozen;
        for (id, life) in &self.held {
            memory.held.insert(id.clone());
            let life = life.clone().map(|life| {
                if self.nonce == memory.nonce {
                    life
                } else {
                    life.before_record()
                }
            });
            memory.lives.extend(life.map(|life| (id.clone(), life)));
        }
    }

    /// Returns what is to be written down of the group that is committed anew, so that its first lists are
    /// doubted after a restart, too.
    #[must_use]
    pub fn recollection(&self, now: Timestamp) -> Option<Recollection> {
        let counts = self.is_fresh(now) && !self.there.is_empty();
        counts.then(|| Recollection::of_members(self.there.clone(), now))
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.at) < COUNTED_ON
    }

    /// Returns whether the members are still meant by the name of the group.
    fn is_meant(&self, now: Timestamp) -> bool {
        now.since(self.at) <= LIVE_THERE
    }

    /// Returns whether nothing of it matters any more to a group that is committed anew.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.held.is_empty()
            && self.frozen.is_none()
            && (self.homes.is_empty() || !self.is_meant(now))
            && !self.is_fresh(now)
    }

    /// Has the first lists of the group that is committed anew doubted if they lack too many.
    pub fn expect_in(self, seen: &mut Observed, now: Timestamp) {
        if self.is_fresh(now) {
            seen.expect(self.there);
        }
    }
}
