//! Health checks and drains with real programs and servers on the loopback interface.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::time::{Duration, Instant};

use infrakit_plugin_vanilla::Vanilla;
use infrakit_spi::flavor::{Flavor as _, Health};
use infrakit_spi::instance::Description;
use infrakit_spi::{Any, Tags};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

fn instance(tags: &[(&str, &str)]) -> Description {
    let tags = tags
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Description {
        id: "i-1".into(),
        logical_id: Some("pet".into()),
        tags: Some(tags.collect::<Tags>()),
        ..Description::default()
    }
}

fn properties(check: &Value) -> Any {
    let mut check = check.clone();
    let fields = check.as_object_mut().unwrap();
    for (key, value) in [("Interval", json!("100ms")), ("Threshold", json!(2))] {
        fields.entry(key).or_insert(value);
    }
    Any::from_value(&json!({"HealthCheck": check})).unwrap()
}

/// Asks until the verdict is `want`, for at most 20 seconds.
async fn await_health(vanilla: &Vanilla, check: &Value, instance: &Description, want: Health) {
    let properties = properties(check);
    let start = Instant::now();
    loop {
        let asked = Instant::now();
        let health = vanilla.healthy(Some(&properties), instance).await.unwrap();
        assert!(
            asked.elapsed() < Duration::from_secs(1),
            "asking must not wait"
        );
        if health == want {
            return;
        }
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{check}: {health:?}, not {want:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Serves one fixed answer to each connection and returns its port.
async fn serve(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n")
                    && stream.read_buf(&mut head).await.is_ok_and(|n| n > 0)
                {}
                let _ = stream.write_all(answer.as_bytes()).await;
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    port.to_string()
}

/// Returns a port on which nobody listens.
async fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port().to_string()
}

#[tokio::test]
async fn without_a_check_all_is_well() {
    let vanilla = Vanilla::default();
    assert_eq!(
        vanilla.healthy(None, &instance(&[])).await,
        Ok(Health::Healthy)
    );
    assert_eq!(vanilla.drain(None, &instance(&[])).await, Ok(()));
}

#[tokio::test]
async fn a_command_decides() {
    let home = tempfile::tempdir().unwrap();
    let flag = home.path().join("flag");
    let vanilla = Vanilla::default();
    let instance = instance(&[("infrakit.group", "web"), ("flag", flag.to_str().unwrap())]);
    let script = "test \"$INFRAKIT_INSTANCE_ID-$INFRAKIT_LOGICAL_ID-$INFRAKIT_GROUP\" = i-1-pet-web \
                  && test \"$1\" = \"i-1\" && test -e \"$INFRAKIT_TAG_FLAG\"";
    let check = json!({"Command": ["sh", "-c", script, "sh", "{{ .ID }}"]});
    let first = vanilla.healthy(Some(&properties(&check)), &instance).await;
    assert_eq!(first, Ok(Health::Unknown));
    await_health(&vanilla, &check, &instance, Health::Unhealthy).await;
    std::fs::write(&flag, "").unwrap();
    await_health(&vanilla, &check, &instance, Health::Healthy).await;
    std::fs::remove_file(&flag).unwrap();
    await_health(&vanilla, &check, &instance, Health::Unhealthy).await;
}

#[tokio::test]
async fn commands_that_hang_or_do_not_exist_are_failures() {
    let vanilla = Vanilla::default();
    let slow = json!({"Command": ["sh", "-c", "sleep 60"], "Timeout": "50ms"});
    await_health(&vanilla, &slow, &instance(&[]), Health::Unhealthy).await;
    let missing = json!({"Command": ["/nonexistent/program"]});
    await_health(&vanilla, &missing, &instance(&[]), Health::Unhealthy).await;
    let lacking = json!({"Command": ["true", "{{ .Tags.none }}"]});
    await_health(&vanilla, &lacking, &instance(&[]), Health::Unhealthy).await;
}

#[tokio::test]
async fn http_is_judged_by_its_status() {
    let vanilla = Vanilla::default();
    let url = json!({"URL": "http://127.0.0.1:{{ .Tags.port }}/health?x=1"});
    let moved = json!({"URL": url["URL"], "Status": 302});
    for (answer, http, want) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            &url,
            Health::Healthy,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            &url,
            Health::Healthy,
        ),
        (
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            &moved,
            Health::Healthy,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nbody without an end",
            &moved,
            Health::Unhealthy,
        ),
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
            &url,
            Health::Unhealthy,
        ),
        ("this is not HTTP\r\n\r\n", &url, Health::Unhealthy),
        ("", &url, Health::Unhealthy),
    ] {
        let port = serve(answer).await;
        let check = json!({"HTTP": http, "Timeout": "300ms"});
        await_health(&vanilla, &check, &instance(&[("port", &port)]), want).await;
    }
    let closed = instance(&[("port", &closed_port().await)]);
    await_health(&vanilla, &json!({"HTTP": url}), &closed, Health::Unhealthy).await;
}

#[tokio::test]
async fn tcp_needs_a_listener() {
    let vanilla = Vanilla::default();
    let check = json!({"TCP": "127.0.0.1:{{ .Tags.port }}"});
    let closed = instance(&[("port", &closed_port().await)]);
    await_health(&vanilla, &check, &closed, Health::Unhealthy).await;
    // The same instance, at another address: the next check goes there.
    let open = instance(&[("port", &serve("").await)]);
    await_health(&vanilla, &check, &open, Health::Healthy).await;
}

#[tokio::test]
async fn drains_run_to_their_end_or_say_why_not() {
    let home = tempfile::tempdir().unwrap();
    let mark = home.path().join("mark");
    let vanilla = Vanilla::default();
    let drain = |script: &str, timeout: &str| {
        let command = json!(["sh", "-c", script, "sh", "{{ .LogicalID }}"]);
        Any::from_value(&json!({"Drain": {"Command": command, "Timeout": timeout}})).unwrap()
    };
    let instance = instance(&[("mark", mark.to_str().unwrap())]);
    let ok = drain(
        "echo \"$1 $INFRAKIT_INSTANCE_ID\" > \"$INFRAKIT_TAG_MARK\"",
        "20s",
    );
    assert_eq!(vanilla.drain(Some(&ok), &instance).await, Ok(()));
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "pet i-1\n");

    for (script, timeout, want) in [
        (
            "echo one >&2; echo 'still in use' >&2; exit 7",
            "20s",
            "failed to drain i-1: the command exited with code 7: still in use",
        ),
        (
            "sleep 60",
            "100ms",
            "failed to drain i-1: the command did not finish within 100ms and was killed",
        ),
    ] {
        let start = Instant::now();
        let error = vanilla
            .drain(Some(&drain(script, timeout)), &instance)
            .await
            .unwrap_err();
        assert_eq!(error.message(), want);
        assert!(start.elapsed() < Duration::from_secs(15));
    }
}
