//! Group plugins: what keeps a number of instances as specified.

mod spec;

use std::sync::Arc;

use async_trait::async_trait;

use crate::instance::Description;
use crate::rollout::{Condition, Rollouts};
use crate::{GroupId, InstanceId, Result, wire_struct};

pub use spec::GroupSpec;

wire_struct! {
    /// A group as it is.
    #[derive(PartialEq)]
    pub struct GroupDescription {
        /// Its members.
        pub instances: Option<Vec<Arc<Description>>> => "Instances",
        /// Whether reality is as specified and nothing is under way.
        pub converged: bool => "Converged",
        /// In which respects it is well, where that was asked for.
        pub conditions: Option<Vec<Condition>> => "Conditions" omit,
        /// Why the members cannot be listed now, where conditions were asked for: those of the last
        /// list are shown. Empty where they are those of now.
        pub unlisted: String => "Unlisted" omit,
        /// When that last list was asked for, in RFC 3339; empty where there was none.
        pub listed: String => "Listed" omit,
    }
}

/// Whether a commit is carried out or only explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Store the spec and enforce it.
    Enforce,
    /// Only say what would happen.
    Pretend,
}

/// A plugin for groups.
#[async_trait]
pub trait Group: Send + Sync {
    /// Commits a spec and returns a sentence about what follows.
    async fn commit(&self, spec: &GroupSpec, mode: Commit) -> Result<String>;

    /// Stops managing a group; its instances stay.
    async fn free(&self, id: &GroupId) -> Result<()>;

    /// Describes a group.
    async fn describe(&self, id: &GroupId) -> Result<GroupDescription>;

    /// Describes a group as [`describe`](Self::describe) does, and in which respects it is well,
    /// as far as this controller knows. One that knows it shows the members as of its last list where
    /// they cannot be listed now: how a group is, is wanted most then.
    async fn describe_with_conditions(&self, id: &GroupId) -> Result<GroupDescription> {
        let mut description = self.describe(id).await?;
        if let Some(rollouts) = self.rollouts() {
            description.conditions = Some(rollouts.conditions(id).await?);
        }
        Ok(description)
    }

    /// Destroys a group with all its members.
    async fn destroy(&self, id: &GroupId) -> Result<()>;

    /// Returns the specs of all groups, sorted by id.
    async fn inspect(&self) -> Result<Vec<GroupSpec>>;

    /// Destroys members and lowers the size of the group by their number.
    async fn destroy_instances(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()>;

    /// Does the same without waiting until enough others serve. A plugin that knows nothing of such
    /// haste destroys them as ever.
    async fn destroy_instances_now(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.destroy_instances(id, instances).await
    }

    /// Returns the size that a group is specified to have.
    async fn size(&self, id: &GroupId) -> Result<u64>;

    /// Changes the size that a group is specified to have.
    async fn set_size(&self, id: &GroupId, size: i64) -> Result<()>;

    /// Returns what this controller knows of rollouts, if it does.
    fn rollouts(&self) -> Option<&dyn Rollouts> {
        None
    }
}

/// Parameters and results of the methods, as they travel.
pub mod wire {
    use super::{GroupDescription, GroupSpec};
    use crate::{GroupId, InstanceId, wire_struct};

    wire_struct! {
        /// Parameters of `Group.CommitGroup`.
        pub struct CommitRequest {
            /// Object to address.
            pub name: String => "Name",
            /// The spec.
            pub spec: GroupSpec => "Spec",
            /// Whether to only explain.
            pub pretend: bool => "Pretend",
        }
    }
    wire_struct! {
        /// Result of `Group.CommitGroup`.
        pub struct CommitResponse {
            /// Name of the request.
            pub name: String => "Name",
            /// The group.
            pub id: GroupId => "ID",
            /// The plan in a sentence.
            pub details: String => "Details",
        }
    }
    wire_struct! {
        /// Parameters of methods on one group, and the result of those that only succeed.
        pub struct GroupRequest {
            /// Object to address.
            pub name: String => "Name",
            /// The group.
            pub id: GroupId => "ID",
        }
    }
    wire_struct! {
        /// Parameters of `Group.DescribeGroup`.
        pub struct DescribeRequest {
            /// Object to address.
            pub name: String => "Name",
            /// The group.
            pub id: GroupId => "ID",
            /// Whether the conditions are asked for. Peers that do not know them ignore it.
            pub conditions: bool => "Conditions" omit,
        }
    }
    wire_struct! {
        /// Result of `Group.DescribeGroup`.
        pub struct DescribeResponse {
            /// Name of the request.
            pub name: String => "Name",
            /// The group.
            pub id: GroupId => "ID",
            /// Its description.
            pub description: GroupDescription => "Description",
        }
    }
    wire_struct! {
        /// Result of `Group.InspectGroups`.
        pub struct InspectResponse {
            /// Name of the request.
            pub name: String => "Name",
            /// Always empty.
            pub id: GroupId => "ID",
            /// The specs; `null` when there are none.
            pub groups: Option<Vec<GroupSpec>> => "Groups",
        }
    }
    wire_struct! {
        /// Parameters of `Group.DestroyInstances`.
        pub struct DestroyInstancesRequest {
            /// Object to address.
            pub name: String => "Name",
            /// The group.
            pub id: GroupId => "ID",
            /// Members to destroy.
            pub instances: Option<Vec<InstanceId>> => "Instances",
            /// Whether they go at once, whoever else serves. Not sent where they need not.
            pub now: bool => "Now" omit,
        }
    }
    wire_struct! {
        /// Parameters of `Group.SetSize` and result of `Group.Size`.
        pub struct SizeMessage {
            /// Object to address.
            pub name: String => "Name",
            /// The group.
            pub id: GroupId => "ID",
            /// The size.
            pub size: i64 => "Size",
        }
    }
}
