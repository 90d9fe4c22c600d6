//! The static commands: parsed and run without touching a socket first.

use std::ffi::OsString;

use clap::{Args as _, Command, FromArgMatches as _, Subcommand};

use crate::cmd;
use crate::context::{Context, GlobalArgs, start_logging};
use crate::error::Result;
use crate::usage::{help_or_usage, usage};
use crate::words::{empty_root, without_help_commands};

// The static commands. (A doc comment here would become the description of the program.)
#[derive(Subcommand, Debug)]
enum Static {
    Completion(cmd::completion::CompletionArgs),
    Event(cmd::event::EventArgs),
    Freeze(cmd::freeze::FreezeArgs),
    Help(cmd::help::HelpArgs),
    Manager(cmd::manager::ManagerArgs),
    Metadata(cmd::metadata::MetadataArgs),
    Play(cmd::play::PlayArgs),
    Playbook(cmd::playbook::PlaybookArgs),
    Plugin(cmd::plugin::PluginArgs),
    Remote(cmd::remote::RemoteArgs),
    Template(cmd::template::TemplateArgs),
    Thaw(cmd::freeze::ThawArgs),
    Use(cmd::playbook::UseArgs),
    Version(cmd::version::VersionArgs),
}

/// Returns the parser with its static commands.
pub(crate) fn root() -> Command {
    without_help_commands(Static::augment_subcommands(GlobalArgs::augment_args(
        empty_root(),
    )))
}

/// Parses and runs a static command.
pub(crate) fn run(context: &Context, arguments: Vec<OsString>) -> Result {
    let matches = match root().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return help_or_usage(context, error),
    };
    let globals = GlobalArgs::from_arg_matches(&matches).map_err(usage)?;
    let command = Static::from_arg_matches(&matches).map_err(usage)?;
    if !matches!(command, Static::Version(_) | Static::Help(_)) {
        start_logging(&globals, context.error_color);
    }
    match &command {
        Static::Completion(args) => cmd::completion::run(context, args),
        Static::Event(args) => cmd::event::run(context, args),
        Static::Freeze(args) => cmd::freeze::freeze(context, args),
        Static::Help(args) => cmd::help::environment(context, &args.output),
        Static::Manager(args) => cmd::manager::run(context, args),
        Static::Metadata(args) => cmd::metadata::run(context, args),
        Static::Play(args) => cmd::play::run(context, args),
        Static::Playbook(args) => cmd::playbook::run(context, args),
        Static::Plugin(args) => cmd::plugin::run(context, args),
        Static::Remote(args) => cmd::remote::run(context, args),
        Static::Template(args) => cmd::template::run(context, args),
        Static::Thaw(args) => cmd::freeze::thaw(context, args),
        // Its words were looked at before.
        Static::Use(_) => Ok(()),
        Static::Version(args) => cmd::version::run(context, args),
    }
}
