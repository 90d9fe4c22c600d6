//! The paths of a plugin's endpoint.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt as _;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST, LOCATION,
};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use infrakit_spi::event::Event;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, timeout_at};

use super::closing::closed;
use super::patience::{PATIENCE, PORTION};
use super::plugin::Plugin;
use crate::{info, kind, sse};

/// Largest request, in bytes.
const LARGEST: usize = 64 << 20;

/// Time after which a silent stream of events sends a comment, to see whether anybody listens.
const HEARTBEAT: Duration = Duration::from_secs(15);

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The body of an answer.
pub(crate) enum Body {
    /// All of it, until it is taken.
    Whole(Option<Bytes>),
    /// Events as they come.
    Events(Box<EventBody>),
}

/// A stream of events with its heartbeat.
pub(crate) struct EventBody {
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
    beat: Pin<Box<Sleep>>,
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events(body) => body
                .poll_next(cx)
                .map(|next| next.map(|b| Ok(Frame::data(b)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Events(_) => SizeHint::default(),
        }
    }
}

impl EventBody {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let next = match self.events.as_mut().poll_next(cx) {
            Poll::Ready(event) => event.map(|event| sse::write(&event)),
            Poll::Pending if self.beat.as_mut().poll(cx).is_ready() => {
                Some(Bytes::from_static(b":\n\n"))
            }
            Poll::Pending => return Poll::Pending,
        };
        self.beat.as_mut().reset(Instant::now() + HEARTBEAT);
        Poll::Ready(next)
    }
}

/// Answers one request.
pub(crate) async fn respond(
    plugin: Arc<Plugin>,
    closing: watch::Receiver<bool>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
        let text = "400 Bad Request: missing required Host header";
        let mut response = plain(StatusCode::BAD_REQUEST, text);
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
        return Ok(response);
    }
    Ok(match request.uri().path() {
        "/" => call(&plugin, request).await,
        "/info/api.json" => plain(StatusCode::OK, info::describe(&plugin)),
        "/info/functions.json" => {
            let functions = plugin.functions.clone().unwrap_or_else(|| "{}".to_owned());
            plain(StatusCode::OK, functions)
        }
        "/events" => events(&plugin, closing, request.uri().query()),
        path => match cleaned(path) {
            Some(clean) => {
                let mut response = Response::new(Body::Whole(None));
                *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
                if let Ok(location) = HeaderValue::from_str(&clean) {
                    response.headers_mut().insert(LOCATION, location);
                }
                response
            }
            None => {
                let mut response = plain(StatusCode::NOT_FOUND, "404 page not found\n");
                let name = HeaderName::from_static("x-content-type-options");
                response
                    .headers_mut()
                    .insert(name, HeaderValue::from_static("nosniff"));
                response
            }
        },
    })
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::Whole(Some(text.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

/// Answers a JSON-RPC call. Failures of the call are successes of HTTP.
async fn call(plugin: &Plugin, request: Request<Incoming>) -> Response<Body> {
    if request.method() != Method::POST {
        let text = format!("rpc: POST method required, received {}", request.method());
        return plain(StatusCode::METHOD_NOT_ALLOWED, text);
    }
    if let Some(kind) = request.headers().get(CONTENT_TYPE) {
        let kind = String::from_utf8_lossy(kind.as_bytes());
        let kind = kind.split(';').next().unwrap_or_default();
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("application/json") {
            let text = format!("rpc: unrecognized Content-Type: {kind}");
            return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text);
        }
    }
    let body = match collect(request.into_body()).await {
        Ok(body) => body,
        Err(status) => {
            let text = match status {
                StatusCode::PAYLOAD_TOO_LARGE => "rpc: request is larger than 64 MiB",
                StatusCode::REQUEST_TIMEOUT => "rpc: request came too slowly",
                _ => "rpc: request is broken",
            };
            let mut response = plain(status, text);
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
    };
    match plugin.answer(&body).await {
        Some(answer) => plain(StatusCode::OK, answer),
        None => Response::new(Body::Whole(None)),
    }
}

/// Collects the body of a request, within size and time.
async fn collect(mut body: Incoming) -> Result<Vec<u8>, StatusCode> {
    let length = body.size_hint().exact();
    if length.is_some_and(|length| length > LARGEST as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    // A peer can promise any length; room is made as bytes arrive.
    let room = length.map_or(0, |length| {
        usize::try_from(length).unwrap_or(0).min(PORTION)
    });
    let mut collected = Vec::with_capacity(room);
    let (mut portion, mut until) = (PORTION, Instant::now() + PATIENCE);
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let frame = timeout_at(until, frame)
            .await
            .map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
        let Some(frame) = frame else {
            return Ok(collected);
        };
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if collected.len() + data.len() > LARGEST {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        collected.extend_from_slice(&data);
        if collected.len() >= portion {
            portion = collected.len() + PORTION;
            until = Instant::now() + PATIENCE;
        }
    }
}

/// Answers a subscription. The head is sent at once, so that the subscriber knows since when it
/// misses nothing.
fn events(plugin: &Plugin, closing: watch::Receiver<bool>, query: Option<&str>) -> Response<Body> {
    let topic = kind::events::topic(query.unwrap_or_default());
    let events = kind::events::subscribe(plugin.told().as_deref(), &topic);
    let closed = async move {
        let mut closing = closing;
        closed(&mut closing).await;
    };
    let body = EventBody {
        events: Box::pin(events.take_until(Box::pin(closed))),
        beat: Box::pin(tokio::time::sleep(HEARTBEAT)),
    };
    let mut response = Response::new(Body::Events(Box::new(body)));
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (CACHE_CONTROL, "no-cache"),
        (CONNECTION, "keep-alive"),
        (CONTENT_TYPE, "text/event-stream"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Returns the path without empty, `.` and `..` elements, if it has any.
fn cleaned(path: &str) -> Option<String> {
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." => {
                elements.pop();
            }
            element => elements.push(element),
        }
    }
    let mut clean = format!("/{}", elements.join("/"));
    if path.ends_with('/') && clean.len() > 1 {
        clean.push('/');
    }
    (clean != path).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, want) in [
            ("//", Some("/")),
            ("/a//b", Some("/a/b")),
            ("/a/../b/", Some("/b/")),
            ("/a/b/", None),
            ("/nope", None),
        ] {
            assert_eq!(cleaned(path).as_deref(), want, "{path}");
        }
    }
}
