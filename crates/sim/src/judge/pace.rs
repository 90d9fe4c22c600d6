//! How often things are begun, as whoever pays for them counts.

use std::collections::{BTreeMap, VecDeque};

use infrakit_spi::{GroupId, PluginName, tags};

use crate::controller::Ask;
use crate::world::{Bucket, Fill, MINUTE};

/// For so long creations are counted.
const COUNTED: u64 = 10 * MINUTE;

/// What was begun how often.
#[derive(Debug, Default)]
pub struct Pace {
    /// Limits a minute of creations and destructions.
    pub limits: (Option<u32>, Option<u32>),
    creates: BTreeMap<PluginName, Fill>,
    destroys: BTreeMap<PluginName, Fill>,
    /// What was over a limit.
    pub over: Option<String>,
    /// When creations of each group were begun, the last ones, and their tokens. One that is asked for again
    /// makes nobody else.
    begun: BTreeMap<GroupId, VecDeque<(u64, Option<String>)>>,
    /// What gave reason for creations: when, and for how many.
    reasons: BTreeMap<GroupId, VecDeque<(u64, u64)>>,
}

impl Pace {
    /// Notes what is about to be done.
    pub fn asked(&mut self, ask: &Ask, now: u64) {
        match ask {
            Ask::Create(creation) => {
                let fill = self.creates.entry(creation.plugin.clone()).or_default();
                let limit = self.limits.0;
                over(
                    &mut self.over,
                    fill,
                    limit,
                    ("creations", &creation.plugin),
                    now,
                );
                let begun = self.begun.entry(creation.group.clone()).or_default();
                while begun.front().is_some_and(|(at, _)| at + COUNTED < now) {
                    begun.pop_front();
                }
                let token = creation.tags.get(tags::TOKEN).cloned();
                let again = token.is_some() && begun.iter().any(|(_, known)| *known == token);
                if !again {
                    begun.push_back((now, token));
                }
            }
            Ask::Destroy { plugin, .. } => {
                let fill = self.destroys.entry(plugin.clone()).or_default();
                let limit = self.limits.1;
                over(&mut self.over, fill, limit, ("destructions", plugin), now);
            }
            Ask::List { .. }
            | Ask::Write { .. }
            | Ask::Label { .. }
            | Ask::Check { .. }
            | Ask::Repair { .. }
            | Ask::Drain { .. } => {}
        }
    }

    /// Notes that there is reason for so many creations.
    pub fn reason(&mut self, group: &GroupId, count: u64, now: u64) {
        let reasons = self.reasons.entry(group.clone()).or_default();
        reasons.push_back((now, count));
        // What was asked for may take hours until it is done.
        while reasons
            .front()
            .is_some_and(|(at, _)| at + 72 * COUNTED < now)
        {
            reasons.pop_front();
        }
    }

    /// Returns how many creations of a group were begun lately, and for how many of all times there
    /// was reason.
    #[must_use]
    pub fn lately(&self, group: &GroupId) -> (u64, u64) {
        let begun = self.begun.get(group).map_or(0, VecDeque::len) as u64;
        let reasons = self.reasons.get(group).into_iter().flatten();
        (begun, reasons.map(|(_, count)| count).sum())
    }
}

/// Takes a call out of the bucket of a limit a minute, and notes when there was none in it.
fn over(
    over: &mut Option<String>,
    fill: &mut Fill,
    limit: Option<u32>,
    (what, plugin): (&str, &PluginName),
    now: u64,
) {
    let Some(limit) = limit.filter(|limit| *limit > 0) else {
        return;
    };
    let bucket = Bucket {
        // One more: clocks of lives are not this one.
        size: u64::from(limit) + 1,
        each: MINUTE / u64::from(limit),
    };
    if fill.take(bucket, now).is_err() {
        *over = Some(format!("more than {limit} {what} a minute on `{plugin}`"));
    }
}
