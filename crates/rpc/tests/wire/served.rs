//! A plugin served on a socket of its own, and raw conversations with it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use infrakit_rpc::{Address, Client, Directory, Limits, Plugin, bind};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// No test waits longer than this for anything.
pub(crate) const BOUND: Duration = Duration::from_secs(20);

/// Fails the test instead of waiting for ever.
pub(crate) async fn bounded<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(BOUND, future)
        .await
        .expect("it takes too long")
}

pub(crate) struct Served {
    home: TempDir,
    socket: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

impl Served {
    pub(crate) fn start(plugin: Plugin) -> Self {
        let home = tempfile::tempdir().unwrap();
        let bound = bind(home.path(), "plugin").unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = bound.serve(Arc::new(plugin), async { drop(stopped.await) });
        let socket = home.path().join("plugin");
        Self {
            home,
            socket,
            stop: Some(stop),
            task: tokio::spawn(serving),
        }
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn directory(&self) -> Directory {
        Directory::new(self.home.path())
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.socket)
    }

    /// Stops the server and waits for its end.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        bounded(self.task).await.unwrap().unwrap();
    }
}

pub(crate) fn client(socket: &Path) -> Client {
    Client::new(Address::Unix(socket.to_owned()), Limits::default())
}

/// Sends bytes and returns all that comes back until the peer closes.
pub(crate) async fn converse(socket: &Path, request: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    bounded(stream.read_to_end(&mut answer)).await.unwrap();
    answer
}

/// Writes a call as a request of HTTP that is the last on its connection.
pub(crate) fn post(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Returns the body of an answer.
pub(crate) fn body(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer).into_owned();
    text.split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default()
}
