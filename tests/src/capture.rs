//! Recorded exchanges of the original, and how an answer of ours is compared with one.
//!
//! Every liberty that a comparison takes is taken in this file, and described for readers in
//! captures/deviations.md: ids are mapped to ours, the recording's folder to our home, the tag
//! `infrakit.token` is dropped, and texts that Go's decoders wrote are only compared up to there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::program;
use crate::rpc::Answer;

/// The folder in which the recording was made.
const RECORDED_FOLDER: &str = "$DIR/A";
/// Written by us only: marks the creation that made an instance.
const TOKEN: &str = "infrakit.token";
/// Where texts begin that depend on the language and version of the decoder.
const DECODER: [&str; 2] = ["json: ", "time: "];
/// Where instances are listed in an answer. The original's order is that of a hash map.
const LISTS: [&str; 2] = ["/result/Descriptions", "/result/Description/Instances"];

/// One recorded exchange.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, unique in its file.
    pub name: String,
    /// The body that was sent.
    pub request: String,
    /// The HTTP status that came back.
    pub status: u16,
    /// The body that came back.
    pub response: String,
}

impl Case {
    /// Whether sending it twice is the same as sending it once.
    pub fn is_read_only(&self) -> bool {
        let request = json(&self.request);
        let method = request["method"].as_str().unwrap_or_default();
        let reads = [
            "Describe", "Inspect", "Size", "Validate", "Healthy", "Prepare",
        ];
        let verb = method.split('.').nth(1).unwrap_or_default();
        reads.iter().any(|prefix| verb.starts_with(prefix))
            || request.pointer("/params/Pretend") == Some(&Value::Bool(true))
    }
}

/// The folder with the recordings.
pub fn folder() -> PathBuf {
    program::repository().join("tests").join("captures")
}

/// Reads the recordings of one file, in their order.
///
/// # Panics
/// When the file is missing or not what it should be.
pub fn load(file: &str) -> Vec<Case> {
    let path = folder().join(format!("{file}.jsonl"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| case(&json(line))).collect()
}

fn case(line: &Value) -> Case {
    let text = |pointer: &str| {
        let text = line.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no {pointer} in {line}"))
            .to_owned()
    };
    let status = line
        .pointer("/response/status")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    Case {
        name: text("/case"),
        request: text("/request/raw"),
        status: status.try_into().unwrap_or_default(),
        response: text("/response/raw"),
    }
}

/// What is known while a file is replayed: which of our ids stands for which recorded one.
#[derive(Debug)]
pub struct Replay {
    here: String,
    ids: BTreeMap<String, String>,
}

/// How an answer compares.
#[derive(Debug)]
pub struct Verdict {
    /// The first difference, if there is one.
    pub difference: Option<String>,
    met: Vec<(String, String)>,
}

impl Verdict {
    /// The verdict when no answer came.
    pub fn unanswered(socket: &str) -> Self {
        Self {
            difference: Some(format!("`{socket}` does not answer")),
            met: Vec::new(),
        }
    }
}

impl Replay {
    /// Begins a replay in the folder `here`.
    pub fn new(here: &str) -> Self {
        Self {
            here: here.to_owned(),
            ids: BTreeMap::new(),
        }
    }

    /// The body to send for a case.
    pub fn request(&self, case: &Case) -> String {
        self.translate(&case.request)
    }

    /// Compares an answer with the recorded one.
    pub fn judge(&self, case: &Case, answer: &Answer) -> Verdict {
        let recorded = self.translate(&case.response);
        let body = String::from_utf8_lossy(&answer.body);
        let mut met = Vec::new();
        let (expected, actual) = match (parse(&recorded), parse(&body)) {
            (Some(mut expected), Some(mut actual)) => {
                drop_tokens(&mut actual);
                self.meet_provisioned(case, &mut expected, &actual, &mut met);
                for list in LISTS {
                    self.align(
                        expected.pointer_mut(list),
                        actual.pointer_mut(list),
                        &mut met,
                    );
                }
                soften(&mut expected, &actual);
                (expected, actual)
            }
            // An empty body, or one that is no JSON: compared as text.
            _ => (Value::from(recorded.trim()), Value::from(body.trim())),
        };
        let status = (case.status != answer.status)
            .then(|| format!("status {} became {}", case.status, answer.status));
        Verdict {
            difference: status.or_else(|| difference("", &expected, &actual)),
            met,
        }
    }

    /// Remembers the ids that the answer of a verdict made known.
    pub fn adopt(&mut self, verdict: Verdict) {
        self.ids.extend(verdict.met);
    }

    /// Lets one of our ids stand for a recorded one, whichever stood for it before.
    pub fn stands_for(&mut self, recorded: &str, ours: &str) {
        self.ids.insert(recorded.to_owned(), ours.to_owned());
    }

    /// Forgets which id stands for a recorded one; it is met anew in the next list.
    pub fn forget(&mut self, recorded: &str) {
        self.ids.remove(recorded);
    }

    fn translate(&self, text: &str) -> String {
        let mut text = text.replace(RECORDED_FOLDER, &self.here);
        for (recorded, ours) in &self.ids {
            text = text.replace(recorded, ours);
        }
        text
    }

    fn is_known(&self, id: &Value) -> bool {
        self.ids.values().any(|known| id == known)
    }

    fn meet_provisioned(
        &self,
        case: &Case,
        expected: &mut Value,
        actual: &Value,
        met: &mut Vec<(String, String)>,
    ) {
        if json(&case.request)["method"] != "Instance.Provision" {
            return;
        }
        let (Some(recorded), Some(ours)) = (
            expected.pointer_mut("/result/ID"),
            actual.pointer("/result/ID"),
        ) else {
            return;
        };
        if let (Some(old), Some(new)) = (recorded.as_str(), ours.as_str()) {
            met.push((old.to_owned(), new.to_owned()));
            *recorded = ours.clone();
        }
    }

    /// Brings two lists of instances into one order and pairs the ids seen for the first time.
    fn align(
        &self,
        expected: Option<&mut Value>,
        actual: Option<&mut Value>,
        met: &mut Vec<(String, String)>,
    ) {
        let (Some(Value::Array(expected)), Some(Value::Array(actual))) = (expected, actual) else {
            return;
        };
        let order = |item: &Value| {
            let mut item = item.clone();
            if let Some(id) = item.get_mut("ID")
                && !self.is_known(id)
            {
                *id = Value::Null;
            }
            item.to_string()
        };
        expected.sort_by_cached_key(order);
        actual.sort_by_cached_key(order);
        for (recorded, ours) in expected.iter_mut().zip(actual.iter()) {
            let (Some(old), Some(new)) = (recorded.get_mut("ID"), ours.get("ID")) else {
                continue;
            };
            if self.is_known(old) || self.is_known(new) {
                continue;
            }
            if let (Some(before), Some(after)) = (old.as_str(), new.as_str()) {
                met.push((before.to_owned(), after.to_owned()));
                *old = new.clone();
            }
        }
    }
}

/// Removes the token from every map of tags, at any depth.
fn drop_tokens(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::Object(tags)) = fields.get_mut("Tags") {
                tags.remove(TOKEN);
            }
            fields.values_mut().for_each(drop_tokens);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_tokens),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Takes our message for the recorded one, if that ends in the words of a decoder and ours
/// agrees up to there and goes on with words of its own.
fn soften(expected: &mut Value, actual: &Value) {
    let (Some(message), Some(ours)) = (
        expected.pointer_mut("/error/message"),
        actual.pointer("/error/message"),
    ) else {
        return;
    };
    let (Some(recorded), Some(text)) = (message.as_str(), ours.as_str()) else {
        return;
    };
    let place = DECODER.iter().find_map(|mark| recorded.find(mark));
    let agreed = place.and_then(|place| recorded.get(..place));
    if agreed.is_some_and(|start| text.starts_with(start) && text.len() > start.len()) {
        *message = ours.clone();
    }
}

/// Where two values differ first, in words.
fn difference(path: &str, expected: &Value, actual: &Value) -> Option<String> {
    match (expected, actual) {
        (Value::Object(old), Value::Object(new)) => fields(path, old, new),
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => old
            .iter()
            .zip(new)
            .enumerate()
            .find_map(|(index, (old, new))| difference(&format!("{path}/{index}"), old, new)),
        _ if expected == actual => None,
        _ => Some(format!(
            "{path}: {} became {}",
            short(expected),
            short(actual)
        )),
    }
}

fn fields(path: &str, old: &Map<String, Value>, new: &Map<String, Value>) -> Option<String> {
    let missing = old.iter().find(|(key, _)| !new.contains_key(*key));
    let added = new.iter().find(|(key, _)| !old.contains_key(*key));
    // An error instead of a result is one difference and not two: the new side tells more.
    if let Some((key, value)) = added {
        return Some(format!("{path}/{key}: nothing became {}", short(value)));
    }
    if let Some((key, value)) = missing {
        return Some(format!("{path}/{key}: {} became nothing", short(value)));
    }
    old.iter()
        .find_map(|(key, old)| difference(&format!("{path}/{key}"), old, new.get(key)?))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn json(text: &str) -> Value {
    parse(text).unwrap_or_else(|| panic!("no JSON: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(request: &str, response: &str) -> Case {
        Case {
            name: "a case".to_owned(),
            request: request.to_owned(),
            status: 200,
            response: response.to_owned(),
        }
    }

    fn answer(body: &str) -> Answer {
        Answer {
            status: 200,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn ids_are_mapped_from_the_first_answer_on() {
        let mut replay = Replay::new("/here");
        let made = case(
            r#"{"method":"Instance.Provision"}"#,
            r#"{"result":{"ID":"old-1"}}"#,
        );
        let verdict = replay.judge(&made, &answer(r#"{"result":{"ID":"new-9"}}"#));
        assert_eq!(verdict.difference, None);
        replay.adopt(verdict);
        let gone = case(
            r#"{"method":"Instance.Destroy","params":{"Instance":"old-1"}}"#,
            r#"{"error":{"message":"remove $DIR/A/files/old-1: no"}}"#,
        );
        assert!(replay.request(&gone).contains("new-9"));
        let same = answer(r#"{"error":{"message":"remove /here/files/new-9: no"}}"#);
        assert_eq!(replay.judge(&gone, &same).difference, None);
        let other = answer(r#"{"error":{"message":"remove /here/files/old-1: no"}}"#);
        assert!(replay.judge(&gone, &other).difference.is_some());
    }

    #[test]
    fn lists_are_compared_in_any_order_and_without_tokens() {
        let replay = Replay::new("/here");
        let recorded = case(
            r#"{"method":"Instance.DescribeInstances"}"#,
            r#"{"result":{"Descriptions":[{"ID":"o1","Tags":{"a":"1"}},{"ID":"o2","Tags":{"a":"2"}}]}}"#,
        );
        let swapped = answer(
            r#"{"result":{"Descriptions":[{"ID":"n2","Tags":{"a":"2","infrakit.token":"t"}},
                {"ID":"n1","Tags":{"a":"1","infrakit.token":"u"}}]}}"#,
        );
        let mut verdict = replay.judge(&recorded, &swapped);
        verdict.met.sort();
        assert_eq!(verdict.difference, None);
        let pairs = [("o1", "n1"), ("o2", "n2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(verdict.met, pairs);
        let fewer = answer(r#"{"result":{"Descriptions":[{"ID":"n2","Tags":{"a":"2"}}]}}"#);
        assert!(replay.judge(&recorded, &fewer).difference.is_some());
        let wrong = answer(
            r#"{"result":{"Descriptions":[{"ID":"n2","Tags":{"a":"2"}},{"ID":"n1","Tags":{"a":"3"}}]}}"#,
        );
        assert!(replay.judge(&recorded, &wrong).difference.is_some());
    }

    #[test]
    fn only_the_words_of_a_decoder_may_differ() {
        let replay = Replay::new("/here");
        let judge = |recorded: &str, ours: &str| {
            let body = |text: &str| format!(r#"{{"error":{{"code":-32000,"message":"{text}"}}}}"#);
            let case = case(r#"{"method":"Group.CommitGroup"}"#, &body(recorded));
            replay
                .judge(&case, &answer(&body(ours)))
                .difference
                .is_none()
        };
        assert!(judge(
            "Invalid properties: json: cannot x",
            "Invalid properties: expected a number"
        ));
        assert!(!judge(
            "Invalid properties: json: cannot x",
            "expected a number"
        ));
        assert!(!judge(
            "Invalid properties: json: cannot x",
            "Invalid properties: "
        ));
        assert!(!judge("Group ID must not be blank", "group id is blank"));
    }

    #[test]
    fn what_only_reads_may_be_repeated() {
        for (request, expected) in [
            (r#"{"method":"Group.DescribeGroup"}"#, true),
            (r#"{"method":"Group.SetSize"}"#, false),
            (
                r#"{"method":"Group.CommitGroup","params":{"Pretend":true}}"#,
                true,
            ),
            (
                r#"{"method":"Group.CommitGroup","params":{"Pretend":false}}"#,
                false,
            ),
        ] {
            assert_eq!(case(request, "").is_read_only(), expected, "{request}");
        }
    }
}
