//! The brake: freeze and thaw, of one group or of all.

use clap::Args;
use infrakit_spi::GroupId;
use infrakit_spi::rollout::{Freeze, Rollouts as _};

use super::ask::{explain_rollouts, rollouts, the_group};
use super::change::nothing_more;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::target::Target;

/// Stop everything that a group, or all groups, would do
///
/// Nothing is created, destroyed, repaired or rolled until it is thawed, over restarts too. What was
/// begun is finished, health is still asked for, and commits are taken and wait.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group freeze cattle\n  infrakit group freeze --all")]
pub(crate) struct FreezeArgs {
    #[command(flatten)]
    pub(crate) what: Frozen,
}

/// Let a group that was frozen, or all groups, go on
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group thaw cattle\n  infrakit group thaw --all")]
pub(crate) struct ThawArgs {
    #[command(flatten)]
    pub(crate) what: Frozen,
}

/// What is frozen or thawed.
#[derive(Args, Clone, Debug)]
pub(crate) struct Frozen {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP", conflicts_with = "all")]
    words: Vec<String>,
    /// All groups, those that come later included; groups that were frozen by name stay so
    #[arg(long)]
    all: bool,
}

/// Freezes.
pub(super) async fn freeze(context: &Context, target: &Target, args: FreezeArgs) -> Result {
    set(context, target, args.what, Freeze::Set).await
}

/// Thaws.
pub(super) async fn thaw(context: &Context, target: &Target, args: ThawArgs) -> Result {
    set(context, target, args.what, Freeze::Thaw).await
}

/// Freezes or thaws.
pub(crate) async fn set(
    context: &Context,
    target: &Target,
    what: Frozen,
    freeze: Freeze,
) -> Result {
    let Frozen { mut words, all } = what;
    if all && target.implied_group().is_some() {
        return Err(CommandError::user("`--all` means more than this one group")
            .hint("`infrakit freeze --all` freezes all groups"));
    }
    let id = if all {
        None
    } else if words.is_empty() && target.implied_group().is_none() {
        return Err(CommandError::user("which group? name one, or say `--all`")
            .hint(format!("`infrakit {} groups` lists them", target.name)));
    } else {
        Some(the_group(target, &mut words)?)
    };
    nothing_more(&words)?;
    match rollouts(target).freeze(id.as_ref(), freeze).await {
        Ok(said) => context.out.line(said),
        Err(error) => {
            let id = id.unwrap_or_else(GroupId::default);
            Err(explain_rollouts(target, &id, error).await)
        }
    }
}
