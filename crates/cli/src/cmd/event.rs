//! `infrakit event`: the events of all plugins, `PLUGIN/TOPIC`.

use clap::{Args, Subcommand};

use super::metadata::{ListArgs, list, locate};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::machine::this_machine;
use crate::target::{Target, greet_all};
use crate::verbs::event::{PrintArgs, follow};
use crate::verbs::tree::{self, Tree};

/// Access the events that plugins send
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit event ls\n  infrakit event tail group")]
pub(crate) struct EventArgs {
    #[command(subcommand)]
    command: EventCommand,
}

#[derive(Subcommand, Debug)]
enum EventCommand {
    /// List topics; without a path, the plugins that have some
    #[command(after_help = "Example:\n  infrakit event ls -a group")]
    Ls(ListArgs),
    /// Print events as they come
    #[command(after_help = "Example:\n  infrakit event tail group/ -n 10")]
    Tail(TailArgs),
}

#[derive(Args, Debug)]
struct TailArgs {
    /// Topics, `PLUGIN/TOPIC`; one that ends in `/` stands for all below it
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,
    #[command(flatten)]
    print: PrintArgs,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &EventArgs) -> Result {
    this_machine(context)?;
    context.block_on(async {
        match &args.command {
            EventCommand::Ls(args) => list(context, Tree::Topics, args).await,
            EventCommand::Tail(args) => tail(context, args).await,
        }
    })
}

async fn tail(context: &Context, args: &TailArgs) -> Result {
    let found = greet_all(context).await?;
    let mut sources: Vec<(Target, Vec<String>)> = Vec::new();
    for path in &args.paths {
        let (target, rest) = locate(context, &found, Tree::Topics, path)?;
        let target = target.ok_or_else(|| {
            CommandError::remote(format!("there are no events at `{path}`"))
                .hint("`infrakit event ls -a` lists all topics")
        })?;
        // `locate` works on names; the slash that stands for everything below is put back.
        let below = path.ends_with('/') && !rest.is_empty();
        let topic = tree::topic(&target, &if below { format!("{rest}/") } else { rest });
        sources.push((target, vec![topic]));
    }
    follow(context, &sources, &args.print).await
}
