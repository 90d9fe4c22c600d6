//! A JSON-RPC client over unix sockets, blocking and of the standard library alone.
//!
//! It shares no code with the client of the program, so that the two cannot agree on a mistake.

use std::fmt;
use std::io;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// A test does not wait longer for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code of HTTP.
    pub status: u16,
    /// Header lines in the order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, chunks joined.
    pub body: Vec<u8>,
}

/// Why a call has no result.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The answer never came, or was no JSON-RPC.
    Transport(String),
    /// The plugin said no.
    Remote {
        /// Code of the error.
        code: i64,
        /// Text of the error.
        message: String,
        /// What came with it.
        data: Value,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(why) => out.write_str(why),
            Self::Remote { code, message, .. } => write!(out, "{message} ({code})"),
        }
    }
}

/// Calls one method and returns its result.
///
/// # Errors
/// When the socket does not answer, or answers with an error.
pub fn call(socket: &Path, method: &str, params: &Value) -> Result<Value, Fault> {
    let request = json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1});
    let transport = |why: String| Fault::Transport(format!("{}: {why}", socket.display()));
    let answer =
        post(socket, &request.to_string()).map_err(|error| transport(error.to_string()))?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| {
        transport(format!(
            "{error} in `{}`",
            String::from_utf8_lossy(&answer.body)
        ))
    })?;
    if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
        return Err(Fault::Remote {
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            data: error["data"].clone(),
        });
    }
    body.get("result")
        .cloned()
        .ok_or_else(|| transport(format!("no result in {body}")))
}

/// Posts a body to `/` as JSON.
///
/// # Errors
/// When the socket does not answer with HTTP.
pub fn post(socket: &Path, body: &str) -> io::Result<Answer> {
    let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nConnection: close";
    exchange(
        socket,
        format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes(),
    )
}

/// Sends raw bytes over a new connection and reads one answer.
///
/// # Errors
/// When the socket does not answer with HTTP.
pub fn exchange(socket: &Path, request: &[u8]) -> io::Result<Answer> {
    Session::unix(socket)?.ask(request)
}

/// A connection for one request after the other.
pub struct Session {
    stream: Box<dyn Stream>,
}

trait Stream: io::Read + io::Write {}
impl<T: io::Read + io::Write> Stream for T {}

impl Session {
    /// Connects to a socket.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn unix(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = Box::new(stream);
        Ok(Self { stream })
    }

    /// Connects to a host and port.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn tcp(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = Box::new(stream);
        Ok(Self { stream })
    }

    /// Sends raw bytes and reads one answer, until its length is reached or the other side closes.
    ///
    /// # Errors
    /// When the other side does not answer with HTTP.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request)?;
        let (open, closed) = if request.starts_with(b"HEAD ") {
            (End::Headed, End::Headed)
        } else {
            (End::Open, End::Closed)
        };
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(answer) = parse(&bytes, open)? {
                return Ok(answer);
            }
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                let answer = parse(&bytes, closed)?;
                return answer.ok_or_else(|| bad("the answer ends early"));
            }
            bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Closed,
    /// The answer to HEAD: its length is that of a body that does not come.
    Headed,
}

/// The answer in `bytes`, or nothing while it is incomplete.
fn parse(bytes: &[u8], end: End) -> io::Result<Option<Answer>> {
    let Some((head, rest)) = cut(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or_else(|| bad("no status line"))?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let header = |wanted: &str| {
        headers
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, v)| v)
    };
    let body = if end == End::Headed {
        Some(Vec::new())
    } else if header("transfer-encoding").is_some_and(|value| value == "chunked") {
        chunks(rest)?
    } else if let Some(length) = header("content-length") {
        let length: usize = length
            .parse()
            .map_err(|_| bad("content-length is no number"))?;
        rest.get(..length).map(<[u8]>::to_vec)
    } else {
        (end == End::Closed).then(|| rest.to_vec())
    };
    Ok(body.map(|body| Answer {
        status,
        headers,
        body,
    }))
}

fn chunks(mut rest: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some((size, after)) = cut(rest, b"\r\n") else {
            return Ok(None);
        };
        let size = String::from_utf8_lossy(size);
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| bad("a chunk without a size"))?;
        if size == 0 {
            return Ok(Some(body));
        }
        let (Some(chunk), Some(next)) = (after.get(..size), after.get(size + 2..)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        rest = next;
    }
}

fn cut<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..place)?, bytes.get(place + at.len()..)?))
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str, end: End) -> Option<String> {
        let answer = parse(text.as_bytes(), end).unwrap();
        answer.map(|answer| String::from_utf8(answer.body).unwrap())
    }

    #[test]
    fn the_three_ways_to_end_a_body_are_read() {
        let counted = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(body(counted, End::Open).as_deref(), Some("ok"));
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n";
        assert_eq!(body(chunked, End::Open).as_deref(), Some("ok"));
        let closed = "HTTP/1.0 200 OK\r\n\r\nok";
        assert_eq!(body(closed, End::Open), None);
        assert_eq!(body(closed, End::Closed).as_deref(), Some("ok"));
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let head = "HTTP/1.1 405 No\r\nContent-Length: 9\r\n\r\n";
        assert_eq!(body(head, End::Headed).as_deref(), Some(""));
        assert_eq!(body(head, End::Open), None);
    }

    #[test]
    fn an_incomplete_answer_is_none_and_no_http_is_an_error() {
        assert_eq!(
            body(
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
                End::Closed
            ),
            None
        );
        assert!(parse(b"hello\r\n\r\n", End::Closed).is_err());
    }
}
