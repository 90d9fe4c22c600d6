//! Exchanges recorded from the original, replayed byte for byte against plugins with the same
//! objects. Where ours differ, `tests/captures/deviations.md` says so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use infrakit_rpc::{Fixed, Plugin};
use serde_json::{Value, json};

use crate::fakes::Fake;
use crate::served::{Served, converse};

fn captures(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/captures")
        .join(file)
}

fn read(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(captures(file)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Returns the cases of a file in which we differ on purpose.
fn deviations(file: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(captures("deviations.md")).unwrap();
    let rows = text
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    rows.filter(|row| row.len() == 6 && row[1] == file)
        .map(|row| row[2].to_owned())
        .collect()
}

/// A plugin with named objects of some interfaces, as the original's have them.
fn plugin(tables: &[(&str, &[&str])]) -> Plugin {
    let mut plugin = Plugin::new();
    for (interface, names) in tables {
        macro_rules! table {
            ($method:ident) => {{
                let object = |name: &&str| ((*name).to_owned(), Arc::new(Fake::default()) as _);
                plugin = plugin.$method(Fixed::new(names.iter().map(object)));
            }};
        }
        match *interface {
            "Controller" => table!(controller),
            "Event" => table!(events),
            "Flavor" => table!(flavor),
            "Group" => table!(group),
            "Instance" => table!(instance),
            "L4" => table!(l4),
            "Metadata" => table!(metadata),
            "Stack" => table!(stack),
            "Updatable" => table!(updatable),
            other => panic!("no such interface: {other}"),
        }
    }
    plugin.functions("{\n  \"builtin\": []\n}")
}

/// The stock plugins of the original, by the name that the cases have for them.
fn stock(name: &str) -> Plugin {
    let vars = ("Updatable", &["status", "vars"][..]);
    match name {
        "group" => plugin(&[
            ("Controller", &["", "groups"]),
            ("Group", &["groups"]),
            ("Stack", &["."]),
            vars,
        ]),
        "group with committed groups" => plugin(&[
            ("Controller", &["", "g1", "g2", "groups"]),
            ("Group", &["g1", "g2", "groups"]),
            ("Stack", &["."]),
            vars,
        ]),
        "group-stateless" => plugin(&[("Group", &["."]), ("Metadata", &["."])]),
        "vanilla" | "combo" => plugin(&[("Flavor", &["."])]),
        "file" => plugin(&[("Instance", &["."])]).vendor(
            "infrakit-instance-file",
            "0.3.0",
            "https://github.com/docker/infrakit",
        ),
        "vars" => plugin(&[("Updatable", &["."])]),
        "time" => plugin(&[("Event", &["streams"]), ("Metadata", &["."])]),
        "ingress" => plugin(&[("Controller", &[""])]),
        "inventory" => plugin(&[("Controller", &[""]), ("Event", &["."]), ("Metadata", &[])]),
        "resource after commit" => plugin(&[
            ("Controller", &["", "res1"]),
            ("Event", &["."]),
            ("Metadata", &["res1"]),
        ]),
        _ => plugin(&[
            ("Instance", &["compute", "disk", "net"]),
            ("L4", &["lb1", "lb2", "lb3"]),
        ]),
    }
}

/// Returns what stands in the last parentheses of a case: the plugin it was recorded from.
fn recorded_from(case: &str) -> &str {
    let inside = case
        .rsplit_once('(')
        .map_or("", |(_, inside)| inside.trim_end_matches(')'));
    // One case has an annotation there.
    if inside == "any method works" {
        "vars"
    } else {
        inside
    }
}

/// Writes a recorded request as it was sent.
fn written(request: &Value) -> Vec<u8> {
    let part = |name: &str| request[name].as_str().unwrap_or_default();
    let mut text = format!("{} {} HTTP/1.1\r\n", part("method"), part("path"));
    for header in request["headers"].as_array().unwrap() {
        let [name, value] = [&header[0], &header[1]].map(|part| part.as_str().unwrap());
        text += &format!("{name}: {value}\r\n");
    }
    format!("{text}\r\n{}", part("raw")).into_bytes()
}

/// An answer in comparable form.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u64,
    headers: BTreeMap<String, String>,
    body: Body,
}

#[derive(Debug, PartialEq)]
enum Body {
    Json(Value),
    Text(String),
}

impl Answer {
    fn new(status: u64, headers: impl Iterator<Item = (String, String)>, raw: &str) -> Self {
        let headers = headers
            .map(|(name, value)| (name.to_lowercase(), value))
            .filter(|(name, _)| name != "date")
            .collect();
        let body = serde_json::from_str(raw).map_or_else(
            |_| Body::Text(raw.to_owned()),
            |mut json| {
                normalise(&mut json);
                Body::Json(json)
            },
        );
        Self {
            status,
            headers,
            body,
        }
    }

    fn recorded(response: &Value) -> Self {
        let headers = response["headers"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let headers = headers.map(|header| (text(&header[0]), text(&header[1])));
        let raw = response["raw"].as_str().unwrap_or_default();
        Self::new(response["status"].as_u64().unwrap(), headers, raw)
    }

    fn received(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        });
        Self::new(status, headers, body)
    }

    fn json(&mut self) -> &mut Value {
        match &mut self.body {
            Body::Json(json) => json,
            Body::Text(text) => panic!("not JSON: {text}"),
        }
    }
}

/// Takes out what differs from run to run: times used as ids, and the order of objects that the
/// original lists at random.
fn normalise(json: &mut Value) {
    match json {
        Value::Object(members) => {
            if members
                .get("id")
                .is_some_and(|id| id.as_str().is_some_and(is_time))
            {
                members.insert("id".to_owned(), json!("time"));
            }
            members.values_mut().for_each(normalise);
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(normalise);
            if elements
                .iter()
                .all(|element| element.get("ProxyFor").is_some())
            {
                elements.sort_by_key(|element| element["Name"].to_string());
            }
        }
        _ => {}
    }
}

fn is_time(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Replays a file; `adapt` makes the answers of a case that deviates comparable, by checking
/// that they deviate as described.
async fn replay(file: &str, adapt: impl Fn(&str, &mut Answer, &mut Answer)) {
    let deviations = deviations(file);
    let mut deviated = BTreeSet::new();
    for exchange in read(file) {
        let case = exchange["case"].as_str().unwrap();
        let served = Served::start(stock(recorded_from(case)));
        let answer = converse(served.socket(), &written(&exchange["request"])).await;
        let mut ours = Answer::received(&answer);
        let mut theirs = Answer::recorded(&exchange["response"]);
        if deviations.contains(case) {
            assert_ne!(
                ours, theirs,
                "{file}: {case} is listed as a deviation, but is none"
            );
            deviated.insert(case.to_owned());
            adapt(case, &mut ours, &mut theirs);
        }
        assert_eq!(ours, theirs, "{file}: {case}");
        served.stop().await;
    }
    assert_eq!(
        deviated, deviations,
        "{file}: a case is listed that does not exist"
    );
}

#[tokio::test]
async fn http_and_handshake() {
    replay("http-and-handshake.jsonl", |case, ours, theirs| {
        // What deviates is longer or shorter, too.
        ours.headers.remove("content-length");
        theirs.headers.remove("content-length");
        let (ours, theirs) = (ours.json(), theirs.json());
        if case.starts_with("old ") {
            assert!(
                theirs["error"]["message"]
                    .as_str()
                    .unwrap()
                    .starts_with("rpc: can't find ")
            );
            let result = &ours["result"];
            assert!(
                result["APIs"].is_array() || result["Types"].is_object(),
                "{case}: {ours}"
            );
            *ours = theirs.clone();
        } else {
            let text = ours["error"]["message"].take();
            assert!(!text.as_str().unwrap().is_empty(), "{case}");
            theirs["error"]["message"].take();
        }
    })
    .await;
}

#[tokio::test]
async fn info() {
    replay("info.jsonl", |case, ours, theirs| {
        for answer in [&mut *ours, &mut *theirs] {
            answer.headers.remove("content-length");
            answer.headers.remove("transfer-encoding");
        }
        if case.contains("functions") {
            assert_eq!(*ours.json(), json!({"builtin": []}));
            theirs.body = Body::Json(ours.json().clone());
            return;
        }
        // The original describes one interface; ours is described in the same words.
        let (ours, theirs) = (ours.json(), theirs.json());
        for part in ["Implements", "Interfaces"] {
            let theirs = theirs[part].as_array().unwrap();
            assert_eq!(theirs.len(), 1, "{case}");
            let ours = ours[part].as_array_mut().unwrap();
            assert!(ours.len() > 1, "{case}");
            let names: Vec<String> = ours.iter().map(|one| one["Name"].to_string()).collect();
            assert!(names.is_sorted(), "{case}: {names:?}");
            ours.retain(|one| one["Name"] == theirs[0]["Name"]);
        }
    })
    .await;
}
