//! Accepting connections: one bounded task for each.

use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::closing::closed;
use super::http::respond;
use super::patience::{PATIENCE, Patient};
use super::plugin::Plugin;
use crate::socket::Stream;

/// Time that calls under way are given when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// What a plugin listens on.
#[derive(Debug)]
pub enum Listener {
    /// A unix socket.
    Unix(StdUnixListener),
    /// A TCP port.
    Tcp(StdTcpListener),
}

impl From<StdUnixListener> for Listener {
    fn from(listener: StdUnixListener) -> Self {
        Self::Unix(listener)
    }
}

impl From<StdTcpListener> for Listener {
    fn from(listener: StdTcpListener) -> Self {
        Self::Tcp(listener)
    }
}

/// A listener that the runtime watches.
enum Accept {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Accept {
    fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener {
            Listener::Unix(listener) => {
                listener.set_nonblocking(true)?;
                Self::Unix(UnixListener::from_std(listener)?)
            }
            Listener::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                Self::Tcp(TcpListener::from_std(listener)?)
            }
        })
    }

    async fn next(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Unix(listener) => Stream::Unix(listener.accept().await?.0),
            Self::Tcp(listener) => {
                let stream = listener.accept().await?.0;
                // Answers are written whole, so there is nothing to wait for.
                stream.set_nodelay(true).ok();
                Stream::Tcp(stream)
            }
        })
    }
}

/// Serves a plugin until `shutdown` resolves; calls under way then have 10 s to end.
///
/// # Errors
/// Returns why the listener cannot be used. Failures of single connections are theirs alone.
pub async fn serve(
    listener: impl Into<Listener>,
    plugin: Arc<Plugin>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let accept = Accept::new(listener.into())?;
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut pause = Duration::ZERO;
    loop {
        let accepting = async {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            accept.next().await
        };
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => report(ended),
            accepted = accepting => match accepted {
                Ok(stream) => {
                    pause = Duration::ZERO;
                    connections.spawn(converse(stream, Arc::clone(&plugin), closing.clone()));
                }
                // Out of descriptors, or a peer that left the queue. Asking again at once would
                // keep a processor busy for as long as it lasts.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    pause = (pause * 2).clamp(Duration::from_millis(5), Duration::from_secs(1));
                }
            },
        }
    }
    drop(accept);
    close.send_replace(true);
    let drained = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(GRACE, drained).await.is_err() {
        tracing::warn!(
            count = connections.len(),
            "dropped connections that did not end"
        );
    }
    Ok(())
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a call panicked; its connection is closed");
    }
}

/// Answers the requests on one connection.
async fn converse(stream: Stream, plugin: Arc<Plugin>, mut closing: watch::Receiver<bool>) {
    let end = closing.clone();
    let service = service_fn(move |request| respond(Arc::clone(&plugin), end.clone(), request));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        // A caller that leaves does not take back what it asked for: the method runs to its end,
        // as it does in the original. And one that only closes its own direction gets its answer.
        .half_close(true)
        .title_case_headers(true);
    let connection = builder.serve_connection(TokioIo::new(Patient::new(stream)), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closed(&mut closing) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
