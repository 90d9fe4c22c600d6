//! `infrakit plugin`: which plugins run, starting them, stopping them.

mod start;
mod stop;

use std::borrow::Cow;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::context::Context;
use crate::dynamic::this_machine;
use crate::error::Result;
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs, table};
use crate::target;

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
    Ls(ListArgs),
    Start(start::StartArgs),
    Stop(stop::StopArgs),
}

/// List the plugins that run, with what they implement
#[derive(Args, Debug)]
#[command(alias = "list", after_help = "Example:\n  infrakit plugin ls -o json")]
struct ListArgs {
    /// Leave out the headings
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &PluginArgs) -> Result {
    match &args.command {
        PluginCommand::Ls(args) => {
            this_machine(context)?;
            list(context, args)
        }
        PluginCommand::Start(args) => start::run(context, args),
        PluginCommand::Stop(args) => stop::run(context, args),
    }
}

fn list(context: &Context, args: &ListArgs) -> Result {
    let found = context.block_on(target::greet_all(context))?;
    let mut rows: Vec<[String; 3]> = Vec::new();
    for plugin in &found {
        for (key, names) in &plugin.hello.objects {
            for object in names.iter().flatten() {
                let name = match object.name.as_str() {
                    "" | "." => plugin.socket.clone(),
                    object => format!("{}/{object}", plugin.socket),
                };
                rows.push([key.clone(), plugin.address.to_string(), name]);
            }
        }
    }
    rows.sort_by(|a, b| (&a[2], &a[0]).cmp(&(&b[2], &b[0])));
    match args.output.format() {
        Format::Table => {
            let cells: Vec<[Cow<'_, str>; 3]> = rows
                .iter()
                .map(|row| row.each_ref().map(|cell| Cow::Borrowed(cell.as_str())))
                .collect();
            let headings = Headings::unless(args.quiet);
            context
                .out
                .with(|out| table::write(out, ["INTERFACE", "LISTEN", "NAME"], headings, &cells))
        }
        format => {
            let all: Vec<Value> = rows
                .iter()
                .map(|[interface, listen, name]| {
                    serde_json::json!({"Interface": interface, "Listen": listen, "Name": name})
                })
                .collect();
            context.out.document(&all, format)
        }
    }
}
