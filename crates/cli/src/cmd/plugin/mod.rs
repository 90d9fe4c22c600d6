//! `infrakit plugin`: which plugins run, starting them, stopping them.

mod behaviours;
mod ls;
mod start;
mod stop;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::Result;
use crate::machine::this_machine;

pub(crate) use start::{Greeting, serve};

/// List, start and stop plugins
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit plugin start manager group vanilla file\n  infrakit plugin ls\n  infrakit plugin stop --all"
)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Subcommand, Debug)]
enum PluginCommand {
    Ls(ls::ListArgs),
    Start(start::StartArgs),
    Stop(stop::StopArgs),
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &PluginArgs) -> Result {
    match &args.command {
        PluginCommand::Ls(args) => {
            this_machine(context)?;
            ls::list(context, args)
        }
        PluginCommand::Start(args) => start::run(context, args),
        PluginCommand::Stop(args) => stop::run(context, args),
    }
}
