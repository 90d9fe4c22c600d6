//! How often each plugin may be called, for all groups on it together.
//!
//! What operators set, what plugins declare, and what was learned from being throttled are all buckets;
//! a call draws from each that is about it, so that the tightest holds. Buckets are written with the
//! plan that draws from them: a restart hands out no fresh ones. Groups get their share by turns.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_plan::guards::Guard;
use infrakit_plan::{Bucket, CallKind, Quota, RateLimit, Room, Timestamp};
use infrakit_spi::behaviour::{Behaviour, Operation};
use infrakit_spi::{GroupId, PluginName};
use infrakit_store::Change;

use crate::core::deadlines::LATE;
use crate::core::state::behaviours::Behaviours;
use crate::core::state::brake::Brake;
use crate::core::state::limit::{Known, Limit, Source, brake_name, is_forgotten};
use crate::core::state::line::Line;
use crate::core::state::meter::Meter;
use crate::records::{RateRecord, delete, put, rate_key};

/// Buckets that were not drawn from for so long are not taken up again: no provider is known whose quota
/// lasts longer than a month.
const KEPT: Duration = Duration::from_secs(31 * 86_400);

/// Limits that hold for each instance plugin, for all groups on it together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Creations a minute; `None` for no limit.
    pub creates_per_minute: Option<u32>,
    /// Destructions a minute; `None` for no limit.
    pub destroys_per_minute: Option<u32>,
}

/// The buckets of all plugins.
#[derive(Default)]
pub(in crate::core) struct Rates {
    pub(in crate::core) limits: Limits,
    by_name: BTreeMap<String, RateRecord>,
    /// Calls a second that were made lately, by plugin and kind.
    meters: BTreeMap<(PluginName, Operation), Meter>,
    /// Groups that wait for their turn, by plugin and kind of call.
    lines: BTreeMap<(PluginName, CallKind), Line>,
    /// When somebody in line can have a turn.
    next_turn: Option<Timestamp>,
    /// Buckets that the store does not have as they are.
    changed: BTreeSet<String>,
    /// What is known of each plugin.
    known: BTreeMap<PluginName, Known>,
}

fn operation(kind: CallKind) -> Option<Operation> {
    match kind {
        CallKind::Create => Some(Operation::Create),
        CallKind::Destroy => Some(Operation::Destroy),
        CallKind::Label => Some(Operation::Label),
        CallKind::Other => None,
    }
}

impl Rates {
    /// Returns the limits that a call is under.
    fn limits_on(
        &self,
        (plugin, behaviour): (&PluginName, &Behaviour),
        op: Operation,
        now: Timestamp,
    ) -> Vec<Limit> {
        let mut limits = Vec::new();
        let unasked;
        let known = match self.known.get(plugin) {
            Some(known) => known,
            None => {
                unasked = Known::of(plugin, behaviour);
                &unasked
            }
        };
        let set = match op {
            Operation::Create => (self.limits.creates_per_minute).zip(Some(&known.creates)),
            Operation::Destroy => (self.limits.destroys_per_minute).zip(Some(&known.destroys)),
            Operation::Undeclared | Operation::Label | Operation::List | Operation::All => None,
        };
        if let Some((calls, name)) = set {
            limits.push(Limit {
                name: name.clone(),
                source: Source::Set,
                rate: RateLimit::per_minute(calls),
                closed_until: None,
            });
        }
        let declared = known.declared.iter();
        for (name, own) in declared.filter(|(_, own)| own.op.covers(op)) {
            limits.push(Limit {
                rate: self.tightest(name, own.rate),
                name: name.clone(),
                source: Source::Declared,
                closed_until: None,
            });
        }
        // Most plugins were never throttled, and names cost time.
        if self.by_name.values().any(|record| record.brake.is_some()) {
            let name = brake_name(plugin, behaviour, op);
            if let Some(brake) = self.by_name.get(&name).and_then(|record| record.brake) {
                limits.push(Limit {
                    name,
                    rate: brake.limit(now),
                    source: Source::Learned,
                    closed_until: brake.closed_until(now),
                });
            }
        }
        limits
    }

    /// Notes what a plugin declares.
    pub(in crate::core) fn declare(&mut self, plugin: &PluginName, behaviour: &Behaviour) {
        self.known
            .insert(plugin.clone(), Known::of(plugin, behaviour));
    }

    /// Returns the limit of a bucket: the slowest that any of those who share it declares.
    fn tightest(&self, name: &str, own: RateLimit) -> RateLimit {
        let all = self.known.values();
        let others = all.filter_map(|known| known.declared.get(name));
        others.map(|other| other.rate).fold(own, |least, other| {
            if other.per_second < least.per_second {
                other
            } else {
                least
            }
        })
    }

    fn bucket(&mut self, limit: &Limit) -> &mut Bucket {
        let rate = limit.rate;
        let record = self.by_name.entry(limit.name.clone()).or_default();
        record.bucket.get_or_insert_with(|| Bucket::full(rate))
    }

    /// Returns what is left of one kind of call, and when there are so many.
    fn left(
        &mut self,
        of: (&PluginName, &Behaviour),
        op: Operation,
        (calls, now): (usize, Timestamp),
    ) -> Quota {
        if !self.known.contains_key(of.0) {
            self.declare(of.0, of.1);
        }
        let mut quota = Quota::default();
        for limit in self.limits_on(of, op, now) {
            let bucket = self.bucket(&limit);
            let mut left = bucket.left(limit.rate, now);
            let mut next = bucket.next(limit.rate, calls);
            if let Some(until) = limit.closed_until {
                (left, next) = (0, next.max(until));
            }
            quota.left = Some(quota.left.map_or(left, |least| least.min(left)));
            quota.next = quota.next.max(next);
        }
        quota
    }

    /// Returns the limit that calls of one kind wait for longest.
    pub(in crate::core) fn tightest_on(
        &self,
        of: (&PluginName, &Behaviour),
        kind: CallKind,
        now: Timestamp,
    ) -> Option<Limit> {
        let limits = self.limits_on(of, operation(kind)?, now).into_iter();
        limits.max_by_key(|limit| {
            let record = self.by_name.get(&limit.name);
            let next = record.and_then(|record| record.bucket).map(|mut bucket| {
                bucket.left(limit.rate, now);
                bucket.next(limit.rate, 1)
            });
            next.max(limit.closed_until)
        })
    }

    /// Returns whether calls of one kind draw from a bucket, too.
    pub(in crate::core) fn draws_from(
        &self,
        of: (&PluginName, &Behaviour),
        kind: CallKind,
        (bucket, now): (&str, Timestamp),
    ) -> bool {
        let limits = operation(kind).map(|op| self.limits_on(of, op, now));
        limits.is_some_and(|limits| limits.iter().any(|limit| limit.name == bucket))
    }

    /// Returns what a plan for this group may begin on a plugin now.
    pub(in crate::core) fn room(
        &mut self,
        of: (&PluginName, &Behaviour),
        group: &GroupId,
        now: Timestamp,
    ) -> Room {
        if !Guard::Limits.stands() {
            return Room::default();
        }
        let [creates, destroys, labels] = [CallKind::Create, CallKind::Destroy, CallKind::Label]
            .map(|kind| {
                let op = operation(kind).unwrap_or_default();
                let line = self.lines.get(&(of.0.clone(), kind));
                let (turn, ahead) = line.map_or((None, 0), |line| (line.turn(group), line.len()));
                let mut quota = self.left(of, op, (ahead + 1, now));
                // Who comes by chance must not come before those that wait.
                let most = turn.unwrap_or(if ahead == 0 { usize::MAX } else { 0 });
                quota.left = quota.left.map(|left| left.min(most));
                quota
            });
        Room {
            calls: None,
            creates,
            destroys,
            labels,
        }
    }

    /// Returns whether a group has a turn at a call that a limit of this plugin held back.
    pub(in crate::core) fn has_turn(&self, plugin: &PluginName, group: &GroupId) -> bool {
        let kinds = [CallKind::Create, CallKind::Destroy, CallKind::Label];
        let mut lines = kinds
            .into_iter()
            .filter_map(|kind| self.lines.get(&(plugin.clone(), kind)));
        lines.any(|line| line.turn(group).is_some())
    }

    /// Draws a call that is to begin, for the group that it is for, if it is for one.
    pub(in crate::core) fn draw(
        &mut self,
        of: (&PluginName, &Behaviour),
        op: Operation,
        (group, now): (Option<&GroupId>, Timestamp),
    ) {
        let meter = self.meters.entry((of.0.clone(), op));
        meter.or_default().note(now);
        for limit in self.limits_on(of, op, now) {
            self.bucket(&limit).draw();
            if let Some(record) = self.by_name.get_mut(&limit.name) {
                if let Some(group) = group {
                    record.last = Some((now, group.clone()));
                }
                if let Some(brake) = &mut record.brake {
                    brake.draw();
                }
            }
            self.changed.insert(limit.name);
        }
    }

    /// Returns the group that drew last from a limit of this plugin.
    pub(in crate::core) fn last_served(
        &self,
        of: (&PluginName, &Behaviour),
        now: Timestamp,
    ) -> Option<&GroupId> {
        let kinds = [Operation::Create, Operation::Destroy, Operation::Label];
        let limits = kinds.into_iter().flat_map(|op| self.limits_on(of, op, now));
        let last = limits.filter_map(|limit| self.by_name.get(&limit.name)?.last.as_ref());
        last.max().map(|(_, group)| group)
    }

    /// Returns whether limits were drawn from.
    pub(in crate::core) fn any(&self) -> bool {
        !self.by_name.is_empty()
    }

    /// Notes that a call which was drawn begins.
    pub(in crate::core) fn begin(&mut self, of: (&PluginName, &Behaviour), op: Operation) {
        for limit in self.limits_on(of, op, Timestamp::default()) {
            self.bucket(&limit).begin();
        }
    }

    /// Notes that a call which was drawn never reaches its plugin.
    pub(in crate::core) fn give_back(&mut self, of: (&PluginName, &Behaviour), op: Operation) {
        // Only their names matter.
        for limit in self.limits_on(of, op, Timestamp::default()) {
            self.bucket(&limit).give_back();
            let record = self.by_name.get_mut(&limit.name);
            if let Some(brake) = record.and_then(|record| record.brake.as_mut()) {
                brake.give_back();
            }
            self.changed.insert(limit.name);
        }
    }

    /// Returns whether a plugin wants to be left alone now with calls of a kind.
    pub(in crate::core) fn is_closed(
        &self,
        of: (&PluginName, &Behaviour),
        op: Operation,
        now: Timestamp,
    ) -> bool {
        let limits = self.limits_on(of, op, now);
        limits.iter().any(|limit| limit.closed_until.is_some())
    }

    /// Notes that a plugin wants to be called less often; returns whether that is worth a write.
    pub(in crate::core) fn throttled(
        &mut self,
        (plugin, behaviour): (&PluginName, &Behaviour),
        op: Operation,
        (begun, hint): (Timestamp, Option<Duration>),
        now: Timestamp,
    ) -> bool {
        let name = brake_name(plugin, behaviour, op);
        let meter = self.meters.entry((plugin.clone(), op)).or_default();
        let asked = meter.refuse(begun, now);
        let record = self.by_name.entry(name.clone()).or_default();
        let brake = Brake::put_on(record.brake, asked, hint, now);
        let former = record.brake.replace(brake);
        // What it let through is spent, or it would not have been refused.
        let limit = Limit {
            name,
            source: Source::Learned,
            rate: RateLimit {
                burst: 0.0,
                per_second: 0.0,
            },
            closed_until: None,
        };
        self.bucket(&limit).left(limit.rate, now);
        self.changed.insert(limit.name);
        former.is_none_or(|former| former.is_put_on_by(&brake))
    }

    /// Returns whether a list may be asked for now, and if not, when.
    pub(in crate::core) fn may_list(
        &mut self,
        of: (&PluginName, &Behaviour),
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        let quota = self.left(of, Operation::List, (1, now));
        if quota.left == Some(0) {
            return Err(quota.next.max(now + Duration::from_millis(1)));
        }
        self.draw(of, Operation::List, (None, now));
        self.begin(of, Operation::List);
        Ok(())
    }

    /// Has a group stand in line for calls that a limit held back.
    pub(in crate::core) fn stand_in_line(
        &mut self,
        (plugin, kind): (PluginName, CallKind),
        group: &GroupId,
    ) {
        self.lines.entry((plugin, kind)).or_default().join(group);
    }

    /// Gives calls that may be made to those who stand first in line, and returns whom to plan for.
    pub(in crate::core) fn turns(
        &mut self,
        behaviours: &Behaviours,
        now: Timestamp,
    ) -> BTreeSet<GroupId> {
        let mut due = BTreeSet::new();
        self.next_turn = None;
        self.lines.retain(|_, line| !line.is_empty());
        let waited_for: Vec<_> = self.lines.keys().cloned().collect();
        for (plugin, kind) in waited_for {
            let op = operation(kind).unwrap_or_default();
            let quota = self.left((&plugin, behaviours.of(&plugin)), op, (1, now));
            let left = quota.left.unwrap_or(usize::MAX);
            if left == 0 {
                let next = self.next_turn.map_or(quota.next, |at| at.min(quota.next));
                self.next_turn = Some(next);
            } else if let Some(line) = self.lines.get_mut(&(plugin, kind)) {
                due.extend(line.give(left));
            }
        }
        due
    }

    /// Ends the turns that were given; who has not got enough stands in line again.
    pub(in crate::core) fn end_turns(&mut self) {
        for line in self.lines.values_mut() {
            line.end_turns();
        }
    }

    /// Returns when somebody in line can have a turn.
    pub(in crate::core) fn next_turn(&self) -> Option<Timestamp> {
        self.next_turn
    }

    /// Returns the records of buckets that have changed.
    pub(in crate::core) fn changes(&mut self, now: Timestamp) -> Vec<Change> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let mut changes = Vec::new();
        for name in changed {
            let record = self.by_name.get(&name);
            let brake = record.and_then(|record| record.brake);
            if brake.is_some_and(|brake| brake.is_loose(now)) {
                self.by_name.remove(&name);
            }
            changes.push(match self.by_name.get(&name) {
                Some(record) => put(rate_key(&name), record),
                None => delete(rate_key(&name)),
            });
        }
        changes
    }

    /// Takes up what the store has of a bucket. One that nobody has drawn from for long is as good as full.
    pub(in crate::core) fn restore(&mut self, name: String, record: RateRecord, now: Timestamp) {
        let brake = record.brake.map(|brake| brake.restored(now));
        let idle = |bucket: Bucket| now.since(bucket.counted()) > KEPT;
        if is_forgotten(&name) || brake.is_none() && record.bucket.is_none_or(idle) {
            self.changed.insert(name);
            return;
        }
        let bucket = record.bucket.map(|bucket| bucket.begun_late(LATE));
        let record = RateRecord {
            brake,
            bucket,
            ..record
        };
        self.by_name.insert(name, record);
    }
}
