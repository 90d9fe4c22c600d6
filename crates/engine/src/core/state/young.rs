//! Members that came so lately that a list may still lack them.
//!
//! A restart forgets the answers, and its first list may come from a copy of the truth that is older
//! than they are. So the creations of young members stay on record, with the ids that are known,
//! until a list that was started late enough has told of them: from then on every list does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use infrakit_plan::{Lag, Observed, Origin, Timestamp};
use infrakit_spi::{GroupId, InstanceId, PluginName};
use infrakit_store::Change;

use crate::records::{AnswerRecord, answer_key, delete, put};

/// The young members of a group, by the number of their creation.
#[derive(Default)]
pub(in crate::core) struct Young {
    members: BTreeMap<u64, Newcomer>,
    /// Creations that are over while others of their batch are open, with their record.
    over: BTreeMap<u64, (PluginName, Option<u64>)>,
    /// Those of both that are yet to be written down.
    unrecorded: Vec<u64>,
    /// How many of each record are still young.
    open: BTreeMap<u64, usize>,
    next: u64,
    /// Creations that a list told of while their answers were awaited.
    told_first: BTreeSet<u64>,
    /// Those that every list shows from now on. They are young until it is written down how many members
    /// there are: nothing else would tell another life of them whose first list shows nobody.
    settled: BTreeSet<u64>,
}

struct Newcomer {
    plugin: PluginName,
    id: InstanceId,
    /// When it was there at the latest.
    since: Timestamp,
    record: Option<u64>,
}

/// Whether the id of a young member has to be on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Keep {
    /// A restart could not find it in its first list.
    Recorded,
    /// Any list shows it.
    Unrecorded,
}

impl Young {
    pub(in crate::core) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns the numbers of the creations that have a young member, in order.
    pub(in crate::core) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.members.keys().copied()
    }

    /// Returns the last creation among these numbers that has a young member.
    pub(in crate::core) fn last_of(&self, numbers: Range<u64>) -> Option<u64> {
        let mut members = self.members.range(numbers);
        members.next_back().map(|(number, _)| *number)
    }

    /// Takes in a member that is there since `now` at the latest.
    pub(in crate::core) fn insert(
        &mut self,
        number: u64,
        (plugin, id): (PluginName, InstanceId),
        now: Timestamp,
        keep: Keep,
    ) {
        let newcomer = Newcomer {
            plugin,
            id,
            since: now,
            record: None,
        };
        if keep == Keep::Recorded {
            self.unrecorded.push(number);
        }
        if let Some(former) = self.members.insert(number, newcomer) {
            self.leave(former.record);
        }
    }

    /// Notes that a list told of a creation whose answer is awaited. Returns whether it is the first.
    pub(in crate::core) fn note_told(&mut self, number: u64) -> bool {
        self.told_first.insert(number)
    }

    /// Returns whether a list told of a creation whose answer is awaited.
    pub(in crate::core) fn was_told(&self, number: u64) -> bool {
        self.told_first.contains(&number)
    }

    /// Notes that a creation is answered. Returns whether a list told of it before: whether its member
    /// is still there, the lists since then know better than the answer.
    pub(in crate::core) fn answered(&mut self, number: u64) -> bool {
        self.told_first.remove(&number)
    }

    /// Notes which ones lists of `plugin` tell of reliably from now on, and drops those that are gone.
    /// Returns whether there were any.
    pub(in crate::core) fn settle(
        &mut self,
        seen: &Observed,
        plugin: &PluginName,
        (started, lag): (Timestamp, Lag),
    ) -> bool {
        let (mut over, mut late) = (Vec::new(), Vec::new());
        let known = self.settled.len();
        for (number, newcomer) in &mut self.members {
            if newcomer.plugin != *plugin {
                continue;
            }
            let Some(member) = seen.get_on(plugin, &newcomer.id) else {
                over.push(*number);
                continue;
            };
            if member.origin != Origin::Listed || self.settled.contains(number) {
                continue;
            }
            // It may have come long after its answer, and lists may go back behind the one that showed it
            // first. Another life has to know by then, too.
            let there = member.first_shown.unwrap_or_default().max(newcomer.since);
            let shows = newcomer.since + lag.coming + lag.visibility;
            if started >= (there + lag.longest()).min(shows + lag.relapse) {
                self.settled.insert(*number);
            } else if there + lag.relapse > newcomer.since + lag.after_answer() {
                newcomer.since = there;
                late.push(*number);
            }
        }
        // As long as others of its batch are open, a restart would not know what came of it, should it be
        // gone by then.
        for number in &over {
            self.end(*number, plugin);
        }
        let grown = !over.is_empty() || !late.is_empty() || self.settled.len() > known;
        self.unrecorded.extend(late);
        grown
    }

    /// Drops those that every list shows: how many members there are is written down.
    pub(in crate::core) fn end_settled(&mut self) {
        for number in std::mem::take(&mut self.settled) {
            let plugin = self.members.get(&number).map(|one| one.plugin.clone());
            if let Some(plugin) = plugin {
                self.end(number, &plugin);
            }
        }
    }

    /// Notes that nothing comes of a creation, or nothing is left of it.
    pub(in crate::core) fn end(&mut self, number: u64, plugin: &PluginName) {
        if let Some(newcomer) = self.members.remove(&number) {
            self.leave(newcomer.record);
        }
        if self.over.contains_key(&number) {
            // Lists go on telling of the dead.
            return;
        }
        self.over.insert(number, (plugin.clone(), None));
        self.unrecorded.push(number);
    }

    /// Forgets creations that are over: all of their batch are.
    pub(in crate::core) fn forget_batch(&mut self, numbers: Range<u64>) {
        let over: Vec<u64> = self
            .over
            .range(numbers)
            .map(|(number, _)| *number)
            .collect();
        for number in over {
            if let Some((_, record)) = self.over.remove(&number) {
                self.leave(record);
            }
        }
    }

    /// Returns the ids of those on `plugin`, with the numbers of their creations.
    pub(in crate::core) fn on<'a>(
        &'a self,
        plugin: &'a PluginName,
    ) -> impl Iterator<Item = (&'a InstanceId, u64)> {
        let members = self.members.iter();
        let there = members.filter(move |(_, newcomer)| newcomer.plugin == *plugin);
        there.map(|(number, newcomer)| (&newcomer.id, *number))
    }

    /// Forgets creations that are over and whose batches are: nothing would end their record.
    pub(in crate::core) fn forget_unbatched(&mut self, batched: impl Fn(u64) -> bool) {
        let Self {
            members,
            over,
            unrecorded,
            ..
        } = self;
        unrecorded.retain(|number| {
            let kept = members.contains_key(number) || batched(*number);
            if !kept {
                over.remove(number);
            }
            kept
        });
    }

    /// Forgets the member of a creation.
    pub(in crate::core) fn remove(&mut self, number: u64) {
        if let Some(newcomer) = self.members.remove(&number) {
            self.leave(newcomer.record);
        }
    }

    /// Returns the records of what is not written down yet.
    pub(in crate::core) fn record(&mut self, group: &GroupId) -> Vec<Change> {
        let mut parts: BTreeMap<PluginName, AnswerRecord> = BTreeMap::new();
        for number in std::mem::take(&mut self.unrecorded) {
            let part = |plugin: &PluginName, at| AnswerRecord {
                plugin: plugin.clone(),
                at,
                ids: Vec::new(),
                over: Vec::new(),
            };
            if let Some(newcomer) = self.members.get(&number) {
                let (plugin, since) = (&newcomer.plugin, newcomer.since);
                let part = parts
                    .entry(plugin.clone())
                    .or_insert_with(|| part(plugin, since));
                part.at = part.at.max(since);
                part.ids.push((number, newcomer.id.clone()));
            } else if let Some((plugin, _)) = self.over.get(&number) {
                let part = parts
                    .entry(plugin.clone())
                    .or_insert_with(|| part(plugin, Timestamp::default()));
                part.over.push(number);
            }
        }
        let mut changes = Vec::new();
        for part in parts.into_values() {
            let record = self.next;
            self.next += 1;
            self.open.insert(record, part.ids.len() + part.over.len());
            for (number, _) in &part.ids {
                if let Some(newcomer) = self.members.get_mut(number) {
                    let former = newcomer.record.replace(record);
                    self.leave(former);
                }
            }
            for number in &part.over {
                if let Some((_, known)) = self.over.get_mut(number) {
                    let former = known.replace(record);
                    self.leave(former);
                }
            }
            changes.push(put(answer_key(group, record), &part));
        }
        changes
    }

    /// Takes up a record of a former process.
    pub(in crate::core) fn restore(&mut self, record: u64, value: AnswerRecord, now: Timestamp) {
        self.next = self.next.max(record + 1);
        let all = value.ids.len() + value.over.len();
        self.open.insert(record, all);
        for (number, id) in value.ids {
            let newcomer = Newcomer {
                plugin: value.plugin.clone(),
                id,
                // A clock that was set back must not make it young for ever.
                since: value.at.min(now),
                record: Some(record),
            };
            if let Some(former) = self.members.insert(number, newcomer) {
                self.leave(former.record);
            }
        }
        for number in value.over {
            if let Some(former) = self.members.remove(&number) {
                self.leave(former.record);
            }
            let over = (value.plugin.clone(), Some(record));
            if let Some((_, former)) = self.over.insert(number, over) {
                self.leave(former);
            }
        }
    }

    /// Returns the creations that are over.
    pub(in crate::core) fn over(&self) -> impl Iterator<Item = u64> {
        self.over.keys().copied()
    }

    /// Returns the young members: number, plugin, id, and since when each is there.
    pub(in crate::core) fn members(
        &self,
    ) -> impl Iterator<Item = (u64, &PluginName, &InstanceId, Timestamp)> {
        let members = self.members.iter();
        members.map(|(number, one)| (*number, &one.plugin, &one.id, one.since))
    }

    /// Returns the deletions of records of which nobody is young any more.
    pub(in crate::core) fn close(&mut self, group: &GroupId) -> Vec<Change> {
        let done = self.open.iter().filter(|(_, count)| **count == 0);
        let done: Vec<u64> = done.map(|(record, _)| *record).collect();
        for record in &done {
            self.open.remove(record);
        }
        let done = done.into_iter();
        done.map(|record| delete(answer_key(group, record)))
            .collect()
    }

    /// Returns the deletions of all records.
    pub(in crate::core) fn forget(&self, group: &GroupId) -> Vec<Change> {
        let records = self.open.keys();
        records
            .map(|record| delete(answer_key(group, *record)))
            .collect()
    }

    fn leave(&mut self, record: Option<u64>) {
        if let Some(count) = record.and_then(|record| self.open.get_mut(&record)) {
            *count -= 1;
        }
    }
}
