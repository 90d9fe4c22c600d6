//! Verbs of group plugins.
//!
//! An object that stands for one group, like `group/workers`, has the group id implied; for all
//! others it is the first argument.

mod ask;
mod change;
mod commit;
mod conditions;
mod described;
mod freeze;
mod list;
mod member;
mod orphans;
mod preview;
mod rollout;
mod status;

use super::verb::{Verb, verb};

pub(crate) use ask::specs;
pub(crate) use change::{destroy_group, set_size};
pub(crate) use commit::{commit_spec, foretell, of_entry};
pub(crate) use described::{members, members_and_conditions, size};
pub(crate) use freeze::{Frozen, set as set_frozen};

/// Returns the verbs.
pub(super) fn verbs() -> Vec<Verb> {
    vec![
        verb!("commit", commit::CommitArgs, commit::commit),
        verb!("commit-group", commit::CommitArgs, commit::commit_group),
        verb!("describe", list::DescribeArgs, list::describe),
        verb!("ls", list::LsArgs, list::ls),
        verb!("groups", list::GroupsArgs, list::groups),
        verb!("inspect", list::InspectArgs, list::inspect),
        verb!("free", change::FreeArgs, change::free),
        verb!("free-group", change::FreeArgs, change::free),
        verb!("destroy", change::DestroyArgs, change::destroy),
        verb!(
            "destroy-instance",
            change::DestroyInstanceArgs,
            change::destroy_instances
        ),
        verb!("scale", change::ScaleArgs, change::scale),
        verb!("rollout", rollout::RolloutArgs, rollout::rollout),
        verb!("hold", member::HoldArgs, member::hold),
        verb!("release", member::ReleaseArgs, member::release),
        verb!("freeze", freeze::FreezeArgs, freeze::freeze),
        verb!("thaw", freeze::ThawArgs, freeze::thaw),
        verb!(
            "confirm-loss",
            member::ConfirmLossArgs,
            member::confirm_loss
        ),
        verb!("why", member::WhyArgs, member::why),
        verb!("orphans", orphans::OrphansArgs, orphans::orphans),
    ]
}
