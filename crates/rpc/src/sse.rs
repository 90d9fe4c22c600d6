//! Events as a stream of `data:` lines, both directions.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt as _;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use infrakit_spi::event::Event;
use infrakit_spi::{Error, Result, compact};

use crate::client::connection::Connection;

/// The longest line that is read. An event is a remark, not a document.
const LONGEST: usize = 1 << 20;

/// The zero time, which stands in `Received` until somebody receives.
const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// Events of a plugin. The stream ends with the connection; what ended it comes as last item.
pub struct Subscription {
    events: Pin<Box<dyn Stream<Item = Result<Event>> + Send>>,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subscription")
    }
}

impl Stream for Subscription {
    type Item = Result<Event>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().events.as_mut().poll_next(cx)
    }
}

/// What a subscription does next.
enum Step {
    Ask(Connection, Box<Request<Bytes>>),
    Read(Connection, Incoming, Vec<u8>),
    End,
}

/// The events that came with a step, and the step behind it.
type Next = Option<(Vec<Result<Event>>, Step)>;

impl Subscription {
    pub(crate) fn new(connection: Connection, request: Request<Bytes>) -> Self {
        let first = Step::Ask(connection, Box::new(request));
        let batches = futures_util::stream::unfold(first, |step| Box::pin(next(step)));
        Self {
            events: Box::pin(batches.flat_map(futures_util::stream::iter)),
        }
    }
}

async fn next(step: Step) -> Next {
    match step {
        Step::Ask(connection, request) => ask(connection, *request).await,
        Step::Read(connection, body, rest) => read(connection, body, rest).await,
        Step::End => None,
    }
}

async fn ask(mut connection: Connection, request: Request<Bytes>) -> Next {
    match connection.send(request).await {
        Err(broken) => end(broken.into_error(LONGEST)),
        Ok(response) if response.status() == StatusCode::OK => Some((
            Vec::new(),
            Step::Read(connection, response.into_body(), Vec::new()),
        )),
        Ok(response) => end(Error::refused(format!(
            "http-status:{}",
            response.status().as_u16()
        ))),
    }
}

async fn read(mut connection: Connection, mut body: Incoming, mut rest: Vec<u8>) -> Next {
    match connection.data(&mut body).await {
        Err(broken) => end(broken.into_error(LONGEST)),
        Ok(None) => None,
        Ok(Some(data)) => {
            let events = lines(&mut rest, &data);
            if rest.len() > LONGEST {
                return end(Error::unknown("event is longer than 1 MiB"));
            }
            Some((events, Step::Read(connection, body, rest)))
        }
    }
}

fn end(error: Error) -> Next {
    Some((vec![Err(error)], Step::End))
}

/// Appends `data` to what is left of the last line and takes the events of all whole lines.
fn lines(rest: &mut Vec<u8>, data: &[u8]) -> Vec<Result<Event>> {
    let mut events = Vec::new();
    for part in data.split_inclusive(|byte| *byte == b'\n') {
        rest.extend_from_slice(part);
        if part.ends_with(b"\n") {
            events.extend(decode(rest));
            rest.clear();
        }
    }
    events
}

fn decode(line: &[u8]) -> Option<Result<Event>> {
    let text = line.strip_prefix(b"data:")?;
    let event = serde_json::from_slice::<Event>(text).map(|mut event| {
        event.received = now();
        event
    });
    Some(event.map_err(|error| Error::unknown(format!("unexpected event: {error}"))))
}

/// Writes an event as the original does: one line, a space behind each colon.
pub(crate) fn write(event: &Event) -> Bytes {
    let mut event = event.clone();
    if event.received.is_empty() {
        ZERO_TIME.clone_into(&mut event.received);
    }
    // The strings of an event and its raw data always serialise.
    let json = serde_json::to_vec(&event).unwrap_or_default();
    let mut line = Vec::with_capacity(json.len() + 32);
    line.extend_from_slice(b"data: ");
    let (mut in_string, mut escaped) = (false, false);
    for &byte in compact(&json).iter() {
        line.push(byte);
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => line.push(b' '),
            _ => {}
        }
    }
    line.extend_from_slice(b"\n\n");
    line.into()
}

/// Returns whether a subscription to `topic` takes an event.
///
/// A topic that ends in `/` takes all below it, another one exactly itself, the empty one and
/// `.` everything. A leading `/` does not count.
#[must_use]
pub fn selects(topic: &str, event: &str) -> bool {
    let topic = if topic == "." {
        ""
    } else {
        topic.strip_prefix('/').unwrap_or(topic)
    };
    let event = event.strip_prefix('/').unwrap_or(event);
    if topic.is_empty() || topic.ends_with('/') {
        event.starts_with(topic)
    } else {
        event == topic
    }
}

/// Returns the time as RFC 3339 with nanoseconds, in UTC.
pub(crate) fn now() -> String {
    timestamp(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

/// Days to a civil date by counting years from March, so that the leap day comes last.
fn timestamp(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (year + era * 400, month + 3)
    } else {
        (year + era * 400 + 1, month - 9)
    };
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let nanos = since_epoch.subsec_nanos();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_events_as_the_original_does() {
        let event = Event {
            topic: "streams/msec/100".to_owned(),
            kind: "time".to_owned(),
            id: "100ms".to_owned(),
            timestamp: "2026-11-21T00:16:31.092744808Z".to_owned(),
            data: Some(infrakit_spi::Any::parse("100000000").unwrap()),
            ..Event::default()
        };
        let want = concat!(
            r#"data: {"Topic": "streams/msec/100","Type": "time","ID": "100ms","Message": "","#,
            r#""Timestamp": "2026-11-21T00:16:31.092744808Z","#,
            r#""Received": "0001-01-01T00:00:00Z","Data": 100000000}"#,
            "\n\n"
        );
        assert_eq!(write(&event), want.as_bytes());
        let mut rest = Vec::new();
        let mut events = Vec::new();
        for part in want.as_bytes().chunks(7) {
            events.extend(lines(&mut rest, part));
        }
        let [Ok(read)] = events.as_slice() else {
            panic!("one event expected: {events:?}")
        };
        assert!(read.received.starts_with("20"), "{}", read.received);
        assert_eq!((&read.topic, &read.data), (&event.topic, &event.data));
    }

    #[test]
    fn comments_and_blank_lines_are_no_events() {
        assert!(lines(&mut Vec::new(), b": ping\n\n\r\n").is_empty());
        assert!(matches!(
            lines(&mut Vec::new(), b"data: nope\n").as_slice(),
            [Err(_)]
        ));
    }

    #[test]
    fn topics_select_exactly_or_by_prefix() {
        for (topic, event, taken) in [
            ("a/b", "a/b", true),
            ("/a/b", "a/b", true),
            ("a", "a/b", false),
            ("a/", "a/b", true),
            ("a/", "ab", false),
            ("", "a", true),
            (".", "a", true),
            ("/", "a", true),
        ] {
            assert_eq!(selects(topic, event), taken, "{topic} {event}");
        }
    }

    #[test]
    fn times_are_civil() {
        for (seconds, want) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_827_696, "2000-02-29T12:34:56.000000000Z"),
            (1_795_219_199, "2026-11-20T23:59:59.000000000Z"),
        ] {
            assert_eq!(timestamp(Duration::from_secs(seconds)), want);
        }
    }
}
