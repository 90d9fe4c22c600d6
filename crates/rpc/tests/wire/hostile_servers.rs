//! Plugins that mean no good: each call ends in time, within its size, and in the right class.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use infrakit_rpc::kind::FlavorClient;
use infrakit_rpc::{Address, Client, Limits};
use infrakit_spi::Delivery::{self, NotDelivered, Refused, Unknown};
use infrakit_spi::flavor::Flavor as _;
use infrakit_spi::instance::Description;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::served::bounded;

/// What a scripted plugin does when it has read a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Writes this and goes on.
    Write(Vec<u8>),
    /// Writes this and closes.
    Close(Vec<u8>),
    /// Writes this, and then a byte a second for ever.
    Drip(Vec<u8>),
    /// Writes this, and then zeros for ever.
    Flood(Vec<u8>),
}

/// A plugin that follows a script, one act a request, over all its connections.
pub(crate) struct Scripted {
    socket: PathBuf,
    connections: Arc<AtomicUsize>,
    closed: Arc<Notify>,
    task: JoinHandle<()>,
    _home: TempDir,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// Answers with a body.
    pub(crate) fn answer(body: &str) -> Act {
        let length = body.len();
        Act::Write(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into())
    }

    /// Never answers.
    pub(crate) fn silence() -> Act {
        Act::Write(Vec::new())
    }

    pub(crate) fn start(script: Vec<Act>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let socket = home.path().join("plugin");
        let listener = UnixListener::bind(&socket).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let closed = Arc::new(Notify::new());
        let (count, notify) = (Arc::clone(&connections), Arc::clone(&closed));
        let task = tokio::spawn(async move {
            let mut script = script.into_iter();
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                // A peer that closes early is what some of these tests are about.
                while read_request(&mut stream).await {
                    let Some(act) = script.next() else { return };
                    if !perform(&mut stream, act).await {
                        break;
                    }
                }
                notify.notify_one();
            }
        });
        Self {
            socket,
            connections,
            closed,
            task,
            _home: home,
        }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Returns how many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits until a connection has come to its end.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }
}

/// Reads one request; returns whether there was one.
async fn read_request(stream: &mut UnixStream) -> bool {
    let mut request = Vec::new();
    loop {
        match stream.read_buf(&mut request).await {
            Ok(0) | Err(_) => return false,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return true;
            }
        }
    }
}

async fn perform(stream: &mut UnixStream, act: Act) -> bool {
    match act {
        Act::Write(bytes) => stream.write_all(&bytes).await.is_ok(),
        Act::Close(bytes) => {
            stream.write_all(&bytes).await.ok();
            false
        }
        Act::Drip(bytes) => {
            let mut alive = stream.write_all(&bytes).await.is_ok();
            while alive {
                tokio::time::sleep(Duration::from_secs(1)).await;
                alive = stream.write_all(b" ").await.is_ok();
            }
            false
        }
        Act::Flood(bytes) => {
            stream.write_all(&bytes).await.ok();
            let zeros = vec![b'0'; 1 << 16];
            while stream.write_all(&zeros).await.is_ok() {}
            false
        }
    }
}

fn limited(socket: &Path, limits: Limits) -> Client {
    Client::new(Address::Unix(socket.to_owned()), limits)
}

/// Calls a plugin that does `act`, and returns the class and the text of the error.
async fn failure(act: Act) -> (Delivery, String) {
    let peer = Scripted::start(vec![act]);
    let limits = Limits {
        deadline: Duration::from_secs(10),
        response: 1 << 20,
        ..Limits::default()
    };
    let client = limited(peer.socket(), limits);
    let error = bounded(client.call::<_, Value>("A.B", &json!({})))
        .await
        .unwrap_err();
    (error.delivery(), error.message().to_owned())
}

fn head(headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn answers_that_are_none() {
    let text = |bytes: &[u8]| Act::Close(bytes.to_vec());
    let content = |body: &str| Scripted::answer(body);
    for (act, delivery, want) in [
        (text(b""), Unknown, "Post \"http://h\": EOF"),
        (
            text(b"HTTP/1.1 200 OK\r\nConte"),
            Unknown,
            "Post \"http://h\": EOF",
        ),
        (text(b"garbage\r\n\r\n"), Unknown, "malformed HTTP response"),
        (text(&[0xFF; 300]), Unknown, "malformed HTTP response"),
        (text(&head("Content-Length: 50")), Unknown, "unexpected EOF"),
        (
            text(&[&head("Content-Length: 50")[..], b"{\"res"].concat()),
            Unknown,
            "unexpected EOF",
        ),
        (
            text(&head("Content-Length: -1")),
            Unknown,
            "malformed HTTP response",
        ),
        (
            text(&head("Content-Length: 1\r\nContent-Length: 2")),
            Unknown,
            "malformed",
        ),
        (
            text(&[&head("Transfer-Encoding: chunked")[..], b"zz\r\n"].concat()),
            Unknown,
            "",
        ),
        (content(""), Unknown, "EOF"),
        (content("{\"result\":{\"a\":"), Unknown, "unexpected EOF"),
        (
            content("<html>"),
            Unknown,
            "invalid character '<' looking for beginning of value",
        ),
        (content("{\"id\":1}"), Unknown, "result is null"),
        (content("{\"error\":{\"message\":\"no\"}}"), Refused, "no"),
    ] {
        let shown = format!("{act:?}");
        let (class, message) = failure(act).await;
        assert_eq!(class, delivery, "{shown}: {message}");
        assert!(message.contains(want), "{shown}: {message}");
    }
}

#[tokio::test]
async fn answers_without_end_are_cut_at_the_limit() {
    let huge = head("Content-Length: 1073741824");
    let endless = head("Connection: close");
    let in_one_chunk = [&head("Transfer-Encoding: chunked")[..], b"40000000\r\n"].concat();
    for begin in [huge, endless, in_one_chunk] {
        let (class, message) = failure(Act::Flood(begin)).await;
        let want = "answer is larger than the limit of 1048576 bytes";
        assert_eq!((class, message.as_str()), (Unknown, want));
    }
}

#[tokio::test]
async fn a_head_without_end_is_cut() {
    let (class, message) = failure(Act::Flood(b"HTTP/1.1 200 OK\r\nX: ".to_vec())).await;
    assert_eq!(class, Unknown, "{message}");
}

#[tokio::test(start_paused = true)]
async fn peers_that_never_finish_are_given_up_at_the_deadline() {
    let begin = head("Content-Length: 1000");
    for act in [
        Scripted::silence(),
        Act::Drip(begin.clone()),
        Act::Drip(b"HTTP/1.1 200 OK\r\nX: ".to_vec()),
        Act::Write(begin),
    ] {
        let peer = Scripted::start(vec![act]);
        let client = limited(peer.socket(), Limits::default());
        let start = tokio::time::Instant::now();
        let error = client
            .call::<_, Value>("A.B", &json!({}))
            .await
            .unwrap_err();
        assert_eq!(error.delivery(), Unknown, "{error}");
        let path = peer.socket().display();
        let want = format!("Post \"http://h\": A.B got no answer from {path} within 15s");
        assert_eq!(error.message(), want);
        assert!(start.elapsed() < Duration::from_secs(16));
    }
}

/// A drain takes as long as the work does: whoever has patience of his own is not cut short.
#[tokio::test(start_paused = true)]
async fn a_drain_is_given_up_when_its_callers_patience_ends() {
    for (effect, seconds) in [(None, 15), (Some(Duration::from_secs(600)), 600)] {
        let peer = Scripted::start(vec![Scripted::silence()]);
        let limits = Limits {
            effect,
            ..Limits::default()
        };
        let flavor = FlavorClient::new(limited(peer.socket(), limits), "");
        let start = tokio::time::Instant::now();
        let drained = flavor.drain(None, &Description::default()).await;
        assert_eq!(drained.unwrap_err().delivery(), Unknown);
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_given_up_too() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("plugin");
    let _listener = UnixListener::bind(&socket).unwrap();
    let limits = Limits {
        deadline: Duration::from_millis(50),
        ..Limits::default()
    };
    let params = json!({ "Properties": "x".repeat(4 << 20) });
    let call = limited(&socket, limits)
        .call::<_, Value>("A.B", &params)
        .await;
    assert_eq!(call.unwrap_err().delivery(), Unknown);
}

#[tokio::test]
async fn a_peer_that_is_not_there_got_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("plugin");
    let missing = limited(&path, Limits::default());
    let error = missing
        .call::<_, Value>("A.B", &json!({}))
        .await
        .unwrap_err();
    let want = format!(
        "Post \"http://h\": dial unix {}: connect: no such file or directory",
        path.display()
    );
    assert_eq!(
        (error.delivery(), error.message()),
        (NotDelivered, want.as_str())
    );

    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let tcp = Client::new(Address::Tcp(port.to_string()), Limits::default());
    let error = tcp.call::<_, Value>("A.B", &json!({})).await.unwrap_err();
    let want = format!("Post \"http://{port}\": dial tcp {port}: connect: connection refused");
    assert_eq!(
        (error.delivery(), error.message()),
        (NotDelivered, want.as_str())
    );
}

#[tokio::test]
async fn a_full_queue_is_waited_for_until_the_deadline() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("plugin");
    let socket = rustix_listener(&path);
    // Two fit into a queue of one; nobody accepts.
    let mut waiting = Vec::new();
    while let Ok(stream) = std::os::unix::net::UnixStream::connect(&path).and_then(|stream| {
        stream.set_nonblocking(true)?;
        Ok(stream)
    }) {
        waiting.push(stream);
        if waiting.len() == 2 {
            break;
        }
    }
    let limits = Limits {
        deadline: Duration::from_millis(60),
        ..Limits::default()
    };
    let call = limited(&path, limits)
        .call::<_, Value>("A.B", &json!({}))
        .await;
    assert_eq!(call.unwrap_err().delivery(), NotDelivered);
    drop((socket, waiting));
}

/// Listens with room for a single waiting connection.
fn rustix_listener(path: &Path) -> std::os::fd::OwnedFd {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    listen(&socket, 1).unwrap();
    socket
}
