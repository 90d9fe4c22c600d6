//! `infrakit manager`: the manager, wherever its socket is called.

use clap::{Args, Subcommand};
use infrakit_spi::document::{GroupEntry, PluginSpec};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{Any, PluginName, version};

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::input::{self, Committed, Document, InputArgs};
use crate::machine::this_machine;
use crate::out::OutputArgs;
use crate::target::{self, Target, greet_all};
use crate::verbs::{group, metadata, stack, updatable};

/// Access the manager
///
/// The manager stores what is committed and leads the group controller behind it.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit manager leader\n  infrakit manager commit groups.json --pretend"
)]
pub(crate) struct ManagerArgs {
    #[command(subcommand)]
    command: ManagerCommand,
    /// Only say what would happen
    #[arg(short, long, global = true)]
    pretend: bool,
}

#[derive(Subcommand, Debug)]
enum ManagerCommand {
    /// Print whether the manager leads, and where the leader is
    #[command(after_help = "Example:\n  infrakit manager leader")]
    Leader,
    /// Commit groups: a list of {Plugin, Properties}, or any number of group documents
    #[command(after_help = "Example:\n  infrakit manager commit groups.json --pretend")]
    Commit(CommitArgs),
    /// Print all groups, in the form that `manager commit` reads
    #[command(after_help = "Example:\n  infrakit manager inspect -y > groups.yml")]
    Inspect(OutputArgs),
    Change(ValuesArgs),
}

#[derive(Args, Debug)]
struct CommitArgs {
    /// Path, URL, or `-` for the standard input
    #[arg(value_name = "URL")]
    source: String,
    #[command(flatten)]
    input: InputArgs,
}

/// Change the values that the manager keeps for everybody
///
/// `ls` and `cat` read them.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  infrakit manager change cluster/size=5 -c\n  infrakit manager change cat cluster/size"
)]
struct ValuesArgs {
    #[command(subcommand)]
    command: Option<ChangeCommand>,
    #[command(flatten)]
    change: updatable::ChangeArgs,
}

#[derive(Subcommand, Debug)]
enum ChangeCommand {
    /// List the values
    #[command(after_help = "Example:\n  infrakit manager change ls")]
    Ls(metadata::KeysArgs),
    /// Print values
    #[command(after_help = "Example:\n  infrakit manager change cat cluster/size")]
    Cat(metadata::CatArgs),
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &ManagerArgs) -> Result {
    this_machine(context)?;
    context.block_on(async {
        match &args.command {
            ManagerCommand::Leader => stack::show_leader(context, &manager(context).await?).await,
            ManagerCommand::Commit(commit) => commit_all(context, commit, args.pretend).await,
            ManagerCommand::Inspect(output) => inspect(context, output).await,
            ManagerCommand::Change(change) => change_values(context, change).await,
        }
    })
}

/// Finds the manager among the plugins: the first that implements Stack.
pub(crate) async fn manager(context: &Context) -> Result<Target> {
    for found in greet_all(context).await? {
        if let Some(target) = found.target(context, &found.socket)?
            && target.has(version::STACK)
        {
            return Ok(target);
        }
    }
    Err(CommandError::remote("no manager is running")
        .hint("start one with `infrakit plugin start manager group vanilla file`"))
}

async fn commit_all(context: &Context, args: &CommitArgs, pretend: bool) -> Result {
    let document = input::load(context, &args.source, &args.input)?;
    if args.input.dump {
        return context.out.line(document.text());
    }
    commit_document(context, &document, pretend).await
}

/// Commits the groups of a document, one after the other.
pub(crate) async fn commit_document(
    context: &Context,
    document: &Document,
    pretend: bool,
) -> Result {
    // Everything is read before anything is committed.
    let mut groups: Vec<(PluginName, GroupSpec)> = Vec::new();
    let mut default: Option<Target> = None;
    for committed in document.committed()? {
        let (plugin, spec) = match committed {
            Committed::Entry(entry) => {
                let group = group::of_entry(&entry)?;
                (entry.plugin, group)
            }
            Committed::Group(group) => (PluginName::default(), group),
            Committed::Spec(spec) => {
                let group = input::group_of(&spec).ok_or_else(|| {
                    CommandError::config(format!(
                        "this is a document of kind `{}`, not a group",
                        spec.kind
                    ))
                })?;
                (PluginName::default(), group)
            }
        };
        groups.push((plugin, spec));
    }
    for (plugin, spec) in groups {
        let target = if plugin.as_str().is_empty() {
            if default.is_none() {
                default = Some(manager(context).await?);
            }
            default
                .clone()
                .ok_or_else(|| CommandError::remote("no manager is running"))?
        } else {
            target::find(context, plugin.as_str()).await?
        };
        let (details, more) = if pretend {
            group::foretell(&target, &spec).await?
        } else {
            (group::commit_spec(&target, &spec, false).await?, Vec::new())
        };
        context.out.line(format!(
            "Group {} with plugin {} plan: {details}",
            spec.id, target.name
        ))?;
        for line in more {
            context.out.line(line)?;
        }
    }
    Ok(())
}

async fn inspect(context: &Context, output: &OutputArgs) -> Result {
    let manager = manager(context).await?;
    let entries = group::specs(&manager)
        .await?
        .into_iter()
        .map(|spec| {
            let entry = GroupEntry {
                id: spec.id,
                properties: spec.properties,
            };
            let properties = Any::from_value(&entry).map_err(|error| {
                CommandError::internal(format!("failed to encode a group: {error}"))
            })?;
            Ok(PluginSpec {
                plugin: PluginName::new(manager.socket()),
                properties: Some(properties),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    context.out.document(&entries, output.document())
}

/// Finds the writable values of the manager.
async fn values(context: &Context) -> Result<Target> {
    let manager = manager(context).await?;
    let name = format!("{}/vars", manager.socket());
    target::find(context, &name).await
}

async fn change_values(context: &Context, args: &ValuesArgs) -> Result {
    let target = values(context).await?;
    match &args.command {
        Some(ChangeCommand::Ls(args)) => metadata::keys(context, &target, args.clone()).await,
        Some(ChangeCommand::Cat(args)) => metadata::cat(context, &target, args.clone()).await,
        None => updatable::change(context, &target, args.change.clone()).await,
    }
}
