//! What the engine keeps in the store, and under which keys.
//!
//! | key | value |
//! | --- | --- |
//! | `specs/<group>` | the spec in force, with its revision |
//! | `history/<group>/<revision>` | former specs, the last twenty |
//! | `memory/<group>` | the planner's memory |
//! | `intents/<group>/<first>` | a batch of creations without a known outcome |
//! | `departures/<group>/<number>` | destructions that were decided together, until all are gone |
//! | `answers/<group>/<number>` | ids of new members, until lists that are old enough have shown them |
//! | `remains/<group>` | a group that was freed or destroyed while calls were under way |
//! | `freed/<group>` | whom somebody holds of a freed group, where its members live, and how many |
//! | `plugins/<plugin>` | what a plugin was seen to take |
//! | `brake` | since when all groups are frozen; absent while they are not |
//! | `rates/<account>/<kind>/<limit>` | what a limit on calls has left, and how far a provider throttled |
//! | `health/<group>` | what is known of the health of members |
//! | `term` | who leads, and in which term |
//! | `clock` | what time it was to a controller, and for how long its machine was up |
//!
//! Records are only ever added to; see `docs/format-changes.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use infrakit_plan::{Bucket, Content, Memory, Reason, Timestamp, Took};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{GroupId, InstanceId, LogicalId, PluginName};
use infrakit_store::{Change, Key};
use serde::{Deserialize, Serialize};

pub(crate) use crate::core::Brake;

/// A spec in force, or one of former days.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SpecRecord {
    /// Grows by one with each commit that changes the spec.
    pub(crate) revision: u64,
    /// When it was committed.
    pub(crate) committed: Timestamp,
    /// The spec, as its operator wrote it.
    pub(crate) spec: GroupSpec,
    /// What was asked for beside it, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
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
    /// The plugin that makes them; that of the spec in force where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plugin: Option<PluginName>,
    /// The configuration that they are made from; the one in force where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hash: Option<ConfigHash>,
    /// What the first of them was asked for with; those of the others follow without gaps. They cannot
    /// be asked for again where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<(u64, u64)>,
}

impl IntentRecord {
    /// Returns what the creation at this position was asked for with.
    pub(crate) fn content(&self, position: u64) -> Option<Content> {
        let (sequence, revision) = self.content?;
        Some(Content {
            sequence: sequence + position,
            revision,
        })
    }
}

/// Destructions that were decided together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DepartureRecord {
    /// When they were decided.
    pub(crate) begun: Timestamp,
    /// Number of the next creation at that time. A member made by that one or a later one is none
    /// of those meant here, even if its plugin gave it the id of one that went.
    pub(crate) before: u64,
    /// Creations that were open at that time, which make others, too: number of the first of a row, and how
    /// many there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) open: Vec<(u64, u64)>,
    /// Who goes.
    pub(crate) parts: Vec<DeparturePart>,
}

/// Members of one plugin that go for one reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeparturePart {
    /// The plugin that they live on.
    pub(crate) plugin: PluginName,
    /// Why they go.
    pub(crate) reason: Reason,
    /// The members.
    pub(crate) ids: Vec<InstanceId>,
    /// What tells them from others that are given their ids later, where their plugin declares a field
    /// for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) incarnations: BTreeMap<InstanceId, String>,
}

/// What a plugin was seen to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PluginRecord {
    /// From the call of a creation to its answer.
    #[serde(default)]
    pub(crate) creation: Took,
    /// From the decision to destroy a member until a list no longer shows it.
    #[serde(default)]
    pub(crate) departure: Took,
}

impl PluginRecord {
    /// Returns whether it is worth a write: a step took longer than ever, by a tenth and by a
    /// second. That bounds the writes to some dozens in the life of a plugin.
    pub(crate) fn is_news_to(&self, stored: &Self) -> bool {
        let longer = |now: &Took, then: &Took| {
            now.longest > then.longest + (then.longest / 10).max(Duration::from_secs(1))
        };
        longer(&self.creation, &stored.creation) || longer(&self.departure, &stored.departure)
    }
}

/// Creations of one plugin that were answered together, and that not all lists show yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AnswerRecord {
    /// The plugin.
    pub(crate) plugin: PluginName,
    /// When the last of them was answered.
    pub(crate) at: Timestamp,
    /// The number of each creation, and the id that it was answered with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ids: Vec<(u64, InstanceId)>,
    /// Numbers of creations that came to nothing, or whose members are gone again, while others that
    /// were begun with them are open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) over: Vec<u64>,
}

/// How a group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    /// Its operator let it go: what comes of its creations is left alone, and named.
    Freed,
    /// It was destroyed: what comes of its creations is destroyed, too.
    Destroyed,
}

/// A group that was freed or destroyed while calls were under way. Its memory, its creations and its
/// departures stay on record beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RemainsRecord {
    /// How it ended.
    pub(crate) fate: Fate,
    /// When it was freed, or when its last member went.
    pub(crate) since: Timestamp,
    /// Its last spec.
    pub(crate) spec: SpecRecord,
    /// Creations that were open then: number of the first of a row, and how many there are.
    #[serde(default)]
    pub(crate) late: Vec<(u64, u64)>,
}

/// What a limit on calls has left.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RateRecord {
    /// The calls that may be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bucket: Option<Bucket>,
    /// How much less often a provider that throttles is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) brake: Option<Brake>,
    /// Which group drew from it last, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<(Timestamp, GroupId)>,
}

/// Who leads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TermRecord {
    /// Grows by one with each controller that takes the lead.
    pub(crate) term: u64,
    /// Names the controller; drawn when it starts.
    pub(crate) owner: String,
}

/// Key of the record of who leads.
pub(crate) const TERM: &str = "term";

/// Key of the record of what time it was.
pub(crate) const CLOCK: &str = "clock";

/// What the keys of the records of plugins begin with.
pub(crate) const RATES: &str = "rates/";

pub(crate) fn rate_key(name: &str) -> Key {
    Key::new(format!("{RATES}{name}"))
}

pub(crate) const PLUGINS: &str = "plugins/";

pub(crate) fn plugin_key(plugin: &PluginName) -> Key {
    Key::new(format!("{PLUGINS}{plugin}"))
}

/// All groups are frozen, those that come later included.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BrakeRecord {
    /// Since when.
    pub(crate) since: Timestamp,
}

/// Key of the record of the brake.
pub(crate) const BRAKE: &str = "brake";

pub(crate) const SPECS: &str = "specs/";

pub(crate) fn spec_key(group: &GroupId) -> Key {
    Key::new(format!("{SPECS}{group}"))
}

pub(crate) fn memory_key(group: &GroupId) -> Key {
    Key::new(format!("memory/{group}"))
}

pub(crate) fn health_key(group: &GroupId) -> Key {
    Key::new(format!("health/{group}"))
}

pub(crate) fn intent_prefix(group: &GroupId) -> String {
    format!("intents/{group}/")
}

pub(crate) fn intent_key(group: &GroupId, first: u64) -> Key {
    Key::new(format!("{}{first:020}", intent_prefix(group)))
}

pub(crate) fn answer_prefix(group: &GroupId) -> String {
    format!("answers/{group}/")
}

pub(crate) fn answer_key(group: &GroupId, number: u64) -> Key {
    Key::new(format!("{}{number:020}", answer_prefix(group)))
}

pub(crate) const REMAINS: &str = "remains/";

pub(crate) fn remains_key(group: &GroupId) -> Key {
    Key::new(format!("{REMAINS}{group}"))
}

pub(crate) const FREED: &str = "freed/";

pub(crate) fn freed_key(group: &GroupId) -> Key {
    Key::new(format!("{FREED}{group}"))
}

pub(crate) fn departure_prefix(group: &GroupId) -> String {
    format!("departures/{group}/")
}

pub(crate) fn departure_key(group: &GroupId, number: u64) -> Key {
    Key::new(format!("{}{number:020}", departure_prefix(group)))
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

/// Returns the creations that are open as records have them: number of the first of a row without gaps, and
/// how many there are.
pub(crate) fn open_rows(memory: &Memory) -> Vec<(u64, u64)> {
    let open: Vec<u64> = memory.intents.keys().copied().collect();
    let rows = open.chunk_by(|one, next| one + 1 == *next);
    rows.map(|row| (row[0], row.len() as u64)).collect()
}

pub(crate) fn put_memory(memory: &Memory) -> Change {
    put(memory_key(&memory.group), memory)
}
