//! What every back end of the store does.

use async_trait::async_trait;

use crate::{Change, Durability, Key, Revision, StoreError, Versioned};

/// A place that keeps records.
///
/// Transactions are ordered: whoever sees one sees all before it. Reads see finished
/// transactions only and never wait for a disk or a network.
#[async_trait]
pub trait Store: Send + Sync {
    /// Returns the record `key`.
    fn get(&self, key: &Key) -> Option<Versioned>;

    /// Returns the records whose key starts with `prefix`, in the order of their keys.
    fn scan(&self, prefix: &str) -> Vec<(Key, Versioned)>;

    /// Makes all `changes` or none, and returns the revision of the transaction.
    ///
    /// Conditions are judged against the state before the transaction, and each key may change or
    /// be checked once in it. Without changes there is no transaction: the current revision comes back, once
    /// all before it is as durable as asked. A commit whose future is dropped may still happen.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a condition does not hold, and other variants for input that
    /// cannot be stored and for a medium that refuses; nothing has changed then.
    async fn commit(
        &self,
        changes: Vec<Change>,
        durability: Durability,
    ) -> Result<Revision, StoreError>;
}
