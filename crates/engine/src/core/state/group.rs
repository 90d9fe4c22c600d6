//! One group: its spec in force, its memory, and its members.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{Memory, Observed, PausedBy, Spec, Timestamp};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{GroupId, InstanceId, PluginName};
use infrakit_store::Change;

use crate::core::Target;
use crate::core::state::departures::Departures;
use crate::core::state::history::History;
use crate::core::state::remembered::{remembers_other, stored_part};
use crate::core::state::trouble::Trouble;
use crate::core::state::waiting::Waiting;
use crate::core::state::young::Young;
use crate::records::{IntentRecord, health_key, put};

/// Specs of former revisions that are kept, so that old members are drained and checked as they
/// were meant to be, and so that there is something to go back to. Kubernetes keeps ten of a
/// deployment; here changes of the size are revisions as well, which go first.
pub(in crate::core) const HISTORY: usize = 20;

/// Least time between two writes of the health of a group's members: what a crash may forget of it.
/// A member counts as sick after as long a row of bad verdicts at the least.
const HEALTH_PAUSE: Duration = Duration::from_secs(5);
/// So much more for each member. A record has a bit for each that is well, and is made by looking
/// at all: a group of 30,000 is written every eleven seconds, which costs a thousandth of a core.
const HEALTH_PAUSE_EACH: Duration = Duration::from_micros(200);

/// Looks at a group that may fail in a row before it counts as degraded: as many as bad verdicts that
/// make a suspect. A plugin that is started anew answers again within fewer.
const MISSED: u32 = 3;

/// Deletions of records that are closed. Where they are not written they are asked for again with the
/// next plan: a record that outlives its members would be about others of the same ids.
pub(in crate::core) type Deletions = Vec<Change>;

/// A spec that was committed.
#[derive(Clone)]
pub(in crate::core) struct Committed {
    /// When.
    pub(in crate::core) at: Timestamp,
    /// The spec.
    pub(in crate::core) spec: Arc<Spec>,
    /// What was asked for beside it, in words.
    pub(in crate::core) note: String,
}

/// What was said of labels that a list has yet to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Said {
    /// They are put on.
    Done,
    /// Nothing.
    Nothing,
}

/// State of a group.
pub(in crate::core) struct Group {
    pub(in crate::core) target: Target,
    /// The spec as it was committed.
    pub(in crate::core) raw: GroupSpec,
    pub(in crate::core) revision: u64,
    pub(in crate::core) spec: Arc<Spec>,
    /// Specs of this and former revisions.
    pub(in crate::core) revisions: BTreeMap<u64, Committed>,
    pub(in crate::core) memory: Memory,
    /// The memory as it is in the store.
    pub(in crate::core) stored: Memory,
    /// Journaled intents, by the number of the first of each record.
    pub(in crate::core) batches: BTreeMap<u64, IntentRecord>,
    /// Deletions of closed records that the store did not take.
    pub(in crate::core) undeleted: Deletions,
    /// Records of them that are to be written anew: the last of their creations were withdrawn.
    pub(in crate::core) cut: BTreeSet<u64>,
    /// Members that a list may still lack. The batches of their creations stay journaled.
    pub(in crate::core) young: Young,
    /// Journaled destructions.
    pub(in crate::core) departures: Departures,
    pub(in crate::core) seen: Observed,
    /// Members as the core counts them in its sum.
    pub(in crate::core) counted: usize,
    pub(in crate::core) wake_at: Option<Timestamp>,
    pub(in crate::core) converged: bool,
    /// What the last plan waits for.
    pub(in crate::core) waiting: Waiting,
    /// What was done of late.
    pub(in crate::core) history: History,
    /// What it was degraded by when that was last looked at.
    pub(in crate::core) trouble: Option<Trouble>,
    /// Why the last list did not come, and when that was known.
    pub(in crate::core) unlisted: Option<(Timestamp, String)>,
    /// How often the destruction of a member failed.
    pub(in crate::core) failed: BTreeMap<(PluginName, InstanceId), u32>,
    /// When the creations of members were answered that have not been found healthy yet.
    pub(in crate::core) newborn: BTreeMap<(PluginName, InstanceId), Timestamp>,
    /// When the health of members is written down next; `None` while it is as it is in the store.
    pub(in crate::core) health_due: Option<Timestamp>,
    /// When it was written last.
    pub(in crate::core) health_written: Timestamp,
    /// Members whose labels may have been put on or not, what was said of that, and from when on a
    /// list tells.
    pub(in crate::core) labels_in_doubt: BTreeMap<(PluginName, InstanceId), (Said, Timestamp)>,
    /// The revision that a failed rollout goes back to, and when that is tried again if it could
    /// not be written.
    pub(in crate::core) reverting: Option<(u64, Timestamp)>,
    /// When a member was last found healthy that is to go and was not healthy before: what was decided
    /// until then is decided anew unless it has begun.
    pub(in crate::core) recovered: Option<Timestamp>,
    /// Changes by an operator on their way to the store; nothing is planned meanwhile.
    pub(in crate::core) changing: usize,
    /// Set while the group is being destroyed: a list must be from after this moment.
    pub(in crate::core) destroying_since: Option<Timestamp>,
}

impl Group {
    /// Creates the state of a group with the spec of revision `revision`, committed at `at`.
    pub(in crate::core) fn new(
        raw: GroupSpec,
        revision: u64,
        committed: Committed,
        memory: Memory,
    ) -> Self {
        let target = Target {
            group: raw.id.clone(),
            nonce: memory.nonce.as_str().into(),
        };
        let mut group = Self {
            target,
            raw,
            revision,
            spec: Arc::clone(&committed.spec),
            revisions: BTreeMap::from([(revision, committed)]),
            stored: Memory::default(),
            memory,
            batches: BTreeMap::new(),
            undeleted: Vec::new(),
            cut: BTreeSet::new(),
            young: Young::default(),
            departures: Departures::default(),
            seen: Observed::default(),
            counted: 0,
            wake_at: None,
            converged: false,
            waiting: Waiting::default(),
            history: History::default(),
            trouble: None,
            unlisted: None,
            failed: BTreeMap::new(),
            newborn: BTreeMap::new(),
            health_due: None,
            health_written: Timestamp::default(),
            labels_in_doubt: BTreeMap::new(),
            reverting: None,
            recovered: None,
            changing: 0,
            destroying_since: None,
        };
        group.aim();
        group
    }

    /// Notes that the health of a member is not as it was written down.
    pub(in crate::core) fn note_health(&mut self, now: Timestamp) {
        if self.health_due.is_none() {
            let due = now.max(self.health_written + self.health_pause());
            self.health_due = Some(due.min(now + self.health_pause()));
        }
    }

    fn health_pause(&self) -> Duration {
        let members = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        HEALTH_PAUSE + HEALTH_PAUSE_EACH.saturating_mul(members)
    }

    /// Returns the change that writes down the health of members, if it is due.
    pub(in crate::core) fn write_health(&mut self, now: Timestamp) -> Option<Change> {
        let due = self.health_due?;
        // A clock that was set back is no reason to wait for long.
        if due > now && due <= now + self.health_pause() {
            return None;
        }
        let recollection = self.seen.recollect(now)?;
        self.health_due = None;
        self.health_written = now;
        Some(put(health_key(self.id()), &recollection))
    }

    /// Returns what is written down of a memory of this group.
    ///
    /// Of one that goes back since its rollout has failed, and of which that could not be written yet, it is
    /// not written that it is paused: another life would leave it at that, and is to find out as this one did.
    pub(in crate::core) fn on_record(&self, memory: &Memory) -> Memory {
        let mut memory = stored_part(memory);
        if self.hides_pause(&memory)
            && let Some(roll) = &mut memory.roll
        {
            roll.paused = None;
        }
        memory
    }

    /// Returns whether what is to be written down of the memory is not what was. It is asked with each plan,
    /// so that nothing is copied where the memory is written down as it is.
    pub(in crate::core) fn remembers_other(&self) -> bool {
        if self.hides_pause(&self.memory) {
            remembers_other(&self.on_record(&self.memory), &self.stored)
        } else {
            remembers_other(&self.memory, &self.stored)
        }
    }

    fn hides_pause(&self, memory: &Memory) -> bool {
        self.reverting.is_some() && goes_back(memory)
    }

    pub(in crate::core) fn id(&self) -> &GroupId {
        &self.target.group
    }

    /// Sorts what is seen by the spec in force, so that plans cost what changes.
    pub(in crate::core) fn aim(&mut self) {
        self.seen.aim(&self.spec, self.memory.naming);
    }

    /// Puts another spec in force.
    pub(in crate::core) fn adopt_spec(
        &mut self,
        raw: GroupSpec,
        revision: u64,
        committed: Committed,
    ) {
        self.raw = raw;
        self.revision = revision;
        self.reverting = None;
        self.spec = Arc::clone(&committed.spec);
        self.revisions.insert(revision, committed);
        self.aim();
    }

    /// Returns the revisions that are one too many when another one comes, but never the one that
    /// members of a limited rollout are made from. Those that differ from a later one in size only
    /// go first, so that there are configurations to go back to.
    pub(in crate::core) fn expiring(&self, former: Option<u64>) -> Vec<u64> {
        let surplus = (self.revisions.len() + 1).saturating_sub(HISTORY);
        let mut later = BTreeSet::from([&self.spec.hash]);
        let mut old: Vec<(bool, u64)> = Vec::new();
        for (revision, committed) in self.revisions.iter().rev() {
            let only = *revision == self.revision || later.insert(&committed.spec.hash);
            if Some(*revision) != former {
                old.push((only, *revision));
            }
        }
        old.sort_unstable();
        old.truncate(surplus);
        old.into_iter().map(|(_, revision)| revision).collect()
    }

    /// Returns the latest spec with this hash, if it is remembered.
    pub(in crate::core) fn known_spec(&self, hash: &ConfigHash) -> Option<&Arc<Spec>> {
        if self.spec.hash == *hash {
            return Some(&self.spec);
        }
        let mut former = self.revisions.values().rev();
        former
            .find(|committed| committed.spec.hash == *hash)
            .map(|committed| &committed.spec)
    }

    /// Returns the spec that members with this hash were made from, or the one in force.
    pub(in crate::core) fn spec_of(&self, hash: Option<&ConfigHash>) -> Arc<Spec> {
        let known = hash.and_then(|hash| self.known_spec(hash));
        Arc::clone(known.unwrap_or(&self.spec))
    }

    /// Returns the plugins that members live on.
    pub(in crate::core) fn homes(&self) -> impl Iterator<Item = &PluginName> {
        let own = &self.spec.instance.plugin;
        let former = self.memory.homes.iter().filter(move |home| *home != own);
        std::iter::once(own).chain(former)
    }

    /// Notes that the destruction of a member failed, and returns how often it has.
    pub(in crate::core) fn note_failed_destruction(
        &mut self,
        plugin: &PluginName,
        id: &InstanceId,
    ) -> u32 {
        let seen = &self.seen;
        // Now and then those that are gone are forgotten.
        if self.failed.len().is_power_of_two() {
            self.failed
                .retain(|(plugin, id), _| seen.get_on(plugin, id).is_some());
        }
        let key = (plugin.clone(), id.clone());
        let attempts = self.failed.entry(key).or_default();
        *attempts += 1;
        *attempts
    }

    /// Says why the instances cannot be listed, if the last attempt has failed, and since when
    /// nothing is known of them; `None` for since ever.
    pub(in crate::core) fn blind(&self) -> Option<(Option<Timestamp>, &str)> {
        let (at, message) = self.unlisted.as_ref()?;
        let listed = self.seen.looked();
        let stale = listed.is_none_or(|listed| listed < *at);
        stale.then_some((listed, message.as_str()))
    }

    /// Returns what the group is degraded by. A plan says what it knows; that it knows nothing new, it
    /// does not.
    pub(in crate::core) fn degraded_by(
        &self,
        poll_interval: Duration,
        now: Timestamp,
    ) -> Option<Trouble> {
        if let Some(trouble) = self.memory.conditions.trouble() {
            return Some(Trouble {
                reason: trouble.reason.clone(),
                message: trouble.message.clone(),
                since: Some(trouble.since),
            });
        }
        let (listed, message) = self.blind()?;
        let waits = self.waiting.iter().map(|(_, since)| *since).min();
        let from = listed.or(waits).unwrap_or(now);
        let long = now.since(from) >= poll_interval.saturating_mul(MISSED);
        long.then(|| Trouble {
            reason: "NotListed".to_owned(),
            message: message.to_owned(),
            since: listed,
        })
    }
}

/// Returns whether a group is still to go back since its rollout has failed: somebody may have said since
/// what is to become of that.
pub(in crate::core) fn goes_back(memory: &Memory) -> bool {
    let roll = memory.roll.as_ref();
    let pause = roll.and_then(|roll| roll.paused.as_ref());
    pause.is_some_and(|pause| pause.by != PausedBy::Operator)
}
