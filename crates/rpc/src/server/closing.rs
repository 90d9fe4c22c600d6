//! The end of a server, as its connections and streams see it.

use tokio::sync::watch;

/// Waits until the server stops.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error says that the server is gone altogether. What is returned holds a lock.
    drop(closing.wait_for(|closing| *closing).await);
}
