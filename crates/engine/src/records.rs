//! What the engine keeps in the store, and under which keys.
//!
//! | key | value |
//! | --- | --- |
//! | `specs/<group>` | the spec in force, with its revision |
//! | `history/<group>/<revision>` | former specs, the last twenty |
//! | `memory/<group>` | the planner's memory |
//! | `intents/<group>/<first>` | a batch of creations without a known outcome |
//!
//! Records are only ever added to; see `docs/format-changes.md`.

use infrakit_plan::{Memory, Timestamp};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{GroupId, LogicalId};
use infrakit_store::{Change, Key};
use serde::{Deserialize, Serialize};

/// A spec in force, or one of former days.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SpecRecord {
    /// Grows by one with each commit that changes the spec.
    pub(crate) revision: u64,
    /// When it was committed.
    pub(crate) committed: Timestamp,
    /// The spec, as its operator wrote it.
    pub(crate) spec: GroupSpec,
}

/// Creations that were journaled together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IntentRecord {
    /// Number of the first.
    pub(crate) first: u64,
    /// How many there are, numbered without gaps.
    pub(crate) count: u64,
    /// When they were decided.
    pub(crate) begun: Timestamp,
    /// Their identities, in a group of pets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) logical_ids: Vec<LogicalId>,
}

pub(crate) const SPECS: &str = "specs/";

pub(crate) fn spec_key(group: &GroupId) -> Key {
    Key::new(format!("{SPECS}{group}"))
}

pub(crate) fn memory_key(group: &GroupId) -> Key {
    Key::new(format!("memory/{group}"))
}

pub(crate) fn intent_prefix(group: &GroupId) -> String {
    format!("intents/{group}/")
}

pub(crate) fn intent_key(group: &GroupId, first: u64) -> Key {
    Key::new(format!("{}{first:020}", intent_prefix(group)))
}

pub(crate) fn history_prefix(group: &GroupId) -> String {
    format!("history/{group}/")
}

pub(crate) fn history_key(group: &GroupId, revision: u64) -> Key {
    Key::new(format!("{}{revision:020}", history_prefix(group)))
}

pub(crate) fn put<T: Serialize>(key: Key, value: &T) -> Change {
    Change::put_value(key, value).expect("records have only string keys")
}

pub(crate) fn delete(key: Key) -> Change {
    Change::Delete {
        key,
        expected: None,
    }
}

pub(crate) fn put_memory(memory: &Memory) -> Change {
    put(memory_key(&memory.group), memory)
}
