//! What a stranger finds at the sockets: greetings, descriptions, connections, ids, permissions,
//! and what is left over from the dead.
//!
//! The client shares no code with the program (`tests/src/rpc.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use infrakit_tests::rpc::{self, Session};
use infrakit_tests::{Daemon, Home};
use serde_json::{Value, json};

const SOCKETS: [&str; 5] = ["group", "group-stateless", "vanilla", "simulator", "file"];
const COMMAND: Duration = Duration::from_secs(20);

fn start(home: &Home) -> Daemon<'_> {
    let kinds = ["manager", "group", "vanilla", "simulator", "file"];
    let arguments: Vec<&str> = ["plugin", "start"].into_iter().chain(kinds).collect();
    let mut daemon = home.daemon("infrakit", &arguments);
    daemon.wait_for(&SOCKETS);
    daemon
}

/// A request of any path and body, on a connection that stays open.
fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn get(socket: &Path, path: &str) -> Value {
    let answer = rpc::exchange(socket, &request("GET", path, "")).expect("it answers");
    assert_eq!(answer.status, 200, "{path}");
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The interfaces of a plugin, as in `Instance/0.6.1`, with the names of their objects.
fn greeted(socket: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let hello = rpc::call(socket, "Handshake.Hello", &json!({})).expect("it greets");
    let objects = hello["Objects"].as_object().expect("an object");
    let names = |list: &Value| {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|one| Some(one["Name"].as_str()?.to_owned()))
            .collect()
    };
    objects
        .iter()
        .map(|(key, list)| (key.clone(), names(list)))
        .collect()
}

fn keys(list: &Value) -> BTreeSet<String> {
    let list = list.as_array().into_iter().flatten();
    list.map(|one| {
        let part = |name: &str| one[name].as_str().unwrap_or_default();
        format!("{}/{}", part("Name"), part("Version"))
    })
    .collect()
}

#[test]
fn every_socket_greets_in_the_words_of_every_release() {
    let home = Home::new();
    let _daemon = start(&home);
    for name in SOCKETS {
        let socket = home.socket(name);
        let objects = greeted(&socket);
        let interfaces: BTreeSet<String> = objects.keys().cloned().collect();
        assert!(!interfaces.is_empty(), "{name}");
        for method in ["Handshake.Implements", "Plugin.Implements"] {
            let said = rpc::call(&socket, method, &json!({})).expect(method);
            // Older peers find the versions that they know as well.
            let said = keys(&said["APIs"]);
            assert!(said.is_superset(&interfaces), "{name}, {method}: {said:?}");
            let named = |keys: &BTreeSet<String>| -> BTreeSet<String> {
                let names = keys.iter().filter_map(|key| key.split('/').next());
                // What is a stack today was called by its methods.
                let names = names.map(|name| name.replace("Manager", "Stack"));
                names.collect()
            };
            assert_eq!(named(&said), named(&interfaces), "{name}, {method}");
        }
        let types = rpc::call(&socket, "Handshake.Types", &json!({})).expect("it has types");
        let types = types["Types"].as_object().expect("an object");
        for (key, names) in &objects {
            let older = types
                .get(key)
                .or_else(|| types.get(&key.replace("Stack/", "Manager/")));
            let older = older.and_then(Value::as_array).into_iter().flatten();
            let older: BTreeSet<String> = older
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect();
            // The only object of an interface has no name there.
            let named: BTreeSet<String> =
                names.iter().filter(|name| *name != ".").cloned().collect();
            assert_eq!(older, named, "{name}, {key}");
        }
    }
}

#[test]
fn every_socket_describes_itself() {
    let home = Home::new();
    let _daemon = start(&home);
    for name in SOCKETS {
        let socket = home.socket(name);
        let interfaces: BTreeSet<String> = greeted(&socket).into_keys().collect();
        let api = get(&socket, "/info/api.json");
        assert_eq!(keys(&api["Implements"]), interfaces, "{name}");
        assert_eq!(keys(&api["Interfaces"]), interfaces, "{name}");
        for interface in api["Interfaces"].as_array().expect("a list") {
            let methods = interface["Methods"].as_array().expect("a list");
            assert!(!methods.is_empty(), "{name}: {interface}");
            for method in methods {
                assert_eq!(method["Request"]["jsonrpc"], "2.0", "{name}: {method}");
                let called = method["Request"]["method"].as_str().expect("a text");
                assert!(called.contains('.'), "{name}: {method}");
                assert!(method["Response"]["result"].is_object(), "{name}: {method}");
            }
        }
        let functions = get(&socket, "/info/functions.json");
        for (group, list) in functions.as_object().expect("an object") {
            for function in list.as_array().into_iter().flatten() {
                assert!(function["Name"].is_string(), "{name}, {group}: {function}");
                assert!(function["Usage"].is_string(), "{name}, {group}: {function}");
            }
        }
    }
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let home = Home::new();
    let _daemon = start(&home);
    for name in SOCKETS {
        let mut session = Session::unix(&home.socket(name)).expect("somebody listens");
        for number in 1..=3 {
            let body = format!(r#"{{"jsonrpc":"2.0","method":"Handshake.Hello","id":{number}}}"#);
            let answer = session.ask(&request("POST", "/", &body)).expect("it stays");
            let answer: Value = serde_json::from_slice(&answer.body).expect("it is JSON");
            assert_eq!(answer["id"], number, "{name}: {answer}");
        }
        // A refused request and a description do not end it.
        let refused = session.ask(&request("GET", "/", "")).expect("it stays");
        assert_eq!(refused.status, 405, "{name}");
        let api = session
            .ask(&request("GET", "/info/api.json", ""))
            .expect("it stays");
        assert_eq!(api.status, 200, "{name}");
    }
}

#[test]
fn ids_come_back_as_they_were_written() {
    let home = Home::new();
    let _daemon = start(&home);
    let mut session = Session::unix(&home.socket("file")).expect("somebody listens");
    for id in [
        "7541032988423123456",
        "18446744073709551616",
        "1e400",
        "1.0",
        "-0",
        r#""""#,
        r#""a\u0062\n\"\\\/c""#,
        r#""\ud83d\ude00 é""#,
        "true",
        "[1,2]",
        r#"{"a":1}"#,
    ] {
        for method in ["Handshake.Hello", "Instance.Nope"] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{}}}}"#);
            let answer = session
                .ask(&request("POST", "/", &body))
                .expect("it answers");
            let text = String::from_utf8(answer.body).expect("it is text");
            let tail = format!(r#""id":{id}}}"#);
            assert!(text.trim_end().ends_with(&tail), "{method}, {id}: {text}");
        }
    }
}

fn mode(path: &Path) -> u32 {
    let found = path.symlink_metadata();
    found
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .permissions()
        .mode()
        & 0o7777
}

#[test]
fn sockets_are_for_their_owner_only() {
    let home = Home::new();
    let _daemon = start(&home);
    assert_eq!(mode(&home.path().join("plugins")), 0o700);
    for name in SOCKETS {
        assert_eq!(mode(&home.socket(name)), 0o600, "{name}");
        let pid = home.socket(&format!("{name}.pid"));
        assert_eq!(
            mode(&pid) & 0o022,
            0,
            "{name}: others may not write its pid"
        );
    }
}

/// Names and contents of what lies in the folder of the sockets; a socket has its inode.
fn folder(home: &Home) -> BTreeMap<PathBuf, String> {
    let entries = std::fs::read_dir(home.path().join("plugins")).expect("it is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    paths
        .map(|path| {
            let inode = path.symlink_metadata().expect("it is there").ino();
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            (path, format!("{inode} {text}"))
        })
        .collect()
}

#[test]
fn what_the_dead_left_is_replaced() {
    let home = Home::new();
    let mut daemon = start(&home);
    daemon.kill();
    for name in SOCKETS {
        assert!(
            home.socket(name).exists(),
            "a killed process cleans nothing"
        );
        let pid = home.read(&format!("plugins/{name}.pid"));
        assert_eq!(pid, daemon.id().to_string(), "{name}");
    }
    // The number of one of them belongs to somebody else by now, as after a reboot.
    home.write("plugins/file.pid", &std::process::id().to_string());
    // And of another there is only the pid file.
    std::fs::remove_file(home.socket("vanilla")).expect("it is there");
    daemon.restart().wait_for(&SOCKETS);
    for name in SOCKETS {
        let pid = home.read(&format!("plugins/{name}.pid"));
        assert_eq!(pid, daemon.id().to_string(), "{name}");
    }
    assert_eq!(daemon.terminate(), 0);
    for name in SOCKETS {
        let pid = home.socket(&format!("{name}.pid"));
        assert!(
            !home.socket(name).exists() && !pid.exists(),
            "{name} is left"
        );
    }
}

#[test]
fn what_the_living_have_is_not_taken() {
    let home = Home::new();
    let mut daemon = home.daemon("infrakit-instance-file", &["--dir", "files"]);
    daemon.wait_for(&["instance-file"]);
    let before = folder(&home);
    for start in [
        &["infrakit-instance-file", "--dir", "files"][..],
        // One of two names is free. It is all or nothing.
        &[
            "infrakit",
            "plugin",
            "start",
            "vanilla",
            "file:instance-file",
        ],
    ] {
        let mut command = home.command(start[0]);
        command.args(&start[1..]);
        let refused = home.run(command, COMMAND).failed(1);
        assert_eq!(refused.stdout, "");
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        for part in ["error: ", "instance-file", "already running", "(pid "] {
            assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        }
        let mut after = folder(&home);
        after.retain(|path, _| path.file_name().is_none_or(|name| name != ".lock"));
        let mut before = before.clone();
        before.retain(|path, _| path.file_name().is_none_or(|name| name != ".lock"));
        assert_eq!(after, before);
    }
    // A lost pid file makes it no less alive.
    std::fs::remove_file(home.socket("instance-file.pid")).expect("it is there");
    let refused = home.command("infrakit-instance-file");
    let refused = home.run(refused, COMMAND).failed(1);
    assert!(
        refused.stderr.contains("already running"),
        "{}",
        refused.stderr
    );
    daemon.wait_for(&["instance-file"]);
}

/// Destroying a group waits for its instances, and an empty one has none.
#[test]
fn an_empty_group_is_destroyed_at_once() {
    let home = Home::new();
    let _daemon = start(&home);
    let group = home.socket("group");
    let properties = json!({
        "Allocation": {"Size": 0}, "Instance": {"Plugin": "file"}, "Flavor": {"Plugin": "vanilla"},
    });
    let params = json!({"Name": "group", "Spec": {"ID": "empty", "Properties": properties}});
    rpc::call(&group, "Group.CommitGroup", &params).expect("it is committed");
    let begun = Instant::now();
    let params = json!({"Name": "group/groups", "ID": "empty"});
    let destroyed = rpc::call(&group, "Group.DestroyGroup", &params);
    destroyed.expect("it is destroyed");
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    let none = rpc::call(&group, "Group.InspectGroups", &json!({}));
    assert_eq!(none.expect("it answers")["Groups"], Value::Null);
}
