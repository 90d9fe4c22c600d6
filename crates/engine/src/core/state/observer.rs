//! One observer per instance plugin: a single list serves every group on it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

use infrakit_plan::Timestamp;
use infrakit_spi::instance::{Domains, Fingerprint, Locality};
use infrakit_spi::{GroupId, InstanceId, Tags, tags};

/// Shortest time between two looks while something is awaited that a list will show, doubled as long as
/// it does not. A person does not notice a tenth of a second; and a wait of twelve seconds costs seven
/// lists.
const EAGER: Duration = Duration::from_millis(100);
/// Share of the time that lists of a plugin in this process may take: one part in five. They take it
/// from the one thread that also plans and hears answers.
const REST: u32 = 4;
/// Share of the time that lists of a plugin in another process may take which nothing but its word
/// of a change calls for: one part in twenty. They may count against the limits of its account; a list
/// that takes half a second is then asked for no more often than at the usual poll interval.
const REMOTE_REST: u32 = 19;
/// How many times the poll interval a plugin is trusted that tells of changes: a change of which its word
/// was lost is found within a minute.
const TRUST: u32 = 6;
/// A change that is told of so soon after one of our own calls is taken for the echo of that call. Plugins
/// watch folders and streams of events, which tell within milliseconds; whatever else changed in that
/// second is found a poll interval later, as without their word.
const ECHO: Duration = Duration::from_secs(1);

/// Returns the same number for a value in every process: the hasher has fixed keys.
fn hashed(id: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Since when an id is known to be there.
#[derive(Clone, Copy, Debug)]
struct Shown {
    /// The earliest list that is known to have shown it.
    since: Timestamp,
    /// What the last list covers that has shown it, hashed; everything, where none has.
    covers: u64,
}

/// Watches the instances of one plugin for the groups on it.
#[derive(Debug, Default)]
pub(in crate::core) struct Observer {
    groups: BTreeSet<GroupId>,
    /// When the list under way was started, and which groups it serves.
    in_flight: Option<(Timestamp, BTreeSet<GroupId>)>,
    /// The generation that the list under way was started in.
    begun_in: u64,
    /// Grows whenever the groups on the plugin change: what a list of a former generation showed is
    /// not what the next one may be compared with.
    generation: u64,
    /// Ids that were listed or answered, hashed. Hashes are small, and one that two ids share only
    /// leads to a closer look.
    shown: HashMap<u64, Shown>,
    /// Groups with members that the last list lacks and that are kept all the same.
    lacking: BTreeSet<GroupId>,
    /// Ids that creations of groups were answered with and that members of others have: a list tells.
    claims: BTreeMap<InstanceId, GroupId>,
    fingerprint: Option<Fingerprint>,
    filter: Option<Tags>,
    /// When the next list for all groups is due.
    due: Option<Timestamp>,
    /// Groups that somebody wants to see sooner.
    wanted: BTreeMap<GroupId, Timestamp>,
    /// The earliest of those moments.
    soonest: Option<Timestamp>,
    /// Not before this moment, however urgent.
    not_before: Timestamp,
    /// How often something awaited was looked for in vain.
    looked: u32,
    failures: u32,
    /// When the first of those failed.
    failing_since: Option<Timestamp>,
    /// How long the last list of a single group took, and the last one of all.
    took: (Option<Duration>, Option<Duration>),
    /// Whether the plugin, in another process, tells of changes.
    watched: bool,
    /// Not before this moment for a mere change that such a plugin tells of.
    rest_until: Timestamp,
    /// When one of our own calls last changed something there.
    acted: Timestamp,
}

impl Observer {
    /// The groups that are watched for.
    pub(in crate::core) fn groups(&self) -> &BTreeSet<GroupId> {
        &self.groups
    }

    /// Notes whether a group has members that the last list lacks and that are kept all the same.
    pub(in crate::core) fn note_lacking(&mut self, group: &GroupId, lacks: bool) {
        if lacks {
            self.lacking.insert(group.clone());
        } else {
            self.lacking.remove(group);
        }
    }

    /// The groups with such members: few, as a rule none.
    pub(in crate::core) fn lacking(&self) -> &BTreeSet<GroupId> {
        &self.lacking
    }

    /// Notes that a creation of a group was answered with an id that a member of another one has.
    pub(in crate::core) fn claim(&mut self, id: &InstanceId, claimant: &GroupId) {
        self.claims.insert(id.clone(), claimant.clone());
    }

    /// Ids that were claimed so, and by whom.
    pub(in crate::core) fn claims(&self) -> &BTreeMap<InstanceId, GroupId> {
        &self.claims
    }

    /// Forgets a claim that is settled.
    pub(in crate::core) fn settle_claim(&mut self, id: &InstanceId) {
        self.claims.remove(id);
    }

    /// The groups that may have a member of this id.
    pub(in crate::core) fn holders(&self, id: &InstanceId) -> &BTreeSet<GroupId> {
        match self.shown(id) {
            Some(_) => &self.groups,
            None => &self.lacking,
        }
    }

    /// Returns when the next list is to be started; `None` while one is under way.
    pub(in crate::core) fn due(&self) -> Option<Timestamp> {
        if self.in_flight.is_some() || self.groups.is_empty() {
            return None;
        }
        let due = self.soonest.into_iter().chain(self.due).min()?;
        Some(due.max(self.not_before))
    }

    /// Asks for no list before `at`: the plugin takes no more for now.
    pub(in crate::core) fn put_off(&mut self, at: Timestamp) {
        self.not_before = self.not_before.max(at);
    }

    /// Asks for a list of all groups at `at`, or earlier if one is due earlier.
    pub(in crate::core) fn want_all(&mut self, at: Timestamp) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Asks for a list of all groups because something changed. What the plugin tells of while our
    /// own calls change its list is most likely these; the list is then looked at once a poll
    /// interval, as if nothing had been told.
    pub(in crate::core) fn changed(&mut self, now: Timestamp, poll_interval: Duration) {
        if !self.watched {
            return self.want_all(now);
        }
        let at = if now.since(self.acted) < ECHO {
            now + poll_interval
        } else {
            now.max(self.rest_until)
        };
        self.want_all(at);
    }

    /// Notes that the plugin began or ceased to tell of changes.
    pub(in crate::core) fn told(&mut self, watched: bool, now: Timestamp, poll_interval: Duration) {
        self.watched = watched;
        if !watched {
            self.want_all(now + poll_interval.min(ECHO));
        }
    }

    /// Notes that one of our own calls changed something.
    pub(in crate::core) fn acted(&mut self, now: Timestamp) {
        self.acted = now;
    }

    /// Begins to watch for a group, which is wanted at once.
    pub(in crate::core) fn enter(
        &mut self,
        group: &GroupId,
        now: Timestamp,
        poll_interval: Duration,
    ) {
        if self.groups.is_empty() {
            // While nobody lived there nobody asked it.
            (self.failures, self.failing_since) = (0, None);
        }
        self.groups.insert(group.clone());
        self.forget();
        self.want(group, now);
        self.want_all(now + poll_interval);
    }

    /// Ceases to watch for a group: no list is begun for one that is gone.
    pub(in crate::core) fn leave(&mut self, group: &GroupId) {
        self.groups.remove(group);
        self.lacking.remove(group);
        self.claims.retain(|_, claimant| claimant != group);
        self.forget();
        self.wanted.remove(group);
        self.soonest = self.wanted.values().copied().min();
    }

    /// Asks for a list of one group that is watched at `at`, or earlier if one is due earlier.
    pub(in crate::core) fn want(&mut self, group: &GroupId, at: Timestamp) {
        if !self.groups.contains(group) {
            return;
        }
        let due = self.wanted.entry(group.clone()).or_insert(at);
        *due = at.min(*due);
        self.soonest = Some(self.soonest.map_or(at, |soonest| soonest.min(at)));
    }

    /// Asks for a list because something awaited was not in the last one: soon at first, then ever
    /// more rarely, at most once a poll interval.
    pub(in crate::core) fn want_eagerly(
        &mut self,
        group: &GroupId,
        now: Timestamp,
        poll_interval: Duration,
    ) {
        let pause = EAGER
            .saturating_mul(1 << self.looked.min(16))
            .min(poll_interval);
        self.want(group, now + pause);
    }

    /// Notes that something new is awaited, so that eagerness starts over.
    pub(in crate::core) fn refresh_eagerness(&mut self) {
        self.looked = 0;
    }

    /// Begins a list: the narrowest one that serves whoever wants one now.
    pub(in crate::core) fn begin(&mut self, now: Timestamp) -> (Tags, Option<Fingerprint>) {
        let wanted = self.wanted.iter().filter(|(_, at)| **at <= now);
        let mut served: BTreeSet<GroupId> = wanted.map(|(group, _)| group.clone()).collect();
        if self.due.is_some_and(|due| due <= now) {
            served.clone_from(&self.groups);
            self.due = None;
        } else if served.len() != 1 {
            if self.is_better_one_by_one(served.len()) {
                served = served.pop_first().into_iter().collect();
            } else {
                served.clone_from(&self.groups);
                self.due = None;
            }
        }
        self.wanted.retain(|group, _| !served.contains(group));
        self.soonest = self.wanted.values().copied().min();
        let filter = match served.first() {
            Some(only) if served.len() == 1 => {
                Tags::from([(tags::GROUP.to_owned(), only.to_string())])
            }
            _ => Tags::new(),
        };
        if self.filter.as_ref() != Some(&filter) {
            self.fingerprint = None;
            self.filter = Some(filter.clone());
        }
        self.in_flight = Some((now, served));
        self.begun_in = self.generation;
        (filter, self.fingerprint)
    }

    /// Returns whether lists of so many single groups take less time together than one of all.
    fn is_better_one_by_one(&self, groups: usize) -> bool {
        let groups = u32::try_from(groups).unwrap_or(u32::MAX);
        match self.took {
            (Some(one), Some(all)) => one.saturating_mul(groups) < all,
            _ => false,
        }
    }

    /// Ends a list. Returns the groups that it serves and that are still watched, unless it is not
    /// the one under way.
    pub(in crate::core) fn end(
        &mut self,
        started: Timestamp,
        took: Option<Duration>,
    ) -> Option<BTreeSet<GroupId>> {
        match self.in_flight.take() {
            Some((at, mut groups)) if at == started => {
                let known = if groups.len() == 1 {
                    &mut self.took.0
                } else {
                    &mut self.took.1
                };
                *known = took.or(*known);
                groups.retain(|group| self.groups.contains(group));
                Some(groups)
            }
            other => {
                self.in_flight = other;
                None
            }
        }
    }

    /// Notes a list that came.
    pub(in crate::core) fn succeeded(
        &mut self,
        started: Timestamp,
        now: Timestamp,
        locality: Locality,
        poll_interval: Duration,
    ) {
        self.failures = 0;
        self.failing_since = None;
        self.looked = self.looked.saturating_add(1);
        match locality {
            Locality::InProcess => self.not_before = now + now.since(started) * REST,
            Locality::Remote => self.rest_until = now + now.since(started) * REMOTE_REST,
        }
        let trust = if self.watched { TRUST } else { 1 };
        self.want_all(now + poll_interval.saturating_mul(trust));
    }

    pub(in crate::core) fn remember(&mut self, fingerprint: Option<Fingerprint>) {
        // A list that was under way when a group came was not read for that one.
        if self.begun_in == self.generation {
            self.fingerprint = fingerprint;
        }
    }

    /// Forgets the last list, so that the next one is read in any case.
    pub(in crate::core) fn forget(&mut self) {
        self.fingerprint = None;
        self.generation += 1;
    }

    /// Notes which ids a list shows that covers these domains, or everything. Those that it lacks and
    /// would have to show are forgotten: their plugin may give them to others. Of a plugin with a single
    /// group nobody ever looks at more than that one; of lists that cover a part, only those that
    /// cover the same tell of the same ids.
    pub(in crate::core) fn note_shown<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a InstanceId>,
        covers: Option<&Domains>,
        started: Timestamp,
    ) {
        let all = self.groups.len() == 1 || self.filter.as_ref().is_some_and(Tags::is_empty);
        let (whole, covers) = (covers.is_none(), hashed(covers));
        let listed = ids.map(|id| {
            let id = hashed(id);
            let since = self.shown.get(&id).map_or(started, |shown| shown.since);
            (id, Shown { since, covers })
        });
        let listed: Vec<(u64, Shown)> = listed.collect();
        if all && whole {
            // What is known since it was asked for it cannot deny.
            self.shown.retain(|_, shown| shown.since > started);
            self.shown.shrink_to_fit();
        } else if all {
            self.shown.retain(|_, shown| shown.covers != covers);
        }
        self.shown.extend(listed);
    }

    /// Notes that an instance is there.
    pub(in crate::core) fn saw(&mut self, id: &InstanceId, now: Timestamp) {
        let shown = Shown {
            since: now,
            covers: hashed(None::<&Domains>),
        };
        self.shown.entry(hashed(id)).or_insert(shown);
    }

    /// Returns when the earliest list was started that is known to have shown this id, or another
    /// one that looks like it.
    pub(in crate::core) fn shown(&self, id: &InstanceId) -> Option<Timestamp> {
        self.shown.get(&hashed(id)).map(|shown| shown.since)
    }

    /// Returns since when no list has come, if the last one did not.
    pub(in crate::core) fn failing_since(&self) -> Option<Timestamp> {
        self.failing_since
    }

    /// Notes a list that did not come; returns how many failed in a row.
    pub(in crate::core) fn failed(&mut self, now: Timestamp, poll_interval: Duration) -> u32 {
        // A plugin that is started anew is there within a second; one that is away costs no more than one
        // that is well.
        let pause = Duration::from_millis(250).saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(now);
        self.not_before = now + pause.min(poll_interval);
        self.want_all(self.not_before);
        self.failures
    }
}
