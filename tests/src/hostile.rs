//! A plugin that behaves well until it is told to misbehave, and how.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud;

/// What a hostile plugin does with a call.
#[derive(Clone, Debug)]
pub enum Malice {
    /// Nothing bad: validates everything, has no instances, refuses to make any.
    None,
    /// Never answers.
    Silent,
    /// Sends an answer one byte a second.
    Dripping,
    /// Closes in the middle of an answer.
    Halfway,
    /// Sends a body of a gigabyte, of known length or in chunks.
    Huge {
        /// Whether the length is known in advance.
        counted: bool,
    },
    /// Nests arrays a hundred thousand deep in the properties of an instance.
    Deep,
    /// Sends bytes that are no HTTP.
    Garbage,
    /// Answers in HTTP what is no JSON-RPC.
    Nonsense(&'static str),
    /// Answers a list with these members.
    Liar(Value),
    /// Answers a list of this entry, as often as 60 MB hold it.
    Swarm(&'static str),
}

/// Whether a hostile plugin still greets as others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// It does, so that it is taken for a plugin.
    Polite,
    /// It misbehaves from the first word.
    Hostile,
}

/// A listening hostile plugin; dropping it closes everything.
pub struct Hostile {
    socket: PathBuf,
    shared: Arc<Shared>,
}

struct Shared {
    malice: Mutex<(Malice, Greeting)>,
    /// Calls that were answered with malice.
    calls: AtomicU64,
    stop: AtomicBool,
}

impl Hostile {
    /// Listens on `socket`, well-behaved for now.
    ///
    /// # Panics
    /// When the socket cannot be made.
    pub fn listen(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket)
            .unwrap_or_else(|error| panic!("cannot listen on {}: {error}", socket.display()));
        let shared = Arc::new(Shared {
            malice: Mutex::new((Malice::None, Greeting::Polite)),
            calls: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.stop.load(Ordering::Acquire) {
                    return;
                }
                let serving = Arc::clone(&serving);
                // A write to a peer that has gone ends the thread, and that is all.
                std::thread::spawn(move || drop(serving.serve(stream)));
            }
        });
        Self {
            socket: socket.to_path_buf(),
            shared,
        }
    }

    /// Behaves like this from now on.
    pub fn turn(&self, malice: Malice, greeting: Greeting) {
        *self.shared.malice() = (malice, greeting);
    }

    /// How many calls it has misbehaved in.
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        let _ = UnixStream::connect(&self.socket);
        let _ = fs::remove_file(&self.socket);
    }
}

impl Shared {
    fn malice(&self) -> MutexGuard<'_, (Malice, Greeting)> {
        self.malice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn serve(&self, stream: UnixStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        while let Some(request) = request(&mut reader)? {
            let (malice, greeting) = self.malice().clone();
            let id = &request["id"];
            let method = request["method"].as_str().unwrap_or_default();
            let polite = greeting == Greeting::Polite && method == "Handshake.Hello";
            if polite || matches!(malice, Malice::None) {
                writer.write_all(plain(&answer(method, id)).as_bytes())?;
                continue;
            }
            self.calls.fetch_add(1, Ordering::Relaxed);
            if !self.misbehave(malice, id, &mut writer)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers with malice. Returns whether the connection goes on.
    fn misbehave(&self, malice: Malice, id: &Value, out: &mut UnixStream) -> std::io::Result<bool> {
        let list = |list: &Value| json!({"jsonrpc": "2.0", "result": {"Type": "", "Descriptions": list}, "id": id});
        match malice {
            Malice::None => {}
            Malice::Silent => {
                while !self.stopped() {
                    sleep(Duration::from_millis(20));
                }
            }
            Malice::Dripping => {
                for byte in plain(&list(&json!([]))).into_bytes() {
                    out.write_all(&[byte])?;
                    // A second, in parts, so that the test need not wait for it.
                    for _ in 0..50 {
                        if self.stopped() {
                            return Ok(false);
                        }
                        sleep(Duration::from_millis(20));
                    }
                }
                return Ok(true);
            }
            Malice::Halfway => {
                let whole = plain(&list(&json!([])));
                out.write_all(&whole.as_bytes()[..whole.len() - 9])?;
            }
            Malice::Huge { counted } => self.flood(counted, out)?,
            Malice::Deep => {
                let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
                let deep = format!("{{\"ID\":\"deep\",\"Properties\":{open}{close}}}");
                let list = format!("{{\"Type\":\"\",\"Descriptions\":[{deep}]}}");
                let deep = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{list}}}");
                out.write_all(http(&deep).as_bytes())?;
                return Ok(true);
            }
            Malice::Garbage => out.write_all(&[0xff, 0x00, 0x16, 0x03].repeat(4096))?,
            Malice::Nonsense(body) => {
                out.write_all(http(body).as_bytes())?;
                return Ok(true);
            }
            Malice::Liar(lies) => {
                out.write_all(plain(&list(&lies)).as_bytes())?;
                return Ok(true);
            }
            Malice::Swarm(entry) => {
                let many = format!("{entry},").repeat(60_000_000 / (entry.len() + 1));
                let list = format!("{{\"Type\":\"\",\"Descriptions\":[{many}{entry}]}}");
                let answer = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{list}}}");
                out.write_all(http(&answer).as_bytes())?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn flood(&self, counted: bool, out: &mut UnixStream) -> std::io::Result<()> {
        const CHUNK: usize = 1 << 16;
        let length = if counted {
            format!("Content-Length: {}", 1_u64 << 30)
        } else {
            "Transfer-Encoding: chunked".to_owned()
        };
        write!(out, "HTTP/1.1 200 OK\r\n{length}\r\n\r\n")?;
        let chunk = vec![b' '; CHUNK];
        for _ in 0..(1_usize << 30) / CHUNK {
            if self.stopped() {
                break;
            }
            if !counted {
                write!(out, "{CHUNK:x}\r\n")?;
            }
            out.write_all(&chunk)?;
            if !counted {
                out.write_all(b"\r\n")?;
            }
        }
        Ok(())
    }
}

/// What the plugin answers while it behaves.
fn answer(method: &str, id: &Value) -> Value {
    let result = match method {
        "Handshake.Hello" => cloud::hello(),
        "Instance.DescribeInstances" => json!({"Type": "", "Descriptions": []}),
        "Instance.Provision" => {
            let error = json!({"code": -32000, "message": "no room", "data": null});
            return json!({"jsonrpc": "2.0", "error": error, "id": id});
        }
        _ => json!({"Type": "", "OK": true}),
    };
    json!({"jsonrpc": "2.0", "result": result, "id": id})
}

fn plain(answer: &Value) -> String {
    http(&answer.to_string())
}

fn http(body: &str) -> String {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// The next request, or nothing once the other side is done.
fn request(reader: &mut BufReader<UnixStream>) -> std::io::Result<Option<Value>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc;

    #[test]
    fn it_behaves_until_it_is_told_not_to() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let socket = folder.path().join("hostile");
        let hostile = Hostile::listen(&socket);
        let list = || rpc::call(&socket, "Instance.DescribeInstances", &json!({}));
        assert_eq!(list().unwrap()["Descriptions"], json!([]));
        hostile.turn(Malice::Liar(json!([{"ID": ""}])), Greeting::Polite);
        assert_eq!(list().unwrap()["Descriptions"][0]["ID"], "");
        for malice in [Malice::Halfway, Malice::Garbage, Malice::Nonsense("{}")] {
            hostile.turn(malice.clone(), Greeting::Polite);
            assert!(list().is_err(), "{malice:?}");
        }
        assert_eq!(hostile.calls(), 4);
    }
}
