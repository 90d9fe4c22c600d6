//! A core from what the store holds, after a restart.

use std::sync::Arc;

use infrakit_plan::{Doubt, Intent, Memory, Phase, Spec, Timestamp};
use infrakit_spi::GroupId;
use infrakit_store::Store;

use super::{Core, Group};
use crate::records::{IntentRecord, SPECS, SpecRecord, history_prefix, intent_prefix, memory_key};

impl Core {
    /// Takes up every group in the store. Creations whose outcome was not recorded are in doubt
    /// until a list settles them. Returns the groups whose records cannot be read, with the reason;
    /// they are left as they are.
    pub fn restore(&mut self, store: &dyn Store, now: Timestamp) -> Vec<(GroupId, String)> {
        let mut unreadable = Vec::new();
        for (key, record) in store.scan(SPECS) {
            let Some(id) = key.strip_prefix(SPECS).map(GroupId::from) else {
                continue;
            };
            match self.restore_group(store, &id, record.value.as_str(), now) {
                Ok(group) => {
                    let plugin = group.spec.instance.plugin.clone();
                    self.groups.insert(id.clone(), group);
                    self.watch(&plugin, &id, now);
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
        let memory: Memory = match store.get(&memory_key(id)) {
            Some(found) => found
                .value
                .decode()
                .map_err(|e| format!("its memory: {e}"))?,
            None => return Err("its memory is missing".to_owned()),
        };
        let mut group = Group::new(record.spec, record.revision, Arc::new(spec), memory);
        group.stored = super::acting::stored_part(&group.memory);
        let mut history = Vec::new();
        for (_, former) in store.scan(&history_prefix(id)) {
            let former = former.value.decode::<SpecRecord>().ok();
            let spec = former.and_then(|old| Spec::decode(old.spec.properties.as_ref()).ok());
            history.extend(
                spec.map(Arc::new)
                    .filter(|spec| spec.hash != group.spec.hash),
            );
        }
        history.push(Arc::clone(&group.spec));
        group.history = history;
        let settle = self.config.settle.max(group.memory.slowest_creation * 3);
        for (_, batch) in store.scan(&intent_prefix(id)) {
            let batch: IntentRecord = batch
                .value
                .decode()
                .map_err(|e| format!("its intents: {e}"))?;
            group.batches.insert(batch.first, batch.count);
            for (position, number) in (batch.first..batch.first + batch.count).enumerate() {
                let intent = Intent {
                    logical_id: batch.logical_ids.get(position).cloned(),
                    begun: batch.begun,
                    doubt: Some(Doubt {
                        settle_at: now + settle,
                    }),
                };
                group.memory.intents.insert(number, intent);
                group.inherited.push(number);
            }
            group.memory.next_token = group.memory.next_token.max(batch.first + batch.count);
        }
        if group.memory.phase == Phase::Destroying {
            group.destroying_since = Some(now);
        }
        Ok(group)
    }
}
