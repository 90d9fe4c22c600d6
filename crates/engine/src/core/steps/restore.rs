//! A core from what the store holds, after a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use infrakit_plan::{Doubt, Intent, Memory, Phase, Spec, Timestamp};
use infrakit_spi::GroupId;
use infrakit_store::{Key, Store};
use serde::de::DeserializeOwned;

use crate::core::state::group::Committed;
use crate::core::state::remembered::stored_part;
use crate::core::steps::answers::PATIENCE;
use crate::core::{Core, Group};
use crate::records::{
    DepartureRecord, IntentRecord, SPECS, SpecRecord, departure_prefix, history_prefix,
    intent_prefix, memory_key,
};

impl Core {
    /// Takes up every group in the store. Creations whose outcome was not recorded are in doubt
    /// until a list settles them. Returns the groups whose records cannot be read, with the reason;
    /// they are left as they are.
    pub fn restore(&mut self, store: &dyn Store, now: Timestamp) -> Vec<(GroupId, String)> {
        let mut unreadable = Vec::new();
        self.restore_took(store);
        self.restore_brake(store);
        for (key, record) in store.scan(SPECS) {
            let Some(id) = key.strip_prefix(SPECS).map(GroupId::from) else {
                continue;
            };
            match self.restore_group(store, &id, record.value.as_str(), now) {
                Ok(group) => {
                    self.insert_group(group);
                    self.settle_homes(&id, now);
                    self.touch(&id);
                }
                Err(reason) => {
                    tracing::error!(group = %id, %reason, "cannot take up the group");
                    unreadable.push((id, reason));
                }
            }
        }
        unreadable
    }

    fn restore_group(
        &self,
        store: &dyn Store,
        id: &GroupId,
        record: &str,
        now: Timestamp,
    ) -> Result<Group, String> {
        let record: SpecRecord = serde_json::from_str(record).map_err(|e| e.to_string())?;
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
        if let Some(roll) = &mut memory.roll {
            // No deadline ran while no controller was there.
            roll.progress = roll
                .progress
                .max(Timestamp(now.0.saturating_sub(
                    u64::try_from(roll.idle.as_nanos()).unwrap_or(u64::MAX),
                )));
        }
        let committed = Committed {
            at: record.committed,
            spec: Arc::new(spec),
        };
        let mut group = Group::new(record.spec, record.revision, committed, memory);
        group.stored = stored_part(&group.memory);
        let former = former_specs(store, id);
        let former = former.into_iter().filter(|(old, _)| *old < group.revision);
        group.revisions.extend(former);
        self.restore_intents(store, &mut group, now)?;
        for (record, value) in numbered::<DepartureRecord>(store, &departure_prefix(id)) {
            let value = value.map_err(|error| format!("its departures: {error}"))?;
            let record = (record, value);
            group.departures.restore(record, &mut group.memory, now);
        }
        if group.memory.phase == Phase::Destroying {
            group.destroying_since = Some(now);
        }
        Ok(group)
    }

    fn restore_intents(
        &self,
        store: &dyn Store,
        group: &mut Group,
        now: Timestamp,
    ) -> Result<(), String> {
        let slowest = group.memory.measured.provision.longest;
        for (_, batch) in numbered::<IntentRecord>(store, &intent_prefix(group.id())) {
            let batch = batch.map_err(|error| format!("its intents: {error}"))?;
            let end = batch.first + batch.count;
            let plugin = batch.plugin.as_ref().unwrap_or(&group.spec.instance.plugin);
            let slowest = slowest.max(self.behaviours.longest_creation(plugin));
            let settle = self.config.settle.max(slowest.saturating_mul(PATIENCE));
            let hash = batch.hash.as_ref().unwrap_or(&group.spec.hash);
            for (position, number) in (batch.first..end).enumerate() {
                let intent = Intent {
                    logical_id: batch.logical_ids.get(position).cloned(),
                    plugin: plugin.clone(),
                    hash: hash.clone(),
                    begun: batch.begun,
                    doubt: Some(Doubt {
                        settle_at: now + settle,
                    }),
                };
                group.memory.intents.insert(number, intent);
                group.inherited.push(number);
            }
            group.memory.next_token = group.memory.next_token.max(end);
            if *plugin != group.spec.instance.plugin {
                group.memory.homes.insert(plugin.clone());
            }
            group.batches.insert(batch.first, batch);
        }
        Ok(())
    }
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
