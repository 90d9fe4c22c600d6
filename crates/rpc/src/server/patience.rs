//! Patience with slow readers: a socket that gives up when its peer does not take what is written.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::socket::Stream;

/// Time in which a peer must give or take [`PORTION`], or all that is left.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes that count as progress; a byte a second does not.
pub(crate) const PORTION: usize = 64 << 10;

/// A socket whose writes fail when the peer takes less than a portion in time.
#[derive(Debug)]
pub(crate) struct Patient {
    stream: Stream,
    /// Runs while the peer is behind.
    behind: Option<Pin<Box<Sleep>>>,
    /// Bytes taken since the peer fell behind.
    taken: usize,
}

impl Patient {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            behind: None,
            taken: 0,
        }
    }

    fn judge(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Poll::Pending = written else {
            if let (Poll::Ready(Ok(count)), Some(_)) = (&written, &self.behind) {
                self.taken += count;
                if self.taken >= PORTION {
                    self.behind = None;
                }
            }
            return written;
        };
        if self.behind.is_none() {
            self.taken = 0;
        }
        let behind = self
            .behind
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(PATIENCE)));
        ready!(behind.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.judge(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        // Everything is with the peer.
        this.behind = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
