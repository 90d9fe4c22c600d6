//! Budgets that would let everything go, or nothing, and ceilings below what a group needs.

use super::refusal::{members, refuse, within_bounds};
use crate::spec::{Order, Share, Size, Spec};
use crate::{InvalidSpec, Updating};

const UNAVAILABLE: &str = "Updating.MaxUnavailable";
const SURGE: &str = "Updating.MaxSurge";
const ORDER: &str = "Updating.Order";
const CEILING: &str = "Allocation.MaxInstances";

pub(super) fn check(spec: &Spec) -> Result<(), InvalidSpec> {
    surge(spec)?;
    unavailable(&spec.updating, spec.size.count())?;
    order(spec)?;
    ceiling(spec)
}

fn surges(updating: &Updating) -> bool {
    !matches!(updating.max_surge, None | Some(Share::Count(0)))
}

fn surge(spec: &Spec) -> Result<(), InvalidSpec> {
    match (spec.updating.max_surge, &spec.size) {
        (Some(Share::Percent(0)), _) => refuse(
            SURGE,
            "`0%` is no share; write 0 for no surge, or a percentage like \"10%\"",
        ),
        (Some(share), Size::Pets(_)) if surges(&spec.updating) => refuse(
            SURGE,
            format!(
                "`{share}` cannot be used with LogicalIDs, since an identity cannot exist twice; \
                 leave it out, and use MaxUnavailable, like 1"
            ),
        ),
        (Some(share), _) => within_bounds(SURGE, share),
        (None, _) => Ok(()),
    }
}

fn unavailable(updating: &Updating, size: u64) -> Result<(), InvalidSpec> {
    let Some(share) = updating.max_unavailable else {
        return Ok(());
    };
    match share {
        Share::Percent(0) => refuse(
            UNAVAILABLE,
            "`0%` is no share; expected a percentage like \"10%\", or 0 together with MaxSurge, like 1",
        ),
        Share::Count(0) if !surges(updating) => refuse(
            UNAVAILABLE,
            "`0` without MaxSurge lets no member ever be replaced; expected at least 1, or MaxSurge, like 1",
        ),
        Share::Percent(100) => refuse(
            UNAVAILABLE,
            "`100%` lets all members go at once; expected less, like \"50%\"",
        ),
        share if size > 1 && share.floor(size) >= size => refuse(
            UNAVAILABLE,
            format!(
                "`{share}` lets all {} go at once; expected at most {}, or a percentage like \"50%\"",
                members(size),
                size - 1
            ),
        ),
        share => within_bounds(UNAVAILABLE, share),
    }
}

fn order(spec: &Spec) -> Result<(), InvalidSpec> {
    let updating = &spec.updating;
    match (updating.order, &spec.size) {
        (Some(Order::SurgeFirst), Size::Pets(_)) => refuse(
            ORDER,
            "`surge-first` cannot be used with LogicalIDs, since an identity cannot exist twice; \
             expected \"destroy-first\"",
        ),
        (Some(Order::SurgeFirst), Size::Cattle(_)) if !surges(updating) => refuse(
            ORDER,
            "`surge-first` needs room for new members beside the old ones; give MaxSurge, like 1, \
             or \"destroy-first\"",
        ),
        (Some(Order::DestroyFirst), size) if surges(updating) => {
            let why = match updating.max_unavailable {
                None => "is 0 where MaxSurge is given and it is not".to_owned(),
                Some(Share::Count(0)) => "is 0".to_owned(),
                Some(share @ Share::Percent(_))
                    if size.count() > 0 && share.floor(size.count()) == 0 =>
                {
                    format!("is {share} of {}, which is 0", members(size.count()))
                }
                Some(Share::Count(_) | Share::Percent(_)) => return Ok(()),
            };
            refuse(
                ORDER,
                format!(
                    "`destroy-first` takes a member away before the new one comes, but \
                     MaxUnavailable {why}; give MaxUnavailable, like 1, or \"surge-first\""
                ),
            )
        }
        (None | Some(Order::SurgeFirst | Order::DestroyFirst), _) => Ok(()),
    }
}

fn ceiling(spec: &Spec) -> Result<(), InvalidSpec> {
    let Some(ceiling) = spec.max_instances else {
        return Ok(());
    };
    let size = spec.size.count();
    let surge = spec.updating.surge(size);
    let needed = size.saturating_add(surge).max(1);
    if ceiling >= needed {
        return Ok(());
    }
    let what = match (ceiling, surge) {
        (0, _) => "lets the group have nobody".to_owned(),
        (_, 0) => format!("is less than the {} of the group", members(size)),
        (_, surge) => format!(
            "is less than the {} of the group and the {surge} that MaxSurge adds",
            members(size)
        ),
    };
    refuse(
        CEILING,
        format!("`{ceiling}` {what}; expected at least {needed}"),
    )
}
