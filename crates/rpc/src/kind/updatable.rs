//! Writable metadata over the wire.

use std::sync::Arc;

use async_trait::async_trait;
use infrakit_spi::metadata::wire::{
    ChangesRequest, ChangesResponse, CommitRequest, CommitResponse, GetResponse, KeysResponse,
    PathRequest,
};
use infrakit_spi::metadata::{Change, Metadata, Proposal, Updatable};
use infrakit_spi::{Any, Error, Result};

use super::metadata::{at, keys, root};
use crate::client::Client;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_name};

/// Writable metadata of another process.
#[derive(Clone, Debug)]
pub struct UpdatableClient {
    client: Client,
    name: String,
}

impl UpdatableClient {
    /// Makes a client of the object with the full name `name`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }
}

#[async_trait]
impl Metadata for UpdatableClient {
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>> {
        let request = at(&self.name, path);
        keys(&self.client, ["Updatable.Keys", "Updatable.List"], &request).await
    }

    async fn get(&self, path: &str) -> Result<Option<Any>> {
        let request = at(&self.name, path);
        let response: GetResponse = self.client.call("Updatable.Get", &request).await?;
        Ok(response.value)
    }
}

#[async_trait]
impl Updatable for UpdatableClient {
    async fn changes(&self, changes: &[Change]) -> Result<Proposal> {
        let name = self.name.clone();
        let request = ChangesRequest {
            name,
            changes: Some(changes.to_vec()),
        };
        let ChangesResponse {
            original,
            proposed,
            cas,
            ..
        } = self.client.call("Updatable.Changes", &request).await?;
        Ok(Proposal {
            original,
            proposed,
            cas,
        })
    }

    async fn commit(&self, proposed: Option<&Any>, cas: &str) -> Result<()> {
        let request = CommitRequest {
            name: self.name.clone(),
            proposed: proposed.cloned(),
            cas: cas.to_owned(),
        };
        self.client
            .call("Updatable.Commit", &request)
            .await
            .map(|_: CommitResponse| ())
    }
}

/// Readable metadata among writable: changes are refused with `readonly`.
pub struct ReadOnly(pub Arc<dyn Metadata>);

#[async_trait]
impl Metadata for ReadOnly {
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>> {
        self.0.keys(path).await
    }

    async fn get(&self, path: &str) -> Result<Option<Any>> {
        self.0.get(path).await
    }
}

#[async_trait]
impl Updatable for ReadOnly {
    async fn changes(&self, _changes: &[Change]) -> Result<Proposal> {
        Err(Error::refused("readonly"))
    }

    async fn commit(&self, _proposed: Option<&Any>, _cas: &str) -> Result<()> {
        Err(Error::refused("readonly"))
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Updatable>, call: Call<'_>) -> Reply {
    match call.method {
        "Keys" | "List" => {
            let PathRequest { name, path } = call.params()?;
            let nodes = by_name(objects, &name)?.keys(&path).await?;
            reply(&KeysResponse { name, nodes })
        }
        "Get" => {
            let PathRequest { name, path } = call.params()?;
            let value = by_name(objects, &name)?.get(&path).await?;
            reply(&GetResponse { name, value })
        }
        "Changes" => {
            let ChangesRequest { name, changes } = call.params()?;
            let object = by_name(objects, &name)?;
            let Proposal {
                original,
                proposed,
                cas,
            } = object.changes(&changes.unwrap_or_default()).await?;
            reply(&ChangesResponse {
                name,
                original,
                proposed,
                cas,
            })
        }
        "Commit" => {
            let CommitRequest {
                name,
                proposed,
                cas,
            } = call.params()?;
            by_name(objects, &name)?
                .commit(proposed.as_ref(), &cas)
                .await?;
            reply(&CommitResponse { name })
        }
        _ => Err(Fault::NoMethod),
    }
}

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method(
            "Updatable.Changes",
            &ChangesRequest::default(),
            &ChangesResponse::default(),
        ),
        method(
            "Updatable.Commit",
            &CommitRequest::default(),
            &CommitResponse::default(),
        ),
        method("Updatable.Get", &root(), &GetResponse::default()),
        method("Updatable.Keys", &root(), &KeysResponse::default()),
    ]
}
