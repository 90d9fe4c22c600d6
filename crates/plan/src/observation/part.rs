//! Lists that cover a part of the world: what is elsewhere they neither show nor deny.
//!
//! Of members in the domains that it covers such a list tells as any other. It does not tell that
//! nothing came of a creation, nor that nobody else is there: that takes a list of everything.

use std::collections::BTreeSet;
use std::sync::Arc;

use infrakit_spi::instance::{Description, Domains};
use infrakit_spi::{GroupId, InstanceId, PluginName};

use super::tomb::tells_of;
use super::{Key, Lag, Listed, Member, Observed, Origin, Seen};
use crate::Timestamp;

impl Observed {
    /// Takes in a list of the group's instances on one plugin that covers only some domains.
    pub fn apply_part(
        &mut self,
        group: &GroupId,
        (list, covers): (impl IntoIterator<Item = Description>, Arc<Domains>),
        circumstances: Listed<'_>,
        nonce: &str,
    ) -> Seen {
        self.take_in(group, (list, Some(covers)), circumstances, nonce)
    }

    /// Returns whether a list that was started at `since` or later has shown a member.
    #[must_use]
    pub fn has_shown(&self, member: &Member, since: Timestamp) -> bool {
        let plugin = &member.plugin;
        let shown = member.origin == Origin::Listed && !member.missed;
        let whole = self.listed_on(plugin) >= Some(since);
        let part = || self.looked_on(plugin) >= Some(since) && self.tells_of(plugin, member);
        shown && (whole || part())
    }

    /// Returns whether the last list of `plugin` lacks members that are kept all the same.
    #[must_use]
    pub fn lacks(&self, plugin: &PluginName) -> bool {
        self.missed.iter().any(|key| key.plugin == *plugin)
    }

    /// Returns the members that the last list of `plugin` lacks, asked for at `started`, and that it would
    /// show if it were only from before their time.
    pub fn surely_missed(
        &self,
        plugin: &PluginName,
        started: Timestamp,
    ) -> impl Iterator<Item = &InstanceId> {
        let missed = self.missed.iter().filter(move |key| key.plugin == *plugin);
        missed
            .filter(move |key| {
                let member = self.members.get(key);
                member.is_some_and(|one| started > self.proof_of_life(plugin, one.created))
            })
            .map(|key| &key.id)
    }

    /// Returns whether a list has shown a member that cannot be from before `since`, however far lists of
    /// its plugin may be behind. Where it may have gone then, no other list tells that it has not: its
    /// id may be that of somebody else's by now.
    #[must_use]
    pub fn has_shown_since(&self, member: &Member, since: Timestamp) -> bool {
        self.has_shown(member, self.proof_of_life(&member.plugin, since))
    }

    /// Returns when a list has to be asked for, at the earliest, for it to tell of `since`.
    pub(crate) fn proof_of_life(&self, plugin: &PluginName, since: Timestamp) -> Timestamp {
        let home = self.homes.get(plugin);
        since + home.map_or_else(Lag::default, |home| home.lag).relapse
    }

    /// Returns when the last list of `plugin` was started, whatever it covers.
    #[must_use]
    pub fn looked_on(&self, plugin: &PluginName) -> Option<Timestamp> {
        self.homes.get(plugin)?.looked
    }

    /// Returns since when something is known of all plugins that members may live on: the earliest
    /// of their last lists, whatever they cover. `None` before the first of any.
    #[must_use]
    pub fn looked(&self) -> Option<Timestamp> {
        let mut homes = self.homes.values();
        let first = homes.next()?.looked?;
        homes.try_fold(first, |least, home| Some(least.min(home.looked?)))
    }

    /// Returns the domains that the last list of `plugin` covers, where it does not cover everything.
    #[must_use]
    pub fn covered_on(&self, plugin: &PluginName) -> Option<&Domains> {
        self.homes.get(plugin)?.covers.as_deref()
    }

    /// Notes what the list that is being taken in covers.
    pub(super) fn cover(&mut self, plugin: &PluginName, covers: Option<Arc<Domains>>) {
        self.homes.entry(plugin.clone()).or_default().covers = covers;
    }

    /// Notes that a list was taken in.
    pub(super) fn note_looked(
        &mut self,
        plugin: &PluginName,
        (started, lag): (Timestamp, Lag),
        seen: &mut Seen,
    ) {
        let whole = self.covered_on(plugin).is_none() && self.is_whole(plugin, started, seen);
        self.losses.forget_former(plugin);
        let home = self.homes.entry(plugin.clone()).or_default();
        home.lag = lag;
        (home.looked, home.woken) = (Some(started), None);
        if whole && home.listed.replace(started).is_none() {
            // Before that nobody was planned for, and nobody asked.
            self.outlive_verdicts(started, |member| member.plugin == *plugin);
        }
    }

    /// Forgets who may be back of those that the list at hand tells of: it says who is.
    pub(super) fn forget_ghosts(&mut self, plugin: &PluginName) {
        let home = self.homes.get(plugin);
        let covers = home.and_then(|home| home.covers.as_deref());
        let (tombs, former) = (&self.tombs, &self.former_tombs);
        self.ghosts.retain(|key, _| {
            let tomb = tombs.get(key).or_else(|| former.get(key));
            let told = tomb.is_none_or(|tomb| tells_of(covers, &tomb.domain));
            key.plugin != *plugin || !told
        });
    }

    /// Forgets who of the dead is listed no more, of those that the list at hand tells of.
    pub(super) fn forget_dead(&mut self, plugin: &PluginName, present: &BTreeSet<Key>) {
        let home = self.homes.get(plugin);
        let covers = home.and_then(|home| home.covers.as_deref());
        self.dead.retain(|key, dead| {
            key.plugin != *plugin || present.contains(key) || !tells_of(covers, &dead.domain)
        });
    }

    /// Forgets who was missed of those that the list at hand tells of.
    pub(super) fn forgive_missed(&mut self, plugin: &PluginName) {
        let missed = std::mem::take(&mut self.missed).into_iter();
        let kept = missed.filter(|key| {
            let member = self.members.get(key);
            key.plugin != *plugin || member.is_some_and(|member| !self.tells_of(plugin, member))
        });
        self.missed = kept.collect();
    }

    /// Returns those of the missing that the last list of `plugin` would show if they were there.
    pub(super) fn denied(&self, plugin: &PluginName, mut missing: Vec<Key>) -> Vec<Key> {
        if self.covered_on(plugin).is_none() {
            return missing;
        }
        missing.retain(|key| {
            let member = self.members.get(key);
            member.is_some_and(|member| self.tells_of(plugin, member))
        });
        missing
    }

    /// Returns whether the last list of `plugin` covers the domain of a member. One of which nobody
    /// knows where it is may be elsewhere.
    pub(super) fn tells_of(&self, plugin: &PluginName, member: &Member) -> bool {
        let covers = self.covered_on(plugin);
        covers.is_none() || tells_of(covers, &self.domain_of(plugin, member))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use infrakit_spi::behaviour::Behaviour;
    use infrakit_spi::instance::Lifecycle;
    use infrakit_spi::tags;

    use super::*;
    use crate::{LossPolicy, Trust};

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000_000_000)
    }

    /// Lists the members `zone-number`, and covers these zones; everything where none are given.
    fn list(seen: &mut Observed, ids: &[&str], zones: &[&str], started: u64) -> Seen {
        list_behind(seen, ids, (zones, Lag::NONE), started)
    }

    /// The same of a plugin whose lists may be behind.
    fn list_behind(
        seen: &mut Observed,
        ids: &[&str],
        (zones, lag): (&[&str], Lag),
        started: u64,
    ) -> Seen {
        let list = ids.iter().map(|id| {
            let zone = id.split('-').next().unwrap_or_default();
            let tags = [(tags::GROUP, "g"), ("zone", zone), (tags::TOKEN, "n-4")];
            let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
            Description {
                id: (*id).into(),
                tags: Some(tags.into()),
                ..Description::default()
            }
        });
        let circumstances = Listed {
            plugin: &"p".into(),
            started: at(started),
            now: at(started),
            lag,
        };
        let covers: Domains = zones.iter().map(|zone| (*zone).to_owned()).collect();
        if covers.is_empty() {
            return seen.apply(&"g".into(), list, circumstances, "n");
        }
        seen.apply_part(&"g".into(), (list, Arc::new(covers)), circumstances, "n")
    }

    fn zones(domain_of: Option<&str>) -> Observed {
        let behaviour = Behaviour {
            domain_of: domain_of.map(str::to_owned),
            ..Behaviour::default()
        };
        let mut seen = Observed::default();
        let trust = Trust::of(&behaviour, &LossPolicy::default());
        seen.trust(&"p".into(), trust);
        seen
    }

    #[test]
    fn what_is_elsewhere_is_not_lost() {
        let mut seen = zones(Some("zone"));
        list(&mut seen, &["a-1", "a-2", "b-1", "b-2"], &[], 10);
        let part = list(&mut seen, &["a-1"], &["a"], 20);
        assert_eq!((part.vanished, seen.len()), (1, 3));
        // The same again, as it was.
        let same = seen.unchanged(&"p".into(), at(30), at(30));
        assert_eq!((same.vanished, seen.len()), (0, 3));
        let other = list(&mut seen, &["b-2"], &["b"], 40);
        assert_eq!((other.vanished, seen.len()), (1, 2));
        assert_eq!(list(&mut seen, &["b-2"], &[], 50).vanished, 1);
    }

    #[test]
    fn only_a_list_of_everything_is_complete() {
        let mut seen = zones(Some("zone"));
        list(&mut seen, &["a-1"], &["a"], 10);
        let plugin = "p".into();
        assert_eq!((seen.listed(), seen.looked()), (None, Some(at(10))));
        list(&mut seen, &["a-1"], &[], 20);
        list(&mut seen, &["a-1"], &["a"], 30);
        assert_eq!(seen.listed_on(&plugin), Some(at(20)));
        assert_eq!(seen.looked_on(&plugin), Some(at(30)));
        assert_eq!(seen.covered_on(&plugin), Some(&["a".to_owned()].into()));
    }

    #[test]
    fn who_is_nobody_knows_where_may_be_elsewhere() {
        for domain_of in [None, Some("rack")] {
            let mut seen = zones(domain_of);
            list(&mut seen, &["a-1"], &[], 10);
            assert_eq!(list(&mut seen, &[], &["a"], 20).vanished, 0);
            assert_eq!(list(&mut seen, &[], &[], 30).vanished, 1);
        }
    }

    /// Whoever a list lacks that may be the older one may be back, and of those elsewhere a list of one zone
    /// says nothing.
    #[test]
    fn who_went_is_remembered_until_a_list_of_its_zone_was_asked_for_later() {
        let lag = Lag {
            relapse: Duration::from_secs(10),
            ..Lag::NONE
        };
        let plugin: PluginName = "p".into();
        let mut seen = zones(Some("zone"));
        list_behind(&mut seen, &["a-1", "a-2", "b-1", "b-2"], (&[], lag), 10);
        list_behind(&mut seen, &["a-1", "b-1"], (&[], lag), 100);
        let late = |seen: &Observed| ["a-2", "b-2"].map(|id| seen.is_late(&plugin, &id.into()));
        assert_eq!(late(&seen), [true, true]);
        list_behind(&mut seen, &["a-1"], (&["a"], lag), 120);
        assert_eq!(late(&seen), [false, true]);
        assert!(seen.may_have_others_on(&plugin), "`b-2` may be back");
        seen.unchanged(&plugin, at(130), at(130));
        assert_eq!(late(&seen), [false, true]);
        list_behind(&mut seen, &["b-1"], (&["b"], lag), 140);
        assert_eq!(late(&seen), [false, false]);
        // Nobody knows where it was: it takes a list of everything.
        let mut seen = zones(None);
        list_behind(&mut seen, &["a-1", "a-2"], (&[], lag), 10);
        list_behind(&mut seen, &["a-1"], (&[], lag), 100);
        list_behind(&mut seen, &["a-1"], (&["a"], lag), 120);
        assert!(seen.is_late(&plugin, &"a-2".into()));
        list_behind(&mut seen, &["a-1"], (&[], lag), 130);
        assert!(!seen.is_late(&plugin, &"a-2".into()));
    }

    /// A list shows it again that another lacked, and one of another zone says nothing of that.
    #[test]
    fn who_may_be_back_is_not_forgotten_by_a_list_of_another_zone() {
        let lag = Lag {
            relapse: Duration::from_secs(10),
            ..Lag::NONE
        };
        let mut seen = zones(Some("zone"));
        list_behind(&mut seen, &["a-1", "b-1"], (&[], lag), 10);
        list_behind(&mut seen, &["a-1"], (&[], lag), 100);
        list_behind(&mut seen, &["a-1", "b-1"], (&[], lag), 102);
        let again = |seen: &Observed| seen.ghosts().count();
        assert_eq!(again(&seen), 1);
        list_behind(&mut seen, &["a-1"], (&["a"], lag), 104);
        assert_eq!(again(&seen), 1);
        list_behind(&mut seen, &[], (&["b"], lag), 106);
        assert_eq!(again(&seen), 0);
    }

    /// Providers list the dead for long; a list of another zone does not, and they are no members after it.
    #[test]
    fn the_dead_of_a_zone_out_of_sight_do_not_come_back_as_members() {
        let mut seen = zones(Some("zone"));
        let spec = r#"{"Instance":{"Plugin":"p"},"Allocation":{"Size":2}}"#;
        let spec = crate::Spec::parse(Some(&infrakit_spi::Any::parse(spec).unwrap()));
        seen.aim(&Arc::new(spec.unwrap()), false);
        let lag = Lag {
            dying: Some(Duration::from_secs(60)),
            ..Lag::NONE
        };
        let dying = |seen: &mut Observed, zones: &[&str], started| {
            let entry = |id: &str, zone: &str, state| {
                let tags = [(tags::GROUP, "g"), ("zone", zone), (tags::TOKEN, "n-4")];
                let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
                Description {
                    id: id.into(),
                    tags: Some(tags.into()),
                    state,
                    ..Description::default()
                }
            };
            let mut all = vec![entry("a-1", "a", Lifecycle::Running)];
            if zones.is_empty() {
                all.push(entry("b-1", "b", Lifecycle::Terminating));
            }
            let circumstances = Listed {
                plugin: &"p".into(),
                started: at(started),
                now: at(started),
                lag,
            };
            if zones.is_empty() {
                seen.apply(&"g".into(), all, circumstances, "n");
            } else {
                let covers: Domains = zones.iter().map(|zone| (*zone).to_owned()).collect();
                seen.apply_part(&"g".into(), (all, Arc::new(covers)), circumstances, "n");
            }
        };
        dying(&mut seen, &[], 10);
        assert_eq!(seen.len(), 2);
        dying(&mut seen, &[], 100);
        assert_eq!(seen.len(), 1, "it is gone");
        dying(&mut seen, &["a"], 120);
        dying(&mut seen, &[], 130);
        assert_eq!(seen.len(), 1, "it is gone as before");
    }

    /// Those out of sight are no witnesses for the zones that are in sight.
    #[test]
    fn a_loss_within_what_is_covered_is_doubted_as_any_other() {
        let mut seen = zones(Some("zone"));
        let all = ["a-1", "a-2", "a-3", "a-4", "b-1", "b-2", "b-3", "b-4"];
        list(&mut seen, &all, &[], 10);
        assert_eq!(list(&mut seen, &["a-1"], &["a"], 20).vanished, 0);
        assert_eq!(seen.doubted().map(|doubted| doubted.count), Some(3));
        // A look elsewhere neither confirms it nor takes it back.
        assert_eq!(list(&mut seen, &all[4..], &["b"], 25).vanished, 0);
        assert_eq!(seen.doubted().map(|doubted| doubted.count), Some(3));
        assert_eq!(list(&mut seen, &["a-1"], &["a"], 30).vanished, 3);
    }
}
