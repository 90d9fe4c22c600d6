//! The store of the simulated world, and what it loses when the power fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use infrakit_store::{Change, Durability, Key, MemStore, Revision, Store, StoreError, Versioned};

/// Records that come in transactions: whole ones, one after the other.
///
/// A transaction is there once it is applied. One that was only buffered survives the death of the
/// controller, but not a power cut; it never outlives an earlier one.
#[derive(Default)]
pub struct SimStore {
    live: MemStore,
    synced: BTreeMap<Key, String>,
    buffered: Vec<Vec<Change>>,
}

impl SimStore {
    /// Applies a transaction as a whole, or refuses it.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn apply(
        &mut self,
        changes: Vec<Change>,
        durability: Durability,
    ) -> Result<Revision, StoreError> {
        let applied = self.live.commit(changes.clone(), durability).now_or_never();
        // A store in memory answers at once.
        let revision = applied.unwrap_or_else(|| Err(refused("no answer")))?;
        self.buffered.push(changes);
        if durability == Durability::Synced {
            self.sync(self.buffered.len());
        }
        Ok(revision)
    }

    /// Returns how many transactions a power cut may lose.
    #[must_use]
    pub fn at_risk(&self) -> usize {
        self.buffered.len()
    }

    /// Loses all but the first `kept` transactions that were not synced.
    pub fn power_cut(&mut self, kept: usize) {
        self.sync(kept.min(self.buffered.len()));
        self.buffered.clear();
        self.live = MemStore::default();
        let changes = self
            .synced
            .iter()
            .map(|(key, value)| Change::put(key.clone(), value.clone()));
        let replayed = self
            .live
            .commit(changes.collect(), Durability::Synced)
            .now_or_never();
        debug_assert!(matches!(replayed, Some(Ok(_))), "what was stored is sound");
    }

    fn sync(&mut self, count: usize) {
        for change in self.buffered.drain(..count).flatten() {
            match change {
                Change::Put { key, value, .. } => {
                    self.synced.insert(key, value);
                }
                Change::Delete { key, .. } => {
                    self.synced.remove(&key);
                }
                Change::Check { .. } => {}
            }
        }
    }
}

#[async_trait]
impl Store for SimStore {
    fn get(&self, key: &Key) -> Option<Versioned> {
        self.live.get(key)
    }

    fn scan(&self, prefix: &str) -> Vec<(Key, Versioned)> {
        self.live.scan(prefix)
    }

    /// Controllers write by asking the world; nobody writes past it.
    async fn commit(
        &self,
        _changes: Vec<Change>,
        _durability: Durability,
    ) -> Result<Revision, StoreError> {
        Err(refused("the world was not asked"))
    }
}

/// A transaction that the medium refuses.
pub(super) fn refused(why: &str) -> StoreError {
    StoreError::Write {
        path: "simulation".into(),
        source: Arc::new(std::io::Error::other(why.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_cut_loses_a_tail_of_what_was_buffered() {
        let mut store = SimStore::default();
        let put = |key: &str| vec![Change::put(key, "1")];
        store.apply(put("a"), Durability::Synced).unwrap();
        for key in ["b", "c", "d"] {
            store.apply(put(key), Durability::Buffered).unwrap();
        }
        assert_eq!((store.scan("").len(), store.at_risk()), (4, 3));
        store.power_cut(1);
        let keys: Vec<String> = store
            .scan("")
            .iter()
            .map(|(key, _)| key.to_string())
            .collect();
        assert_eq!(keys, ["a", "b"]);
        store.power_cut(0);
        assert_eq!(store.scan("").len(), 2);
    }
}
