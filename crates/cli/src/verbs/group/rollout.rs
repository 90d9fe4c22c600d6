//! Rollouts: how far they are, and steering them.

use std::borrow::Cow;

use clap::{Args, Subcommand};
use infrakit_spi::rollout::{Command, RevisionRecord, Rollouts as _};

use super::ask::{explain_rollouts, rollouts, the_group};
use super::change::nothing_more;
use super::status;
use crate::context::Context;
use crate::error::Result;
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs};
use crate::progress::FollowArgs;
use crate::target::Target;

/// See how far a rollout is, pause it, go on, go back
///
/// A rollout begins when a commit changes what the members are made from. `Updating` in the
/// specification says how it goes: budget, stages, bake times, windows, what happens on failure.
#[derive(Args, Debug)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Example:\n  infrakit group rollout status cattle --watch\n  infrakit group rollout pause cattle\n  infrakit group rollout rollback cattle --to 3"
)]
pub(crate) struct RolloutArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    Status(StatusArgs),
    Pause(PauseArgs),
    Resume(ResumeArgs),
    Approve(ApproveArgs),
    Abort(AbortArgs),
    Rollback(RollbackArgs),
    History(HistoryArgs),
}

/// Print how far the rollout is and what it waits for
///
/// With --watch it is followed to its end. The exit code is 0 when it was completed, and 1 when it
/// was paused, aborted or failed, or gave way to another revision.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit group rollout status cattle\n  infrakit group rollout status cattle --watch --timeout 30m\n  infrakit group rollout status cattle -o json"
)]
struct StatusArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
    #[command(flatten)]
    follow: FollowArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Replace no more members until it is resumed; healing and scaling go on
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group rollout pause cattle")]
struct PauseArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
}

/// Go on with a rollout that was paused
///
/// It also makes a group try again whose creations were given up because of its configuration.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group rollout resume cattle")]
struct ResumeArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
}

/// Approve of a stage, so that the next one begins
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group rollout approve cattle")]
struct ApproveArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
}

/// End a rollout where it stands; the members stay as they are until the next commit
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group rollout abort cattle")]
struct AbortArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
}

/// Return to the instances and flavor of a former revision
///
/// It becomes a revision of its own. Size, budget and health checks stay as they are now; members
/// that are as that revision wants them are not touched.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit group rollout rollback cattle\n  infrakit group rollout rollback cattle --to 3"
)]
struct RollbackArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
    /// Revision to return to, as `history` lists them; without it the last good one
    #[arg(long, value_name = "REVISION")]
    to: Option<u64>,
}

/// List the revisions of a group and what became of them
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit group rollout history cattle\n  infrakit group rollout history cattle -o yaml"
)]
struct HistoryArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
    /// Leave out the headings
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Does what the word behind `rollout` says.
pub(super) async fn rollout(context: &Context, target: &Target, args: RolloutArgs) -> Result {
    let (words, command) = match args.action {
        Action::Status(args) => {
            let id = only_group(target, args.words)?;
            let form = args.output.format();
            return status::status(context, target, &id, (&args.follow, form)).await;
        }
        Action::History(args) => return history(context, target, args).await,
        Action::Pause(args) => (args.words, Command::Pause),
        Action::Resume(args) => (args.words, Command::Resume),
        Action::Approve(args) => (args.words, Command::Approve),
        Action::Abort(args) => (args.words, Command::Abort),
        Action::Rollback(args) => (args.words, Command::Rollback { to: args.to }),
    };
    let id = only_group(target, words)?;
    match rollouts(target).command(&id, &command).await {
        Ok(said) => context.out.line(said),
        Err(error) => Err(explain_rollouts(target, &id, error).await),
    }
}

/// Returns the group that a command is about, and refuses further words.
fn only_group(target: &Target, mut words: Vec<String>) -> Result<infrakit_spi::GroupId> {
    let id = the_group(target, &mut words)?;
    nothing_more(&words)?;
    Ok(id)
}

async fn history(context: &Context, target: &Target, args: HistoryArgs) -> Result {
    let id = only_group(target, args.words)?;
    let revisions = match rollouts(target).history(&id).await {
        Ok(revisions) => revisions,
        Err(error) => return Err(explain_rollouts(target, &id, error).await),
    };
    match args.output.format() {
        Format::Table => {
            let rows: Vec<_> = revisions.iter().map(row).collect();
            let headings = Headings::unless(args.quiet);
            context.out.table(HISTORY, headings, &rows)
        }
        format => context.out.document(&revisions, format),
    }
}

const HISTORY: [&str; 7] = [
    "REVISION",
    "IN FORCE",
    "OUTCOME",
    "GOOD",
    "COMMITTED",
    "HASH",
    "MESSAGE",
];

fn row(record: &RevisionRecord) -> [Cow<'_, str>; 7] {
    let yes = |yes: bool| Cow::Borrowed(if yes { "yes" } else { "-" });
    [
        record.revision.to_string().into(),
        yes(record.in_force),
        record.outcome.as_str().into(),
        yes(record.good),
        record.committed.as_str().into(),
        record.hash.as_str().into(),
        record.message.as_str().into(),
    ]
}
