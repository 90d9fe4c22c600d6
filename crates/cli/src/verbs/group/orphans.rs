//! What is left of groups that nobody manages any more.

use std::borrow::Cow;

use clap::Args;
use infrakit_spi::GroupId;
use infrakit_spi::rollout::{Orphan, Rollouts as _};

use super::ask::{explain_rollouts, rollouts};
use crate::context::Context;
use crate::error::Result;
use crate::out::table::Headings;
use crate::out::{Format, OutputArgs};
use crate::target::Target;

/// List what came too late for its group, or may still come
///
/// A creation that was under way when its group was freed or destroyed may come true all the same.
/// What comes of it goes with a group that was destroyed; with one that was freed it stays, and
/// is a member when the group is committed anew.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit orphans\n  infrakit group orphans -o json")]
pub(crate) struct OrphansArgs {
    /// Leave out the headings
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    output: OutputArgs,
}

const COLUMNS: [&str; 8] = [
    "GROUP", "FATE", "PLUGIN", "INSTANCE", "LOGICAL", "TOKEN", "SINCE", "UNTIL",
];

/// Lists them.
pub(super) async fn orphans(context: &Context, target: &Target, args: OrphansArgs) -> Result {
    let orphans = match rollouts(target).orphans().await {
        Ok(orphans) => orphans,
        Err(error) => return Err(explain_rollouts(target, &GroupId::default(), error).await),
    };
    let format = args.output.format();
    if format != Format::Table {
        return context.out.document(&orphans, format);
    }
    if orphans.is_empty() {
        context.note("there are none");
    }
    let rows: Vec<_> = orphans.iter().map(row).collect();
    let headings = Headings::unless(args.quiet);
    context.out.table(COLUMNS, headings, &rows)
}

fn row(orphan: &Orphan) -> [Cow<'_, str>; 8] {
    let or_dash = |text: &'_ str| -> Cow<'_, str> {
        if text.is_empty() {
            "-".into()
        } else {
            text.to_owned().into()
        }
    };
    [
        orphan.group.as_str().into(),
        orphan.fate.as_str().into(),
        orphan.plugin.as_str().into(),
        or_dash(orphan.instance.as_str()),
        or_dash(&orphan.logical_id),
        orphan.token.as_str().into(),
        orphan.since.as_str().into(),
        or_dash(&orphan.until),
    ]
}
