//! Group plugins over the wire.

use async_trait::async_trait;
use infrakit_spi::group::wire::{
    CommitRequest, CommitResponse, DescribeRequest, DescribeResponse, DestroyInstancesRequest,
    GroupRequest, InspectResponse, SizeMessage,
};
use infrakit_spi::group::{Commit, Group, GroupDescription, GroupSpec};
use infrakit_spi::rollout::Rollouts;
use infrakit_spi::{Error, GroupId, InstanceId, Result};

use crate::client::Client;
use crate::method::{Method, method};
use crate::server::call::{Call, Fault, Reply, reply};
use crate::server::objects::{Objects, by_name};

/// A group plugin in another process.
#[derive(Clone, Debug)]
pub struct GroupClient {
    pub(super) client: Client,
    pub(super) name: String,
}

impl GroupClient {
    /// Makes a client of the object with the full name `name`, as in `group/groups`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    pub(super) fn about(&self, id: &GroupId) -> GroupRequest {
        GroupRequest {
            name: self.name.clone(),
            id: id.clone(),
        }
    }
}

impl GroupClient {
    async fn destroy_members(
        &self,
        id: &GroupId,
        instances: &[InstanceId],
        now: bool,
    ) -> Result<()> {
        let request = DestroyInstancesRequest {
            name: self.name.clone(),
            id: id.clone(),
            instances: Some(instances.to_vec()),
            now,
        };
        self.client
            .call("Group.DestroyInstances", &request)
            .await
            .map(|_: GroupRequest| ())
    }
}

#[async_trait]
impl Group for GroupClient {
    async fn commit(&self, spec: &GroupSpec, mode: Commit) -> Result<String> {
        let request = CommitRequest {
            name: self.name.clone(),
            spec: spec.clone(),
            pretend: matches!(mode, Commit::Pretend),
        };
        let response: CommitResponse = self.client.call("Group.CommitGroup", &request).await?;
        Ok(response.details)
    }

    async fn free(&self, id: &GroupId) -> Result<()> {
        self.client
            .call("Group.FreeGroup", &self.about(id))
            .await
            .map(|_: GroupRequest| ())
    }

    async fn describe(&self, id: &GroupId) -> Result<GroupDescription> {
        let response: DescribeResponse = self
            .client
            .call("Group.DescribeGroup", &self.about(id))
            .await?;
        Ok(response.description)
    }

    async fn describe_with_conditions(&self, id: &GroupId) -> Result<GroupDescription> {
        let request = DescribeRequest {
            name: self.name.clone(),
            id: id.clone(),
            conditions: true,
        };
        let response: DescribeResponse = self.client.call("Group.DescribeGroup", &request).await?;
        Ok(response.description)
    }

    async fn destroy(&self, id: &GroupId) -> Result<()> {
        self.client
            .call("Group.DestroyGroup", &self.about(id))
            .await
            .map(|_: GroupRequest| ())
    }

    async fn inspect(&self) -> Result<Vec<GroupSpec>> {
        let request = self.about(&GroupId::default());
        let response: InspectResponse = self.client.call("Group.InspectGroups", &request).await?;
        Ok(response.groups.unwrap_or_default())
    }

    async fn destroy_instances(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.destroy_members(id, instances, false).await
    }

    async fn destroy_instances_now(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.destroy_members(id, instances, true).await
    }

    async fn size(&self, id: &GroupId) -> Result<u64> {
        let response: SizeMessage = self.client.call("Group.Size", &self.about(id)).await?;
        let negative = |_| Error::unknown(format!("Group.Size: negative size of group {id}"));
        u64::try_from(response.size).map_err(negative)
    }

    async fn set_size(&self, id: &GroupId, size: i64) -> Result<()> {
        let request = SizeMessage {
            name: self.name.clone(),
            id: id.clone(),
            size,
        };
        self.client
            .call("Group.SetSize", &request)
            .await
            .map(|_: GroupRequest| ())
    }

    fn rollouts(&self) -> Option<&dyn Rollouts> {
        Some(self)
    }
}

pub(crate) async fn serve(objects: &dyn Objects<dyn Group>, call: Call<'_>) -> Reply {
    match call.method {
        "CommitGroup" => {
            let CommitRequest {
                name,
                spec,
                pretend,
            } = call.params()?;
            let mode = if pretend {
                Commit::Pretend
            } else {
                Commit::Enforce
            };
            let details = by_name(objects, &name)?.commit(&spec, mode).await?;
            reply(&CommitResponse {
                name,
                id: spec.id,
                details,
            })
        }
        "FreeGroup" => {
            let request: GroupRequest = call.params()?;
            by_name(objects, &request.name)?.free(&request.id).await?;
            reply(&request)
        }
        "DescribeGroup" => {
            let DescribeRequest {
                name,
                id,
                conditions,
            } = call.params()?;
            let group = by_name(objects, &name)?;
            let description = if conditions {
                group.describe_with_conditions(&id).await?
            } else {
                group.describe(&id).await?
            };
            reply(&DescribeResponse {
                name,
                id,
                description,
            })
        }
        "DestroyGroup" => {
            let request: GroupRequest = call.params()?;
            by_name(objects, &request.name)?
                .destroy(&request.id)
                .await?;
            reply(&request)
        }
        "InspectGroups" => {
            let GroupRequest { name, .. } = call.params()?;
            let groups = by_name(objects, &name)?.inspect().await?;
            // The original has `null` here where there is none.
            let groups = Some(groups).filter(|groups| !groups.is_empty());
            reply(&InspectResponse {
                name,
                id: GroupId::default(),
                groups,
            })
        }
        "DestroyInstances" => {
            let DestroyInstancesRequest {
                name,
                id,
                instances,
                now,
            } = call.params()?;
            let group = by_name(objects, &name)?;
            let instances = instances.unwrap_or_default();
            if now {
                group.destroy_instances_now(&id, &instances).await?;
            } else {
                group.destroy_instances(&id, &instances).await?;
            }
            reply(&GroupRequest { name, id })
        }
        "Size" => {
            let GroupRequest { name, id } = call.params()?;
            let size = by_name(objects, &name)?.size(&id).await?;
            reply(&SizeMessage {
                name,
                id,
                size: i64::try_from(size).unwrap_or(i64::MAX),
            })
        }
        "SetSize" => {
            let SizeMessage { name, id, size } = call.params()?;
            by_name(objects, &name)?.set_size(&id, size).await?;
            reply(&GroupRequest { name, id })
        }
        _ => Err(Fault::NoMethod),
    }
}

pub(crate) fn methods() -> Vec<Method> {
    let group = GroupRequest::default();
    let size = SizeMessage::default();
    vec![
        method(
            "Group.CommitGroup",
            &CommitRequest::default(),
            &CommitResponse::default(),
        ),
        method("Group.DescribeGroup", &group, &DescribeResponse::default()),
        method("Group.DestroyGroup", &group, &group),
        method(
            "Group.DestroyInstances",
            &DestroyInstancesRequest::default(),
            &group,
        ),
        method("Group.FreeGroup", &group, &group),
        method("Group.InspectGroups", &group, &InspectResponse::default()),
        method("Group.SetSize", &size, &group),
        method("Group.Size", &group, &size),
    ]
}
