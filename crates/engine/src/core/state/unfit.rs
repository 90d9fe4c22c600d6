//! Why commands are refused that do not fit what a group is doing, in words for whoever asked.

use infrakit_spi::{GroupId, InstanceId};

/// Why a command is refused.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Nothing is rolled.
    #[error("no rollout of group '{0}' is under way")]
    NoRollout(GroupId),
    /// The rollout was ended.
    #[error(
        "no rollout of group '{0}' is under way: it was aborted; commit the group again to begin it anew, or go back with `infrakit group rollout rollback {0}`"
    )]
    Aborted(GroupId),
    /// Nothing is paused.
    #[error("the rollout of group '{0}' is not paused")]
    NotPaused(GroupId),
    /// No stage waits for a person.
    #[error("nothing waits for approval: {0}")]
    NothingToApprove(String),
    /// The revision to return to is the one that is there.
    #[error(
        "group '{group}' has the configuration of revision {revision} already; `infrakit group rollout status {group}` says how far it is, and `infrakit group rollout history {group}` where else it can go"
    )]
    InForce {
        /// The group.
        group: GroupId,
        /// The revision.
        revision: u64,
    },
    /// There is nothing to return to.
    #[error(
        "group '{0}' has no former revision to go back to that did not fail; `infrakit group rollout history {0}` lists those to choose from with `--to`"
    )]
    NoFormer(GroupId),
    /// A revision that is not there.
    #[error(
        "there is no revision {revision} of group '{group}'; it can go back to one from {from} to {to}"
    )]
    NoRevision {
        /// The group.
        group: GroupId,
        /// The revision.
        revision: u64,
        /// The oldest that is kept.
        from: u64,
        /// The one in force.
        to: u64,
    },
    /// Not a member.
    #[error("`{instance}` is not a member of group '{group}'")]
    NotMember {
        /// The group.
        group: GroupId,
        /// The instance.
        instance: InstanceId,
    },
    /// A member that cannot be kept any more.
    #[error(
        "`{instance}` cannot be held: it is on its way out of group '{group}' already, since {why}"
    )]
    Leaving {
        /// The group.
        group: GroupId,
        /// The instance.
        instance: InstanceId,
        /// Why it goes.
        why: String,
    },
    /// Nobody froze it.
    #[error("group '{0}' is not frozen")]
    NotFrozen(GroupId),
    /// It is frozen with all others.
    #[error("group '{0}' is frozen with all others; `infrakit thaw --all` lets them go on")]
    AllFrozen(GroupId),
    /// The brake of all groups is not set.
    #[error("the groups are not frozen{}", by_name(.0))]
    NothingFrozen(String),
    /// Nobody holds it.
    #[error("`{instance}` of group '{group}' is not held")]
    NotHeld {
        /// The group.
        group: GroupId,
        /// The instance.
        instance: InstanceId,
    },
}

/// Names those that are frozen one by one, if any are.
fn by_name(frozen: &str) -> String {
    if frozen.is_empty() {
        return String::new();
    }
    format!(" all together; by name {frozen} are")
}
