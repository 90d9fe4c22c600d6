//! `infrakit playbook`: the commands that were taken in from elsewhere. Running them is `use`.

mod add;
mod backend;
mod home;
mod inside;
mod invoke;
mod list;
mod parser;
mod prompt;
mod show;
mod signed;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::error::{CommandError, Result};

pub(crate) use invoke::{complete, invoke, is_invocation};

/// Manage playbooks: commands that others wrote
///
/// A playbook is an index of commands, each a template. `infrakit use NAME` lists the commands of
/// one, `infrakit use NAME COMMAND` runs one; `infrakit playbook NAME COMMAND` is the older form.
/// What a playbook held when it was added is locked: another content is not run until `update`
/// takes it in.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit playbook add web https://example.com/playbooks/index.yml\n  infrakit use web\n  infrakit playbook update web --dry-run"
)]
pub(crate) struct PlaybookArgs {
    #[command(subcommand)]
    command: PlaybookCommand,
}

#[derive(Subcommand, Debug)]
enum PlaybookCommand {
    Add(add::AddArgs),
    #[command(alias = "list")]
    Ls(list::ListArgs),
    Rm(list::RemoveArgs),
    Show(show::ShowArgs),
    Update(add::UpdateArgs),
}

/// Use a playbook: run one of its commands
///
/// Without a command, the commands of the playbook are listed; without a name, the playbooks.
/// Arguments behind `--` go to what runs the command.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit use quickstart\n  infrakit use web start --zone here -- more"
)]
pub(crate) struct UseArgs {
    /// Name of the playbook
    name: Option<String>,
    /// Command, flags and arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// Runs the command.
pub(crate) fn run(context: &Context, args: &PlaybookArgs) -> Result {
    match &args.command {
        PlaybookCommand::Add(args) => add::add(context, args),
        PlaybookCommand::Ls(args) => list::list(context, args),
        PlaybookCommand::Rm(args) => list::remove(context, args),
        PlaybookCommand::Show(args) => show::show(context, args),
        PlaybookCommand::Update(args) => add::update(context, args),
    }
}

impl From<infrakit_playbook::Error> for CommandError {
    fn from(error: infrakit_playbook::Error) -> Self {
        use infrakit_playbook::Error;
        let message = error.to_string();
        let made = match &error {
            Error::Place(_)
            | Error::Name { .. }
            | Error::Exists { .. }
            | Error::Unknown { .. }
            | Error::NoCommand { .. } => Self::user(message),
            Error::Read { .. }
            | Error::Bound { .. }
            | Error::NotText { .. }
            | Error::Changed { .. }
            | Error::NoFile { .. }
            | Error::Registry { .. } => Self::config(message),
            Error::Io { .. } => Self::internal(message),
        };
        made.maybe_hint(error.hint())
    }
}
