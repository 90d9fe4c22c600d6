//! A store that forgets everything when it goes: for tests, previews and the playground.

use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;

use crate::state::{Batch, State};
use crate::{Change, Durability, Key, Revision, Store, StoreError, Versioned};

/// Records in memory only.
#[derive(Debug, Default)]
pub struct MemStore {
    state: RwLock<State>,
}

#[async_trait]
impl Store for MemStore {
    fn get(&self, key: &Key) -> Option<Versioned> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.get(key)
    }

    fn scan(&self, prefix: &str) -> Vec<(Key, Versioned)> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.scan(prefix)
    }

    async fn commit(
        &self,
        changes: Vec<Change>,
        _durability: Durability,
    ) -> Result<Revision, StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if changes.is_empty() {
            return Ok(state.revision);
        }
        let transaction = Batch::new(&state).admit(changes)?;
        state.apply(transaction);
        Ok(state.revision)
    }
}
