//! The brake: freeze and thaw, of some groups or of all.

use clap::Args;
use infrakit_spi::GroupId;
use infrakit_spi::rollout::{Freeze, Rollouts as _};

use super::ask::{explain_rollouts, rollouts, the_group};
use super::change::nothing_more;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::target::Target;

/// Stop everything that groups, or all of them, would do
///
/// Nothing is created, destroyed, repaired or rolled until it is thawed, over restarts too. What was
/// begun is finished, health is still asked for, and commits are taken and wait.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit group freeze cattle pets\n  infrakit group freeze --all"
)]
pub(crate) struct FreezeArgs {
    #[command(flatten)]
    pub(crate) what: Frozen,
}

/// Let groups that were frozen, or all of them, go on
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group thaw cattle pets\n  infrakit group thaw --all")]
pub(crate) struct ThawArgs {
    #[command(flatten)]
    pub(crate) what: Frozen,
}

/// What is frozen or thawed.
#[derive(Args, Clone, Debug)]
pub(crate) struct Frozen {
    /// Ids of the groups, unless one is implied
    #[arg(value_name = "GROUP")]
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
    let Frozen { words, all } = what;
    if all {
        everything_alone(target, &words, freeze)?;
        return one(context, target, None, freeze).await;
    }
    if words.is_empty() && target.implied_group().is_none() {
        return Err(CommandError::user("which group? name one, or say `--all`")
            .hint(format!("`infrakit {} groups` lists them", target.name)));
    }
    // Whoever brakes wants it done to all that can be: a name that is wrong keeps no other from it.
    let mut failed = None;
    for id in named(target, words)? {
        if let Err(error) = one(context, target, Some(&id), freeze).await {
            match &failed {
                None => failed = Some(error),
                Some(_) => context.warn(error.message()),
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Returns the groups that are meant, each once.
fn named(target: &Target, mut words: Vec<String>) -> Result<Vec<GroupId>> {
    if target.implied_group().is_some() {
        let id = the_group(target, &mut words)?;
        nothing_more(&words)?;
        return Ok(vec![id]);
    }
    let mut ids = Vec::new();
    while !words.is_empty() {
        let id = the_group(target, &mut words)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Refuses `--all` beside a group.
fn everything_alone(target: &Target, words: &[String], freeze: Freeze) -> Result {
    let word = match freeze {
        Freeze::Set => "freeze",
        Freeze::Thaw => "thaw",
    };
    if target.implied_group().is_some() {
        return Err(CommandError::user("`--all` means more than this one group")
            .hint(format!("`infrakit {word} --all` means all groups")));
    }
    if !words.is_empty() {
        let named = words.join(" ");
        return Err(CommandError::user(format!(
            "`--all` means all groups, and `{named}` only some"
        ))
        .hint(format!(
            "`infrakit {word} {named}`, or `infrakit {word} --all`"
        )));
    }
    Ok(())
}

async fn one(context: &Context, target: &Target, id: Option<&GroupId>, freeze: Freeze) -> Result {
    match rollouts(target).freeze(id, freeze).await {
        Ok(said) => context.out.line(said),
        Err(error) => {
            let id = id.cloned().unwrap_or_default();
            Err(explain_rollouts(target, &id, error).await)
        }
    }
}
