//! Requests as they are written.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request};
use infrakit_spi::{Error, Result, compact};
use serde::Serialize;

use crate::discovery::Address;

const AGENT: HeaderValue = HeaderValue::from_static("infrakit");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Returns the URL that the original shows in its messages.
pub(crate) fn url(address: &Address) -> String {
    match address {
        Address::Unix(_) => "http://h".to_owned(),
        Address::Tcp(authority) => format!("http://{authority}"),
        Address::Http { authority, path } => format!("http://{authority}{path}"),
    }
}

/// Returns the next request id: a random start, so that two processes hardly ever share one, and
/// one more each time. It stays below 2^63, which is what Go holds in an integer.
fn next_id() -> u64 {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
        // The standard library seeds each map's hasher at random.
        use std::hash::{BuildHasher as _, RandomState};
        AtomicU64::new(RandomState::new().hash_one(std::process::id()) >> 2)
    });
    NEXT.fetch_add(1, Ordering::Relaxed) & (u64::MAX >> 1)
}

/// Writes the JSON-RPC envelope of a call and returns it with the id in it.
pub(crate) fn body<P: Serialize>(method: &str, params: &P) -> Result<(Bytes, u64)> {
    #[derive(Serialize)]
    struct Envelope<'a, P> {
        jsonrpc: &'static str,
        method: &'a str,
        params: &'a P,
        id: u64,
    }
    let id = next_id();
    let envelope = Envelope {
        jsonrpc: "2.0",
        method,
        params,
        id,
    };
    let body = serde_json::to_vec(&envelope)
        .map_err(|error| Error::not_delivered(format!("{method}: cannot write params: {error}")))?;
    let changed = match compact(&body) {
        Cow::Borrowed(_) => None,
        Cow::Owned(changed) => Some(changed),
    };
    Ok((changed.unwrap_or(body).into(), id))
}

/// Makes the request of a call.
pub(crate) fn post(address: &Address, body: Bytes) -> Result<Request<Bytes>> {
    let path = match address {
        Address::Unix(_) | Address::Tcp(_) => "/",
        Address::Http { path, .. } => path,
    };
    let mut request = start(address, Method::POST, path, "h")?;
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    *request.body_mut() = body;
    Ok(request)
}

/// Makes the request of a document.
pub(crate) fn get(address: &Address, path: &str) -> Result<Request<Bytes>> {
    start(address, Method::GET, &below(address, path), "h")
}

/// Makes the request of a subscription.
pub(crate) fn events(address: &Address, topic: &str) -> Result<Request<Bytes>> {
    let path = format!("/events?topic={}", escape(topic));
    let mut request = start(address, Method::GET, &below(address, &path), "e")?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(request)
}

fn below<'a>(address: &Address, path: &'a str) -> Cow<'a, str> {
    match address {
        Address::Unix(_) | Address::Tcp(_) => path.into(),
        Address::Http { path: prefix, .. } => {
            format!("{}{path}", prefix.trim_end_matches('/')).into()
        }
    }
}

fn start(address: &Address, method: Method, path: &str, host: &str) -> Result<Request<Bytes>> {
    let invalid = |_| Error::not_delivered(format!("invalid address {address}"));
    let host = match address {
        Address::Unix(_) => host,
        Address::Tcp(authority) | Address::Http { authority, .. } => authority,
    };
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().map_err(|_| invalid(()))?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| invalid(()))?);
    headers.insert(USER_AGENT, AGENT);
    Ok(request)
}

/// Escapes a text for the query of a URL.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            for digit in [byte >> 4, byte & 15] {
                escaped.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_compact_and_escaped_as_go_does() {
        let raw = infrakit_spi::Any::parse("{ \"a\" : \"<\" }").unwrap();
        let (body, id) = body("A.B", &raw).unwrap();
        let want =
            format!(r#"{{"jsonrpc":"2.0","method":"A.B","params":{{"a":"\u003c"}},"id":{id}}}"#);
        assert_eq!(body, want.as_bytes());
        assert!(id < 1 << 63);
    }

    #[test]
    fn ids_differ() {
        assert_ne!(next_id(), next_id());
    }

    #[test]
    fn paths_go_below_the_prefix_of_the_address() {
        let address: Address = "http://h:1/p/".parse().unwrap();
        let path = |request: Result<Request<Bytes>>| request.unwrap().uri().to_string();
        assert_eq!(path(post(&address, Bytes::new())), "/p/");
        assert_eq!(path(get(&address, "/info/api.json")), "/p/info/api.json");
        assert_eq!(
            path(events(&address, "a/b é")),
            "/p/events?topic=a%2Fb%20%C3%A9"
        );
    }
}
