//! Metadata of running plugins, for templates that ask for it.
//!
//! A template is rendered on whatever thread the command runs on; each question gets a thread and
//! a runtime of its own, and only when it is asked.

use std::sync::Arc;

use infrakit_rpc::kind::UpdatableClient;
use infrakit_rpc::{Client, Directory, Limits};
use infrakit_spi::Any;
use infrakit_spi::metadata::{Change, Updatable as _, wire};
use infrakit_spi::version::{self, Interface};
use infrakit_template::Metadata;
use serde_json::Value;

use crate::context::{Context, runtime};
use crate::error::Result;
use crate::target::{self, Found};

/// Asks the plugins in a directory.
struct Plugins {
    directory: Directory,
    limits: Limits,
}

/// Returns the metadata of the plugins of this machine.
pub(crate) fn plugins(context: &Context) -> Result<Arc<dyn Metadata>> {
    Ok(Arc::new(Plugins {
        directory: target::directory(context)?,
        limits: target::limits(context)?,
    }))
}

/// A place in the tree of one object.
struct Place {
    client: Client,
    interface: Interface,
    name: String,
    path: String,
}

impl Metadata for Plugins {
    fn get(&self, path: &str) -> std::result::Result<Option<Value>, String> {
        let place = |writable| self.place(path, writable);
        on_its_own(async {
            let Some(place) = place(false).await? else {
                return Ok(None);
            };
            let request = wire::PathRequest {
                name: place.name.clone(),
                path: place.path.clone(),
            };
            let method = format!("{}.Get", place.interface.name);
            let answer: wire::GetResponse = place
                .client
                .call(&method, &request)
                .await
                .map_err(|error| error.message().to_owned())?;
            let found = answer.value.filter(|any| any.as_str() != "null");
            found
                .map(|any| any.to_value().map_err(|error| error.to_string()))
                .transpose()
        })
    }

    fn set(&self, path: &str, value: &Value) -> std::result::Result<(), String> {
        on_its_own(async {
            let place = self
                .place(path, true)
                .await?
                .ok_or_else(|| format!("no plugin has metadata at `{path}` that can be changed"))?;
            let value = Any::from_value(value).map_err(|error| error.to_string())?;
            let client = UpdatableClient::new(place.client, place.name);
            let change = Change {
                path: place.path,
                value: Some(value),
            };
            let failed = |error: infrakit_spi::Error| error.message().to_owned();
            let proposal = client.changes(&[change]).await.map_err(failed)?;
            client
                .commit(proposal.proposed.as_ref(), &proposal.cas)
                .await
                .map_err(failed)
        })
    }
}

impl Plugins {
    /// Finds the object that a path leads to; nothing where no plugin has such a name.
    async fn place(
        &self,
        path: &str,
        writable: bool,
    ) -> std::result::Result<Option<Place>, String> {
        let path = path.trim_matches('/');
        let (socket, rest) = path.split_once('/').unwrap_or((path, ""));
        let listed = self.directory.list().map_err(|error| error.to_string())?;
        let Some(address) = listed.get(socket).filter(|_| !rest.is_empty()) else {
            return Ok(None);
        };
        let client = Client::new(address.clone(), self.limits);
        let hello = client
            .hello()
            .await
            .map_err(|error| format!("plugin `{socket}` does not answer: {}", error.message()))?;
        let objects = Found {
            socket: socket.to_owned(),
            address: address.clone(),
            hello,
        }
        .objects();
        let (object, below) = rest.split_once('/').unwrap_or((rest, ""));
        let wanted: &[Interface] = if writable {
            &[version::UPDATABLE]
        } else {
            &[version::METADATA, version::UPDATABLE]
        };
        for (name, path) in [
            (format!("{socket}/{object}"), below),
            (socket.to_owned(), rest),
        ] {
            let offers = objects.get(&name).map_or(&[][..], Vec::as_slice);
            let found = wanted
                .iter()
                .find_map(|interface| offers.iter().find(|offer| offer.interface == *interface));
            if let Some(offer) = found {
                let name = match offer.object.as_str() {
                    "" | "." => socket.to_owned(),
                    object => format!("{socket}/{object}"),
                };
                return Ok(Some(Place {
                    client,
                    interface: offer.interface,
                    name,
                    path: path.to_owned(),
                }));
            }
        }
        Ok(None)
    }
}

/// Runs `work` to its end on a thread of its own.
fn on_its_own<T: Send>(
    work: impl Future<Output = std::result::Result<T, String>> + Send,
) -> std::result::Result<T, String> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            runtime()
                .map_err(|error| error.message().to_owned())?
                .block_on(work)
        });
        let ended = thread.join();
        ended.unwrap_or_else(|_| Err("asking the plugins failed".to_owned()))
    })
}
