//! Event plugins: topics that can be listed and subscribed to.

use std::pin::Pin;

use async_trait::async_trait;
use futures_core::Stream;

use crate::{Any, Result, wire_struct};

wire_struct! {
    /// Something that happened.
    #[derive(PartialEq)]
    pub struct Event {
        /// Topic that it was published on.
        pub topic: String => "Topic",
        /// Kind of event.
        pub kind: String => "Type" omit,
        /// What it is about.
        pub id: String => "ID",
        /// One sentence.
        pub message: String => "Message",
        /// When it happened, RFC 3339 with nanoseconds.
        pub timestamp: String => "Timestamp",
        /// When the receiver got it; the zero time as sent.
        pub received: String => "Received",
        /// Details.
        pub data: Option<Any> => "Data" omit,
    }
}

/// A plugin with events.
#[async_trait]
pub trait Events: Send + Sync {
    /// Returns the topics below `topic`, sorted; `None` when there is no such topic, an empty
    /// list for a leaf.
    async fn list(&self, topic: &str) -> Result<Option<Vec<String>>>;

    /// Returns the events from now on whose topic `topic` selects: a topic that ends in `/`
    /// selects all below it, another one exactly itself, the empty one and `.` everything.
    fn subscribe(&self, topic: &str) -> Pin<Box<dyn Stream<Item = Event> + Send>>;
}

/// Parameters and results of the methods, as they travel.
pub mod wire {
    use crate::wire_struct;

    wire_struct! {
        /// Parameters of `Event.List`.
        pub struct ListRequest {
            /// Topic to list below.
            pub topic: String => "Topic",
        }
    }
    wire_struct! {
        /// Result of `Event.List`.
        pub struct ListResponse {
            /// The topics below.
            pub nodes: Option<Vec<String>> => "Nodes",
        }
    }
}
