//! A core from what the store holds, after a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use infrakit_plan::{
    Again, Departure, Doubt, Intent, Member, Memory, Origin, Phase, Recollection, Spec, Step,
    Timestamp, Token,
};
use infrakit_spi::instance::{Description, Lifecycle};
use infrakit_spi::{GroupId, Tags, tags};
use infrakit_store::{Key, Store};
use serde::de::DeserializeOwned;

use crate::core::state::group::Committed;
use crate::core::state::remains::Remains;
use crate::core::state::remembered::stored_part;
use crate::core::{Core, Group};
use crate::records::{
    AnswerRecord, DepartureRecord, IntentRecord, REMAINS, RemainsRecord, SPECS, SpecRecord,
    answer_prefix, departure_prefix, health_key, history_prefix, intent_prefix, memory_key,
};

impl Core {
    /// Takes up every group in the store. Creations whose outcome was not recorded are in doubt
    /// until a list settles them. Returns the groups whose records cannot be read, with the reason;
    /// they are left as they are.
    pub fn restore(&mut self, store: &dyn Store, now: Timestamp) -> Vec<(GroupId, String)> {
        let mut unreadable = Vec::new();
        self.restore_took(store);
        self.restore_brake(store);
        self.restore_rates(store, now);
        for (key, record) in store.scan(SPECS) {
            let Some(id) = key.strip_prefix(SPECS).map(GroupId::from) else {
                continue;
            };
            let restored = record.value.decode().map_err(|error| error.to_string());
            let restored = restored.and_then(|record| self.restore_group(store, &id, record, now));
            match restored {
                Ok(group) => {
                    self.insert_group(group);
                    self.go_on_with(&id, now);
                }
                Err(reason) => {
                    tracing::error!(group = %id, %reason, "cannot take up the group");
                    unreadable.push((id, reason));
                }
            }
        }
        self.restore_remains(store, now);
        self.spare_the_given();
        self.restore_freed(store);
        unreadable
    }

    /// Takes up what remains of groups. A group that was committed since, by a release that knows of
    /// no remains, has taken its place.
    fn restore_remains(&mut self, store: &dyn Store, now: Timestamp) {
        for (key, record) in store.scan(REMAINS) {
            let Some(id) = key.strip_prefix(REMAINS).map(GroupId::from) else {
                continue;
            };
            if self.groups.contains_key(&id) {
                continue;
            }
            let record = record.value.decode::<RemainsRecord>();
            let record = record.map_err(|error| error.to_string());
            let restored = record.and_then(|record| {
                let group = self.restore_group(store, &id, record.spec, now)?;
                let rows = record.late.into_iter();
                Ok(Remains {
                    group,
                    fate: record.fate,
                    since: record.since,
                    late: rows
                        .flat_map(|(first, count)| first..first + count)
                        .collect(),
                })
            });
            match restored {
                Ok(remains) => {
                    self.groups.leave_remains(remains);
                    self.go_on_with(&id, now);
                }
                Err(reason) => {
                    tracing::error!(group = %id, %reason, "cannot take up what remains of the group");
                }
            }
        }
    }

    /// Watches what a group lives on, and goes on with it.
    fn go_on_with(&mut self, id: &GroupId, now: Timestamp) {
        self.settle_homes(id, now);
        let hash_tag = self.config.hash_tag;
        if let Some(group) = self.groups.with_remains_mut(id) {
            show_young(group, hash_tag);
        }
        self.touch(id);
    }

    fn restore_group(
        &self,
        store: &dyn Store,
        id: &GroupId,
        record: SpecRecord,
        now: Timestamp,
    ) -> Result<Group, String> {
        let spec = Spec::decode(record.spec.properties.as_ref()).map_err(|e| e.to_string())?;
        let mut memory: Memory = match store.get(&memory_key(id)) {
            Some(found) => found
                .value
                .decode()
                .map_err(|e| format!("its memory: {e}"))?,
            None => return Err("its memory is missing".to_owned()),
        };
        // Memories of before there were revisions in them do not say.
        memory.revision = record.revision;
        // Nobody has seen since whom lists lack.
        memory.held_unseen.clear();
        if let Some(roll) = &mut memory.roll {
            roll.wake(now);
        }
        let committed = Committed {
            at: record.committed,
            spec: Arc::new(spec),
            note: record.note,
        };
        let mut group = Group::new(record.spec, record.revision, committed, memory);
        group.stored = stored_part(&group.memory);
        let former = former_specs(store, id);
        let former = former.into_iter().filter(|(old, _)| *old < group.revision);
        group.revisions.extend(former);
        restore_intents(store, &mut group, now)?;
        for (record, value) in numbered::<AnswerRecord>(store, &answer_prefix(id)) {
            let value = value.map_err(|error| format!("its answers: {error}"))?;
            group.young.restore(record, value, now);
        }
        let mut asked = Vec::new();
        for (record, value) in numbered::<DepartureRecord>(store, &departure_prefix(id)) {
            let value = value.map_err(|error| format!("its departures: {error}"))?;
            let parts = value.parts.iter();
            let left = parts.map(|part| (part.plugin.clone(), part.ids.len(), value.begun));
            asked.extend(left);
            let record = (record, value);
            group.departures.restore(record, &mut group.memory, now);
        }
        if let Some(found) = store.get(&health_key(id)) {
            match found.value.decode::<Recollection>() {
                Ok(mut recollection) => {
                    for (plugin, members, at) in asked {
                        recollection.leave_out(&plugin, members, at);
                    }
                    group.seen.recall(recollection);
                }
                // Without it members are asked anew.
                Err(error) => tracing::warn!(group = %id, %error, "cannot read its health"),
            }
        }
        group.seen.begin_anew(now);
        group.seen.recall_leaving(group.departures.on_record());
        group.seen.recall_missing(group.memory.missing.clone());
        // That was an event before the restart.
        group.trouble = group.degraded_by(self.config.poll_interval, now);
        if group.memory.phase == Phase::Destroying {
            group.destroying_since = Some(now);
        }
        Ok(group)
    }
}

/// Takes up members that the first list may lack: they are there all the same, and can be destroyed
/// by their ids.
fn show_young(group: &mut Group, hash_tag: &str) {
    for number in group.young.over() {
        group.memory.intents.remove(&number);
    }
    for (number, plugin, id, since) in group.young.members() {
        let Some(intent) = group.memory.intents.remove(&number) else {
            continue;
        };
        let token = Token::new(&group.memory.nonce, number);
        let mut tags = Tags::from([
            (tags::GROUP.to_owned(), group.target.group.to_string()),
            (hash_tag.to_owned(), intent.hash.to_string()),
            (tags::TOKEN.to_owned(), token.to_string()),
        ]);
        if let Some(own) = &intent.logical_id {
            tags.insert(tags::LOGICAL_ID.to_owned(), own.to_string());
        }
        let description = Description {
            id: id.clone(),
            logical_id: intent.logical_id,
            tags: Some(tags),
            // What its answer said of its state is not on record: it may be coming up.
            state: Lifecycle::Pending,
            ..Description::default()
        };
        let origin = Origin::Provisioned(since);
        let nonce = &group.memory.nonce;
        let mut member = Member::new(description, plugin, origin, nonce, since);
        let key = (plugin.clone(), id.clone());
        if !group.departures.means(&key, &member) {
            // Whoever was asked to go and had its id before is gone.
            group.memory.decided.remove(&key);
        }
        let decided = group.memory.decided.get(&key);
        // Whoever was asked to go is on its way out, whether a list has shown it or not.
        member.departure = decided.map(|decided| Departure {
            reason: decided.reason,
            since: decided.begun,
            step: Step::Failed(0, decided.since),
            taken: Some(decided.since),
        });
        group.seen.provisioned(member);
    }
}

/// Takes up the creations that were begun. Nothing is known of what came of them; how long that is
/// waited for is counted from when they began, however often the controller is started anew.
fn restore_intents(store: &dyn Store, group: &mut Group, now: Timestamp) -> Result<(), String> {
    for (_, batch) in numbered::<IntentRecord>(store, &intent_prefix(group.id())) {
        let batch = batch.map_err(|error| format!("its intents: {error}"))?;
        let end = batch.first + batch.count;
        let plugin = batch.plugin.as_ref().unwrap_or(&group.spec.instance.plugin);
        let hash = batch.hash.as_ref().unwrap_or(&group.spec.hash);
        for (position, number) in (batch.first..end).enumerate() {
            let intent = Intent {
                logical_id: batch.logical_ids.get(position).cloned(),
                plugin: plugin.clone(),
                hash: hash.clone(),
                // By a clock that was set back since, it would be waited for too long.
                begun: batch.begun.min(now),
                content: batch.content(position as u64),
                again: Again::default(),
                doubt: Some(Doubt::since(now)),
            };
            group.memory.intents.insert(number, intent);
        }
        group.memory.next_token = group.memory.next_token.max(end);
        if *plugin != group.spec.instance.plugin {
            group.memory.homes.insert(plugin.clone());
        }
        group.batches.insert(batch.first, batch);
    }
    Ok(())
}

/// Returns the specs of former revisions that can be read; those that cannot are only missed.
fn former_specs(store: &dyn Store, id: &GroupId) -> BTreeMap<u64, Committed> {
    let records = numbered::<SpecRecord>(store, &history_prefix(id)).into_iter();
    let readable = records.filter_map(|(revision, record)| {
        let record = record.ok()?;
        let spec = Spec::decode(record.spec.properties.as_ref()).ok()?;
        let committed = Committed {
            at: record.committed,
            spec: Arc::new(spec),
            note: record.note,
        };
        Some((revision, committed))
    });
    readable.collect()
}

/// Returns the records under a prefix whose keys end in a number.
fn numbered<T: DeserializeOwned>(
    store: &dyn Store,
    prefix: &str,
) -> Vec<(u64, serde_json::Result<T>)> {
    let number = |key: &Key| key.strip_prefix(prefix)?.parse().ok();
    let records = store.scan(prefix).into_iter();
    records
        .filter_map(|(key, found)| Some((number(&key)?, found.value.decode())))
        .collect()
}
