//! Rollouts as a test sees them: what the group answers about one, and members by configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::fleet::{self, HASH};
use crate::{Home, eventually, rpc};

/// Nothing here takes longer.
pub const SOON: Duration = Duration::from_secs(30);

/// Asks a method of the service `Rollout` about a group.
///
/// # Panics
/// When it is refused.
pub fn ask(home: &Home, method: &str, id: &str) -> Value {
    let params = json!({"Name": "group", "ID": id});
    rpc::call(&home.socket("group"), &format!("Rollout.{method}"), &params)
        .unwrap_or_else(|fault| panic!("Rollout.{method}: {fault}"))
}

/// How far the rollout of a group is.
pub fn status(home: &Home, id: &str) -> Value {
    ask(home, "Status", id)["Status"].clone()
}

/// Waits until the rollout of a group stands where it is said to.
pub fn reaches(home: &Home, id: &str, state: &str) -> Value {
    eventually(SOON, &format!("the rollout of `{id}` is {state}"), || {
        let status = status(home, id);
        if status["State"] == json!(state) {
            Ok(status)
        } else {
            Err(status.to_string())
        }
    })
}

/// The members of a group: config hash by id.
///
/// # Panics
/// When the group does not say.
pub fn members(home: &Home, id: &str) -> BTreeMap<String, String> {
    let description = fleet::describe(home, id).unwrap_or_else(|fault| panic!("{fault}"));
    let members = description["Instances"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    members
        .map(|one| (text(&one["ID"]), text(&one["Tags"][HASH])))
        .collect()
}

/// The ids of the members of a group.
pub fn ids(home: &Home, id: &str) -> BTreeSet<String> {
    members(home, id).into_keys().collect()
}

/// How many members of a group have another configuration than `hash`.
pub fn others(home: &Home, id: &str, hash: &str) -> usize {
    let members = members(home, id);
    members.values().filter(|one| *one != hash).count()
}

/// A document of cattle with more properties: `Updating`, `Health`, …
pub fn with(mut document: Value, part: &str, value: Value) -> Value {
    document["Properties"][part] = value;
    document
}

/// Commits a document.
///
/// # Panics
/// When it is refused.
pub fn commit(home: &Home, document: &Value) {
    fleet::commit(home, document).unwrap_or_else(|fault| panic!("{fault}"));
}

/// Commits a group and waits until it is as specified; returns its hash.
pub fn settled(home: &Home, document: &Value, size: usize) -> String {
    commit(home, document);
    let id = document["ID"].as_str().unwrap_or_default();
    fleet::converged(home, id, size, SOON)
}
