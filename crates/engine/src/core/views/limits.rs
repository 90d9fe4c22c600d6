//! Whose limit on calls holds a group back, in words.

use std::collections::BTreeSet;

use infrakit_plan::{CallKind, Timestamp, WaitingOn};
use infrakit_spi::PluginName;

use crate::core::state::limit::{Limit, Source};
use crate::core::words::names;
use crate::core::{Core, Group};

impl Core {
    /// Says whose limits a group waits for, what they let through, and who shares them.
    pub(in crate::core) fn limits_in_words(&self, group: &Group, now: Timestamp) -> Option<String> {
        let waits = group.waiting.iter().filter_map(|(on, _)| {
            let WaitingOn::Governor { plugin, kind, .. } = on else {
                return None;
            };
            let of = (plugin, self.behaviours.of(plugin));
            let limit = self.rates.tightest_on(of, *kind, now)?;
            let shared = self.sharing(group, (plugin, *kind), (&limit, now));
            let whose = self.whose(&limit, (plugin, *kind));
            Some(format!("{whose}; {shared}"))
        });
        let waits: Vec<String> = waits.collect();
        (!waits.is_empty()).then(|| waits.join("; "))
    }

    fn whose(&self, limit: &Limit, (plugin, kind): (&PluginName, CallKind)) -> String {
        let calls = kind.plural();
        let rate = rate(limit.rate.per_second);
        let account = match limit.account() {
            own if own == plugin.as_str() => String::new(),
            account => format!(" for the account `{account}`"),
        };
        let pause = match limit.closed_until {
            Some(until) => format!(", and none before {}", self.on_wall().moment(until)),
            None => String::new(),
        };
        match limit.source {
            Source::Set => {
                format!("the operator lets {calls} of `{plugin}` come {rate}")
            }
            Source::Declared => {
                format!("`{plugin}` declares that limit{account}: {calls} come {rate}")
            }
            Source::Learned => format!(
                "that limit{account} was learned from what `{plugin}` refused as too much: \
                 {calls} come {rate} now{pause}"
            ),
        }
    }

    /// Says which other groups draw from the same bucket.
    fn sharing(
        &self,
        group: &Group,
        (plugin, kind): (&PluginName, CallKind),
        (limit, now): (&Limit, Timestamp),
    ) -> String {
        let homes: BTreeSet<&PluginName> = self.groups.values().flat_map(Group::homes).collect();
        let shares = |home: &&PluginName| {
            let of = (*home, self.behaviours.of(home));
            *home == plugin || self.rates.draws_from(of, kind, (&limit.name, now))
        };
        let homes: BTreeSet<&PluginName> = homes.into_iter().filter(shares).collect();
        let others = self.groups.values().filter(|other| {
            other.id() != group.id() && other.homes().any(|home| homes.contains(home))
        });
        let others: Vec<_> = others.map(Group::id).collect();
        if others.is_empty() {
            return "no other group draws from it".to_owned();
        }
        format!("shared with {}", names(others))
    }
}

/// Returns how often something may come, counted by the time in which it comes at least once.
fn rate(per_second: f64) -> String {
    let units = [("a second", 1.0), ("a minute", 60.0), ("an hour", 3_600.0)];
    let fits = |(_, seconds): &&(&str, f64)| per_second * seconds >= 1.0;
    let (unit, seconds) = units.iter().find(fits).unwrap_or(&("a day", 86_400.0));
    let rounded = (per_second * seconds * 10.0).round() / 10.0;
    format!("{rounded} {unit}")
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn rates_are_told_as_people_do() {
        for (per_second, said) in [
            (40.0, "40 a second"),
            (1.46, "1.5 a second"),
            (0.2, "12 a minute"),
            (1.0 / 360.0, "10 an hour"),
            (1.0 / 43_200.0, "2 a day"),
        ] {
            assert_eq!(rate(per_second), said);
        }
    }
}
