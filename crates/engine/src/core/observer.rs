//! One observer per instance plugin: a single list serves every group on it.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_plan::Timestamp;
use infrakit_spi::instance::{Fingerprint, Locality};
use infrakit_spi::{GroupId, Tags, tags};

/// Shortest time between two looks while something is awaited that a list will show.
const EAGER: Duration = Duration::from_millis(100);
/// Share of the time that lists of a plugin in this process may take: one part in five.
const REST: u32 = 4;

/// Watches the instances of one plugin for the groups on it.
#[derive(Debug, Default)]
pub(super) struct Observer {
    pub(super) groups: BTreeSet<GroupId>,
    /// When the list under way was started, and which groups it serves.
    in_flight: Option<(Timestamp, BTreeSet<GroupId>)>,
    fingerprint: Option<Fingerprint>,
    filter: Option<Tags>,
    /// When the next list is due; `None` only while no group is watched.
    due: Option<Timestamp>,
    /// Not before this moment, however urgent.
    not_before: Timestamp,
    /// How often something awaited was looked for in vain.
    looked: u32,
    failures: u32,
}

impl Observer {
    /// Returns when the next list is to be started; `None` while one is under way.
    pub(super) fn due(&self) -> Option<Timestamp> {
        match (&self.in_flight, self.due) {
            (None, Some(due)) if !self.groups.is_empty() => Some(due.max(self.not_before)),
            _ => None,
        }
    }

    /// Asks for a list at `at`, or earlier if one is due earlier.
    pub(super) fn want(&mut self, at: Timestamp) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Asks for a list because something awaited was not in the last one: soon at first, then ever
    /// more rarely, at most once a poll interval.
    pub(super) fn want_eagerly(&mut self, now: Timestamp, poll_interval: Duration) {
        let pause = EAGER
            .saturating_mul(1 << self.looked.min(16))
            .min(poll_interval);
        self.want(now + pause);
    }

    /// Notes that something new is awaited, so that eagerness starts over.
    pub(super) fn refresh_eagerness(&mut self) {
        self.looked = 0;
    }

    /// Begins a list: the narrowest one that serves every group.
    pub(super) fn begin(&mut self, now: Timestamp) -> (Tags, Option<Fingerprint>) {
        let filter = match self.groups.iter().next() {
            Some(only) if self.groups.len() == 1 => {
                Tags::from([(tags::GROUP.to_owned(), only.to_string())])
            }
            _ => Tags::new(),
        };
        if self.filter.as_ref() != Some(&filter) {
            self.fingerprint = None;
            self.filter = Some(filter.clone());
        }
        self.in_flight = Some((now, self.groups.clone()));
        self.due = None;
        (filter, self.fingerprint)
    }

    /// Ends a list. Returns the groups that it serves, unless it is not the one under way.
    pub(super) fn end(&mut self, started: Timestamp) -> Option<BTreeSet<GroupId>> {
        match self.in_flight.take() {
            Some((at, groups)) if at == started => Some(groups),
            other => {
                self.in_flight = other;
                None
            }
        }
    }

    /// Notes a list that came.
    pub(super) fn succeeded(
        &mut self,
        started: Timestamp,
        now: Timestamp,
        locality: Locality,
        poll_interval: Duration,
    ) {
        self.failures = 0;
        self.looked = self.looked.saturating_add(1);
        if locality == Locality::InProcess {
            self.not_before = now + now.since(started) * REST;
        }
        self.want(now + poll_interval);
    }

    pub(super) fn remember(&mut self, fingerprint: Option<Fingerprint>) {
        self.fingerprint = fingerprint;
    }

    /// Forgets the last list, so that the next one is read in any case.
    pub(super) fn forget(&mut self) {
        self.fingerprint = None;
    }

    /// Notes a list that did not come; returns how many failed in a row.
    pub(super) fn failed(&mut self, now: Timestamp, poll_interval: Duration) -> u32 {
        let pause = Duration::from_millis(250).saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + pause.min(poll_interval);
        self.want(self.not_before);
        self.failures
    }
}
