//! `specs/<group>` and `groups/<group>`, as the group plugin exposes them.

use async_trait::async_trait;
use infrakit_spi::group::GroupDescription;
use infrakit_spi::metadata::Metadata;
use infrakit_spi::metadata::document::{self, Path};
use infrakit_spi::{Any, Result};
use serde_json::{Map, Value};

use crate::Engine;

/// The metadata of an engine: always as of the last look, never older than a poll interval.
#[derive(Clone)]
pub struct GroupMetadata(pub Engine);

impl GroupMetadata {
    async fn document(&self) -> Result<Value> {
        let (specs, groups) = self
            .0
            .ask(|shell, _| {
                let core = &shell.core;
                let specs = core.inspect();
                let groups: Vec<(String, GroupDescription)> = specs
                    .iter()
                    .filter_map(|spec| Some((spec.id.to_string(), core.describe(&spec.id).ok()?)))
                    .collect();
                (specs, groups)
            })
            .await?;
        let specs: Map<String, Value> = specs
            .iter()
            .map(|spec| (spec.id.to_string(), value(spec)))
            .collect();
        let groups: Map<String, Value> = groups
            .iter()
            .map(|(id, group)| (id.clone(), value(group)))
            .collect();
        Ok(Value::Object(Map::from_iter([
            ("groups".to_owned(), Value::Object(groups)),
            ("specs".to_owned(), Value::Object(specs)),
        ])))
    }
}

fn value<T: serde::Serialize>(of: &T) -> Value {
    // Raw parts were parsed when they came in; only absurd nesting can fail here.
    serde_json::to_value(of).unwrap_or(Value::Null)
}

#[async_trait]
impl Metadata for GroupMetadata {
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>> {
        let root = self.document().await?;
        Ok(document::keys(&root, &Path::parse(path)))
    }

    async fn get(&self, path: &str) -> Result<Option<Any>> {
        let root = self.document().await?;
        document::get(&root, &Path::parse(path))
    }
}
