//! JSON-RPC as the original's server understands it: requests in, answers out.

use std::borrow::Cow;

use infrakit_spi::{FieldKey, compact};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::call::{Fault, Reply};

/// Depth of nesting up to which a document is JSON, as in Go. Nothing here descends into
/// parameters, but who receives them may.
const DEEPEST: usize = 10_000;

const FIELDS: &[&str] = &["jsonrpc", "method", "params", "id"];

/// A request, its members still raw. `null` and absent are the same.
#[derive(Debug, Default)]
pub(crate) struct Request<'a> {
    members: [Option<&'a RawValue>; 4],
}

impl<'de> Deserialize<'de> for Request<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Request<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON-RPC request")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Request<'de>, A::Error> {
                let mut request = Request::default();
                while let Some(field) = map.next_key_seed(FieldKey(FIELDS))? {
                    match field.and_then(|field| request.members.get_mut(field)) {
                        Some(member) => *member = map.next_value()?,
                        None => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(request)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A member of the envelope that has another type than it must have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrongType(&'static str);

impl<'a> Request<'a> {
    /// Reads the request at the begin of `body`; what follows it is not looked at.
    ///
    /// Returns nothing for what is no request: broken or too deep JSON, a batch.
    pub(crate) fn read(body: &'a [u8]) -> Option<Self> {
        if is_deeper(body, DEEPEST) {
            return None;
        }
        Self::deserialize(&mut serde_json::Deserializer::from_slice(body)).ok()
    }

    /// Returns the id as it was written; without one the caller wants no answer.
    pub(crate) fn id(&self) -> Option<&'a str> {
        self.members[3].map(RawValue::get)
    }

    fn text(&self, member: usize) -> Result<String, WrongType> {
        let Some(raw) = self.members.get(member).copied().flatten() else {
            return Ok(String::new());
        };
        serde_json::from_str(raw.get()).map_err(|_| WrongType(FIELDS[member]))
    }

    /// Returns the method and the parameters.
    ///
    /// # Errors
    /// Returns the answer to an envelope that is not right.
    pub(crate) fn method(&self) -> Result<(String, &'a str), Vec<u8>> {
        let (version, method) = match (self.text(0), self.text(1)) {
            (Ok(version), Ok(method)) => (version, method),
            (Err(wrong), _) | (_, Err(wrong)) => {
                let text = format!("json: member `{}` of the request must be a string", wrong.0);
                return Err(failure(-32700, &text, Some(&self.echo())));
            }
        };
        if version != "2.0" {
            return Err(failure(-32600, "jsonrpc must be 2.0", Some(&self.echo())));
        }
        Ok((method, self.params()))
    }

    fn params(&self) -> &'a str {
        self.members[2].map_or("null", RawValue::get)
    }

    /// Completes an answer with the id of this request.
    pub(crate) fn finish(&self, reply: Reply, method: &str) -> Vec<u8> {
        let mut answer = match reply {
            Ok(begin) => begin,
            Err(Fault::NoService) => {
                failure(-32000, &format!("rpc: can't find service {method:?}"), None)
            }
            Err(Fault::NoMethod) => {
                failure(-32000, &format!("rpc: can't find method {method:?}"), None)
            }
            Err(Fault::IllFormed) => failure(
                -32000,
                &format!("rpc: service/method request ill-formed: {method:?}"),
                None,
            ),
            Err(Fault::Failed(error)) => {
                // Only where a plugin gives a class: the original has `null` here.
                let data = error
                    .given_class()
                    .map(|class| format!(r#"{{"class":"{class}"}}"#));
                failure(-32000, error.message(), data.as_deref())
            }
            Err(Fault::Params(reason)) => {
                let text = format!("{method}: cannot read params: {reason}");
                failure(-32600, &text, Some(self.params()))
            }
            Err(Fault::Envelope(answer)) => answer,
        };
        answer.extend_from_slice(b",\"id\":");
        answer.extend_from_slice(self.id().unwrap_or("null").as_bytes());
        answer.push(b'}');
        let mut answer = match compact(&answer) {
            Cow::Borrowed(_) => answer,
            Cow::Owned(changed) => changed,
        };
        answer.push(b'\n');
        answer
    }

    /// Writes the request as far as it could be read.
    fn echo(&self) -> String {
        let text = |member| {
            let text = self.text(member).unwrap_or_default();
            serde_json::to_string(&text).unwrap_or_default()
        };
        let raw = |member: usize| self.members[member].map_or("null", RawValue::get);
        format!(
            r#"{{"jsonrpc":{},"method":{},"params":{},"id":{}}}"#,
            text(0),
            text(1),
            raw(2),
            raw(3)
        )
    }
}

fn failure(code: i32, message: &str, data: Option<&str>) -> Vec<u8> {
    let message = serde_json::to_string(message).unwrap_or_default();
    let data = data.unwrap_or("null");
    format!(r#"{{"jsonrpc":"2.0","error":{{"code":{code},"message":{message},"data":{data}}}"#)
        .into_bytes()
}

/// Returns whether arrays and objects are nested deeper than `limit`, without recursion.
fn is_deeper(json: &[u8], limit: usize) -> bool {
    if json.len() <= limit {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_match_without_case_and_ids_stay_as_written() {
        let body = br#"{"JSONRPC":"2.0","METHOD":"A.B","params":[{"a": 1},2],"id":7541032988423123456,"x":1} rest"#;
        let request = Request::read(body).unwrap();
        assert_eq!(request.id(), Some("7541032988423123456"));
        assert_eq!(
            request.method().unwrap(),
            ("A.B".to_owned(), r#"[{"a": 1},2]"#)
        );
        let answer = request.finish(Ok(br#"{"jsonrpc":"2.0","result":{}"#.to_vec()), "A.B");
        let want = "{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":7541032988423123456}\n";
        assert_eq!(String::from_utf8(answer).unwrap(), want);
    }

    #[test]
    fn what_is_no_request_is_not_answered() {
        let deep = format!(
            r#"{{"params":{}1{},"id":1}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        for body in [
            "",
            "[1]",
            "{",
            "nope",
            r#"{"id":5,"params":{}]"#,
            deep.as_str(),
        ] {
            assert!(Request::read(body.as_bytes()).is_none(), "{body:.40}");
        }
    }

    #[test]
    fn depth_counts_nesting_only() {
        let wide = "[]".repeat(10_000);
        assert!(!is_deeper(wide.as_bytes(), 1));
        assert!(is_deeper(b"[[1]]", 1));
        assert!(!is_deeper(br#"["[[\"[["]"#, 1));
    }
}
