//! Previews that were shown of late, so that a commit that is bound to one can be told what has
//! changed since.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infrakit_spi::rollout::{Change, Preview};
use infrakit_spi::{GroupId, InstanceId};

/// Previews that are remembered, over all groups: more than people look at one controller at a time.
/// Each holds the ids of the members that go; one that is forgotten is still refused, without saying
/// what has changed.
const REMEMBERED: usize = 16;
/// Differences of one kind that are named: the refusal is one line. The preview has them all.
const NAMED: usize = 3;

/// The last previews.
#[derive(Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<VecDeque<Sight>>>);

/// What matters of a preview.
#[derive(Clone, Debug, Default)]
struct Sight {
    group: GroupId,
    plan: String,
    changes: Vec<Change>,
    go: BTreeSet<InstanceId>,
}

impl Shown {
    /// Remembers a preview.
    pub(crate) fn remember(&self, group: &GroupId, preview: &Preview) {
        let mut shown = self.shown();
        shown.retain(|sight| (&sight.group, &sight.plan) != (group, &preview.plan));
        if shown.len() == REMEMBERED {
            shown.pop_front();
        }
        shown.push_back(Sight::of(group, preview));
    }

    /// Says why a plan is not what would follow; `now` is what would.
    pub(crate) fn refusal(&self, group: &GroupId, plan: &str, now: &Preview) -> String {
        let shown = self.shown();
        let known = shown
            .iter()
            .find(|sight| sight.group == *group && sight.plan == plan);
        let what = match known {
            Some(before) => before.differs(&Sight::of(group, now)),
            None => "no such plan was shown of late for what is committed".to_owned(),
        };
        format!(
            "nothing was changed: plan '{plan}' is not what would follow: {what}; now it would be plan '{}': {}",
            now.plan, now.sentence
        )
    }

    fn shown(&self) -> MutexGuard<'_, VecDeque<Sight>> {
        // Nothing under the lock can panic half-way; a poisoned list is still a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sight {
    fn of(group: &GroupId, preview: &Preview) -> Self {
        let go = preview.waves.iter().flat_map(|wave| &wave.go);
        Self {
            group: group.clone(),
            plan: preview.plan.clone(),
            changes: preview.changes.clone(),
            go: go.map(|one| one.id.clone()).collect(),
        }
    }

    /// Says in what a later preview differs.
    fn differs(&self, now: &Self) -> String {
        let mut parts = Vec::new();
        let [gone, come] = [(self, now), (now, self)].map(|(one, other)| {
            let only = |change: &&Change| !other.changes.contains(change);
            one.changes.iter().filter(only)
        });
        let paths: BTreeSet<&str> = gone
            .chain(come)
            .map(|change| change.path.as_str())
            .collect();
        if !paths.is_empty() {
            parts.push(format!("it changes other fields: {}", names(&paths)));
        }
        let more: BTreeSet<&InstanceId> = now.go.difference(&self.go).collect();
        if !more.is_empty() {
            parts.push(format!("{} would go, too", names(&more)));
        }
        let less: BTreeSet<&InstanceId> = self.go.difference(&now.go).collect();
        if !less.is_empty() {
            parts.push(format!("{} would not go any more", names(&less)));
        }
        if parts.is_empty() {
            "another revision is in force by now".to_owned()
        } else {
            parts.join("; ")
        }
    }
}

fn names<T: std::fmt::Display>(names: &BTreeSet<T>) -> String {
    let first: Vec<String> = names
        .iter()
        .take(NAMED)
        .map(|name| format!("`{name}`"))
        .collect();
    let first = first.join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use infrakit_spi::rollout::{Leaver, Wave};

    use super::*;

    fn preview(plan: &str, paths: &[&str], go: &[&str]) -> Preview {
        let change = |path: &&str| Change {
            path: (*path).to_owned(),
            ..Change::default()
        };
        let leaver = |id: &&str| Leaver {
            id: (*id).into(),
            ..Leaver::default()
        };
        Preview {
            plan: plan.to_owned(),
            sentence: "Noop".to_owned(),
            changes: paths.iter().map(change).collect(),
            waves: vec![Wave {
                go: go.iter().map(leaver).collect(),
                ..Wave::default()
            }],
            ..Preview::default()
        }
    }

    #[test]
    fn what_has_changed_since_is_named() {
        let shown = Shown::default();
        let group = GroupId::from("g");
        shown.remember(&group, &preview("one", &["Size"], &["a", "b"]));
        for (now, text) in [
            (
                preview("two", &["Size"], &["a", "b", "c"]),
                "`c` would go, too",
            ),
            (
                preview("two", &["Size"], &["b"]),
                "`a` would not go any more",
            ),
            (
                preview("two", &["Size", "Note"], &["a", "b"]),
                "it changes other fields: `Note`",
            ),
            (
                preview("two", &["Size"], &["a", "b"]),
                "another revision is in force by now",
            ),
        ] {
            let said = shown.refusal(&group, "one", &now);
            assert_eq!(
                said,
                format!(
                    "nothing was changed: plan 'one' is not what would follow: {text}; now it would be plan 'two': Noop"
                )
            );
        }
        let unknown = shown.refusal(&"h".into(), "one", &preview("two", &[], &[]));
        assert!(unknown.contains("no such plan was shown"), "{unknown}");
    }

    #[test]
    fn only_the_last_previews_are_remembered() {
        let shown = Shown::default();
        let group = GroupId::from("g");
        for number in 0..=REMEMBERED {
            shown.remember(&group, &preview(&number.to_string(), &[], &[]));
            shown.remember(&group, &preview(&number.to_string(), &[], &[]));
        }
        assert_eq!(shown.shown().len(), REMEMBERED);
        assert_eq!(shown.shown()[0].plan, "1");
    }
}
