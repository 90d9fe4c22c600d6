//! Looking at groups: their members, their specs, which there are.

use std::borrow::Cow;

use clap::Args;
use infrakit_spi::rollout::Rollouts as _;
use infrakit_spi::{GroupId, version};

use super::ask::{rollouts, specs, the_group};
use super::conditions;
use super::described::{Described, members_and_conditions};
use crate::context::Context;
use crate::error::{CommandError, Result, did_you_mean};
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs};
use crate::progress::{self, WatchArgs};
use crate::target::Target;
use crate::verbs::controller;
use crate::view::{self, ViewArgs};

/// List the members of a group
///
/// Arguments behind the group id select members by id or logical id.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit group describe cattle\n  infrakit group describe cattle --watch\n  infrakit group describe cattle --conditions\n  infrakit group/cattle describe -o json"
)]
pub(crate) struct DescribeArgs {
    /// Id of the group, unless it is implied; then ids of members
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
    #[command(flatten)]
    view: ViewArgs,
    /// Show the objects of the controller and their state instead
    #[arg(long)]
    objects: bool,
    /// Show in which respects the group is well instead; with -o json or yaml, beside the members
    #[arg(long, conflicts_with_all = ["objects", "watch"])]
    conditions: bool,
    #[command(flatten)]
    watch: WatchArgs,
}

/// List the groups, or the members of one
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group ls\n  infrakit group ls cattle")]
pub(crate) struct LsArgs {
    /// Id of the group, unless it is implied; then ids of members
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
    #[command(flatten)]
    view: ViewArgs,
    #[command(flatten)]
    watch: WatchArgs,
}

/// List the groups
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group groups -q")]
pub(crate) struct GroupsArgs {
    /// Leave out the heading
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Print the spec of a group, or of all
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group inspect cattle -y")]
pub(crate) struct InspectArgs {
    /// Id of the group, unless it is implied
    group: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Lists the members of a group, or the objects of the controller when no group is named.
pub(super) async fn describe(context: &Context, target: &Target, args: DescribeArgs) -> Result {
    let mut words = args.words;
    let no_group = words.is_empty() && target.implied_group().is_none();
    if args.objects || (no_group && target.has(version::CONTROLLER)) {
        return controller::describe_objects(
            context,
            target,
            words.first(),
            &args.view.output,
            args.objects,
        )
        .await;
    }
    let id = the_group(target, &mut words)?;
    if args.conditions {
        let members = match members_and_conditions(target, &id).await {
            Ok(members) => members,
            Err(error) if args.view.output.format() == Format::Table => {
                // While instances cannot be listed it is known all the same, and wanted most.
                let Ok(known) = rollouts(target).conditions(&id).await else {
                    return Err(error);
                };
                context.warn(error.message());
                let described = Described {
                    conditions: Some(known),
                    ..Described::default()
                };
                return conditions::show(context, &args.view, &described, &target.name);
            }
            Err(error) => return Err(error),
        };
        let mut described = members.read(target)?;
        view::select(&mut described.rows, &args.view.filter()?, &words);
        return conditions::show(context, &args.view, &described, &target.name);
    }
    rows(context, target, (&id, &words), &args.view, &args.watch).await
}

/// Lists groups, or members.
pub(super) async fn ls(context: &Context, target: &Target, args: LsArgs) -> Result {
    let mut words = args.words;
    if words.is_empty() && target.implied_group().is_none() {
        let args = GroupsArgs {
            quiet: args.view.quiet,
            output: args.view.output,
        };
        return groups(context, target, args).await;
    }
    let id = the_group(target, &mut words)?;
    rows(context, target, (&id, &words), &args.view, &args.watch).await
}

async fn rows(
    context: &Context,
    target: &Target,
    (id, wanted): (&GroupId, &[String]),
    view: &ViewArgs,
    watch: &WatchArgs,
) -> Result {
    if watch.wanted() {
        return progress::watch(context, target, id, view, watch).await;
    }
    let members = members_and_conditions(target, id).await?;
    let mut described = members.read(target)?;
    if !described.unlisted.is_empty() {
        // A list of members says nothing of its age; who takes it for that of now must not get it.
        let hint = format!(
            "`infrakit {} describe {id} --conditions -o json` shows the last list",
            target.name
        );
        return Err(CommandError::remote(described.unlisted).hint(hint));
    }
    view::select(&mut described.rows, &view.filter()?, wanted);
    if view.output.format() == Format::Table && !view.quiet {
        conditions::tell(context, id, &described);
    }
    view::show(context, view, &described.rows)
}

/// Lists the groups.
pub(super) async fn groups(context: &Context, target: &Target, args: GroupsArgs) -> Result {
    let groups = specs(target).await?;
    let ids: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
    match args.output.format() {
        Format::Table => {
            let rows: Vec<[Cow<'_, str>; 1]> = ids.iter().map(|id| [Cow::Borrowed(*id)]).collect();
            let headings = Headings::unless(args.quiet);
            context.out.table(["ID"], headings, &rows)?;
            if !args.quiet {
                conditions::tell_frozen(context, target, &ids).await;
            }
            Ok(())
        }
        format => context.out.document(&ids, format),
    }
}

/// Prints specs.
pub(super) async fn inspect(context: &Context, target: &Target, args: InspectArgs) -> Result {
    let groups = specs(target).await?;
    let id = target
        .implied_group()
        .or_else(|| args.group.map(GroupId::from));
    let Some(id) = id else {
        return context.out.document(&groups, args.output.document());
    };
    match groups.iter().find(|group| group.id == id) {
        Some(group) => context.out.document(group, args.output.document()),
        None => {
            let names = groups.iter().map(|group| group.id.as_str());
            Err(
                CommandError::remote(format!("Group {id} is not being watched")).maybe_hint(
                    did_you_mean(id.as_str(), names)
                        .or_else(|| Some(format!("`infrakit {} groups` lists them", target.name))),
                ),
            )
        }
    }
}
