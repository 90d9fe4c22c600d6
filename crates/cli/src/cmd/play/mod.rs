//! `infrakit play`: a group that heals, in a minute, without any setting.

mod live;
mod script;
mod stage;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::context::Context;
use crate::error::{CommandError, Result};
use stage::Stage;

/// Watch a group keep itself as specified
///
/// Starts everything in this process in a temporary home, commits a group of 5, and shows it live:
/// delete the file of an instance, or type `kill`, and see it replaced. The home is removed at
/// the end.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit play\n  infrakit play --script")]
pub(crate) struct PlayArgs {
    /// Run the same show unattended; succeeds only if every step was seen to happen
    #[arg(long)]
    script: bool,
}

/// Runs the show.
pub(crate) fn run(context: &Context, args: &PlayArgs) -> Result {
    context.block_on(async {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                CommandError::internal(format!("failed to listen for signals: {error}"))
            })
        };
        let (mut terminate, mut interrupt) = (
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
        );
        let stage = Stage::set(context).await?;
        let show = async {
            if args.script {
                script::run(context, &stage).await
            } else {
                live::run(context, &stage).await
            }
        };
        let ended = tokio::select! {
            ended = show => ended,
            _ = interrupt.recv() => interrupted(args.script),
            _ = terminate.recv() => interrupted(args.script),
        };
        live::leave(context);
        stage.strike().await;
        ended
    })
}

/// A person may end the show at any time; a script that was cut short has not seen every step.
fn interrupted(script: bool) -> Result {
    if script {
        return Err(CommandError::internal(
            "the show was interrupted before its end",
        ));
    }
    Ok(())
}
