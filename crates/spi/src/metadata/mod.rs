//! Metadata plugins: a tree of readable, and sometimes writable, values.

pub mod document;

use async_trait::async_trait;

use crate::{Any, Result, wire_struct};

wire_struct! {
    /// A change to a writable tree.
    #[derive(PartialEq)]
    pub struct Change {
        /// Where.
        pub path: String => "Path",
        /// What to put there.
        pub value: Option<Any> => "Value",
    }
}

/// A proposal that can be committed as long as nobody else changed the tree.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// The tree as it is.
    pub original: Option<Any>,
    /// The tree as it would be.
    pub proposed: Option<Any>,
    /// Hash over both, lower-case hexadecimal MD5.
    pub cas: String,
}

/// A plugin with readable values.
///
/// A path is one string with `/` between its elements; `.` and the empty string are the root.
#[async_trait]
pub trait Metadata: Send + Sync {
    /// Returns the names below `path`, sorted; `None` when there is nothing at `path`, an empty
    /// list for a leaf.
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>>;

    /// Returns the value at `path`; `None` when there is nothing.
    async fn get(&self, path: &str) -> Result<Option<Any>>;
}

/// A plugin with writable values.
#[async_trait]
pub trait Updatable: Metadata {
    /// Works out what the tree would be after `changes`.
    async fn changes(&self, changes: &[Change]) -> Result<Proposal>;

    /// Makes `proposed` the tree, provided that `cas` still holds.
    async fn commit(&self, proposed: Option<&Any>, cas: &str) -> Result<()>;
}

/// Parameters and results of the methods, as they travel.
pub mod wire {
    use super::Change;
    use crate::{Any, wire_struct};

    wire_struct! {
        /// Parameters of `Keys` and `Get`.
        pub struct PathRequest {
            /// Object to address.
            pub name: String => "Name",
            /// Where.
            pub path: String => "Path",
        }
    }
    wire_struct! {
        /// Result of `Keys`.
        pub struct KeysResponse {
            /// Name of the request.
            pub name: String => "Name",
            /// Names below the path.
            pub nodes: Option<Vec<String>> => "Nodes",
        }
    }
    wire_struct! {
        /// Result of `Get`.
        pub struct GetResponse {
            /// Name of the request.
            pub name: String => "Name",
            /// The value.
            pub value: Option<Any> => "Value",
        }
    }
    wire_struct! {
        /// Parameters of `Updatable.Changes`.
        pub struct ChangesRequest {
            /// Object to address.
            pub name: String => "Name",
            /// The changes.
            pub changes: Option<Vec<Change>> => "Changes",
        }
    }
    wire_struct! {
        /// Result of `Updatable.Changes`.
        pub struct ChangesResponse {
            /// Name of the request.
            pub name: String => "Name",
            /// The tree as it is.
            pub original: Option<Any> => "Original",
            /// The tree as it would be.
            pub proposed: Option<Any> => "Proposed",
            /// Hash over both.
            pub cas: String => "Cas",
        }
    }
    wire_struct! {
        /// Parameters of `Updatable.Commit`.
        pub struct CommitRequest {
            /// Object to address.
            pub name: String => "Name",
            /// The tree as it shall be.
            pub proposed: Option<Any> => "Proposed",
            /// Hash that was proposed.
            pub cas: String => "Cas",
        }
    }
    wire_struct! {
        /// Result of `Updatable.Commit`.
        pub struct CommitResponse {
            /// Name of the request.
            pub name: String => "Name",
        }
    }
}
