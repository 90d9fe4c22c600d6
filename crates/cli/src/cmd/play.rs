//! `infrakit play`: a group that heals, in a minute, without any setting.

use clap::Args;

use crate::context::Context;
use crate::error::{CommandError, Result};

/// Watch a group keep itself as specified
///
/// Starts everything in this process in a temporary home, commits a group of 5, and shows it live:
/// delete a file of an instance, or type `kill`, and see it replaced.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit play\n  infrakit play --script")]
pub(crate) struct PlayArgs {
    /// Run the same show unattended; succeeds only if every step was seen to happen
    #[arg(long)]
    script: bool,
}

/// Runs the show.
pub(crate) fn run(_context: &Context, _args: &PlayArgs) -> Result {
    Err(CommandError::internal("not written"))
}
