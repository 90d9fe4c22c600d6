//! Thresholds that contradict each other, and breakers that never open or never close.

use std::collections::BTreeSet;

use super::refusal::{members, refuse, some};
use crate::InvalidSpec;
use crate::spec::{HealthPolicy, Share, Spec};

/// The most verdicts that a window may have: with the thirty that may have to confirm them they are
/// sixty-two, and sixty-four are kept of a member.
const MOST_VERDICTS: u32 = 32;

pub(super) fn check(spec: &Spec) -> Result<(), InvalidSpec> {
    let health = &spec.health;
    window(health)?;
    breaker(health, spec.size.count())?;
    repair(health)
}

fn window(health: &HealthPolicy) -> Result<(), InvalidSpec> {
    let HealthPolicy {
        window, threshold, ..
    } = *health;
    const PATH: &str = "Health.Window";
    // A threshold alone means failures in a row, which are merely counted.
    if window == threshold {
        return Ok(());
    }
    if window < threshold {
        return refuse(
            PATH,
            format!(
                "`{window}` checks can never contain the {threshold} failures of Health.Threshold; \
                 expected at least {threshold}"
            ),
        );
    }
    if window > MOST_VERDICTS {
        return refuse(
            PATH,
            format!(
                "expected a whole number from Health.Threshold to {MOST_VERDICTS}, like {}, found `{window}`",
                threshold.saturating_mul(2).min(MOST_VERDICTS)
            ),
        );
    }
    Ok(())
}

fn breaker(health: &HealthPolicy, size: u64) -> Result<(), InvalidSpec> {
    const PATH: &str = "Health.MaxUnhealthy";
    some(
        PATH,
        health.max_unhealthy,
        "lets no sick member ever be replaced",
    )?;
    match health.max_unhealthy {
        Some(Share::Percent(100)) => refuse(
            PATH,
            "`100%` never stops anything: all members may be destroyed for their health at once; \
             expected less, like \"40%\"",
        ),
        Some(share) if size > 1 && share.floor(size) >= size => refuse(
            PATH,
            format!(
                "`{share}` never stops anything: all {} may be destroyed for their health at once; \
                 expected at most {}, or a percentage like \"40%\"",
                members(size),
                size - 1
            ),
        ),
        Some(_) | None => Ok(()),
    }
}

fn repair(health: &HealthPolicy) -> Result<(), InvalidSpec> {
    let mut seen = BTreeSet::new();
    for (index, step) in health.repair.iter().enumerate() {
        let path = format!("Health.Repair[{index}]");
        if step.trim().is_empty() {
            return refuse(
                &path,
                "a step needs a name that the instance plugin knows, like \"reboot\"",
            );
        }
        if !seen.insert(step) {
            return refuse(
                &path,
                format!(
                    "`{step}` is listed twice; each step is tried once, as in [\"reboot\", \"reimage\"]"
                ),
            );
        }
    }
    if health.repair_wait.is_zero() {
        return refuse(
            "Health.RepairWait",
            "`0s` gives a step no time to help; expected a duration like \"5m\"",
        );
    }
    Ok(())
}
