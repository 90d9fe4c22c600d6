//! Controller plugins: what enforces spec documents of one kind.

use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Result;
use crate::document::{Metadata, Object, Spec};

/// What to do with a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    /// Make it so, and keep it so.
    #[default]
    Enforce,
    /// Remove all of it.
    Destroy,
    /// A number that this code does not know; it does nothing and succeeds.
    Other(i64),
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_i64(match self {
            Self::Enforce => 0,
            Self::Destroy => 1,
            Self::Other(number) => *number,
        })
    }
}

impl<'de> Deserialize<'de> for Operation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(match i64::deserialize(deserializer)? {
            0 => Self::Enforce,
            1 => Self::Destroy,
            number => Self::Other(number),
        })
    }
}

/// A plugin that enforces documents.
#[async_trait]
pub trait Controller: Send + Sync {
    /// Says what a commit would do: the object, and one message per step.
    async fn plan(&self, operation: Operation, spec: &Spec) -> Result<(Object, Vec<String>)>;

    /// Commits a document.
    async fn commit(&self, operation: Operation, spec: &Spec) -> Result<Object>;

    /// Describes the objects that `metadata` selects, or all.
    async fn describe(&self, metadata: Option<&Metadata>) -> Result<Vec<Object>>;

    /// Stops enforcing the objects that `metadata` selects, or all, and returns them.
    async fn free(&self, metadata: Option<&Metadata>) -> Result<Vec<Object>>;
}

/// Parameters and results of the methods, as they travel.
pub mod wire {
    use super::{Metadata, Object, Operation, Spec};
    use crate::wire_struct;

    wire_struct! {
        /// Parameters of `Controller.Plan` and `Controller.Commit`.
        pub struct CommitRequest {
            /// Object to address.
            pub name: String => "Name",
            /// What to do.
            pub operation: Operation => "Operation",
            /// The document.
            pub spec: Spec => "Spec",
        }
    }
    wire_struct! {
        /// Steps of a plan.
        pub struct Plan {
            /// One message a step.
            pub message: Option<Vec<String>> => "Message",
        }
    }
    wire_struct! {
        /// Result of `Controller.Plan` and `Controller.Commit`.
        pub struct CommitResponse {
            /// Name of the request.
            pub name: String => "Name",
            /// The object.
            pub object: Object => "Object",
            /// The plan; without messages in the answer to a commit.
            pub plan: Plan => "Plan",
        }
    }
    wire_struct! {
        /// Parameters of `Controller.Describe` and `Controller.Free`.
        pub struct SelectRequest {
            /// Object to address.
            pub name: String => "Name",
            /// What to select; `null` for all.
            pub metadata: Option<Metadata> => "Metadata",
        }
    }
    wire_struct! {
        /// Result of `Controller.Describe` and `Controller.Free`.
        pub struct SelectResponse {
            /// Name of the request.
            pub name: String => "Name",
            /// The objects.
            pub objects: Option<Vec<Object>> => "Objects",
        }
    }
}
