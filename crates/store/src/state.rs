//! The records in memory, and the judgement over transactions. No files, no waiting.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::error::Found;
use crate::{Change, Expected, Json, Key, Revision, StoreError, Versioned};

/// All records and the revision that they are at.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) records: BTreeMap<Key, Versioned>,
    pub(crate) revision: Revision,
}

impl State {
    pub(crate) fn get(&self, key: &Key) -> Option<Versioned> {
        self.records.get(key).cloned()
    }

    pub(crate) fn scan(&self, prefix: &str) -> Vec<(Key, Versioned)> {
        self.records
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(key, _)| key.as_str().starts_with(prefix))
            .map(|(key, versioned)| (key.clone(), versioned.clone()))
            .collect()
    }

    /// Takes over a transaction that has been admitted and, where there is a disk, written.
    pub(crate) fn apply(&mut self, transaction: Transaction) {
        let revision = transaction.revision;
        self.revision = revision;
        for effect in transaction.effects {
            match effect.value {
                Some(value) => {
                    let versioned = Versioned { value, revision };
                    self.records.insert(effect.key, versioned);
                }
                None => {
                    self.records.remove(&effect.key);
                }
            }
        }
    }
}

/// A transaction whose conditions hold and whose values are JSON.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) revision: Revision,
    pub(crate) effects: Vec<Effect>,
}

/// What becomes of one record: a value, or nothing.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) key: Key,
    pub(crate) value: Option<Json>,
}

/// A row of transactions judged one after the other, each as if those before it had happened.
///
/// Nothing of it shows in the state until it is written and applied.
pub(crate) struct Batch<'s> {
    state: &'s State,
    /// Keys that the batch changes, and the revision each has afterwards.
    changed: HashMap<Key, Option<Revision>>,
    revision: Revision,
}

impl<'s> Batch<'s> {
    pub(crate) fn new(state: &'s State) -> Self {
        Self {
            state,
            changed: HashMap::new(),
            revision: state.revision,
        }
    }

    /// Returns the revision after all transactions so far.
    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    /// Judges `changes`. A refusal leaves the batch as it was.
    pub(crate) fn admit(&mut self, changes: Vec<Change>) -> Result<Transaction, StoreError> {
        self.check_keys(&changes)?;
        let effects = changes
            .into_iter()
            .filter_map(|change| effect(change).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        if effects.is_empty() {
            // Mere checks are no transaction.
            let revision = self.revision;
            return Ok(Transaction { revision, effects });
        }
        let revision = self.revision.next();
        for Effect { key, value } in &effects {
            let after = value.as_ref().map(|_| revision);
            self.changed.insert(key.clone(), after);
        }
        self.revision = revision;
        Ok(Transaction { revision, effects })
    }

    fn check_keys(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut seen = HashSet::with_capacity(changes.len());
        for change in changes {
            let key = change.key();
            if key.as_str().is_empty() {
                return Err(StoreError::EmptyKey);
            }
            if !seen.insert(key) {
                return Err(StoreError::ChangedTwice { key: key.clone() });
            }
            self.check_condition(key, change.expected())?;
        }
        Ok(())
    }

    fn check_condition(&self, key: &Key, expected: Option<Expected>) -> Result<(), StoreError> {
        let Some(expected) = expected else {
            return Ok(());
        };
        let found = self.found(key);
        let holds = match expected {
            Expected::Absent => found.is_none(),
            Expected::Revision(revision) => found == Some(revision),
        };
        if holds {
            return Ok(());
        }
        Err(StoreError::Conflict {
            key: key.clone(),
            expected,
            found: Found(found),
        })
    }

    fn found(&self, key: &Key) -> Option<Revision> {
        match self.changed.get(key) {
            Some(after) => *after,
            None => self.state.records.get(key).map(|found| found.revision),
        }
    }
}

/// Returns what a change does to its record; `None` for a mere check.
fn effect(change: Change) -> Result<Option<Effect>, StoreError> {
    match change {
        Change::Check { .. } => Ok(None),
        Change::Delete { key, .. } => Ok(Some(Effect { key, value: None })),
        Change::Put { key, value, .. } => match Json::parse(value) {
            Ok(value) => Ok(Some(Effect {
                key,
                value: Some(value),
            })),
            Err(source) => Err(StoreError::NotJson {
                key,
                source: Arc::new(source),
            }),
        },
    }
}
