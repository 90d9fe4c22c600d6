//! HTTP over a unix socket.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Error, Timeout};

/// Splits `/run/a.sock/info` into the socket and the path that is asked for on it: the socket is
/// the first part of the path that is one.
pub(crate) fn split(rest: &str) -> Result<(PathBuf, String), String> {
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    let ends = rest.match_indices('/').map(|(at, _)| at).skip(1);
    for end in ends.chain([rest.len()]) {
        let socket = Path::new(&rest[..end]);
        let is_socket =
            std::fs::metadata(socket).is_ok_and(|metadata| metadata.file_type().is_socket());
        if is_socket {
            let path = if end == rest.len() { "/" } else { &rest[end..] };
            return Ok((socket.to_owned(), path.to_owned()));
        }
    }
    Err("there is no socket on this path, write `unix:///path/of.sock/path/of/request`".to_owned())
}

/// Returns an agent that speaks to `socket` only.
pub(crate) fn agent(socket: PathBuf, config: Config) -> Agent {
    Agent::with_parts(config, SocketConnector(socket), NoNames)
}

/// Connects to one socket, whatever the URL says.
#[derive(Debug)]
struct SocketConnector(PathBuf);

impl Connector for SocketConnector {
    type Out = SocketTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let stream = UnixStream::connect(&self.0)?;
        let (input, output) = (
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(SocketTransport {
            stream,
            buffers: LazyBuffers::new(input, output),
        }))
    }
}

struct SocketTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl fmt::Debug for SocketTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketTransport").finish_non_exhaustive()
    }
}

impl Transport for SocketTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.set_write_timeout(limit(&timeout))?;
        let output = &self.buffers.output()[..amount];
        self.stream
            .write_all(output)
            .map_err(|error| late(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.set_read_timeout(limit(&timeout))?;
        let input = self.buffers.input_append_buf();
        let read = self
            .stream
            .read(input)
            .map_err(|error| late(error, &timeout))?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// One agent makes one request: nothing is kept.
    fn is_open(&mut self) -> bool {
        false
    }
}

/// Returns the time that is left; none at all would mean for ever.
fn limit(timeout: &NextTimeout) -> Option<Duration> {
    timeout
        .not_zero()
        .map(|left| (*left).max(Duration::from_millis(1)))
}

fn late(error: std::io::Error, timeout: &NextTimeout) -> Error {
    match error.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
            Error::Timeout(reason(timeout))
        }
        _ => Error::Io(error),
    }
}

fn reason(timeout: &NextTimeout) -> Timeout {
    timeout.reason
}

/// Looks up no name: the socket is known.
#[derive(Debug)]
struct NoNames;

impl Resolver for NoNames {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 80)));
        Ok(addresses)
    }
}
