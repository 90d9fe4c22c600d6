//! Reading an answer: the result, the plugin's error, or what else came.

use std::time::Duration;

use http::StatusCode;
use infrakit_spi::behaviour::Seconds;
use infrakit_spi::{Any, Error, FailureClass, FieldKey, Result};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A whole answer, not yet decoded.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    /// For how long the server wants not to be asked.
    retry_after: Option<Duration>,
    /// Id of the request, where it was a call.
    id: Option<u64>,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: Vec<u8>, id: Option<u64>) -> Self {
        let retry_after = None;
        Self {
            status,
            body,
            retry_after,
            id,
        }
    }

    /// Sets for how long the server wants not to be asked.
    pub(crate) fn asking_for(self, retry_after: Option<Duration>) -> Self {
        Self {
            retry_after,
            ..self
        }
    }

    /// Returns for how long the server wants not to be asked, if the answer is that it is asked too
    /// often. Where it does not say for how long it is a second: most count by that.
    fn throttles(&self) -> Option<Duration> {
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => Some(self.retry_after.unwrap_or(SECOND)),
            StatusCode::SERVICE_UNAVAILABLE => self.retry_after,
            _ => None,
        }
    }

    /// Decodes the result of a call of `method`.
    ///
    /// A result came with a success, so one of a shape that cannot be read leaves open what the
    /// plugin did.
    pub(crate) fn decode<R: DeserializeOwned>(&self, method: &str) -> Result<R> {
        if let Some(result) = self.presumed()
            && let Ok(result) = serde_json::from_slice(result)
        {
            return Ok(result);
        }
        serde_json::from_str(self.result(method)?.get())
            .map_err(|error| Error::unusable(format!("{method}: unexpected result: {error}")))
    }

    /// Returns the bytes between an envelope as both implementations write it, without a look at
    /// what they are. Equal bytes hold equal results.
    pub(crate) fn presumed(&self) -> Option<&[u8]> {
        let body = self.body.strip_suffix(b"\n").unwrap_or(&self.body);
        let end = format!(",\"id\":{}}}", self.id?);
        let result = body
            .strip_prefix(br#"{"jsonrpc":"2.0","result":"#)?
            .strip_suffix(end.as_bytes())?;
        (result != b"null").then_some(result)
    }

    /// Finds the result as any envelope has it.
    fn result(&self, method: &str) -> Result<&RawValue> {
        let mut decoder = serde_json::Deserializer::from_slice(&self.body);
        // As in Go, what follows the envelope is not looked at, nor is the status.
        let envelope = match Envelope::deserialize(&mut decoder) {
            Ok(envelope) => envelope,
            Err(error) => return Err(self.unreadable(method, &error)),
        };
        match (envelope.error, envelope.result) {
            (Some(error), _) => Err(match (refusal(error), self.throttles()) {
                (error, Some(pause)) if error.retry_after().is_none() => {
                    error.with_retry_after(pause)
                }
                (error, _) => error,
            }),
            (None, Some(result)) => Ok(result),
            (None, None) => Err(Error::unusable("result is null")),
        }
    }

    fn unreadable(&self, method: &str, error: &serde_json::Error) -> Error {
        let status = self.status;
        if status.is_client_error() || status.is_server_error() {
            let text = String::from_utf8_lossy(&self.body);
            let line: String = text
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect();
            let text = format!("{method}: http status {status}: {line}");
            // The server in front refused the request itself; no method ran.
            return if let Some(pause) = self.throttles() {
                Error::refused(text).with_retry_after(pause)
            } else if status.is_client_error() {
                Error::refused(text)
            } else {
                Error::unusable(text)
            };
        }
        let first = self
            .body
            .iter()
            .copied()
            .find(|byte| !byte.is_ascii_whitespace());
        Error::unusable(match first {
            None => "EOF".to_owned(),
            Some(byte) if !b"{[\"-0123456789tfn".contains(&byte) => {
                let shown = char::from(byte).escape_debug();
                format!("invalid character '{shown}' looking for beginning of value")
            }
            Some(_) if error.is_eof() => "unexpected EOF".to_owned(),
            Some(_) => format!("{method}: answer is not JSON-RPC: {error}"),
        })
    }

    /// Returns the answer as the text of a document.
    pub(crate) fn document(self, wanted: &str) -> Result<String> {
        let status = self.status;
        if !status.is_success() {
            return Err(Error::refused(format!("{wanted}: http status {status}")));
        }
        String::from_utf8(self.body)
            .map_err(|_| Error::unusable(format!("{wanted}: answer is not text")))
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// How servers say that they do not have a method; the texts are those of the original.
const ABSENT: [&str; 2] = ["rpc: can't find service ", "rpc: can't find method "];

/// Code of JSON-RPC for the same. The original never uses it, plugins of others may.
const NO_METHOD: &str = "-32601";

infrakit_spi::wire_struct! {
    struct ErrorObject {
        message: Option<String> => "message",
        code: Option<Any> => "code",
        data: Option<Any> => "data",
    }
}

infrakit_spi::wire_struct! {
    /// What a plugin may add to an error.
    struct ErrorData {
        class: String => "class",
        /// Seconds for which the plugin wants not to be called.
        retry_after: Option<Seconds> => "retry_after_s" omit,
    }
}

/// Reads an error object; anything else is its own message.
fn refusal(error: &RawValue) -> Error {
    let object: ErrorObject = serde_json::from_str(error.get()).unwrap_or_default();
    let message = object.message.unwrap_or_else(|| error.get().to_owned());
    let unknown = object.code.is_some_and(|code| code.as_str() == NO_METHOD);
    if unknown || ABSENT.iter().any(|text| message.starts_with(text)) {
        return Error::absent(message);
    }
    let data: Option<ErrorData> = object.data.and_then(|data| data.decode().ok());
    let class = data.as_ref();
    let class = class.and_then(|data| FailureClass::from_word(&data.class));
    let error = Error::refused(message);
    let error = match data.and_then(|data| data.retry_after) {
        Some(pause) => error.with_retry_after(pause.duration()),
        None => error,
    };
    match class {
        Some(class) => error.with_class(class),
        None => error,
    }
}

/// The envelope, with its parts where they are.
#[derive(Default)]
struct Envelope<'a> {
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON-RPC answer")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Envelope<'de>, A::Error> {
                let mut envelope = Envelope::default();
                while let Some(field) = map.next_key_seed(FieldKey(&["result", "error"]))? {
                    match field {
                        Some(0) => envelope.result = map.next_value()?,
                        Some(_) => envelope.error = map.next_value()?,
                        None => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(envelope)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use infrakit_spi::Delivery;
    use serde_json::{Value, json};

    use super::*;

    fn decode(status: u16, body: &str) -> Result<Value> {
        let status = StatusCode::from_u16(status).unwrap();
        Answer::new(status, body.as_bytes().to_vec(), Some(7)).decode("A.B")
    }

    #[test]
    fn takes_the_result_whatever_surrounds_it() {
        for body in [
            r#"{"jsonrpc":"2.0","result":{"a":1},"id":7}"#,
            "{\"jsonrpc\":\"2.0\",\"result\":{\"a\":1},\"id\":7}\n",
            r#"{"jsonrpc":"2.0","result":{"a":1},"id":8}"#,
            r#"{"Result": {"a":1}, "error": null} trailing"#,
            r#"{"jsonrpc":"2.0","result":{"a":1},"error":null,"id":7}"#,
        ] {
            assert_eq!(decode(200, body).unwrap(), json!({"a":1}), "{body}");
            assert_eq!(decode(500, body).unwrap(), json!({"a":1}), "{body}");
        }
    }

    #[test]
    fn failures_say_whether_there_was_an_effect() {
        use Delivery::{Refused, Unknown};
        for (status, body, delivery, text) in [
            (
                200,
                r#"{"error":{"code":1,"message":"no"},"result":1}"#,
                Refused,
                "no",
            ),
            (
                200,
                r#"{"jsonrpc":"2.0","result":1,"error":{"message":"no"},"id":7}"#,
                Refused,
                "no",
            ),
            (200, r#"{"error":"text"}"#, Refused, "\"text\""),
            (200, r#"{"error":{"code":1}}"#, Refused, "{\"code\":1}"),
            (200, r#"{"result":null}"#, Unknown, "result is null"),
            (
                200,
                r#"{"jsonrpc":"2.0","result":null,"id":7}"#,
                Unknown,
                "result is null",
            ),
            (200, "{}", Unknown, "result is null"),
            (200, "", Unknown, "EOF"),
            (
                200,
                "xyz",
                Unknown,
                "invalid character 'x' looking for beginning of value",
            ),
            (200, r#"{"result":"#, Unknown, "unexpected EOF"),
            (
                413,
                "too large\n",
                Refused,
                "A.B: http status 413 Payload Too Large: too large",
            ),
            (502, "", Unknown, "A.B: http status 502 Bad Gateway: "),
        ] {
            let error = decode(status, body).unwrap_err();
            assert_eq!(
                (error.delivery(), error.message()),
                (delivery, text),
                "{body}"
            );
        }
    }

    #[test]
    fn a_result_of_another_shape_leaves_the_outcome_open() {
        let answer = Answer::new(StatusCode::OK, br#"{"result":"text"}"#.to_vec(), Some(7));
        let error = answer.decode::<u64>("A.B").unwrap_err();
        assert_eq!(error.delivery(), Delivery::Unknown);
        assert!(error.is_unusable());
        assert!(
            error
                .message()
                .starts_with("A.B: unexpected result: invalid type"),
            "{error}"
        );
    }

    #[test]
    fn deep_answers_do_not_overflow_the_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for body in [
            deep.clone(),
            format!(r#"{{"result":{deep}}}"#),
            "{\"a\":".repeat(100_000),
        ] {
            assert_eq!(
                decode(200, &body).unwrap_err().delivery(),
                Delivery::Unknown
            );
        }
        let answer = format!(r#"{{"result":{{"Value":{deep}}}}}"#);
        let answer = Answer::new(StatusCode::OK, answer.into_bytes(), Some(7));
        let read: infrakit_spi::metadata::wire::GetResponse = answer.decode("A.B").unwrap();
        assert!(read.value.unwrap().to_value().is_err());
    }
}
