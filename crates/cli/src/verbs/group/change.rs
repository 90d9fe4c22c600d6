//! Changing groups: free, destroy, scale.

use clap::Args;
use infrakit_spi::group::{Group as _, wire};
use infrakit_spi::rollout::Rollouts as _;
use infrakit_spi::{GroupId, InstanceId, version};

use super::ask::{explain, on_group, rollouts, the_group};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::target::Target;

/// Stop managing a group; its instances stay
///
/// Commit the group again to manage the same instances again.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group free cattle")]
pub(crate) struct FreeArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
}

/// Destroy a group with all its instances
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group destroy cattle")]
pub(crate) struct DestroyArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
}

/// Destroy members and lower the size of the group by their number
#[derive(Args, Debug)]
#[command(
    visible_alias = "destroy-instances",
    after_help = "Example:\n  infrakit group destroy-instance cattle instance-123"
)]
pub(crate) struct DestroyInstanceArgs {
    /// Destroy them at once, even if too few others serve
    #[arg(long)]
    now: bool,
    /// Id of the group, unless it is implied; then ids of the members
    #[arg(value_name = "GROUP", required = true)]
    words: Vec<String>,
}

/// Print the size that a group is to have, or change it
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group scale cattle\n  infrakit group scale cattle 10")]
pub(crate) struct ScaleArgs {
    /// Id of the group, unless it is implied; then the new size
    #[arg(value_name = "GROUP", allow_negative_numbers = true)]
    words: Vec<String>,
}

pub(super) fn nothing_more(words: &[String]) -> Result {
    match words.first() {
        None => Ok(()),
        Some(word) => {
            Err(CommandError::user(format!("there is no use for `{word}`"))
                .hint("one group at a time"))
        }
    }
}

/// Frees a group.
pub(super) async fn free(context: &Context, target: &Target, args: FreeArgs) -> Result {
    let mut words = args.words;
    let id = the_group(target, &mut words)?;
    nothing_more(&words)?;
    let _: wire::GroupRequest = on_group(target, "Group.FreeGroup", &id).await?;
    context.out.line(format!("Freed {id}"))
}

/// Destroys a group.
pub(super) async fn destroy(context: &Context, target: &Target, args: DestroyArgs) -> Result {
    let mut words = args.words;
    let id = the_group(target, &mut words)?;
    nothing_more(&words)?;
    destroy_group(target, &id).await?;
    context.out.line(format!("Destroy {id} initiated"))?;
    say_what_it_waits_for(context, target, &id).await
}

/// Says what a request waits for that is written down and not done yet: the answer to it has no room
/// for that.
async fn say_what_it_waits_for(context: &Context, target: &Target, id: &GroupId) -> Result {
    // Of a group that is gone there is nothing to say, and some controllers cannot say why.
    match rollouts(target).why(id, None).await {
        Ok(why) => {
            let lines = why.lines.join("; ");
            let text = format!("It is written down, and goes on by itself: {lines}");
            context.out.line(text)
        }
        Err(_) => Ok(()),
    }
}

/// Destroys a group, without a word.
pub(crate) async fn destroy_group(target: &Target, id: &GroupId) -> Result {
    let _: wire::GroupRequest = on_group(target, "Group.DestroyGroup", id).await?;
    Ok(())
}

/// Changes the size of a group, without a word.
pub(crate) async fn set_size(target: &Target, id: &GroupId, size: i64) -> Result {
    let request = wire::SizeMessage {
        name: target.wire_name(version::GROUP),
        id: id.clone(),
        size,
    };
    match target
        .call::<_, wire::GroupRequest>("Group.SetSize", &request)
        .await
    {
        Ok(_) => Ok(()),
        Err(error) => Err(explain(target, id, error).await),
    }
}

/// Destroys members.
pub(super) async fn destroy_instances(
    context: &Context,
    target: &Target,
    args: DestroyInstanceArgs,
) -> Result {
    let mut words = args.words;
    let id = the_group(target, &mut words)?;
    if words.is_empty() {
        return Err(
            CommandError::user("which instances? their ids are missing").hint(format!(
                "`infrakit {} describe {id}` lists them",
                target.name
            )),
        );
    }
    let instances: Vec<InstanceId> = words.into_iter().map(Into::into).collect();
    let request = wire::DestroyInstancesRequest {
        name: target.wire_name(version::GROUP),
        id: id.clone(),
        instances: Some(instances.clone()),
        now: args.now,
    };
    if let Err(error) = target
        .call::<_, wire::GroupRequest>("Group.DestroyInstances", &request)
        .await
    {
        return Err(explain(target, &id, error).await);
    }
    context.out.line("Initiated.")?;
    let known = rollouts(target).describe(&id).await.unwrap_or_default();
    let mut members = known.instances.iter().flatten();
    if members.any(|member| instances.contains(&member.id)) {
        say_what_it_waits_for(context, target, &id).await?;
    }
    Ok(())
}

/// Prints or changes the size.
pub(super) async fn scale(context: &Context, target: &Target, args: ScaleArgs) -> Result {
    let mut words = args.words;
    let id = the_group(target, &mut words)?;
    let wanted = match words.first() {
        None => None,
        Some(word) => {
            let size: i64 = word.parse().map_err(|_| {
                CommandError::user(format!("`{word}` is not a size"))
                    .hint("a size is a whole number")
            })?;
            if size < 0 {
                return Err(CommandError::user("size cannot be negative"));
            }
            Some(size)
        }
    };
    nothing_more(words.get(1..).unwrap_or_default())?;
    let now = super::size(target, &id).await?;
    let Some(size) = wanted else {
        return context.out.line(format!("Group {id} at {now} instances"));
    };
    set_size(target, &id, size).await?;
    context
        .out
        .line(format!("Group {id} at {now} instances, scale to {size}"))
}
