//! The stack: who leads, and which documents are in force.

use async_trait::async_trait;
use infrakit_engine::Engine;
use infrakit_spi::controller::Controller as _;
use infrakit_spi::document::{Object, Spec};
use infrakit_spi::group::{Commit, Group as _, GroupSpec};
use infrakit_spi::stack::Stack;
use infrakit_spi::{Error, GroupId, Result};

use crate::controller::document;
use crate::{GroupController, Scope};

/// A manager that always leads.
pub struct Manager {
    engine: Engine,
    name: String,
}

impl Manager {
    /// Creates the manager of the stack named `name`.
    #[must_use]
    pub fn new(engine: Engine, name: &str) -> Self {
        Self {
            engine,
            name: name.to_owned(),
        }
    }

    fn group(spec: &Spec) -> Result<GroupId> {
        if spec.kind.split('/').next() != Some("group") {
            let message = format!(
                "no controller for documents of kind `{}`; this manager enforces kind `group`",
                spec.kind
            );
            return Err(Error::refused(message));
        }
        Ok(GroupId::new(spec.address().instance))
    }
}

#[async_trait]
impl Stack for Manager {
    async fn is_leader(&self) -> Result<bool> {
        Ok(true)
    }

    async fn leader_location(&self) -> Result<Option<String>> {
        Ok(None)
    }

    async fn specs(&self) -> Result<Vec<Spec>> {
        Ok(self
            .engine
            .committed_specs()
            .await?
            .iter()
            .map(document)
            .collect())
    }

    /// Commits every document. All are explained first, so that one that is refused leaves
    /// everything as it was.
    async fn enforce(&self, specs: &[Spec]) -> Result<()> {
        let groups = specs
            .iter()
            .map(|spec| {
                let id = Self::group(spec)?;
                Ok(GroupSpec {
                    id,
                    properties: spec.properties.clone(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        for group in &groups {
            let explained = self.engine.commit(group, Commit::Pretend).await;
            explained.map_err(|error| Error::refused(format!("group `{}`: {error}", group.id)))?;
        }
        for group in &groups {
            self.engine.commit(group, Commit::Enforce).await?;
        }
        Ok(())
    }

    async fn inspect(&self) -> Result<Vec<Object>> {
        GroupController::new(self.engine.clone(), &self.name, Scope::All)
            .describe(None)
            .await
    }

    async fn terminate(&self, specs: &[Spec]) -> Result<()> {
        let ids = specs.iter().map(Self::group).collect::<Result<Vec<_>>>()?;
        for id in ids {
            self.engine.destroy(&id).await?;
        }
        Ok(())
    }
}
