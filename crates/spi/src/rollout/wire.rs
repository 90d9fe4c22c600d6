//! Parameters and results of the methods, as they travel.

use super::{Condition, Orphan, Preview, RevisionRecord, RolloutStatus, Setting, Why};
use crate::group::GroupSpec;
use crate::{GroupId, InstanceId, wire_struct};

wire_struct! {
    /// Parameters of `Rollout.Rollback`.
    pub struct RollbackRequest {
        /// Object to address.
        pub name: String => "Name",
        /// The group.
        pub id: GroupId => "ID",
        /// The revision to return to; none for the last good one.
        pub to: Option<u64> => "To" omit,
    }
}
wire_struct! {
    /// Parameters of `Rollout.Hold`, `Rollout.Release` and `Rollout.Why`.
    pub struct MemberRequest {
        /// Object to address.
        pub name: String => "Name",
        /// The group.
        pub id: GroupId => "ID",
        /// The member; none for the group as a whole.
        pub instance: Option<InstanceId> => "Instance" omit,
    }
}
wire_struct! {
    /// Parameters of `Rollout.Freeze` and `Rollout.Thaw`.
    pub struct FreezeRequest {
        /// Object to address.
        pub name: String => "Name",
        /// The group; none for all.
        pub id: GroupId => "ID",
        /// Whether all groups are meant.
        pub all: bool => "All" omit,
    }
}

wire_struct! {
    /// Parameters of `Rollout.Preview` and `Rollout.Commit`.
    pub struct SpecRequest {
        /// Object to address.
        pub name: String => "Name",
        /// The spec.
        pub spec: GroupSpec => "Spec",
        /// The plan that the commit is bound to.
        pub plan: String => "Plan" omit,
    }
}
wire_struct! {
    /// Result of the methods that answer with a sentence.
    pub struct SaidResponse {
        /// Name of the request.
        pub name: String => "Name",
        /// The group.
        pub id: GroupId => "ID",
        /// The sentence.
        pub details: String => "Details",
    }
}
wire_struct! {
    /// Result of `Rollout.Status`.
    pub struct StatusResponse {
        /// Name of the request.
        pub name: String => "Name",
        /// The group.
        pub id: GroupId => "ID",
        /// How far it is.
        pub status: RolloutStatus => "Status",
    }
}
wire_struct! {
    /// Result of `Rollout.History`.
    pub struct HistoryResponse {
        /// Name of the request.
        pub name: String => "Name",
        /// The group.
        pub id: GroupId => "ID",
        /// The revisions, the oldest first.
        pub revisions: Vec<RevisionRecord> => "Revisions",
    }
}
wire_struct! {
    /// Result of `Rollout.Why`.
    pub struct WhyResponse {
        /// Name of the request.
        pub name: String => "Name",
        /// The group.
        pub id: GroupId => "ID",
        /// The answer.
        pub why: Why => "Why",
    }
}
wire_struct! {
    /// Result of `Rollout.Preview`.
    pub struct PreviewResponse {
        /// Name of the request.
        pub name: String => "Name",
        /// The group.
        pub id: GroupId => "ID",
        /// What a commit would do.
        pub preview: Preview => "Preview",
    }
}
wire_struct! {
    /// Result of `Rollout.Orphans`.
    pub struct OrphansResponse {
        /// Name of the request.
        pub name: String => "Name",
        /// What there is.
        pub orphans: Vec<Orphan> => "Orphans",
    }
}
wire_struct! {
    /// Result of `Rollout.Settings`.
    pub struct SettingsResponse {
        /// Name of the request.
        pub name: String => "Name",
        /// What holds.
        pub settings: Vec<Setting> => "Settings",
    }
}
wire_struct! {
    /// Result of `Rollout.Conditions`.
    pub struct ConditionsResponse {
        /// Name of the request.
        pub name: String => "Name",
        /// The group.
        pub id: GroupId => "ID",
        /// The conditions.
        pub conditions: Vec<Condition> => "Conditions",
    }
}
