//! A small web server on the loopback, for what the program fetches from other machines.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// A server of the files in one directory. It tells of any request but GET what was asked.
#[derive(Debug)]
pub struct Web {
    port: u16,
    stop: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    /// Serves a directory.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn serve(directory: &Path) -> Self {
        Self::serve_on(directory, 0)
    }

    /// Serves a directory on a port that was served before.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn serve_on(directory: &Path, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (stopped, heard) = (Arc::clone(&stop), Arc::clone(&asked));
        let directory = directory.to_owned();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                // A caller that goes away in the midst is its own business.
                let _ = answer(stream, &directory, &heard);
            }
        });
        Self {
            port,
            stop,
            asked,
            thread: Some(thread),
        }
    }

    /// The URL of a file.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What was asked so far: method and path.
    pub fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It waits for somebody to come; this is somebody.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn answer(
    mut stream: TcpStream,
    directory: &Path,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace();
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (mut length, mut headers) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
        headers.push_str(&lower);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let line = format!("{method} {path}");
    heard
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(line);
    let (status, content) = if method == "GET" {
        let name = path
            .trim_start_matches('/')
            .split('?')
            .next()
            .unwrap_or_default();
        let file: PathBuf = directory.join(name);
        match std::fs::read(file) {
            Ok(content) => ("200 OK", content),
            Err(_) => ("404 Not Found", b"no such file\n".to_vec()),
        }
    } else if path == "/refuse" {
        ("418 Teapot", b"not here\n".to_vec())
    } else {
        let custom = headers.lines().find(|line| line.starts_with("x-test"));
        let body = String::from_utf8_lossy(&body);
        let told = format!("{method} {path} {} {body}", custom.unwrap_or("-"));
        ("200 OK", told.into_bytes())
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    )?;
    stream.write_all(&content)
}
