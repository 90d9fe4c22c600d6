//! What the original answered, asked of our daemons again.
//!
//! The recordings and the list of deviations lie in `captures/`. A case that differs and is not
//! listed fails; so does a listed one that no longer differs.

use std::collections::BTreeMap;
use std::time::Duration;

use infrakit_tests::capture::{self, Case, Replay, Verdict};
use infrakit_tests::deviation::{self, Deviation};
use infrakit_tests::peer::Peer;
use infrakit_tests::{Daemon, Home, eventually, rpc, until};
use serde_json::{Value, json};

/// Recordings waited between changes; a question that changes nothing is asked again instead.
const SETTLED: Duration = Duration::from_secs(5);

/// Replays one file: `socket` says which plugin a case was sent to, `prepare` brings about what
/// the recording found when it sent the case.
fn replay(
    file: &str,
    socket: fn(&Case) -> &str,
    mut prepare: impl FnMut(&Home, &mut Replay, &Case),
) {
    let home = Home::new();
    let _daemon = start(&home);
    let mut listed = deviation::load(file);
    listed.extend(deviation::load(&format!("{file} (daemon)")));
    let cases = capture::load(file);
    let mut replay = Replay::new(&home.path().display().to_string());
    let mut faults = stale(&listed, &cases);
    for case in &cases {
        prepare(&home, &mut replay, case);
        let expected = listed.get(&case.name);
        let verdict = ask(&home, &replay, case, socket(case), expected);
        faults.extend(fault(file, case, &verdict, expected));
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

/// What is wrong with a verdict, given what the list says.
fn fault(
    file: &str,
    case: &Case,
    verdict: &Verdict,
    expected: Option<&Deviation>,
) -> Option<String> {
    let row = |difference: &String| {
        let cell = difference.replace('|', "\\|");
        format!("| {file} | {} | {cell} |  |", case.name)
    };
    match expected {
        None => verdict.difference.as_ref().map(row),
        Some(Deviation::NotCompared) => None,
        Some(_) if verdict.difference.is_none() => {
            let listed = format!("`{}` is listed and does not differ", case.name);
            (!verdict.softened).then_some(listed)
        }
        Some(Deviation::Differs) => None,
        Some(Deviation::DiffersAt(_)) => verdict.elsewhere.as_ref().map(row),
    }
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
    listed: Option<&Deviation>,
) -> Verdict {
    let patience = match listed {
        _ if !case.is_read_only() => Duration::ZERO,
        None | Some(Deviation::DiffersAt(_)) => SETTLED,
        Some(Deviation::Differs | Deviation::NotCompared) => Duration::ZERO,
    };
    let place = match listed {
        Some(Deviation::DiffersAt(place)) => Some(place.as_str()),
        _ => None,
    };
    let mut last = None;
    let _ = until(patience, || {
        let answer = rpc::exchange(&home.socket(socket), &replay.request(case))
            .map_err(|error| format!("{socket}: {error}"))?;
        let verdict = replay.judge(case, &answer, place);
        let settled = match (place, &verdict) {
            (Some(_), verdict) if verdict.difference.is_none() => Err("it does not differ".into()),
            (Some(_), verdict) => verdict.elsewhere.clone().map_or(Ok(()), Err),
            (None, verdict) => verdict.difference.clone().map_or(Ok(()), Err),
        };
        last = Some(verdict);
        settled
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
        |home, _, case| {
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
    replay("flavor", |_| "vanilla", |_, _, _| {});
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
        |home, replay, case| {
            if case.name.starts_with("stateless instance plugin ") {
                // The old peer goes first: both have one socket.
                drop(peer.take());
                forget_peer(home, replay, case);
                peer = foreign_plugin(home, &case.name);
            }
            rejoin(home, replay, &case.name);
        },
    );
}

/// Asks once while no peer is there, so that the next one is greeted.
fn forget_peer(home: &Home, replay: &Replay, case: &Case) {
    let _ = rpc::exchange(&home.socket("group-stateless"), &replay.request(case));
}

/// Brings our group back to where the original's was when it received a case. The two went apart
/// in a case before it, which is listed.
fn rejoin(home: &Home, replay: &mut Replay, case: &str) {
    match case {
        // Ours accepted the size 0.
        "stateless DestroyInstances one" => {
            set_size(home, "g1", 3);
            let members = members(home, "g1", 3);
            replay.stands_for("instance-4302033547518981652", &members[0]);
        }
        // The original destroyed a member for an unknown id; ours refused.
        "stateless Size after DestroyInstances" => {
            set_size(home, "g1", 1);
            replay.forget("instance-8667944376725946339");
        }
        // Ours accepted the size 2 under the name `group`, and the size 0 of g3.
        "manager Size Name=group/g1" => {
            set_size(home, "g1", 1);
            let params = json!({"Name": "group/groups", "ID": "g3"});
            let freed = rpc::call(&home.socket("group"), "Group.FreeGroup", &params);
            freed.expect("g3 was committed");
        }
        // Ours went through the size 0 and has other members now.
        "manager DestroyInstances" => {
            let members = members(home, "g1", 2);
            replay.stands_for("instance-2429407157094986311", &members[0]);
        }
        // The recording had never listed it.
        "stateless DestroyInstances of the only member" => {
            let members = members(home, "last", 1);
            replay.stands_for("instance-2259357845793787285", &members[0]);
        }
        _ => {}
    }
}

fn set_size(home: &Home, group: &str, size: u32) {
    let params = json!({"Name": "group-stateless", "ID": group, "Size": size});
    let set = rpc::call(&home.socket("group-stateless"), "Group.SetSize", &params);
    set.unwrap_or_else(|fault| panic!("{group} cannot have the size {size}: {fault}"));
}

/// The ids of a group's members, once there are as many.
fn members(home: &Home, group: &str, count: usize) -> Vec<String> {
    let params = json!({"Name": "group-stateless", "ID": group});
    eventually(SETTLED, &format!("{group} has {count} members"), || {
        let described = rpc::call(
            &home.socket("group-stateless"),
            "Group.DescribeGroup",
            &params,
        );
        let described = described.map_err(|fault| fault.to_string())?;
        let listed = described["Description"]["Instances"].as_array();
        let ids: Vec<String> = listed
            .into_iter()
            .flatten()
            .filter_map(|one| Some(one["ID"].as_str()?.to_owned()))
            .collect();
        if ids.len() == count {
            Ok(ids)
        } else {
            Err(described.to_string())
        }
    })
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

/// The plugin from which a case was recorded, as its last parentheses say.
fn recorded_from(case: &Case) -> &str {
    let inside = case.name.rsplit_once('(').map_or("", |(_, inside)| inside);
    match inside.trim_end_matches(')') {
        "group with committed groups" => "group",
        name @ ("group" | "group-stateless" | "vanilla" | "file") => name,
        // The other plugins are not built yet; the rest is the same for every plugin.
        _ => "simulator",
    }
}

#[test]
fn the_daemon_speaks_http_as_recorded() {
    replay("http-and-handshake", recorded_from, |home, _, case| {
        if case.name == "Hello (group with committed groups)" {
            commit_empty(home, "g1");
            commit_empty(home, "g2");
        }
    });
}

fn commit_empty(home: &Home, group: &str) {
    let properties = json!({
        "Allocation": {"Size": 0}, "Instance": {"Plugin": "file"}, "Flavor": {"Plugin": "vanilla"},
    });
    let params = json!({"Name": "group", "Spec": {"ID": group, "Properties": properties}});
    let committed = rpc::call(&home.socket("group"), "Group.CommitGroup", &params);
    committed.unwrap_or_else(|fault| panic!("{group} is not committed: {fault}"));
}

#[test]
fn the_daemon_describes_itself_as_recorded() {
    replay("info", recorded_from, |_, _, _| {});
}
