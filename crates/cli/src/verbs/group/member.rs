//! Single members and reasons: hold, release, why.

use std::borrow::Cow;

use clap::Args;
use infrakit_spi::rollout::{Deed, Hold, Rollouts as _, Why};
use infrakit_spi::{GroupId, InstanceId};

use super::ask::{explain_rollouts, rollouts, the_group};
use super::change::nothing_more;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs, table};
use crate::target::Target;

/// Leave a member alone: nothing destroys, repairs or replaces it
///
/// It stays held, over restarts and commits, until it is released.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group hold cattle instance-123")]
pub(crate) struct HoldArgs {
    /// Id of the group, unless it is implied; then the id of the member
    #[arg(value_name = "GROUP", required = true)]
    words: Vec<String>,
}

/// Treat a member that is held like any other again
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group release cattle instance-123")]
pub(crate) struct ReleaseArgs {
    /// Id of the group, unless it is implied; then the id of the member
    #[arg(value_name = "GROUP", required = true)]
    words: Vec<String>,
}

/// Believe that the members are gone which lists lack
///
/// A list that lacks many members at once is doubted, and nothing is made for them. Nor is anything made
/// while a plugin that the group lived on before does not say who is left there. If you know that they
/// are gone, say so; if they are not, each will be made a second time.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group confirm-loss cattle")]
pub(crate) struct ConfirmLossArgs {
    /// Id of the group, unless it is implied
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
}

/// Say why a group, or a member, is as it is
///
/// At most three lines: what is waited for, since when, and on which evidence.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit group why cattle\n  infrakit group why cattle instance-123\n  infrakit group why cattle --deeds"
)]
pub(crate) struct WhyArgs {
    /// Id of the group, unless it is implied; then the id of a member
    #[arg(value_name = "GROUP")]
    words: Vec<String>,
    /// List what was done, with the rule that caused it
    #[arg(long)]
    deeds: bool,
    /// Leave out the headings
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Holds a member.
pub(super) async fn hold(context: &Context, target: &Target, args: HoldArgs) -> Result {
    set(context, target, args.words, Hold::Set).await
}

/// Releases a member.
pub(super) async fn release(context: &Context, target: &Target, args: ReleaseArgs) -> Result {
    set(context, target, args.words, Hold::Release).await
}

/// Believes a loss.
pub(super) async fn confirm_loss(
    context: &Context,
    target: &Target,
    args: ConfirmLossArgs,
) -> Result {
    let mut words = args.words;
    let id = the_group(target, &mut words)?;
    nothing_more(&words)?;
    match rollouts(target).confirm_loss(&id).await {
        Ok(said) => context.out.line(said),
        Err(error) => Err(explain_rollouts(target, &id, error).await),
    }
}

async fn set(context: &Context, target: &Target, words: Vec<String>, hold: Hold) -> Result {
    let (id, member) = the_member(target, words)?;
    let Some(member) = member else {
        return Err(
            CommandError::user("which member? its id is missing").hint(format!(
                "`infrakit {} describe {id}` lists them",
                target.name
            )),
        );
    };
    match rollouts(target).hold(&id, &member, hold).await {
        Ok(said) => context.out.line(said),
        Err(error) => Err(explain_rollouts(target, &id, error).await),
    }
}

fn the_member(target: &Target, mut words: Vec<String>) -> Result<(GroupId, Option<InstanceId>)> {
    let id = the_group(target, &mut words)?;
    let mut words = words.into_iter();
    let member = words.next().map(InstanceId::from);
    nothing_more(words.as_slice())?;
    Ok((id, member))
}

/// Says why.
pub(super) async fn why(context: &Context, target: &Target, args: WhyArgs) -> Result {
    let (id, member) = the_member(target, args.words)?;
    let why = match rollouts(target).why(&id, member.as_ref()).await {
        Ok(why) => why,
        Err(error) => return Err(explain_rollouts(target, &id, error).await),
    };
    let format = args.output.format();
    if format != Format::Table {
        return context.out.document(&why, format);
    }
    if args.deeds {
        let rows: Vec<_> = why.deeds.iter().map(row).collect();
        let headings = Headings::unless(args.quiet);
        return context.out.table(DEEDS, headings, &rows);
    }
    for line in &why.lines {
        context.out.line(&*table::printable(line))?;
    }
    if let Some(text) = more(&why) {
        let member = member.map(|member| format!(" {member}"));
        context.note(&format!(
            "{text}; `infrakit {} why {id}{} --deeds` lists them",
            target.name,
            member.unwrap_or_default()
        ));
    }
    Ok(())
}

fn more(why: &Why) -> Option<String> {
    match why.deeds.len() {
        0 => None,
        1 => Some("1 thing was done".to_owned()),
        count => Some(format!("{count} things were done")),
    }
}

const DEEDS: [&str; 5] = ["AT", "INSTANCE", "ACTION", "RULE", "EVIDENCE"];

fn row(deed: &Deed) -> [Cow<'_, str>; 5] {
    [
        deed.at.as_str().into(),
        deed.instance.as_str().into(),
        deed.action.as_str().into(),
        deed.rule.as_str().into(),
        deed.evidence.as_str().into(),
    ]
}
