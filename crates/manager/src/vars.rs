//! `vars`: a document that operators and templates share, kept in the store.

use std::sync::Arc;

use async_trait::async_trait;
use infrakit_spi::metadata::document::{self, Path};
use infrakit_spi::metadata::{Change, Metadata, Proposal, Updatable};
use infrakit_spi::{Any, Error, Result};
use infrakit_store::{Change as Record, Durability, Expected, Key, Store, Versioned};
use serde_json::{Map, Value};

/// A document in the store.
#[derive(Clone)]
pub struct Vars {
    store: Arc<dyn Store>,
    key: Key,
}

impl Vars {
    /// Opens the document named `name`; it is empty until something is committed.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, name: &str) -> Self {
        Self {
            store,
            key: Key::new(format!("vars/{name}")),
        }
    }

    fn read(&self) -> Result<(Value, Option<Versioned>)> {
        let Some(found) = self.store.get(&self.key) else {
            return Ok((Value::Object(Map::new()), None));
        };
        let document = found
            .value
            .decode()
            .map_err(|error| Error::refused(error.to_string()))?;
        Ok((document, Some(found)))
    }
}

#[async_trait]
impl Metadata for Vars {
    async fn keys(&self, path: &str) -> Result<Option<Vec<String>>> {
        Ok(document::keys(&self.read()?.0, &Path::parse(path)))
    }

    async fn get(&self, path: &str) -> Result<Option<Any>> {
        document::get(&self.read()?.0, &Path::parse(path))
    }
}

#[async_trait]
impl Updatable for Vars {
    async fn changes(&self, changes: &[Change]) -> Result<Proposal> {
        document::propose(&self.read()?.0, changes)
    }

    async fn commit(&self, proposed: Option<&Any>, cas: &str) -> Result<()> {
        let (current, found) = self.read()?;
        let accepted = document::accept(&current, proposed, cas)?;
        let expected = found.map_or(Expected::Absent, |found| Expected::Revision(found.revision));
        let put = Record::Put {
            key: self.key.clone(),
            value: accepted.to_string(),
            expected: Some(expected),
        };
        match self.store.commit(vec![put], Durability::Synced).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::refused(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use infrakit_store::MemStore;

    use super::*;

    #[tokio::test]
    async fn commits_are_guarded_and_kept() {
        let store: Arc<dyn Store> = Arc::new(MemStore::default());
        let vars = Vars::new(Arc::clone(&store), "vars");
        let set = |value: &str| Change {
            path: "a/b".to_owned(),
            value: Any::parse(value).ok(),
        };
        let proposal = vars.changes(&[set("1")]).await.unwrap();
        let stale = vars.changes(&[set("2")]).await.unwrap();
        vars.commit(proposal.proposed.as_ref(), &proposal.cas)
            .await
            .unwrap();
        let error = vars
            .commit(stale.proposed.as_ref(), &stale.cas)
            .await
            .unwrap_err();
        assert_eq!(error.message(), "cas mismatch");
        let again = Vars::new(store, "vars");
        assert_eq!(again.get("a/b").await.unwrap().unwrap().as_str(), "1");
        assert_eq!(again.keys("").await.unwrap().unwrap(), ["a"]);
    }
}
