//! Readable metadata over the wire.

use async_trait::async_trait;
use infrakit_spi::metadata::Metadata;
use infrakit_spi::metadata::wire::{GetResponse, KeysResponse, PathRequest};
use infrakit_spi::{Any, Result};

use crate::client::Client;
use crate::handshake::is_unknown;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_name};

/// Readable metadata of another process.
#[derive(Clone, Debug)]
pub struct MetadataClient {
    client: Client,
    name: String,
}

impl MetadataClient {
    /// Makes a client of the object with the full name `name`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }
}

#[async_trait]
impl Metadata for MetadataClient {
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>> {
        let request = at(&self.name, path);
        keys(&self.client, ["Metadata.Keys", "Metadata.List"], &request).await
    }

    async fn get(&self, path: &str) -> Result<Option<Any>> {
        let request = at(&self.name, path);
        let response: GetResponse = self.client.call("Metadata.Get", &request).await?;
        Ok(response.value)
    }
}

/// A request about `path` of the object `name`.
pub(super) fn at(name: &str, path: &str) -> PathRequest {
    PathRequest {
        name: name.to_owned(),
        path: path.to_owned(),
    }
}

/// Asks for keys by the name that the method has, or by the one that it had up to v0.5.
pub(super) async fn keys(
    client: &Client,
    [method, older]: [&str; 2],
    request: &PathRequest,
) -> Result<Option<Vec<String>>> {
    let response: KeysResponse = match client.call(method, request).await {
        Err(error) if is_unknown(&error) => client.call(older, request).await.map_err(|_| error)?,
        answer => answer?,
    };
    Ok(response.nodes)
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Metadata>, call: Call<'_>) -> Reply {
    match call.method {
        // `List` is what callers up to v0.5 say.
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
        _ => Err(Fault::NoMethod),
    }
}

/// An example request: the root.
pub(super) fn root() -> PathRequest {
    PathRequest {
        path: ".".to_owned(),
        ..PathRequest::default()
    }
}

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method("Metadata.Get", &root(), &GetResponse::default()),
        method("Metadata.Keys", &root(), &KeysResponse::default()),
    ]
}
