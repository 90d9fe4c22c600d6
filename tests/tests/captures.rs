//! What the original answered, asked of our daemons again.
//!
//! The recordings and the list of deviations lie in `captures/`. A case that differs and is not
//! listed fails; so does a listed one that no longer differs.

use std::collections::BTreeMap;
use std::time::Duration;

use infrakit_tests::capture::{self, Case, Replay, Verdict};
use infrakit_tests::deviation::{self, Deviation};
use infrakit_tests::peer::Peer;
use infrakit_tests::{Daemon, Home, rpc, until};
use serde_json::{Value, json};

/// Recordings waited between changes; a question that changes nothing is asked again instead.
const SETTLED: Duration = Duration::from_secs(5);
/// A case that is expected to differ need not be waited for as long.
const LISTED: Duration = Duration::from_millis(500);

/// Replays one file: `socket` says which plugin a case was sent to, `prepare` brings about what
/// the recording found when it sent the case.
fn replay(file: &str, socket: fn(&Case) -> &str, mut prepare: impl FnMut(&Home, &Case)) {
    let home = Home::new();
    let _daemon = start(&home);
    let listed = deviation::load(file);
    let cases = capture::load(file);
    let mut replay = Replay::new(&home.path().display().to_string());
    let mut faults = stale(&listed, &cases);
    for case in &cases {
        prepare(&home, case);
        let expected = listed.get(&case.name).copied();
        let verdict = ask(&home, &replay, case, socket(case), expected);
        match (&verdict.difference, expected) {
            (Some(difference), None) => {
                let cell = difference.replace('|', "\\|");
                faults.push(format!("| {file} | {} | {cell} |  |", case.name));
            }
            (None, Some(Deviation::Differs)) => {
                faults.push(format!("`{}` is listed and does not differ", case.name));
            }
            (Some(_), Some(_)) | (None, None | Some(Deviation::NotCompared)) => {}
        }
        replay.adopt(verdict);
    }
    println!(
        "{file}: {} cases, {} listed as deviations",
        cases.len(),
        listed.len()
    );
    assert!(
        faults.is_empty(),
        "{} of {}:\n{}",
        faults.len(),
        cases.len(),
        faults.join("\n")
    );
}

fn start(home: &Home) -> Daemon<'_> {
    let files = home.path().join("files");
    std::fs::create_dir(&files).expect("the home is new");
    let arguments = [
        "plugin",
        "start",
        "manager",
        "group",
        "vanilla",
        "simulator",
        "file",
    ];
    let folder = files.display().to_string();
    let environment = [("INFRAKIT_INSTANCE_FILE_DIR", folder.as_str())];
    let mut daemon = home.daemon_with("infrakit", &arguments, &environment);
    daemon.wait_for(&["group", "group-stateless", "vanilla", "simulator", "file"]);
    daemon
}

fn stale(listed: &BTreeMap<String, Deviation>, cases: &[Case]) -> Vec<String> {
    let known = |name: &&String| cases.iter().any(|case| case.name == **name);
    listed
        .keys()
        .filter(|name| !known(name))
        .map(|name| format!("no case `{name}`"))
        .collect()
}

fn ask(
    home: &Home,
    replay: &Replay,
    case: &Case,
    socket: &str,
    listed: Option<Deviation>,
) -> Verdict {
    let patience = match listed {
        _ if !case.is_read_only() => Duration::ZERO,
        None => SETTLED,
        Some(Deviation::Differs) => LISTED,
        Some(Deviation::NotCompared) => Duration::ZERO,
    };
    let mut last = None;
    let _ = until(patience, || {
        let answer = rpc::post(&home.socket(socket), &replay.request(case))
            .map_err(|error| format!("{socket}: {error}"))?;
        let verdict = replay.judge(case, &answer);
        let difference = verdict.difference.clone();
        last = Some(verdict);
        difference.map_or(Ok(()), Err)
    });
    last.unwrap_or_else(|| Verdict::unanswered(socket))
}

#[test]
fn instance_plugins_answer_as_recorded() {
    replay(
        "instance",
        |case| {
            if case.name.starts_with("simulator") {
                "simulator"
            } else {
                "file"
            }
        },
        |home, case| {
            if case.name == "simulator Describe large response (chunked)" {
                fill_disks(home, case);
            }
        },
    );
}

/// The recording lists disks that it made beforehand; makes as many.
fn fill_disks(home: &Home, case: &Case) {
    let listed: Value = serde_json::from_str(&case.response).expect("it was recorded as JSON");
    let disks = listed["result"]["Descriptions"]
        .as_array()
        .map_or(0, Vec::len);
    for _ in 0..disks {
        let spec = json!({"Properties": {"x": "y".repeat(36)}, "Tags": {"k": "v"}});
        let params = json!({"Type": "disk", "Spec": spec});
        let made = rpc::call(&home.socket("simulator"), "Instance.Provision", &params);
        made.expect("the simulator makes a disk");
    }
}

#[test]
fn the_vanilla_flavor_answers_as_recorded() {
    // Cases of `combo` are sent to vanilla, which is there: they are listed as not built yet.
    replay("flavor", |_| "vanilla", |_, _| {});
}

#[test]
fn groups_answer_as_recorded() {
    let mut peer = None;
    replay(
        "group",
        |case| {
            if case.name.starts_with("manager") {
                "group"
            } else {
                "group-stateless"
            }
        },
        |home, case| {
            if case.name.starts_with("stateless instance plugin ") {
                // The old peer goes first: both have one socket.
                drop(peer.take());
                peer = foreign_plugin(home, &case.name);
            }
            if case.name == "stateless Size after DestroyInstances" {
                shrink(home);
            }
        },
    );
}

/// The plugin `fake` as the recording of a case met it.
fn foreign_plugin(home: &Home, case: &str) -> Option<Peer> {
    let socket = home.socket("fake");
    let hello = |objects: Value| {
        Some(Peer::listen(&socket, move |method, _| match method {
            "Handshake.Hello" => Some(json!({"Objects": objects})),
            "Instance.Validate" => Some(json!({"Type": "", "OK": true})),
            "Instance.DescribeInstances" => Some(json!({"Type": "", "Descriptions": []})),
            _ => None,
        }))
    };
    let object = json!([{"Name": ".", "ProxyFor": ""}]);
    match case.trim_start_matches("stateless instance plugin ") {
        "has Instance/0.6.0" => hello(json!({"Instance/0.6.0": object})),
        "has Instance/0.6.1/custom (Sub ignored in match)" => {
            hello(json!({"Instance/0.6.1/custom": object}))
        }
        "Hello has no Objects" => hello(Value::Null),
        "socket dead" => Some(Peer::listen(&socket, |_, _| None)),
        "socket stale" => {
            Peer::stale(&socket);
            None
        }
        _ => None,
    }
}

/// The original shrinks a group when it is asked to destroy an instance that it does not have.
/// We refuse, so the size is set here for the cases that follow.
fn shrink(home: &Home) {
    let params = json!({"Name": "group-stateless", "ID": "g1", "Size": 1});
    let _ = rpc::call(&home.socket("group-stateless"), "Group.SetSize", &params);
}
