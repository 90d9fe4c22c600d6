//! Signs of change of an instance plugin over the wire: events on a topic of their own.
//!
//! Whoever finds the topic may look at the list more rarely; an event says no more than "look
//! again". A plugin may have events about other things, so that it is the topic that counts.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::Stream;
use futures_util::{StreamExt as _, stream};
use infrakit_spi::Result;
use infrakit_spi::event::{Event, Events};
use infrakit_spi::instance::Instance;
use tokio::time::Instant;

use crate::sse;

/// The topic below the name of a type of instances, or at the top for a plugin without types.
pub const TOPIC: &str = "instances";
/// Least time between two events. A list that is asked for after the later one shows both changes.
const PACE: Duration = Duration::from_millis(50);

/// The changes of an instance plugin in this process, as events.
pub struct ChangeEvents(Arc<dyn Instance>);

impl ChangeEvents {
    /// Returns the events of a plugin; `None` for one that cannot tell of changes.
    pub fn of(instance: &Arc<dyn Instance>) -> Option<Arc<dyn Events>> {
        let tells = instance.changes().is_some();
        tells.then(|| Arc::new(Self(Arc::clone(instance))) as Arc<dyn Events>)
    }
}

#[async_trait]
impl Events for ChangeEvents {
    async fn list(&self, topic: &str) -> Result<Option<Vec<String>>> {
        Ok(match topic {
            "" | "." => Some(vec![TOPIC.to_owned()]),
            TOPIC => Some(Vec::new()),
            _ => None,
        })
    }

    /// The first event comes at once: it tells the subscriber that from now on it misses nothing.
    fn subscribe(&self, _topic: &str) -> Pin<Box<dyn Stream<Item = Event> + Send>> {
        let Some(changes) = self.0.changes() else {
            return stream::pending().boxed();
        };
        let paced = stream::unfold(
            (changes, Instant::now()),
            |(mut changes, last)| async move {
                changes.next().await?;
                tokio::time::sleep_until(last + PACE).await;
                Some(((), (changes, Instant::now())))
            },
        );
        let first = stream::once(std::future::ready(()));
        first.chain(paced).map(|()| changed()).boxed()
    }
}

fn changed() -> Event {
    Event {
        topic: TOPIC.to_owned(),
        kind: "changed".to_owned(),
        message: "the list of instances may have changed".to_owned(),
        timestamp: sse::now(),
        ..Event::default()
    }
}
