//! Why requests are refused, in words for whoever asked.

use infrakit_plan::InvalidSpec;
use infrakit_spi::{GroupId, InstanceId};

/// Why a request was refused. Texts are the original's where it has one.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such group.
    #[error("Group '{0}' is not being watched")]
    NotWatched(GroupId),
    /// There is no such group to ask the size of.
    #[error("group {0} not found")]
    NoSize(GroupId),
    /// There is no such group to set the size of.
    #[error("group not found {0}")]
    NoGroupToScale(GroupId),
    /// A size below zero.
    #[error("size cannot be negative")]
    NegativeSize,
    /// The group has its size from its list of identities.
    #[error("cannot set size if logic ids are explicitly set")]
    PetsHaveNoSize,
    /// The group is on its way out.
    #[error(
        "Group '{0}' is being destroyed: wait until it is gone, or free it to keep what is left"
    )]
    BeingDestroyed(GroupId),
    /// Another change of the group is being written.
    #[error("another change of group '{0}' is being written; try again when it is done")]
    Changing(GroupId),
    /// Another revision came while a commit was worked out.
    #[error(
        "nothing was changed: another revision of group '{0}' is in force by now; look at the plan again"
    )]
    Overtaken(GroupId),
    /// Instances to destroy that do not belong to the group.
    #[error("{}: not in group '{group}'; nothing was destroyed", list(.instances))]
    NotMembers {
        /// The group.
        group: GroupId,
        /// The strangers.
        instances: Vec<InstanceId>,
    },
    /// The spec is faulty.
    #[error(transparent)]
    Invalid(#[from] InvalidSpec),
    /// More instances than this controller lets a group have.
    #[error(
        "a group may have {most} instances here, and {size} with a surge of {surge} are more: ask for fewer, or raise INFRAKIT_GROUP_MAX_INSTANCES"
    )]
    Ceiling {
        /// Size asked for.
        size: u64,
        /// Members that a rollout may make beyond it.
        surge: u64,
        /// How many there may be.
        most: u64,
    },
    /// More members than the group's own spec allows.
    #[error(
        "the group may have {most} instances, as `Allocation.MaxInstances` says, and {size} are more: ask for fewer, or commit a higher ceiling"
    )]
    OwnCeiling {
        /// Size asked for.
        size: u64,
        /// How many there may be.
        most: u64,
    },
    /// Members that would be destroyed are held.
    #[error(
        "{}: held in group '{group}'; nothing was destroyed: release them first, with `infrakit group release {group} INSTANCE`", list(.instances)
    )]
    Held {
        /// The group.
        group: GroupId,
        /// The members.
        instances: Vec<InstanceId>,
    },
    /// A command that does not fit what the group is doing.
    #[error(transparent)]
    Unfit(#[from] crate::core::state::unfit::Unfit),
    /// A revision that is not kept.
    #[error("revision {revision} of group '{group}' is not kept any more")]
    NoRevision {
        /// The group.
        group: GroupId,
        /// The revision.
        revision: u64,
    },
}

fn list(instances: &[InstanceId]) -> String {
    let names: Vec<String> = instances
        .iter()
        .take(5)
        .map(|id| format!("`{id}`"))
        .collect();
    let more = instances.len().saturating_sub(5);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", names.join(", "))
}
