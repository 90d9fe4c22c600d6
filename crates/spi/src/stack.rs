//! The manager: who leads, and which documents are in force. Its methods are `Manager.*`.

use async_trait::async_trait;

use crate::Result;
use crate::document::{Object, Spec};

/// A manager.
#[async_trait]
pub trait Stack: Send + Sync {
    /// Returns whether this manager leads.
    async fn is_leader(&self) -> Result<bool>;

    /// Returns the URL of the manager that leads, where it is known.
    async fn leader_location(&self) -> Result<Option<String>>;

    /// Returns the documents in force, sorted by kind, version and name.
    async fn specs(&self) -> Result<Vec<Spec>>;

    /// Puts documents in force.
    async fn enforce(&self, specs: &[Spec]) -> Result<()>;

    /// Returns the documents in force with their state.
    async fn inspect(&self) -> Result<Vec<Object>>;

    /// Removes documents and what they led to.
    async fn terminate(&self, specs: &[Spec]) -> Result<()>;
}

/// Parameters and results of the methods, as they travel.
pub mod wire {
    use crate::document::{Object, Spec};
    use crate::wire_struct;

    wire_struct! {
        /// Result of `Manager.IsLeader`.
        pub struct IsLeaderResponse {
            /// Whether this manager leads.
            pub leader: bool => "Leader",
        }
    }
    wire_struct! {
        /// Result of `Manager.Specs`, and parameters of `Manager.Enforce` and `Manager.Terminate`.
        pub struct SpecsMessage {
            /// The documents.
            pub specs: Option<Vec<Spec>> => "Specs",
        }
    }
    wire_struct! {
        /// Result of `Manager.Inspect`.
        pub struct InspectResponse {
            /// The objects.
            pub objects: Option<Vec<Object>> => "Objects",
        }
    }
}
