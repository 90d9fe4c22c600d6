//! One HTTP connection, driven by the call that uses it.
//!
//! No task of its own: the future of the call polls the connection. Dropping the future at its
//! deadline therefore closes the connection, and a call costs no hand-over between tasks.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use infrakit_spi::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::discovery::Address;
use crate::socket::Stream;

/// Whether the connection took a byte since the current call began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written(Arc<AtomicBool>);

impl Written {
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, any: bool) {
        self.0.store(any, Ordering::Relaxed);
    }
}

/// A socket that remembers whether it took a byte.
struct Socket {
    stream: Stream,
    written: Written,
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl Socket {
    fn note(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(result, Poll::Ready(Ok(count)) if count > 0) {
            self.written.set(true);
        }
        result
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        let result = Pin::new(&mut socket.stream).poll_write(cx, bytes);
        socket.note(result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let socket = self.get_mut();
        let result = Pin::new(&mut socket.stream).poll_write_vectored(cx, bytes);
        socket.note(result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// A connection to a plugin.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Driver,
    written: Written,
    /// As the original shows it in its messages.
    url: String,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.url)
    }
}

/// A whole answer.
pub(crate) struct Exchanged {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    /// For how long the server wants not to be asked.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the connection can carry another call.
    pub(crate) reusable: bool,
}

/// Why an exchange did not come to an answer.
#[derive(Debug)]
pub(crate) struct Broken {
    written: bool,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Text(String),
    TooLarge,
}

impl Broken {
    pub(crate) fn not_connected(text: String) -> Self {
        Self {
            written: false,
            reason: Reason::Text(text),
        }
    }

    /// Returns whether the plugin cannot have seen any of the request.
    pub(crate) fn nothing_written(&self) -> bool {
        !self.written
    }

    pub(crate) fn into_error(self, limit: usize) -> Error {
        let text = match self.reason {
            Reason::Text(text) => text,
            Reason::TooLarge => format!("answer is larger than the limit of {limit} bytes"),
        };
        if self.written {
            Error::unknown(text)
        } else {
            Error::not_delivered(text)
        }
    }
}

impl Connection {
    /// Connects to `address`. The error is the text that the original would show.
    pub(crate) async fn open(address: &Address, url: String) -> Result<Self, String> {
        let fail = |network: &str, to: &dyn std::fmt::Display, error: io::Error| {
            let cause = cause(&error);
            format!("Post \"{url}\": dial {network} {to}: connect: {cause}")
        };
        let stream = match address {
            Address::Unix(path) => Stream::Unix(
                dial(path)
                    .await
                    .map_err(|error| fail("unix", &path.display(), error))?,
            ),
            Address::Tcp(authority) | Address::Http { authority, .. } => {
                let with_port = if port(authority) {
                    authority.clone()
                } else {
                    format!("{authority}:80")
                };
                let stream = TcpStream::connect(&with_port)
                    .await
                    .map_err(|error| fail("tcp", &with_port, error))?;
                // Requests are written whole, so there is nothing to wait for.
                stream.set_nodelay(true).ok();
                Stream::Tcp(stream)
            }
        };
        let written = Written::default();
        let socket = Socket {
            stream,
            written: written.clone(),
        };
        let (sender, connection) = http1::Builder::new()
            .title_case_headers(true)
            .handshake(TokioIo::new(socket))
            .await
            .map_err(|error| format!("Post \"{url}\": {error}"))?;
        let driver = Driver {
            state: State::Open(Box::new(connection)),
        };
        Ok(Self {
            sender,
            driver,
            written,
            url,
        })
    }

    /// Returns the note on whether the current call reached the socket.
    pub(crate) fn written(&self) -> Written {
        self.written.clone()
    }

    /// Sends a request and collects the answer, at most `limit` bytes of it.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Exchanged, Broken> {
        self.written.set(false);
        let response = self.send(request).await?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let length = response.body().size_hint().exact();
        if length.is_some_and(|length| length > limit as u64) {
            return Err(Broken {
                written: true,
                reason: Reason::TooLarge,
            });
        }
        // A peer can promise any length; room is made as bytes arrive.
        let room = length.map_or(0, |length| {
            usize::try_from(length).unwrap_or(0).min(1 << 20)
        });
        let mut collected = Vec::with_capacity(room);
        let mut body = response.into_body();
        while let Some(mut data) = self.data(&mut body).await? {
            if collected.len() + data.remaining() > limit {
                return Err(Broken {
                    written: true,
                    reason: Reason::TooLarge,
                });
            }
            while data.has_remaining() {
                let chunk = data.chunk();
                collected.extend_from_slice(chunk);
                let taken = chunk.len();
                data.advance(taken);
            }
        }
        Ok(Exchanged {
            status,
            retry_after,
            body: collected,
            reusable: self.is_ready().await,
        })
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Bytes>,
    ) -> Result<http::Response<Incoming>, Broken> {
        // Looks once whether the peer closed while the connection waited.
        let driver = &mut self.driver;
        if poll_fn(|cx| Poll::Ready(driver.poll(cx))).await {
            return Err(self.broken("EOF"));
        }
        let mut sending = pin!(self.sender.try_send_request(request.map(Full::new)));
        let driver = &mut self.driver;
        let answer = poll_fn(|cx| {
            // Twice: what the driver reads is ready for the call in the same wake-up.
            for _ in 0..2 {
                if let Poll::Ready(answer) = sending.as_mut().poll(cx) {
                    return Poll::Ready(answer);
                }
                driver.poll(cx);
            }
            Poll::Pending
        })
        .await;
        answer.map_err(|error| self.failed(error.error()))
    }

    /// Waits for the next part of a body.
    pub(crate) async fn data(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, Broken> {
        let driver = &mut self.driver;
        let frame = poll_fn(|cx| {
            for _ in 0..2 {
                if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) {
                    return Poll::Ready(frame);
                }
                driver.poll(cx);
            }
            Poll::Pending
        })
        .await;
        match frame {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(self.failed(&error)),
        }
    }

    /// Lets the driver finish with the last exchange and returns whether it takes another.
    async fn is_ready(&mut self) -> bool {
        let driver = &mut self.driver;
        let closed = poll_fn(|cx| Poll::Ready(driver.poll(cx))).await;
        !closed && self.sender.is_ready()
    }

    fn broken(&self, text: impl std::fmt::Display) -> Broken {
        let url = &self.url;
        Broken {
            written: self.written.any(),
            reason: Reason::Text(format!("Post \"{url}\": {text}")),
        }
    }

    /// Describes a failure. What the driver met at the socket says more than what it told the
    /// call.
    fn failed(&self, error: &hyper::Error) -> Broken {
        let error = match &self.driver.state {
            State::Failed(end) => end,
            State::Open(_) | State::Closed => error,
        };
        let source = std::error::Error::source(error);
        match source.and_then(|source| source.downcast_ref::<io::Error>()) {
            _ if error.is_incomplete_message() || error.is_canceled() => self.broken("EOF"),
            Some(io) if io.kind() == io::ErrorKind::UnexpectedEof => self.broken("unexpected EOF"),
            Some(io) => self.broken(cause(io)),
            None if error.is_parse() => self.broken(format!("malformed HTTP response: {error}")),
            None => self.broken(error),
        }
    }
}

/// What moves bytes between the socket and the calls.
struct Driver {
    state: State,
}

enum State {
    Open(Box<http1::Connection<TokioIo<Socket>, Full<Bytes>>>),
    Closed,
    Failed(hyper::Error),
}

impl Driver {
    /// Moves what can be moved now, and returns whether the connection has come to its end.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if let State::Open(connection) = &mut self.state
            && let Poll::Ready(end) = Pin::new(connection).poll(cx)
        {
            self.state = end.map_or_else(State::Failed, |()| State::Closed);
        }
        !matches!(self.state, State::Open(_))
    }
}

/// Connects to a unix socket. While its queue is full it is there, only busy, so it is asked
/// again; the deadline of the call bounds that.
async fn dial(path: &std::path::Path) -> io::Result<UnixStream> {
    let mut pause = Duration::from_millis(1);
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(50));
            }
            connected => return connected,
        }
    }
}

/// Returns the words in which Go speaks of a failed system call.
fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset by peer".to_owned(),
        io::ErrorKind::BrokenPipe => "broken pipe".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns whether an authority names a port.
fn port(authority: &str) -> bool {
    let host = authority
        .rsplit_once(']')
        .map_or(authority, |(_, rest)| rest);
    host.contains(':')
}
/// Reads the header of the same name. A date in it is not read: clocks differ.
fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}
