//! Stages that do not grow, windows that never open, and limits that contradict each other.

use std::cmp::Ordering;
use std::time::Duration;

use infrakit_spi::GoDuration;

use super::refusal::{members, refuse, some, within_bounds};
use crate::spec::{Share, Spec, Stage};
use crate::{InvalidSpec, Updating};

pub(super) fn check(spec: &Spec) -> Result<(), InvalidSpec> {
    let (updating, size) = (&spec.updating, spec.size.count());
    some(
        "Updating.Batch",
        updating.batch,
        "never begins a replacement",
    )?;
    stages(&updating.stages, size)?;
    failures(updating.failure_threshold, size)?;
    deadline(updating)?;
    windows(updating)
}

fn stages(stages: &[Stage], size: u64) -> Result<(), InvalidSpec> {
    let mut former: Option<Share> = None;
    for (index, stage) in stages.iter().enumerate() {
        let path = format!("Updating.Stages[{index}].Until");
        let until = stage.until;
        some(&path, Some(until), "is a stage without a member")?;
        if let Some(former) = former {
            grows(&path, former, until, size)?;
        }
        let last = index + 1 == stages.len();
        if !last && whole(until, size) {
            return refuse(
                &path,
                format!(
                    "`{until}` is the whole group, and a stage follows; expected less, like \
                     \"50%\", or no stage after it"
                ),
            );
        }
        former = Some(until);
    }
    Ok(())
}

/// Returns whether a stage takes in everybody. In a group of one each stage does, and the stages of
/// larger groups may be used there as they are.
fn whole(until: Share, size: u64) -> bool {
    match until {
        Share::Percent(percent) => percent == 100,
        Share::Count(count) => size > 1 && count >= size,
    }
}

/// Refuses a stage that is not larger than the one before.
///
/// Like is compared with like as it is written, so that `5%` and `10%` suit a group of four too,
/// where both mean one member. A count and a percentage can only be compared for the group's size.
fn grows(path: &str, former: Share, until: Share, size: u64) -> Result<(), InvalidSpec> {
    let (order, meaning) = match (former, until) {
        (Share::Count(before), Share::Count(after)) => (before.cmp(&after), String::new()),
        (Share::Percent(before), Share::Percent(after)) => (before.cmp(&after), String::new()),
        (Share::Count(_), Share::Percent(_)) | (Share::Percent(_), Share::Count(_)) if size < 2 => {
            return Ok(());
        }
        (Share::Count(_), Share::Percent(_)) | (Share::Percent(_), Share::Count(_)) => (
            former.ceil(size).cmp(&until.ceil(size)),
            format!(
                ": of {}, that is {} after {}",
                members(size),
                until.ceil(size),
                former.ceil(size)
            ),
        ),
    };
    if order == Ordering::Less {
        return Ok(());
    }
    let more = match former {
        Share::Count(count) => Share::Count(count.saturating_add(1)).to_string(),
        Share::Percent(percent) => {
            format!("\"{}\"", Share::Percent(percent.saturating_mul(2).min(100)))
        }
    };
    refuse(
        path,
        format!(
            "`{until}` is no more than the stage before, `{former}`{meaning}; expected more, like {more}"
        ),
    )
}

fn failures(threshold: Option<Share>, size: u64) -> Result<(), InvalidSpec> {
    const PATH: &str = "Updating.FailureThreshold";
    some(PATH, threshold, "lets a rollout fail before it begins")?;
    match threshold {
        Some(share @ Share::Count(count)) if size > 0 && count > size => refuse(
            PATH,
            format!(
                "`{share}` can never be reached by {}; expected at most {size}, or a percentage \
                 like \"10%\"",
                members(size)
            ),
        ),
        Some(share) => within_bounds(PATH, share),
        None => Ok(()),
    }
}

fn deadline(updating: &Updating) -> Result<(), InvalidSpec> {
    const PATH: &str = "Updating.ProgressDeadline";
    match updating.progress_deadline {
        Some(Duration::ZERO) => refuse(
            PATH,
            "`0s` gives no time at all; expected a duration like \"10m\"",
        ),
        Some(deadline) if deadline <= updating.duration => refuse(
            PATH,
            format!(
                "`{}` can never be met: each new member must be healthy for {} (Updating.Duration) \
                 first; expected more, like \"{}\"",
                GoDuration(deadline),
                GoDuration(updating.duration),
                GoDuration(updating.duration.saturating_mul(2)),
            ),
        ),
        Some(_) | None => Ok(()),
    }
}

fn windows(updating: &Updating) -> Result<(), InvalidSpec> {
    for (index, window) in updating.windows.iter().enumerate() {
        if window.duration().is_zero() {
            return refuse(
                &format!("Updating.Windows[{index}].Duration"),
                "`0s` never opens; expected a duration like \"4h\"",
            );
        }
    }
    Ok(())
}
