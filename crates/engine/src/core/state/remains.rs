//! What remains of a group that was freed or destroyed while calls were under way.

use std::collections::BTreeSet;

use infrakit_plan::{Config, Member, Step, Timestamp};
use infrakit_spi::PluginName;
use infrakit_store::Change;

use crate::core::Group;
use crate::records::{Fate, RemainsRecord, SpecRecord, open_rows, put, remains_key};

/// What remains of a group.
pub(in crate::core) struct Remains {
    /// The group as it was; its phase says what becomes of late arrivals.
    pub(in crate::core) group: Group,
    pub(in crate::core) fate: Fate,
    /// When it was freed, or when its last member went.
    pub(in crate::core) since: Timestamp,
    /// Numbers of the creations that were open then. Whoever comes of them is nobody's.
    pub(in crate::core) late: BTreeSet<u64>,
}

impl Remains {
    pub(in crate::core) fn of(group: Group, fate: Fate, since: Timestamp) -> Self {
        let late = group.memory.intents.keys().copied().collect();
        Self {
            group,
            fate,
            since,
            late,
        }
    }

    /// Returns those that came after the group was freed.
    pub(in crate::core) fn orphans(&self) -> impl Iterator<Item = &Member> {
        let members = self.group.seen.members();
        members.filter(|member| member.token.is_some_and(|token| self.late.contains(&token)))
    }

    /// Forgets creations that came to nothing, and those whose instances are gone.
    pub(in crate::core) fn settle(&mut self) {
        let (memory, seen) = (&self.group.memory, &self.group.seen);
        if seen.listed().is_none() {
            return;
        }
        self.late.retain(|number| {
            memory.intents.contains_key(number) || seen.made_by(*number).is_some()
        });
    }

    /// Returns whether nothing can come of it any more.
    pub(in crate::core) fn is_over(&self, config: &Config) -> bool {
        let group = &self.group;
        let open = !group.memory.intents.is_empty() || !group.young.is_empty();
        let Some(listed) = group.seen.listed() else {
            return false;
        };
        let there = match self.fate {
            Fate::Freed => !self.late.is_empty() || goes(group, listed, config),
            Fate::Destroyed => !group.seen.is_empty() || group.seen.may_have_others(),
        };
        let since = group.destroying_since.is_none_or(|since| listed >= since);
        group.changing == 0 && since && !open && !there
    }

    /// Returns the record of it.
    pub(in crate::core) fn record(group: &Group, fate: Fate, since: Timestamp) -> Change {
        let committed = group.revisions.get(&group.revision);
        let record = RemainsRecord {
            fate,
            since,
            spec: SpecRecord {
                revision: group.revision,
                committed: committed.map_or(since, |committed| committed.at),
                spec: group.raw.clone(),
                note: committed.map_or_else(String::new, |committed| committed.note.clone()),
            },
            late: open_rows(&group.memory),
        };
        put(remains_key(group.id()), &record)
    }
}

/// Returns whether a destruction that was begun may still take effect. One that failed is not tried
/// again: the group was let go.
fn goes(group: &Group, listed: Timestamp, config: &Config) -> bool {
    let long = |plugin: &PluginName| config.behaviour(plugin).destruction_stuck();
    let under_way = group.seen.leaving().any(|member| {
        let step = member.departure.map(|departure| departure.step);
        match step {
            Some(Step::InFlight(_)) => true,
            Some(Step::Accepted(at)) => listed < at + long(&member.plugin),
            Some(Step::Failed(..)) | None => false,
        }
    });
    let mut decided = group.memory.decided.values();
    under_way || decided.any(|decided| listed < decided.since + long(&decided.plugin))
}
