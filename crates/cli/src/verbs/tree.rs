//! Trees of names: metadata and topics are listed alike.

use clap::Args;
use infrakit_spi::version::{self, Interface};
use infrakit_spi::{event, metadata};

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::{Format, OutputArgs};
use crate::target::Target;

/// Flags of every command that lists a tree.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TreeArgs {
    /// Print full paths, and how many there are
    #[arg(short, long)]
    long: bool,
    /// Find everything below, not only the next level
    #[arg(short, long)]
    pub(crate) all: bool,
    /// Leave out the count
    #[arg(short, long, visible_alias = "quick")]
    quiet: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Which tree of an object is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Readable values, writable or not.
    Metadata,
    /// Topics of events.
    Topics,
}

impl Tree {
    /// Returns the interfaces that offer such a tree, the preferred one first.
    pub(crate) fn interfaces(self) -> &'static [Interface] {
        match self {
            Self::Metadata => &[version::UPDATABLE, version::METADATA],
            Self::Topics => &[version::EVENT],
        }
    }
}

/// How deep a tree is followed. A plugin whose tree has no end must not keep us for ever.
const DEEPEST: usize = 32;
/// How many leaves are listed.
const MOST: usize = 100_000;

/// Returns the interface by which the object has readable values.
pub(crate) fn readable(target: &Target) -> Interface {
    if target.has(version::UPDATABLE) {
        version::UPDATABLE
    } else {
        version::METADATA
    }
}

/// Returns the topic on the wire: those of an object with a type begin with it.
pub(crate) fn topic(target: &Target, topic: &str) -> String {
    let kind = target.wire_type(version::EVENT);
    let topic = if topic == "." {
        ""
    } else {
        topic.trim_start_matches('/')
    };
    match (kind.is_empty(), topic.is_empty()) {
        (true, true) => ".".to_owned(),
        (true, false) => topic.to_owned(),
        (false, true) => format!("{kind}/"),
        (false, false) => format!("{kind}/{topic}"),
    }
}

/// Returns the names below `path`, sorted; `None` when there is nothing at `path`.
pub(crate) async fn children(
    target: &Target,
    tree: Tree,
    path: &str,
) -> Result<Option<Vec<String>>> {
    let mut nodes = match tree {
        Tree::Metadata => {
            let interface = readable(target);
            let request = metadata::wire::PathRequest {
                name: target.wire_name(interface),
                path: if path.is_empty() {
                    ".".to_owned()
                } else {
                    path.to_owned()
                },
            };
            let method = format!("{}.Keys", interface.name);
            let answer: metadata::wire::KeysResponse = target.call(&method, &request).await?;
            answer.nodes
        }
        Tree::Topics => {
            let topic = topic(target, path);
            let request = event::wire::ListRequest {
                topic: topic.trim_end_matches('/').to_owned(),
            };
            let answer: event::wire::ListResponse = target.call("Event.List", &request).await?;
            answer.nodes
        }
    };
    if let Some(nodes) = &mut nodes {
        nodes.sort();
    }
    Ok(nodes)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() || path == "." {
        name.to_owned()
    } else {
        format!("{path}/{name}")
    }
}

/// Returns the paths of all leaves below `path`, sorted.
pub(crate) async fn leaves(target: &Target, tree: Tree, path: &str) -> Result<Option<Vec<String>>> {
    let Some(first) = children(target, tree, path).await? else {
        return Ok(None);
    };
    let mut open: Vec<(usize, String)> = first.iter().map(|name| (1, join(path, name))).collect();
    let mut found = Vec::new();
    while let Some((depth, at)) = open.pop() {
        let below = children(target, tree, &at).await?.unwrap_or_default();
        if below.is_empty() || depth >= DEEPEST {
            found.push(at);
        } else {
            open.extend(below.iter().map(|name| (depth + 1, join(&at, name))));
        }
        if found.len() + open.len() > MOST {
            return Err(CommandError::remote(format!(
                "there are more than {MOST} entries below `{path}` of `{}`",
                target.name
            ))
            .hint("name a path further down"));
        }
    }
    found.sort();
    Ok(Some(found))
}

/// Lists one path of one object. `prefix` is put before full paths.
pub(crate) async fn list(
    target: &Target,
    tree: Tree,
    path: &str,
    args: &TreeArgs,
    prefix: &str,
) -> Result<Vec<String>> {
    if path.starts_with('/') {
        return Err(CommandError::user(format!("`{path}` is an absolute path"))
            .hint("paths begin at the plugin, without a `/`"));
    }
    let path = path.trim_end_matches('/');
    let found = if args.all {
        leaves(target, tree, path).await?
    } else {
        children(target, tree, path).await?
    };
    let Some(names) = found else {
        return Err(
            CommandError::remote(format!("`{}` has nothing at `{path}`", target.name))
                .hint("list the level above to see what there is"),
        );
    };
    let full = |name: String| match (args.all, args.long) {
        (true, _) => format!("{prefix}{name}"),
        (false, true) => format!("{prefix}{}", join(path, &name)),
        (false, false) => name,
    };
    Ok(names.into_iter().map(full).collect())
}

/// Prints names, with their number where full paths are asked for.
pub(crate) fn print(context: &Context, args: &TreeArgs, names: &[String]) -> Result {
    match args.output.format() {
        Format::Table => {
            if (args.long || args.all) && !args.quiet {
                context.out.line(format!("total {}:", names.len()))?;
            }
            for name in names {
                context.out.line(&*crate::out::table::printable(name))?;
            }
            Ok(())
        }
        format => context.out.document(names, format),
    }
}
