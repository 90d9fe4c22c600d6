//! In which respects a group is well.

use std::borrow::Cow;

use infrakit_spi::GroupId;
use infrakit_spi::rollout::{Condition, ConditionKind, Rollouts as _};
use serde::Serialize;

use super::ask::rollouts;
use super::described::Described;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::Format;
use crate::out::table::Headings;
use crate::target::Target;
use crate::view::{self, Row, ViewArgs};

/// Groups that are asked whether they are frozen when all are listed: a list must stay quick.
const ASKED: usize = 50;

/// A group with its members and conditions, as a document.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Whole<'a> {
    instances: &'a [Row<'a>],
    converged: bool,
    conditions: &'a [Condition],
    #[serde(skip_serializing_if = "str::is_empty")]
    unlisted: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    listed: &'a str,
}

/// Shows the conditions as a table, or the whole group as a document.
pub(super) fn show(
    context: &Context,
    view: &ViewArgs,
    described: &Described<'_>,
    target: &str,
) -> Result {
    let Some(conditions) = &described.conditions else {
        return Err(CommandError::remote(format!(
            "plugin `{target}` does not know conditions; it is another group controller than ours"
        ))
        .hint(format!("`infrakit {target} describe` shows the members")));
    };
    if !described.unlisted.is_empty() {
        context.warn(&described.unlisted);
        match described.listed.as_str() {
            "" => context.warn("no list of the members was seen yet"),
            listed => context.warn(&format!("the members are those of {listed}")),
        }
    }
    match view.output.format() {
        Format::Table => {
            let rows: Vec<_> = conditions.iter().map(row).collect();
            let headings = Headings::unless(view.quiet);
            context.out.table(CONDITIONS, headings, &rows)
        }
        format => {
            let whole = Whole {
                instances: &view::documented(view, &described.rows),
                converged: described.converged,
                conditions,
                unlisted: &described.unlisted,
                listed: &described.listed,
            };
            context.out.document(&whole, format)
        }
    }
}

const CONDITIONS: [&str; 5] = ["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"];

fn row(condition: &Condition) -> [Cow<'_, str>; 5] {
    [
        condition.kind.as_str().into(),
        Cow::Borrowed(if condition.status { "yes" } else { "no" }),
        condition.reason.as_str().into(),
        condition.since.as_str().into(),
        condition.message.as_str().into(),
    ]
}

/// Tells a person what the list of members does not show: that the group is degraded or paused.
pub(super) fn tell(context: &Context, id: &GroupId, described: &Described<'_>) {
    for text in troubles(id, described.conditions.as_deref().unwrap_or_default()) {
        context.warn(&text);
    }
}

/// Tells a person which of these groups are frozen. What cannot be learned is not told.
pub(super) async fn tell_frozen(context: &Context, target: &Target, ids: &[&str]) {
    for id in ids.iter().take(ASKED).map(|id| GroupId::from(*id)) {
        let conditions = rollouts(target).conditions(&id).await.unwrap_or_default();
        let frozen: Vec<Condition> = conditions
            .into_iter()
            .filter(|condition| condition.kind == ConditionKind::Frozen)
            .collect();
        for text in troubles(&id, &frozen) {
            context.warn(&text);
        }
    }
}

fn troubles(id: &GroupId, conditions: &[Condition]) -> Vec<String> {
    let told = |condition: &&Condition| {
        let worth = matches!(
            condition.kind,
            ConditionKind::Degraded | ConditionKind::Paused | ConditionKind::Frozen
        );
        worth && condition.status
    };
    let text = |condition: &Condition| {
        let Condition {
            kind,
            since,
            message,
            ..
        } = condition;
        format!("group `{id}` is {kind} since {since}: {message}")
    };
    // Of all else it is the reason.
    let frozen = |condition: &&Condition| condition.kind == ConditionKind::Frozen;
    let (frozen, others): (Vec<_>, Vec<_>) = conditions.iter().filter(told).partition(frozen);
    frozen.into_iter().chain(others).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_a_person_is_told() {
        let condition = |kind, status| Condition {
            kind,
            status,
            reason: "Why".to_owned(),
            message: "because".to_owned(),
            since: "2026-11-25T13:00:00Z".to_owned(),
        };
        let conditions = [
            condition(ConditionKind::Available, false),
            condition(ConditionKind::Paused, false),
            condition(ConditionKind::RollingOut, true),
            condition(ConditionKind::Degraded, true),
            condition(ConditionKind::Frozen, true),
        ];
        let told = ["Frozen", "Degraded"]
            .map(|kind| format!("group `cattle` is {kind} since 2026-11-25T13:00:00Z: because"));
        assert_eq!(troubles(&"cattle".into(), &conditions), told);
    }
}
