//! The manager's groups: the object `groups`, and one per group that exists.

use std::sync::Arc;

use async_trait::async_trait;
use infrakit_engine::Engine;
use infrakit_rpc::Objects;
use infrakit_spi::controller::Controller;
use infrakit_spi::group::{Commit, Group, GroupDescription, GroupSpec};
use infrakit_spi::rollout::Rollouts;
use infrakit_spi::{Error, GroupId, InstanceId, Result};

use crate::{GroupController, Scope};

/// Name of the object that stands for all groups.
pub const GROUPS: &str = "groups";

/// The table of the manager's groups. It is made anew for each request, so a group appears at once.
#[derive(Clone)]
pub struct ManagedGroups {
    engine: Engine,
    stack: Arc<str>,
}

impl ManagedGroups {
    /// Creates the table of the stack named `stack`.
    #[must_use]
    pub fn new(engine: Engine, stack: &str) -> Self {
        Self {
            engine,
            stack: stack.into(),
        }
    }

    fn list(&self) -> Vec<String> {
        let groups = self.engine.groups();
        let mut names: Vec<String> = groups.iter().map(ToString::to_string).collect();
        names.push(GROUPS.to_owned());
        names.sort();
        names
    }

    fn knows(&self, name: &str) -> bool {
        name == GROUPS || self.engine.groups().iter().any(|id| id.as_str() == name)
    }
}

impl Objects<dyn Group> for ManagedGroups {
    fn names(&self) -> Vec<String> {
        self.list()
    }

    fn get(&self, name: &str) -> Option<Arc<dyn Group>> {
        self.knows(name)
            .then(|| Arc::new(Managed(self.engine.clone())) as Arc<dyn Group>)
    }
}

impl Objects<dyn Controller> for ManagedGroups {
    fn names(&self) -> Vec<String> {
        self.list()
    }

    fn get(&self, name: &str) -> Option<Arc<dyn Controller>> {
        let scope = if name == GROUPS {
            Scope::All
        } else {
            Scope::Only(GroupId::from(name))
        };
        self.knows(name).then(|| {
            let engine = self.engine.clone();
            Arc::new(GroupController::new(engine, &self.stack, scope)) as Arc<dyn Controller>
        })
    }
}

/// The engine's groups with the texts that the original's manager has of its own.
struct Managed(Engine);

#[async_trait]
impl Group for Managed {
    async fn commit(&self, spec: &GroupSpec, mode: Commit) -> Result<String> {
        self.0.commit(spec, mode).await
    }

    async fn free(&self, id: &GroupId) -> Result<()> {
        self.0.free(id).await
    }

    async fn describe(&self, id: &GroupId) -> Result<GroupDescription> {
        self.0.describe(id).await
    }

    async fn describe_with_conditions(&self, id: &GroupId) -> Result<GroupDescription> {
        self.0.describe_with_conditions(id).await
    }

    async fn destroy(&self, id: &GroupId) -> Result<()> {
        self.0.destroy(id).await
    }

    async fn inspect(&self) -> Result<Vec<GroupSpec>> {
        self.0.inspect().await
    }

    async fn destroy_instances(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.0.destroy_instances(id, instances).await
    }

    async fn destroy_instances_now(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.0.destroy_instances_now(id, instances).await
    }

    async fn size(&self, id: &GroupId) -> Result<u64> {
        self.0.size(id).await.map_err(|error| {
            if error.message() == format!("group {id} not found") {
                return Error::refused(format!("not found {id}"));
            }
            error
        })
    }

    async fn set_size(&self, id: &GroupId, size: i64) -> Result<()> {
        self.0
            .set_size(id, size)
            .await
            .map_err(|error| match error.message() {
                "cannot set size if logic ids are explicitly set" => {
                    Error::refused("cannot set size when logical ids are explicitly set")
                }
                text if text == format!("group not found {id}") => {
                    Error::refused(format!("not found {id}"))
                }
                _ => error,
            })
    }

    fn rollouts(&self) -> Option<&dyn Rollouts> {
        self.0.rollouts()
    }
}
