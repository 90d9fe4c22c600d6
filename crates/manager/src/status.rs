//! `status`: what the manager says of itself. It can be read only.

use async_trait::async_trait;
use infrakit_spi::metadata::document::{self, Path};
use infrakit_spi::metadata::{Change, Metadata, Proposal, Updatable};
use infrakit_spi::{Any, Error, Result};
use serde_json::{Value, json};

/// The manager's status.
#[derive(Clone, Copy, Debug, Default)]
pub struct Status;

fn state() -> Value {
    json!({ "leader": true })
}

#[async_trait]
impl Metadata for Status {
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>> {
        Ok(document::keys(&state(), &Path::parse(path)))
    }

    async fn get(&self, path: &str) -> Result<Option<Any>> {
        document::get(&state(), &Path::parse(path))
    }
}

#[async_trait]
impl Updatable for Status {
    async fn changes(&self, _: &[Change]) -> Result<Proposal> {
        Err(Error::refused("readonly"))
    }

    async fn commit(&self, _: Option<&Any>, _: &str) -> Result<()> {
        Err(Error::refused("readonly"))
    }
}
