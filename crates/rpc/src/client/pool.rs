//! Connections that wait for their next call.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

/// How long a connection may wait. Go closes its end after 10 s; half of that leaves no doubt
/// about who closes first, and a request on a connection that closes is a request in doubt.
const IDLE: Duration = Duration::from_secs(5);

/// A last-in-first-out pool: what was used last is most likely still open, and the rest ages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Debug, Default)]
struct Shelf {
    waiting: Vec<(Instant, Connection)>,
    /// Whether a task is under way that drops what waited too long.
    swept: bool,
}

impl Pool {
    /// Takes the connection that was used last, unless it has waited too long.
    pub(crate) fn take(&self) -> Option<Connection> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, connection) = shelf.waiting.pop()?;
        if since.elapsed() < IDLE {
            return Some(connection);
        }
        // The others have waited even longer.
        let overdue = std::mem::take(&mut shelf.waiting);
        drop(shelf);
        drop(overdue);
        None
    }

    /// Puts a connection back.
    pub(crate) fn put(&self, connection: Connection) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.waiting.push((Instant::now(), connection));
        if !shelf.swept {
            shelf.swept = true;
            tokio::spawn(sweep(Arc::downgrade(&self.shelf)));
        }
    }
}

/// Drops connections as their time comes, until none waits or the client is gone.
async fn sweep(shelf: std::sync::Weak<Mutex<Shelf>>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(shelf) = shelf.upgrade() else { return };
        let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let young = shelf
            .waiting
            .iter()
            .position(|(since, _)| since.elapsed() < IDLE);
        let count = young.unwrap_or(shelf.waiting.len());
        // Dropped behind the lock: closing a socket is a system call.
        let overdue: Vec<_> = shelf.waiting.drain(..count).collect();
        shelf.swept = !shelf.waiting.is_empty();
        let done = !shelf.swept;
        drop(shelf);
        drop(overdue);
        if done {
            return;
        }
    }
}
