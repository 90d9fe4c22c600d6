//! Subscriptions: what is sent, what is taken, and when they end.

use std::sync::Arc;

use futures_util::StreamExt as _;
use infrakit_rpc::kind::EventsClient;
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::event::{Event, Events};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::fakes::Fake;
use crate::served::{Served, bounded};

fn event(topic: &str) -> Event {
    Event {
        topic: topic.to_owned(),
        ..Event::default()
    }
}

/// Waits until the plugin has so many subscribers.
async fn subscribed(fake: &Fake, count: usize) {
    bounded(async {
        while fake.events.receiver_count() < count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn events_of_a_type_carry_its_name() {
    let fake = Fake::default();
    let typed: [(String, Arc<dyn Events>); 1] = [("streams".into(), Arc::new(fake.clone()))];
    let served = Served::start(Plugin::new().events(Fixed::new(typed)));
    let events = EventsClient::new(served.client());
    let mut all = events.subscribe("");
    let mut exact = events.subscribe("streams/msec/100");
    let mut below = events.subscribe("/streams/hr/");
    let mut none = events.subscribe("streams/msec");
    let mut other = events.subscribe("other/");
    let sending = async {
        // `other/` reaches no plugin.
        subscribed(&fake, 4).await;
        for topic in ["msec/100", "hr/1", "end"] {
            fake.events.send(event(topic)).unwrap();
        }
    };
    let (first, second, third, ()) = bounded(async {
        tokio::join!(all.next(), exact.next(), below.next(), async {
            tokio::select! {
                _ = none.next() => panic!("it has no such event"),
                _ = other.next() => panic!("it has no such event"),
                () = sending => {}
            }
        })
    })
    .await;
    assert_eq!(first.unwrap().topic, "streams/msec/100");
    assert_eq!(second.unwrap().topic, "streams/msec/100");
    assert_eq!(third.unwrap().topic, "streams/hr/1");
    served.stop().await;
    let rest: Vec<String> = bounded(all.map(|event| event.topic).collect()).await;
    assert_eq!(
        rest,
        ["streams/hr/1", "streams/end"],
        "and then the stream ends"
    );
}

#[tokio::test]
async fn the_head_is_the_originals() {
    let fake = Fake::default();
    let object: Arc<dyn Events> = Arc::new(fake.clone());
    let served = Served::start(Plugin::new().events(Fixed::single(object)));
    let mut stream = UnixStream::connect(served.socket()).await.unwrap();
    stream
        .write_all(b"GET /events?topic=a%2Fb HTTP/1.1\r\nHost: e\r\n\r\n")
        .await
        .unwrap();
    subscribed(&fake, 1).await;
    fake.events.send(event("a/b")).unwrap();
    let mut answer = Vec::new();
    bounded(async {
        while !answer.ends_with(b"\n\n\r\n") {
            stream.read_buf(&mut answer).await.unwrap();
        }
    })
    .await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<String> = head.lines().map(str::to_lowercase).collect();
    lines.retain(|line| !line.starts_with("date:"));
    lines.sort();
    assert_eq!(
        lines,
        [
            "access-control-allow-origin: *",
            "cache-control: no-cache",
            "connection: keep-alive",
            "content-type: text/event-stream",
            "http/1.1 200 ok",
            "transfer-encoding: chunked",
        ]
    );
    let line = body.lines().nth(1).unwrap();
    assert!(
        line.starts_with(r#"data: {"Topic": "a/b","ID": "","#),
        "{line}"
    );
    drop(stream);
    served.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_shows_that_it_lives_and_a_lost_subscriber_is_noticed() {
    let fake = Fake::default();
    let object: Arc<dyn Events> = Arc::new(fake.clone());
    let served = Served::start(Plugin::new().events(Fixed::single(object)));
    let mut stream = UnixStream::connect(served.socket()).await.unwrap();
    stream
        .write_all(b"GET /events HTTP/1.1\r\nHost: e\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"3\r\n:\n\n\r\n") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
    drop(stream);
    while fake.events.receiver_count() > 0 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    served.stop().await;
}
