//! Recorded exchanges of the original, and how an answer of ours is compared with one.
//!
//! Every liberty that a comparison takes is taken here and in `compare.rs`, and described for
//! readers in captures/deviations.md. Here: ids are mapped to ours, the recording's folder to our
//! home, and lists of instances are compared in any order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::compare::{cut, difference, normalise, soften};
use crate::program;
use crate::rpc::Answer;

/// The folder in which the recording was made.
const RECORDED_FOLDER: &str = "$DIR/A";
/// Where instances are listed in an answer. The original's order is that of a hash map.
const LISTS: [&str; 2] = ["/result/Descriptions", "/result/Description/Instances"];

/// One recorded exchange.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, unique in its file.
    pub name: String,
    /// The line and the headers that were sent, without the length of the body.
    pub head: String,
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
        let Some(request) = parse(&self.request) else {
            return true;
        };
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
        head: head(&line["request"]),
        request: text("/request/raw"),
        status: status.try_into().unwrap_or_default(),
        response: text("/response/raw"),
    }
}

fn head(request: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut head = format!(
        "{} {} HTTP/1.1\r\n",
        text(&request["method"]),
        text(&request["path"])
    );
    for header in request["headers"].as_array().into_iter().flatten() {
        let (name, value) = (text(&header[0]), text(&header[1]));
        if name != "Content-Length" {
            head += &format!("{name}: {value}\r\n");
        }
    }
    head
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
    /// The first difference outside the place in which the case may differ.
    pub elsewhere: Option<String>,
    /// Whether the words of a decoder differ; that is no difference.
    pub softened: bool,
    met: Vec<(String, String)>,
}

impl Verdict {
    /// The verdict when no answer came.
    pub fn unanswered(socket: &str) -> Self {
        let difference = format!("`{socket}` does not answer");
        Self {
            difference: Some(difference.clone()),
            elsewhere: Some(difference),
            softened: false,
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

    /// The bytes to send for a case: the recorded ones, with our ids and folder in them.
    pub fn request(&self, case: &Case) -> Vec<u8> {
        let body = self.translate(&case.request);
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        format!("{}{length}\r\n{body}", case.head).into_bytes()
    }

    /// Compares an answer with the recorded one, and what is left of both without `place`.
    pub fn judge(&self, case: &Case, answer: &Answer, place: Option<&str>) -> Verdict {
        let recorded = self.translate(&case.response);
        let body = String::from_utf8_lossy(&answer.body);
        let mut met = Vec::new();
        let mut softened = false;
        let (mut expected, mut actual) = match (parse(&recorded), parse(&body)) {
            (Some(mut expected), Some(mut actual)) => {
                normalise(&mut expected);
                normalise(&mut actual);
                self.meet_provisioned(case, &mut expected, &actual, &mut met);
                for list in LISTS {
                    self.align(
                        expected.pointer_mut(list),
                        actual.pointer_mut(list),
                        &mut met,
                    );
                }
                softened = soften(&mut expected, &actual);
                (expected, actual)
            }
            // An empty body, or one that is no JSON: compared as text.
            _ => (Value::from(recorded.trim()), Value::from(body.trim())),
        };
        let status = (case.status != answer.status)
            .then(|| format!("status {} became {}", case.status, answer.status));
        let differs = status
            .clone()
            .or_else(|| difference("", &expected, &actual));
        if let Some(place) = place {
            cut(&mut expected, place);
            cut(&mut actual, place);
        }
        Verdict {
            difference: differs,
            elsewhere: status.or_else(|| difference("", &expected, &actual)),
            softened,
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
        if parse(&case.request).is_none_or(|sent| sent["method"] != "Instance.Provision") {
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
            head: "POST / HTTP/1.1\r\n".to_owned(),
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
        let verdict = replay.judge(&made, &answer(r#"{"result":{"ID":"new-9"}}"#), None);
        assert_eq!(verdict.difference, None);
        replay.adopt(verdict);
        let gone = case(
            r#"{"method":"Instance.Destroy","params":{"Instance":"old-1"}}"#,
            r#"{"error":{"message":"remove $DIR/A/files/old-1: no"}}"#,
        );
        let sent = String::from_utf8(replay.request(&gone)).unwrap();
        let body = gone.request.replace("old-1", "new-9");
        let length = body.len();
        assert_eq!(
            sent,
            format!("POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}")
        );
        let same = answer(r#"{"error":{"message":"remove /here/files/new-9: no"}}"#);
        assert_eq!(replay.judge(&gone, &same, None).difference, None);
        let other = answer(r#"{"error":{"message":"remove /here/files/old-1: no"}}"#);
        assert!(replay.judge(&gone, &other, None).difference.is_some());
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
        let mut verdict = replay.judge(&recorded, &swapped, None);
        verdict.met.sort();
        assert_eq!(verdict.difference, None);
        let pairs = [("o1", "n1"), ("o2", "n2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(verdict.met, pairs);
        let fewer = answer(r#"{"result":{"Descriptions":[{"ID":"n2","Tags":{"a":"2"}}]}}"#);
        assert!(replay.judge(&recorded, &fewer, None).difference.is_some());
        let wrong = answer(
            r#"{"result":{"Descriptions":[{"ID":"n2","Tags":{"a":"2"}},{"ID":"n1","Tags":{"a":"3"}}]}}"#,
        );
        assert!(replay.judge(&recorded, &wrong, None).difference.is_some());
    }

    #[test]
    fn only_the_words_of_a_decoder_may_differ() {
        let replay = Replay::new("/here");
        let judge = |recorded: &str, ours: &str| {
            let body = |text: &str| format!(r#"{{"error":{{"code":-32000,"message":"{text}"}}}}"#);
            let case = case(r#"{"method":"Group.CommitGroup"}"#, &body(recorded));
            replay
                .judge(&case, &answer(&body(ours)), None)
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
