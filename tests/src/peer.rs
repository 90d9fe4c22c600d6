//! A plugin that is not ours: answers what it is told to answer.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

/// What a peer does with a call: its method and params in, what it says to it out.
pub type Behaviour = dyn Fn(&str, &Value) -> Reply + Send + Sync;

/// What a peer says to a call.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Its result.
    Result(Value),
    /// An error of JSON-RPC: `code`, `message`, `data`.
    Error(Value),
    /// Nothing: the connection ends.
    Close,
    /// An answer of HTTP that is no JSON-RPC: status line, further header lines, body.
    Http(&'static str, Vec<String>, String),
}

/// The connections of a peer that are open, numbered.
type Connections = Arc<Mutex<BTreeMap<usize, UnixStream>>>;

/// A listening peer; dropping it removes its socket and closes its connections.
pub struct Peer {
    socket: PathBuf,
    stop: Arc<AtomicBool>,
    /// Both ends know when this one goes.
    connections: Connections,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Listens on `socket` and answers each request with what `behaviour` returns: a result, or an
    /// object with the one member `error` to refuse. `None` closes the connection without a word.
    ///
    /// # Panics
    /// When the socket cannot be made.
    pub fn listen(
        socket: &Path,
        behaviour: impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static,
    ) -> Self {
        Self::serve(socket, move |method, params| {
            match behaviour(method, params) {
                None => Reply::Close,
                Some(result) => {
                    let refusal = result.as_object().filter(|fields| fields.len() == 1);
                    let error = refusal.and_then(|fields| fields.get("error")).cloned();
                    error.map_or(Reply::Result(result), Reply::Error)
                }
            }
        })
    }

    /// Listens on `socket` and answers each request as `behaviour` says.
    ///
    /// # Panics
    /// When the socket cannot be made.
    pub fn serve(
        socket: &Path,
        behaviour: impl Fn(&str, &Value) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let _ = fs::remove_file(socket);
        let listener = UnixListener::bind(socket)
            .unwrap_or_else(|error| panic!("cannot listen on {}: {error}", socket.display()));
        let stop = Arc::new(AtomicBool::new(false));
        let behaviour: Arc<Behaviour> = Arc::new(behaviour);
        let connections = Connections::default();
        let (stopping, accepted) = (Arc::clone(&stop), Arc::clone(&connections));
        let thread = std::thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                if stopping.load(Ordering::Acquire) {
                    return;
                }
                let behaviour = Arc::clone(&behaviour);
                let accepted = Arc::clone(&accepted);
                let copy = stream.try_clone().map(|copy| (number, copy));
                open(&accepted).extend(copy);
                std::thread::spawn(move || {
                    converse(stream, &*behaviour);
                    open(&accepted).remove(&number);
                });
            }
        });
        Self {
            socket: socket.to_path_buf(),
            stop,
            connections,
            thread: Some(thread),
        }
    }

    /// Leaves a socket file behind that nobody listens on, as a killed process does.
    ///
    /// # Panics
    /// When the socket cannot be made.
    pub fn stale(socket: &Path) {
        let _ = fs::remove_file(socket);
        let listener = UnixListener::bind(socket);
        drop(listener.unwrap_or_else(|error| panic!("{}: {error}", socket.display())));
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // One more connection wakes the thread, which then sees that it should stop.
        let _ = UnixStream::connect(&self.socket);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for stream in open(&self.connections).values() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        let _ = fs::remove_file(&self.socket);
    }
}

fn open(connections: &Connections) -> MutexGuard<'_, BTreeMap<usize, UnixStream>> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

fn converse(stream: UnixStream, behaviour: &Behaviour) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    while let Some(request) = request(&mut reader) {
        let method = request["method"].as_str().unwrap_or_default();
        let envelope = |kind: &str, content: Value| json!({"jsonrpc": "2.0", kind: content, "id": request["id"]});
        let (status, headers, body) = match behaviour(method, &request["params"]) {
            Reply::Result(result) => ("200 OK", Vec::new(), envelope("result", result).to_string()),
            Reply::Error(error) => ("200 OK", Vec::new(), envelope("error", error).to_string()),
            Reply::Http(status, headers, body) => (status, headers, body),
            Reply::Close => return,
        };
        let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
        for line in headers {
            head += &line;
            head += "\r\n";
        }
        if writer
            .write_all((head + "\r\n" + &body).as_bytes())
            .is_err()
        {
            return;
        }
    }
}

/// The next request with a counted body, or nothing once the other side is done.
fn request(reader: &mut BufReader<UnixStream>) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc;

    #[test]
    fn a_peer_answers_and_takes_its_socket_with_it() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let socket = folder.path().join("fake");
        let peer = Peer::listen(&socket, |method, params| {
            (method == "Echo.Say").then(|| params.clone())
        });
        let said = rpc::call(&socket, "Echo.Say", &json!({"a": 1})).unwrap();
        assert_eq!(said, json!({"a": 1}));
        assert!(rpc::call(&socket, "Echo.Other", &json!({})).is_err());
        drop(peer);
        assert!(!socket.exists());
        Peer::stale(&socket);
        assert!(socket.exists() && rpc::call(&socket, "Echo.Say", &json!({})).is_err());
    }
}
