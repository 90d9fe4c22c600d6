//! Destructions on record: what was decided to go and may still be there.
//!
//! A restart must go on with the very members that were chosen, and not choose others beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use infrakit_plan::{Birth, Decided, Member, Memory, Observed, Reason, Timestamp};
use infrakit_spi::{GroupId, InstanceId, PluginName};
use infrakit_store::Change;

use crate::records::{DeparturePart, DepartureRecord, delete, departure_key, open_rows, put};

/// A member that is to go, where it lives, and why; and what tells it from another one with its id.
pub(in crate::core) type Leaving = (PluginName, InstanceId, Reason, Birth);

/// Who of a plugin goes for one reason, and what tells them from others with their ids.
type Parting = (Vec<InstanceId>, BTreeMap<InstanceId, String>);

/// Journaled destructions of a group.
#[derive(Default)]
pub(in crate::core) struct Departures {
    /// Who is on record.
    recorded: BTreeMap<(PluginName, InstanceId), Entry>,
    /// Members of each record that may still be there.
    open: BTreeMap<u64, usize>,
    next: u64,
    /// Records that are not in the store as they are by now.
    changed: BTreeSet<u64>,
    /// Whether a list has changed something since it was last asked who is gone.
    stale: bool,
}

#[derive(Clone)]
struct Entry {
    record: u64,
    /// Whether the record is known to be in the store.
    written: bool,
    /// When it was decided, and why.
    begun: Timestamp,
    reason: Reason,
    /// Members made by intents from this number on are others.
    before: u64,
    /// So are those that come of creations which were open then: rows of numbers.
    open: Arc<[(u64, u64)]>,
    /// So are members of another incarnation.
    incarnation: Option<String>,
}

impl Entry {
    fn was_open(&self, number: u64) -> bool {
        let mut open = self.open.iter();
        open.any(|(first, count)| (*first..first + count).contains(&number))
    }

    fn is_another(&self, other: &Birth) -> bool {
        let birth = Birth {
            token: None,
            incarnation: self.incarnation.clone(),
        };
        let later = |token: u64| token >= self.before || self.was_open(token);
        other.token.is_some_and(later) || other.is_another(&birth)
    }
}

impl Departures {
    /// Returns the record of members that were decided to go, without those on record already.
    pub(in crate::core) fn record(
        &mut self,
        memory: &Memory,
        now: Timestamp,
        leaving: Vec<Leaving>,
    ) -> Option<Change> {
        if leaving.is_empty() {
            return None;
        }
        let (record, before) = (self.next, memory.next_token);
        let open: Arc<[(u64, u64)]> = open_rows(memory).into();
        let mut keys = Vec::new();
        for (plugin, id, reason, birth) in leaving {
            let key = (plugin, id);
            if let Some(known) = self.recorded.get(&key) {
                if !known.is_another(&birth) {
                    continue;
                }
                // Its plugin has given the id again: whoever is on record is gone.
                self.strike(&key.0, &key.1);
            }
            let entry = Entry {
                record,
                written: false,
                begun: now,
                reason,
                before,
                open: Arc::clone(&open),
                incarnation: birth.incarnation,
            };
            self.recorded.insert(key.clone(), entry);
            keys.push(key);
        }
        if keys.is_empty() {
            return None;
        }
        self.next += 1;
        self.open.insert(record, keys.len());
        self.write((&memory.group, record), &keys)
    }

    /// Returns the change that writes a record with those who are on it.
    fn write(
        &self,
        (group, record): (&GroupId, u64),
        keys: &[(PluginName, InstanceId)],
    ) -> Option<Change> {
        let entries = || {
            let entries = keys.iter();
            entries.filter_map(|key| Some((key, self.recorded.get(key)?)))
        };
        let (_, first) = entries().next()?;
        let mut parts: BTreeMap<(PluginName, Reason), Parting> = BTreeMap::new();
        for ((plugin, id), entry) in entries() {
            let part = (plugin.clone(), entry.reason);
            let (ids, incarnations) = parts.entry(part).or_default();
            let incarnation = entry.incarnation.clone();
            incarnations.extend(incarnation.map(|incarnation| (id.clone(), incarnation)));
            ids.push(id.clone());
        }
        let parts = parts.into_iter();
        let value = DepartureRecord {
            begun: first.begun,
            before: first.before,
            open: first.open.to_vec(),
            parts: parts
                .map(|((plugin, reason), (ids, incarnations))| DeparturePart {
                    plugin,
                    reason,
                    ids,
                    incarnations,
                })
                .collect(),
        };
        Some(put(departure_key(group, record), &value))
    }

    /// Notes what creation a member on record came of, as its answer says where lists do not. What comes of
    /// one that was open when that member was decided to go is another, unless it is that very one.
    pub(in crate::core) fn came_of(&mut self, key: &(PluginName, InstanceId), number: u64) {
        let known = self.recorded.get(key);
        let Some(entry) = known.filter(|entry| entry.was_open(number)) else {
            return;
        };
        let record = entry.record;
        let rows = entry.open.iter();
        let others = rows.flat_map(|(first, count)| {
            let (end, cut) = (first + count, number.clamp(*first, first + count));
            let after = (number + 1).clamp(*first, end);
            [(*first, cut - first), (after, end - after)]
        });
        let others: Arc<[(u64, u64)]> = others.filter(|(_, count)| *count > 0).collect();
        for entry in self.recorded.values_mut() {
            if entry.record == record {
                entry.open = Arc::clone(&others);
            }
        }
        self.changed.insert(record);
    }

    /// Returns the changes that write records anew.
    pub(in crate::core) fn rewritten(&mut self, group: &GroupId) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let written = changed.filter_map(|record| {
            let all = self.recorded.iter();
            let on_it = all.filter(|(_, entry)| entry.record == record);
            let keys: Vec<_> = on_it.map(|(key, _)| key.clone()).collect();
            self.write((group, record), &keys)
        });
        written.collect()
    }

    /// Takes up a record of a former process.
    pub(in crate::core) fn restore(
        &mut self,
        (record, value): (u64, DepartureRecord),
        memory: &mut Memory,
        now: Timestamp,
    ) {
        self.next = self.next.max(record + 1);
        self.stale = true;
        let (before, open) = (value.before, Arc::from(value.open));
        let mut count = 0;
        for mut part in value.parts {
            for id in part.ids {
                let decided = Decided {
                    plugin: part.plugin.clone(),
                    reason: part.reason,
                    // By a clock that was set back since, it would be waited for too long.
                    begun: value.begun.min(now),
                    since: now,
                };
                memory
                    .decided
                    .insert((part.plugin.clone(), id.clone()), decided);
                let entry = Entry {
                    record,
                    written: true,
                    begun: value.begun.min(now),
                    reason: part.reason,
                    before,
                    open: Arc::clone(&open),
                    incarnation: part.incarnations.remove(&id),
                };
                let key = (part.plugin.clone(), id);
                // Of two records of one member the later one holds.
                if let Some(former) = self.recorded.insert(key, entry) {
                    self.leave(former.record);
                }
                count += 1;
            }
        }
        self.open.insert(record, count);
    }

    /// Notes that the record of a member is in the store.
    pub(in crate::core) fn note_written(&mut self, plugin: &PluginName, id: &InstanceId) {
        if let Some(entry) = self.recorded.get_mut(&(plugin.clone(), id.clone())) {
            entry.written = true;
        }
    }

    /// Takes a member off its record if that could not be written. One that was written before stays: a
    /// call that was made then may be carried out yet.
    pub(in crate::core) fn strike_unwritten(&mut self, plugin: &PluginName, id: &InstanceId) {
        let entry = self.recorded.get(&(plugin.clone(), id.clone()));
        if entry.is_some_and(|entry| !entry.written) {
            self.strike(plugin, id);
        }
    }

    /// Takes a member off its record: it does not go.
    pub(in crate::core) fn strike(&mut self, plugin: &PluginName, id: &InstanceId) {
        if let Some(entry) = self.recorded.remove(&(plugin.clone(), id.clone())) {
            self.leave(entry.record);
        }
    }

    /// Returns whether whoever has this id was decided to go before `since`.
    pub(in crate::core) fn decided_before(
        &self,
        key: &(PluginName, InstanceId),
        since: Timestamp,
    ) -> bool {
        let entry = self.recorded.get(key);
        entry.is_some_and(|entry| entry.begun < since)
    }

    /// Notes that a list has changed something.
    pub(in crate::core) fn doubt(&mut self) {
        self.stale = true;
    }

    /// Returns whether a member is not another one than the one on record that had its id.
    pub(in crate::core) fn means(&self, key: &(PluginName, InstanceId), member: &Member) -> bool {
        let entry = self.recorded.get(key);
        entry.is_none_or(|entry| !entry.is_another(&member.birth()))
    }

    /// Drops decisions on members that are others than those meant: their plugin has used an id
    /// again.
    pub(in crate::core) fn spare_others(&self, seen: &Observed, memory: &mut Memory) {
        memory.decided.retain(|key @ (plugin, id), _| {
            let member = seen.get_on(plugin, id);
            member.is_none_or(|member| self.means(key, member))
        });
    }

    /// Takes those off their records who are gone. Returns whether a record has nobody left.
    pub(in crate::core) fn settle(&mut self, seen: &Observed, memory: &Memory) -> bool {
        if self.stale && !self.recorded.is_empty() {
            self.strike_the_gone(seen, memory);
        }
        self.open.values().any(|count| *count == 0)
    }

    fn strike_the_gone(&mut self, seen: &Observed, memory: &Memory) {
        let gone: Vec<_> = self
            .recorded
            .keys()
            .filter(|(plugin, id)| is_gone((plugin, id), seen, memory))
            .cloned()
            .collect();
        // Those that went too lately are asked after again.
        let late = |(plugin, id): &(PluginName, InstanceId)| seen.is_late(plugin, id);
        self.stale = self.recorded.keys().any(late);
        for key in gone {
            if let Some(entry) = self.recorded.remove(&key) {
                self.leave(entry.record);
            }
        }
    }

    /// Returns whether another list is waited for until records can go.
    pub(in crate::core) fn wait(&self) -> bool {
        self.stale && self.any()
    }

    /// Returns whether anybody is on record.
    pub(in crate::core) fn any(&self) -> bool {
        !self.recorded.is_empty()
    }

    /// Returns who is on record: plugin, id, and the first creation of which another one came.
    pub(in crate::core) fn on_record(
        &self,
    ) -> impl Iterator<Item = (&PluginName, &InstanceId, u64)> {
        let recorded = self.recorded.iter();
        recorded.map(|((plugin, id), entry)| (plugin, id, entry.before))
    }

    /// Returns the deletions of all records.
    pub(in crate::core) fn forget(&self, group: &GroupId) -> Vec<Change> {
        let records = self.open.keys();
        records
            .map(|record| delete(departure_key(group, *record)))
            .collect()
    }

    fn leave(&mut self, record: u64) {
        if let Some(count) = self.open.get_mut(&record) {
            *count -= 1;
        }
    }

    /// Returns the deletions of records that have nobody left.
    pub(in crate::core) fn closed(&mut self, group: &GroupId) -> Vec<Change> {
        let done = self.open.iter().filter(|(_, count)| **count == 0);
        let done: Vec<u64> = done.map(|(record, _)| *record).collect();
        for record in &done {
            self.open.remove(record);
        }
        done.into_iter()
            .map(|record| delete(departure_key(group, record)))
            .collect()
    }
}

/// Returns whether a member on record is gone: a complete list lacks it, or shows another one that
/// was given its id.
fn is_gone((plugin, id): (&PluginName, &InstanceId), seen: &Observed, memory: &Memory) -> bool {
    match seen.get_on(plugin, id) {
        Some(member) => {
            member.departure.is_none()
                && !memory.decided.contains_key(&(plugin.clone(), id.clone()))
        }
        // The first list after a restart may be older than the one that showed that it is gone.
        None => {
            let listed = seen.listed_on(plugin).is_some() && !seen.is_late(plugin, id);
            listed || !seen.homes().any(|home| home == plugin)
        }
    }
}
