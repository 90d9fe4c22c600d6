//! `infrakit metadata`: the values of all plugins as one tree, `PLUGIN/PATH`.

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::{CommandError, Result, did_you_mean};
use crate::machine::this_machine;
use crate::out::{Format, OutputArgs};
use crate::target::{Found, Target, greet_all, no_plugin};
use crate::verbs::metadata::{self, RetryArgs};
use crate::verbs::tree::{self, Tree, TreeArgs};

/// Access the values that plugins offer to read
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit metadata ls\n  infrakit metadata cat group/specs/cattle/ID"
)]
pub(crate) struct MetadataArgs {
    #[command(subcommand)]
    command: MetadataCommand,
}

#[derive(Subcommand, Debug)]
enum MetadataCommand {
    /// List values; without a path, the plugins that have some
    #[command(after_help = "Example:\n  infrakit metadata ls -a group")]
    Ls(ListArgs),
    /// Print values
    #[command(after_help = "Example:\n  infrakit metadata cat group/specs/cattle/ID")]
    Cat(CatArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Paths, `PLUGIN/PATH`
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<String>,
    #[command(flatten)]
    pub(crate) tree: TreeArgs,
}

#[derive(Args, Debug)]
struct CatArgs {
    /// Paths, `PLUGIN/PATH`
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    wait: RetryArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &MetadataArgs) -> Result {
    this_machine(context)?;
    context.block_on(async {
        match &args.command {
            MetadataCommand::Ls(args) => list(context, Tree::Metadata, args).await,
            MetadataCommand::Cat(args) => cat(context, args).await,
        }
    })
}

async fn cat(context: &Context, args: &CatArgs) -> Result {
    let found = greet_all(context).await?;
    for path in &args.paths {
        match locate(context, &found, Tree::Metadata, path)? {
            // A plugin as such has no value; that it is there is the answer, as in the original.
            (_, rest) if rest.is_empty() => context.out.line("true")?,
            (Some(target), rest) => {
                let value = metadata::wait_for(&target, &rest, &args.wait).await?;
                metadata::print(context, &value, &args.output)?;
            }
            (None, rest) => {
                return Err(
                    CommandError::remote(format!("there is no value at `{path}`")).hint(format!(
                        "`infrakit metadata ls {}` lists what there is",
                        path.trim_end_matches(&rest).trim_end_matches('/')
                    )),
                );
            }
        }
    }
    Ok(())
}

/// Finds the object that a path leads to, and the path within it. Without an object the path
/// names a plugin all of whose objects have names.
pub(crate) fn locate(
    context: &Context,
    found: &[Found],
    tree: Tree,
    path: &str,
) -> Result<(Option<Target>, String)> {
    let path = path.trim_matches('/');
    let (socket, rest) = path.split_once('/').unwrap_or((path, ""));
    let Some(plugin) = found.iter().find(|plugin| plugin.socket == socket) else {
        return Err(no_plugin(
            socket,
            found.iter().map(|plugin| plugin.socket.as_str()),
        ));
    };
    let offers = |name: &str| -> Result<Option<Target>> {
        let target = plugin.target(context, name)?;
        Ok(target.filter(|target| {
            tree.interfaces()
                .iter()
                .any(|interface| target.has(*interface))
        }))
    };
    if !rest.is_empty() {
        let (object, below) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(target) = offers(&format!("{socket}/{object}"))? {
            return Ok((Some(target), below.to_owned()));
        }
    }
    Ok((offers(socket)?, rest.to_owned()))
}

/// Returns the objects of a plugin that have such a tree: `None` for the one without a name.
fn objects(plugin: &Found, tree: Tree) -> Vec<Option<String>> {
    let mut names: Vec<Option<String>> = plugin
        .objects()
        .into_iter()
        .filter(|(_, offers)| {
            offers
                .iter()
                .any(|offer| tree.interfaces().contains(&offer.interface))
        })
        .map(|(name, _)| name.split_once('/').map(|(_, object)| object.to_owned()))
        .collect();
    names.sort();
    names
}

/// Lists trees of plugins; used for topics as well.
pub(crate) async fn list(context: &Context, tree: Tree, args: &ListArgs) -> Result {
    let found = greet_all(context).await?;
    let having: Vec<&Found> = found
        .iter()
        .filter(|plugin| !objects(plugin, tree).is_empty())
        .collect();
    if args.paths.is_empty() && !args.tree.all {
        let names: Vec<String> = having.iter().map(|plugin| plugin.socket.clone()).collect();
        return match args.tree.output.format() {
            Format::Table => names.iter().try_for_each(|name| context.out.line(name)),
            format => context.out.document(&names, format),
        };
    }
    let paths = if args.paths.is_empty() {
        having.iter().map(|plugin| plugin.socket.clone()).collect()
    } else {
        args.paths.clone()
    };
    let headings = paths.len() > 1 && args.tree.output.format() == Format::Table;
    for (index, path) in paths.iter().enumerate() {
        let names = below(context, &found, tree, path, &args.tree).await?;
        if headings {
            let gap = if index > 0 { "\n" } else { "" };
            context.out.line(format!("{gap}{path}:"))?;
        }
        tree::print(context, &args.tree, &names)?;
    }
    Ok(())
}

async fn below(
    context: &Context,
    found: &[Found],
    tree: Tree,
    path: &str,
    args: &TreeArgs,
) -> Result<Vec<String>> {
    let (target, rest) = locate(context, found, tree, path)?;
    let socket = path.trim_matches('/').split('/').next().unwrap_or_default();
    if let (Some(target), true) = (&target, rest.is_empty() || target.is_some()) {
        let plugin = found.iter().find(|plugin| plugin.socket == socket);
        let mut names = tree::list(target, tree, &rest, args, &format!("{}/", target.name)).await?;
        // At the top, objects with names of their own stand beside the values of the plugin.
        if rest.is_empty()
            && target.name == socket
            && let Some(plugin) = plugin
        {
            for object in objects(plugin, tree).into_iter().flatten() {
                if !names
                    .iter()
                    .any(|name| *name == object || name.starts_with(&format!("{socket}/{object}/")))
                {
                    names.extend(object_names(context, plugin, tree, &object, args).await?);
                }
            }
            names.sort();
        }
        return Ok(names);
    }
    let Some(plugin) = found.iter().find(|plugin| plugin.socket == socket) else {
        return Err(CommandError::remote(format!(
            "there is nothing at `{path}`"
        )));
    };
    let named: Vec<String> = objects(plugin, tree).into_iter().flatten().collect();
    if !rest.is_empty() || named.is_empty() {
        let hint = did_you_mean(&rest, named.iter().map(String::as_str));
        return Err(CommandError::remote(format!("there is nothing at `{path}`")).maybe_hint(hint));
    }
    let mut names = Vec::new();
    for object in &named {
        names.extend(object_names(context, plugin, tree, object, args).await?);
    }
    Ok(names)
}

/// Returns what stands for an object at the level of its plugin: its name, or all below it.
async fn object_names(
    context: &Context,
    plugin: &Found,
    tree: Tree,
    object: &str,
    args: &TreeArgs,
) -> Result<Vec<String>> {
    if !args.all {
        return Ok(vec![object.to_owned()]);
    }
    let name = format!("{}/{object}", plugin.socket);
    match plugin.target(context, &name)? {
        Some(target) => tree::list(&target, tree, "", args, &format!("{name}/")).await,
        None => Ok(Vec::new()),
    }
}
