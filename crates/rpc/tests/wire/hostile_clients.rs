//! Callers that mean no good: they cost a connection, and nobody else anything.

use std::sync::Arc;
use std::time::Duration;

use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::instance::{Description, Instance};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::fakes::Fake;
use crate::served::{Served, body, bounded, converse, post};

fn served() -> (Fake, Served) {
    let fake = Fake::default();
    let object: Arc<dyn Instance> = Arc::new(fake.clone());
    (
        fake,
        Served::start(Plugin::new().instance(Fixed::single(object))),
    )
}

async fn still_serves(served: &Served) {
    bounded(served.client().hello()).await.unwrap();
}

#[tokio::test]
async fn a_gigabyte_is_refused_before_it_is_read() {
    let (_, served) = served();
    let request = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1073741824\r\n\r\n0000";
    let answer = String::from_utf8(converse(served.socket(), request).await).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"),
        "{answer}"
    );
    assert_eq!(
        body(answer.as_bytes()),
        "rpc: request is larger than 64 MiB"
    );
    still_serves(&served).await;
    served.stop().await;
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_at_the_limit() {
    let (_, served) = served();
    let stream = UnixStream::connect(served.socket()).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let sending = tokio::spawn(async move {
        let head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunk = [
            b"100000\r\n".to_vec(),
            vec![b' '; 1 << 20],
            b"\r\n".to_vec(),
        ]
        .concat();
        let mut sent = 0u64;
        if write.write_all(head).await.is_ok() {
            // A gigabyte, if it is let.
            while sent < 1 << 30 && write.write_all(&chunk).await.is_ok() {
                sent += 1 << 20;
            }
        }
        sent
    });
    let mut answer = Vec::new();
    // The rest of what was sent resets the connection; the answer came before.
    bounded(read.read_to_end(&mut answer)).await.ok();
    let sent = bounded(sending).await.unwrap();
    assert!(sent < 80 << 20, "{sent} bytes were taken");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 413 "));
    still_serves(&served).await;
    served.stop().await;
}

#[tokio::test]
async fn deep_json_is_no_request_and_deep_params_stay_raw() {
    let (fake, served) = served();
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let request = |depth| {
        let properties = nested(depth);
        let params = format!(r#"{{"Type":"","Properties":{properties}}}"#);
        format!(r#"{{"jsonrpc":"2.0","method":"Instance.Validate","params":{params},"id":1}}"#)
    };
    for hostile in [request(100_000), nested(100_000), "{\"a\":".repeat(100_000)] {
        let answer = converse(served.socket(), &post(&hostile)).await;
        assert!(answer.starts_with(b"HTTP/1.1 200 OK") && body(&answer).is_empty());
    }
    assert!(fake.calls().is_empty());
    let answer = converse(served.socket(), &post(&request(5_000))).await;
    assert_eq!(
        body(&answer),
        "{\"jsonrpc\":\"2.0\",\"result\":{\"Type\":\"\",\"OK\":true},\"id\":1}\n"
    );
    assert_eq!(fake.calls(), [format!("validate Some({})", nested(5_000))]);
    served.stop().await;
}

#[tokio::test]
async fn wrong_params_are_shown_to_their_sender() {
    let (_, served) = served();
    for (params, reason) in [
        (
            json!({"Type": 5}),
            "invalid type: integer `5`, expected a string",
        ),
        (json!("x"), "expected an object or an array"),
        (
            json!([{"Type": 5}]),
            "invalid type: integer `5`, expected a string",
        ),
        (
            json!({"Spec": {"Tags": {"a": 5}}}),
            "invalid type: integer `5`, expected a string",
        ),
    ] {
        let request =
            json!({"jsonrpc": "2.0", "method": "Instance.Provision", "params": params, "id": [1]});
        let answer = converse(served.socket(), &post(&request.to_string())).await;
        let answer: Value = serde_json::from_str(&body(&answer)).unwrap();
        let message = answer["error"]["message"].as_str().unwrap();
        let want = format!("Instance.Provision: cannot read params: {reason}");
        assert!(message.starts_with(&want), "{message}");
        assert_eq!(answer["error"]["code"], -32600);
        assert_eq!(
            (&answer["error"]["data"], &answer["id"]),
            (&params, &json!([1]))
        );
    }
    served.stop().await;
}

#[tokio::test]
async fn a_panic_closes_one_connection() {
    let (_, served) = served();
    let other = UnixStream::connect(served.socket()).await.unwrap();
    let request =
        r#"{"jsonrpc":"2.0","method":"Instance.Validate","params":{"Properties":"panic"},"id":1}"#;
    assert!(converse(served.socket(), &post(request)).await.is_empty());
    let error = served
        .client()
        .call::<_, Value>("Instance.Validate", &json!({"Properties": "panic"}))
        .await
        .unwrap_err();
    assert_eq!(error.delivery(), infrakit_spi::Delivery::Unknown);
    assert_eq!(error.message(), "Post \"http://h\": EOF");
    other.writable().await.unwrap();
    still_serves(&served).await;
    served.stop().await;
}

/// Reads what is left and returns how long the server held on.
async fn cut_after(mut stream: UnixStream) -> Duration {
    let start = tokio::time::Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.ok();
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn slow_callers_are_cut() {
    let (_, served) = served();
    for begin in [
        "",
        "POST / HT",
        "POST / HTTP/1.1\r\nHost: h\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{",
    ] {
        let mut stream = UnixStream::connect(served.socket()).await.unwrap();
        stream.write_all(begin.as_bytes()).await.unwrap();
        let held = cut_after(stream).await;
        assert!(
            held > Duration::from_secs(25) && held < Duration::from_secs(40),
            "{held:?}"
        );
    }
    still_serves(&served).await;
    served.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_drips_is_cut_as_well() {
    let (_, served) = served();
    let stream = UnixStream::connect(served.socket()).await.unwrap();
    let (read, mut write) = stream.into_split();
    write
        .write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
        .await
        .unwrap();
    let start = tokio::time::Instant::now();
    while write.write_all(b" ").await.is_ok() && start.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(
        start.elapsed() < Duration::from_secs(40),
        "{:?}",
        start.elapsed()
    );
    drop(read);
    served.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_does_not_take_its_answer_is_cut() {
    let (fake, served) = served();
    let id = "i".repeat(4 << 20);
    let description = Description {
        id: id.into(),
        ..Description::default()
    };
    fake.instances.lock().unwrap().push(description);
    let request = r#"{"jsonrpc":"2.0","method":"Instance.DescribeInstances","params":{},"id":1}"#;
    let mut stream = UnixStream::connect(served.socket()).await.unwrap();
    stream.write_all(&post(request)).await.unwrap();
    let mut taken = 0;
    let mut byte = [0];
    let start = tokio::time::Instant::now();
    // A byte a second, until the server has had enough and only the buffers are left.
    while start.elapsed() < Duration::from_secs(40) {
        taken += stream.read(&mut byte).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.ok();
    assert!(taken + rest.len() < 4 << 20, "all of it was sent");
    still_serves(&served).await;
    served.stop().await;
}

#[tokio::test]
async fn a_caller_that_closes_its_direction_gets_its_answer() {
    let (_, served) = served();
    let request = r#"{"jsonrpc":"2.0","method":"Instance.Validate","id":1}"#;
    let mut stream = UnixStream::connect(served.socket()).await.unwrap();
    stream.write_all(&post(request)).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    bounded(stream.read_to_end(&mut answer)).await.unwrap();
    assert!(body(&answer).contains("\"OK\":true"));
    served.stop().await;
}

#[tokio::test]
async fn a_call_outlives_its_caller() {
    let (fake, served) = served();
    let mut stream = UnixStream::connect(served.socket()).await.unwrap();
    let request = r#"{"jsonrpc":"2.0","method":"Instance.Validate","id":1}"#;
    stream.write_all(&post(request)).await.unwrap();
    drop(stream);
    bounded(async {
        while fake.calls().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    served.stop().await;
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_calls_only_so_long() {
    let (_, served) = served();
    let mut stream = UnixStream::connect(served.socket()).await.unwrap();
    let request =
        r#"{"jsonrpc":"2.0","method":"Instance.Validate","params":{"Properties":"wait"},"id":1}"#;
    stream.write_all(&post(request)).await.unwrap();
    still_serves(&served).await;
    let start = tokio::time::Instant::now();
    served.stop().await;
    assert!(start.elapsed() < Duration::from_secs(11));
}
