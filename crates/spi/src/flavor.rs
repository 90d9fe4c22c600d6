//! Flavor plugins: what runs on an instance, how healthy it is, how to drain it.

use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::instance::{Description, InstanceSpec};
use crate::{Any, GroupId, LogicalId, Result, wire_struct};

wire_struct! {
    /// How many members a group has: a number, or a list of identities.
    #[derive(PartialEq, Eq)]
    pub struct Allocation {
        /// Number of like members (cattle).
        pub size: u64 => "Size",
        /// Identities of the members (pets).
        pub logical_ids: Option<Vec<LogicalId>> => "LogicalIDs",
    }
}

wire_struct! {
    /// Which member of which group is prepared.
    #[derive(PartialEq, Eq)]
    pub struct Index {
        /// The group.
        pub group: GroupId => "Group",
        /// Position of the member.
        pub sequence: u64 => "Sequence",
    }
}

/// Verdict on the health of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Nothing is known, which is not the same as sick.
    #[default]
    Unknown,
    /// It does its work.
    Healthy,
    /// It does not.
    Unhealthy,
}

impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_u8(match self {
            Self::Unknown => 0,
            Self::Healthy => 1,
            Self::Unhealthy => 2,
        })
    }
}

impl<'de> Deserialize<'de> for Health {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(match i64::deserialize(deserializer)? {
            1 => Self::Healthy,
            2 => Self::Unhealthy,
            _ => Self::Unknown,
        })
    }
}

/// A plugin for flavors.
#[async_trait]
pub trait Flavor: Send + Sync {
    /// Checks the plugin's own configuration for a group of this allocation.
    async fn validate(&self, properties: Option<&Any>, allocation: &Allocation) -> Result<()>;

    /// Returns `spec` with what this flavor adds to it.
    async fn prepare(
        &self,
        properties: Option<&Any>,
        spec: InstanceSpec,
        allocation: &Allocation,
        index: &Index,
    ) -> Result<InstanceSpec>;

    /// Returns the health of an instance.
    async fn healthy(&self, properties: Option<&Any>, instance: &Description) -> Result<Health>;

    /// Takes the work off an instance before it is destroyed.
    async fn drain(&self, properties: Option<&Any>, instance: &Description) -> Result<()>;
}

/// Parameters and results of the methods, as they travel.
pub mod wire {
    use super::{Allocation, Health, Index};
    use crate::instance::{Description, InstanceSpec};
    use crate::{Any, wire_struct};

    wire_struct! {
        /// Parameters of `Flavor.Validate`.
        pub struct ValidateRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// Properties to check.
            pub properties: Option<Any> => "Properties",
            /// Allocation of the group.
            pub allocation: Allocation => "Allocation",
        }
    }
    wire_struct! {
        /// Parameters of `Flavor.Prepare`.
        pub struct PrepareRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// Properties of the flavor.
            pub properties: Option<Any> => "Properties",
            /// Spec to add to.
            pub spec: InstanceSpec => "Spec",
            /// Allocation of the group.
            pub allocation: Allocation => "Allocation",
            /// Which member it is.
            pub index: Index => "Index",
        }
    }
    wire_struct! {
        /// Result of `Flavor.Prepare`.
        pub struct PrepareResponse {
            /// Subtype of the request.
            pub kind: String => "Type",
            /// The completed spec.
            pub spec: InstanceSpec => "Spec",
        }
    }
    wire_struct! {
        /// Parameters of `Flavor.Healthy` and `Flavor.Drain`.
        pub struct InstanceRequest {
            /// Subtype.
            pub kind: String => "Type",
            /// Properties of the flavor.
            pub properties: Option<Any> => "Properties",
            /// The instance.
            pub instance: Description => "Instance",
        }
    }
    wire_struct! {
        /// Result of `Flavor.Healthy`.
        pub struct HealthyResponse {
            /// Subtype of the request.
            pub kind: String => "Type",
            /// The verdict.
            pub health: Health => "Health",
        }
    }
}
