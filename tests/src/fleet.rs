//! Groups as a test sees them: documents, commits and descriptions over the wire.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rpc::{self, Fault};
use crate::{Daemon, Home, until};

/// The tag that makes an instance a member of a group.
pub const GROUP: &str = "infrakit.group";
/// The tag with the hash of the configuration that an instance was made from.
pub const HASH: &str = "infrakit.config.hash";

/// Arguments of the daemon that runs everything in one process.
pub const EVERYTHING: [&str; 7] = [
    "plugin",
    "start",
    "manager",
    "group",
    "vanilla",
    "simulator",
    "file",
];

/// Starts everything in one process, with instance files in `instances/` of the home, and waits
/// until it answers.
pub fn start<'home>(home: &'home Home, environment: &[(&str, &str)]) -> Daemon<'home> {
    let directory = home.path().join("instances");
    let directory = directory.to_string_lossy().into_owned();
    let mut all = vec![("INFRAKIT_INSTANCE_FILE_DIR", directory.as_str())];
    all.extend(environment);
    let mut daemon = home.daemon_with("infrakit", &EVERYTHING, &all);
    daemon.wait_for(&["group", "vanilla", "file"]);
    daemon
}

/// A document of cattle on `plugin`; another `version` is another configuration.
pub fn cattle(id: &str, plugin: &str, size: u64, version: u64) -> Value {
    json!({
        "ID": id,
        "Properties": {
            "Allocation": {"Size": size},
            "Instance": {"Plugin": plugin, "Properties": {"Note": format!("version {version}")}},
            "Flavor": {"Plugin": "vanilla", "Properties": {}},
        }
    })
}

/// Commits a document and returns the sentence about it.
///
/// # Errors
/// As the daemon says.
pub fn commit(home: &Home, document: &Value) -> Result<String, Fault> {
    let params = json!({"Name": "", "Spec": document, "Pretend": false});
    let answer = rpc::call(&home.socket("group"), "Group.CommitGroup", &params)?;
    Ok(answer["Details"].as_str().unwrap_or_default().to_owned())
}

/// Describes a group.
///
/// # Errors
/// As the daemon says.
pub fn describe(home: &Home, id: &str) -> Result<Value, Fault> {
    let params = json!({"Name": "", "ID": id});
    let answer = rpc::call(&home.socket("group"), "Group.DescribeGroup", &params)?;
    Ok(answer["Description"].clone())
}

/// The specs in force, all groups.
///
/// # Panics
/// When the daemon does not say.
pub fn inspect(home: &Home) -> Value {
    let answer = rpc::call(
        &home.socket("group"),
        "Group.InspectGroups",
        &json!({"Name": ""}),
    );
    answer.unwrap_or_else(|fault| panic!("{fault}"))["Groups"].clone()
}

/// The config hashes of a described group's members.
pub fn hashes(description: &Value) -> Vec<String> {
    let members = description["Instances"].as_array().into_iter().flatten();
    members
        .map(|one| one["Tags"][HASH].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Waits until a group is as specified: it says so, and has `size` members of one configuration.
/// Returns the hash of that configuration.
///
/// # Panics
/// When it is not so in time.
pub fn converged(home: &Home, id: &str, size: usize, limit: Duration) -> String {
    let found = until(limit, || {
        let description = describe(home, id).map_err(|fault| fault.to_string())?;
        let hashes = hashes(&description);
        let alike = hashes.windows(2).all(|pair| pair[0] == pair[1]);
        if description["Converged"] == json!(true) && hashes.len() == size && alike {
            Ok(hashes.first().cloned().unwrap_or_default())
        } else {
            Err(description.to_string())
        }
    });
    found.unwrap_or_else(|reason| {
        let why = why(home, id);
        panic!("not within {limit:?}: `{id}` has {size} members: {reason}\nwhy: {why}")
    })
}

/// What the group waits for, as `infrakit group why` shows it, or why it cannot be said.
fn why(home: &Home, id: &str) -> String {
    let params = json!({"Name": "", "ID": id});
    let answer = rpc::call(&home.socket("group"), "Rollout.Why", &params);
    answer.map_or_else(|fault| fault.to_string(), |why| format!("{why:#}"))
}

/// The highest memory that a process has ever used, in bytes.
///
/// # Panics
/// When the process is gone.
pub fn peak_memory(pid: u32) -> u64 {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(Path::new(&path)).expect("the process lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    kilobytes.map_or(0, |kilobytes: u64| kilobytes * 1024)
}
