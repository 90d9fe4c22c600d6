//! Resource plugins: sets of named things, committed and destroyed together.

use async_trait::async_trait;

use crate::{Any, Result, group::Commit, wire_struct};

wire_struct! {
    /// A set of resources as its operator specified it.
    #[derive(PartialEq)]
    pub struct ResourceSpec {
        /// Id of the set.
        pub id: String => "ID",
        /// The plugin's own schema.
        pub properties: Option<Any> => "Properties",
    }
}

/// A plugin for resources. Results are sentences for people.
#[async_trait]
pub trait Resource: Send + Sync {
    /// Creates what is missing.
    async fn commit(&self, spec: &ResourceSpec, mode: Commit) -> Result<String>;

    /// Destroys all of it.
    async fn destroy(&self, spec: &ResourceSpec, mode: Commit) -> Result<String>;

    /// Lists what there is.
    async fn describe(&self, spec: &ResourceSpec) -> Result<String>;
}
