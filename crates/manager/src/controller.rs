//! Groups as documents: the Controller view of the manager's groups.

use std::sync::Arc;

use async_trait::async_trait;
use infrakit_engine::Engine;
use infrakit_spi::controller::{Controller, Operation};
use infrakit_spi::document::{Metadata, Object, Spec};
use infrakit_spi::group::{Commit, Group as _, GroupDescription, GroupSpec};
use infrakit_spi::{Any, Error, GroupId, Result, version};

/// Which groups a controller stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// One.
    Only(GroupId),
}

/// A controller of documents of kind `group`.
pub struct GroupController {
    engine: Engine,
    stack: Arc<str>,
    scope: Scope,
}

impl GroupController {
    /// Creates the controller of the stack named `stack` for the groups in `scope`.
    #[must_use]
    pub fn new(engine: Engine, stack: &str, scope: Scope) -> Self {
        Self {
            engine,
            stack: stack.into(),
            scope,
        }
    }

    /// Returns the group that a document is about.
    fn group_of(&self, spec: &Spec) -> Result<GroupId> {
        let instance = spec.address().instance;
        if instance.is_empty() {
            return Err(Error::refused("no group name"));
        }
        match &self.scope {
            Scope::Only(group) if group.as_str() != instance => Err(Error::refused(format!(
                "wrong group: instance={instance} scope={group}"
            ))),
            Scope::All | Scope::Only(_) => Ok(GroupId::new(instance)),
        }
    }

    async fn object(&self, spec: GroupSpec) -> Result<Object> {
        let state = self.engine.describe(&spec.id).await?;
        Ok(self.object_with(spec, &state))
    }

    fn object_with(&self, spec: GroupSpec, state: &GroupDescription) -> Object {
        let document = Spec {
            kind: "group".to_owned(),
            version: version::GROUP.key(),
            metadata: Metadata {
                id: Some(spec.id.to_string()),
                name: format!("{}/{}", self.stack, spec.id),
                tags: None,
            },
            properties: spec.properties,
            ..Spec::default()
        };
        Object::new(document, Any::from_value(state).ok())
    }

    /// The object as it is before a change: the group, or the bare document of one that is new.
    async fn before(&self, id: &GroupId, spec: &Spec) -> Result<Object> {
        let known = self
            .engine
            .inspect()
            .await?
            .into_iter()
            .find(|known| known.id == *id);
        match known {
            Some(known) => self.object(known).await,
            None => {
                let state = Any::from_value(&GroupDescription::default()).ok();
                Ok(Object::new(spec.clone(), state))
            }
        }
    }

    fn selects(&self, metadata: Option<&Metadata>, id: &GroupId) -> bool {
        let in_scope = match &self.scope {
            Scope::All => true,
            Scope::Only(group) => group == id,
        };
        let wanted = metadata.is_none_or(|metadata| {
            let name = metadata.name.rsplit('/').next().unwrap_or_default();
            let by_id = metadata
                .id
                .as_deref()
                .is_some_and(|wanted| wanted == id.as_str());
            by_id || name == id.as_str() || metadata.id.is_none() && metadata.name.is_empty()
        });
        in_scope && wanted
    }
}

#[async_trait]
impl Controller for GroupController {
    async fn plan(&self, operation: Operation, spec: &Spec) -> Result<(Object, Vec<String>)> {
        let id = self.group_of(spec)?;
        let before = self.before(&id, spec).await?;
        let steps = match operation {
            Operation::Enforce => {
                let group = GroupSpec {
                    id,
                    properties: spec.properties.clone(),
                };
                vec![self.engine.commit(&group, Commit::Pretend).await?]
            }
            Operation::Destroy => vec![format!("Destroying group {id} with all its instances")],
            Operation::Other(_) => Vec::new(),
        };
        Ok((before, steps))
    }

    async fn commit(&self, operation: Operation, spec: &Spec) -> Result<Object> {
        let id = self.group_of(spec)?;
        let before = self.before(&id, spec).await?;
        match operation {
            Operation::Enforce => {
                let group = GroupSpec {
                    id,
                    properties: spec.properties.clone(),
                };
                self.engine.commit(&group, Commit::Enforce).await?;
            }
            Operation::Destroy => self.engine.destroy(&id).await?,
            Operation::Other(_) => {}
        }
        Ok(before)
    }

    async fn describe(&self, metadata: Option<&Metadata>) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        for spec in self.engine.inspect().await? {
            if self.selects(metadata, &spec.id) {
                objects.push(self.object(spec).await?);
            }
        }
        Ok(objects)
    }

    async fn free(&self, metadata: Option<&Metadata>) -> Result<Vec<Object>> {
        let objects = self.describe(metadata).await?;
        for object in &objects {
            if let Some(id) = &object.metadata.id {
                self.engine.free(&GroupId::from(id.as_str())).await?;
            }
        }
        Ok(objects)
    }
}

/// Returns the document of a committed group.
pub(crate) fn document(spec: &GroupSpec) -> Spec {
    Spec {
        kind: "group".to_owned(),
        metadata: Metadata {
            id: None,
            name: spec.id.to_string(),
            tags: None,
        },
        properties: spec.properties.clone(),
        ..Spec::default()
    }
}
