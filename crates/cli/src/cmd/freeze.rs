//! `infrakit freeze` and `infrakit thaw`: the brake, at hand without knowing where groups are kept.

use clap::Args;
use infrakit_spi::rollout::Freeze;

use crate::context::Context;
use crate::error::Result;
use crate::target;
use crate::verbs::group::{Frozen, set_frozen};

/// Stop everything that groups, or all of them, would do
///
/// Nothing is created, destroyed, repaired or rolled until it is thawed, over restarts too. What was
/// begun is finished, health is still asked for, and commits are taken and wait.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit freeze cattle pets\n  infrakit freeze --all")]
pub(crate) struct FreezeArgs {
    #[command(flatten)]
    what: Frozen,
    #[command(flatten)]
    keeper: Keeper,
}

/// Let groups that were frozen, or all of them, go on
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit thaw cattle pets\n  infrakit thaw --all")]
pub(crate) struct ThawArgs {
    #[command(flatten)]
    what: Frozen,
    #[command(flatten)]
    keeper: Keeper,
}

/// Who keeps the groups.
#[derive(Args, Debug)]
struct Keeper {
    /// Object that keeps the groups
    #[arg(long, value_name = "OBJECT", default_value = "group")]
    on: String,
}

/// Freezes.
pub(crate) fn freeze(context: &Context, args: &FreezeArgs) -> Result {
    set(context, &args.keeper, &args.what, Freeze::Set)
}

/// Thaws.
pub(crate) fn thaw(context: &Context, args: &ThawArgs) -> Result {
    set(context, &args.keeper, &args.what, Freeze::Thaw)
}

fn set(context: &Context, keeper: &Keeper, what: &Frozen, freeze: Freeze) -> Result {
    context.block_on(async {
        let target = target::find(context, &keeper.on).await?;
        set_frozen(context, &target, what.clone(), freeze).await
    })
}
