//! Slots for calls: who gets them, and what is withdrawn before it has one.
//!
//! A call that waits for a slot was decided by what was known then. Whatever changes what is wanted
//! takes it back, and it is decided anew; so does a plugin that has become too slow.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_plan::{CallKind, Room, Timestamp, WaitingOn};
use infrakit_spi::behaviour::Operation;
use infrakit_spi::{Error, GroupId, PluginName};
use infrakit_store::{Change, Durability, Store};

use crate::core::deadlines::LATE;
use crate::core::state::unwritten::Batch;
use crate::core::steps::undo;
use crate::core::{Call, Core, Effect, Event, Group, Target};
use crate::records::{RATES, RateRecord, intent_key, put};

impl Core {
    /// Returns the core with a limit on how many calls of each plugin are under way at once; 0
    /// leaves it to the core.
    #[must_use]
    pub fn with_calls_at_once(mut self, most: usize) -> Self {
        self.calls = crate::core::state::under_way::CallsUnderWay::at_most(most);
        self
    }

    /// Takes up what limits on calls have left: a restart must not hand out fresh ones.
    pub(in crate::core) fn restore_rates(&mut self, store: &dyn Store, now: Timestamp) {
        for (key, record) in store.scan(RATES) {
            let Some(name) = key.strip_prefix(RATES) else {
                continue;
            };
            match record.value.decode::<RateRecord>() {
                Ok(record) => self.rates.restore(name.to_owned(), record, now),
                Err(error) => tracing::warn!(name, %error, "the record of a limit cannot be read"),
            }
        }
    }

    /// Sets what a plan for this group may begin now on each of its plugins.
    pub(in crate::core) fn allow(&mut self, id: &GroupId, now: Timestamp) {
        let Some(group) = self.groups.with_remains(id) else {
            return;
        };
        let mut allowance = infrakit_plan::Allowance::default();
        for plugin in group.homes() {
            let of = (plugin, self.behaviours.of(plugin));
            let window = self.calls.window_of(plugin);
            window.bound(of.1);
            // Who has its turn at what is rarer need not stand in two lines.
            let calls = if self.rates.has_turn(plugin, id) {
                window.free(now)
            } else {
                window.room_for(id, now)
            };
            let [creates, destroys] =
                [CallKind::Create, CallKind::Destroy].map(|kind| window.room_of(kind, id, now));
            let mut room = Room {
                calls: Some(calls),
                ..self.rates.room(of, id, now)
            };
            room.creates.slots = creates;
            room.destroys.slots = destroys;
            allowance.set(plugin.clone(), room);
        }
        self.config.allowance = allowance;
    }

    /// Has a group stand in line where its plan found no slots.
    pub(in crate::core) fn stand_in_line(
        &mut self,
        id: &GroupId,
        full: &[(PluginName, Option<CallKind>)],
        metered: BTreeSet<(PluginName, CallKind)>,
    ) {
        for (plugin, kind) in full {
            self.calls.window_of(plugin).stand_in_line(*kind, id);
        }
        for what in metered {
            self.rates.stand_in_line(what, id);
        }
    }

    /// Gives slots, and calls that limits let through, to those who wait for them, and returns whom
    /// to plan for.
    pub(in crate::core) fn turns(&mut self, now: Timestamp) -> BTreeSet<GroupId> {
        let mut due = self.calls.turns(now);
        due.extend(self.rates.turns(&self.behaviours, now));
        due
    }

    /// Returns groups in the order in which they are planned for: on a plugin with limits those after
    /// the one that drew from them last come first. Who stood in line is forgotten with a restart; by
    /// this, turns go round all the same.
    pub(in crate::core) fn in_order(
        &self,
        due: BTreeSet<GroupId>,
        now: Timestamp,
    ) -> impl Iterator<Item = GroupId> + use<> {
        let mut last: BTreeMap<&PluginName, Option<&GroupId>> = BTreeMap::new();
        let (mut first, mut then) = (Vec::new(), Vec::new());
        let turns = due.len() > 1 && self.rates.any();
        for id in due {
            let group = self.groups.with_remains(&id);
            let last = group.filter(|_| turns).and_then(|group| {
                let plugin = &group.spec.instance.plugin;
                let served = || {
                    self.rates
                        .last_served((plugin, self.behaviours.of(plugin)), now)
                };
                *last.entry(plugin).or_insert_with(served)
            });
            if last.is_some_and(|last| id <= *last) {
                then.push(id);
            } else {
                first.push(id);
            }
        }
        first.into_iter().chain(then)
    }

    /// Ends the turns that were given.
    pub(in crate::core) fn end_turns(&mut self) {
        self.calls.end_turns();
        self.rates.end_turns();
    }

    /// Puts the brake on where a plugin says that it is called too often. That is written at once: no
    /// plan may begin anything as long as it holds, and none would write it.
    pub(in crate::core) fn note_throttling(
        &mut self,
        (event, begun): (&Event, Timestamp),
        now: Timestamp,
    ) {
        let Some((plugin, op, error)) = refused_by(event) else {
            return;
        };
        if !error.is_throttled() {
            return;
        }
        let of = (plugin, self.behaviours.of(plugin));
        tracing::info!(%plugin, %op, %error, "it is called less often");
        if self
            .rates
            .throttled(of, op, (begun, error.retry_after()), now)
        {
            let changes = self.rates.changes(now);
            self.write(Batch::Nothing, changes, Durability::Buffered);
            let kind = match op {
                Operation::Create => CallKind::Create,
                Operation::Destroy => CallKind::Destroy,
                Operation::Label => CallKind::Label,
                Operation::List | Operation::All | Operation::Undeclared => return,
            };
            let plugin = plugin.clone();
            for target in self.calls.window_of(&plugin).waiting(kind) {
                self.withdraw(&target);
            }
        }
    }

    /// Takes in calls of a plan that is written down: they begin as soon as there are slots for them.
    ///
    /// A successor counts from what is on record for how long a creation may still come true. Where
    /// the store took longer than the record allows for, nothing begins, and it is decided anew.
    pub(in crate::core) fn written_down(
        &mut self,
        target: &Target,
        calls: Vec<Call>,
        (planned, now): (Timestamp, Timestamp),
    ) {
        let took = now.since(planned);
        // How long it took while the controller slept says nothing of the store.
        let slept = planned < self.woke;
        let late = took > self.writing + LATE || slept;
        // A slow disk is believed at once, and forgotten by half with each write that was quicker.
        self.writing = match late {
            true if slept => self.writing,
            true => took.saturating_mul(2),
            false => took.max(self.writing / 2),
        };
        let mut drawn = calls.iter().filter_map(drawn_by);
        let closed = drawn.any(|(plugin, op)| {
            let of = (plugin, self.behaviours.of(plugin));
            self.rates.is_closed(of, op, now)
        });
        let passed_on = calls.iter().filter_map(|call| self.passed_on(call));
        let passed_on: Vec<_> = passed_on.collect();
        let others = !passed_on.is_empty() || calls.iter().any(|call| self.is_succeeded(call));
        let group = self.living(target);
        let other = |group: &mut Group| {
            group.changing > 0 || group.recovered.is_some_and(|at| planned <= at)
        };
        let withdrawn = late || closed || others || group.is_none_or(other);
        for call in calls {
            if let Call::Provision { number, .. } = &call
                && let Some(group) = self.living(target)
                && let Some(intent) = group.memory.intents.get_mut(number)
                && intent.again.times == 0
            {
                intent.begun = now;
            }
            if let Call::Destroy { subject, .. } = &call
                && let Some(group) = self.living(target)
            {
                let (plugin, id) = (&subject.plugin, &subject.id);
                group.departures.note_written(plugin, id);
            }
            self.calls.push(call, now);
        }
        if withdrawn {
            self.withdraw(target);
        }
        for (plugin, id) in passed_on {
            self.give_up_holder(&target.group, (&plugin, &id), now);
        }
    }

    /// Begins the calls that there are slots for. What a call was about may have gone while it waited, and
    /// another one have its id: such a call does not begin.
    pub(in crate::core) fn start_calls(&mut self, now: Timestamp) {
        loop {
            let calls = self.calls.start(now);
            let (late, calls): (Vec<Call>, Vec<Call>) =
                calls.into_iter().partition(|call| self.is_overtaken(call));
            for (plugin, op) in calls.iter().filter_map(drawn_by) {
                let of = (plugin, self.behaviours.of(plugin));
                self.rates.begin(of, op);
            }
            self.effects.extend(calls.into_iter().map(Effect::Call));
            if late.is_empty() {
                return;
            }
            for call in late {
                self.calls.dropped(&call);
                if let Some(target) = call.changes().map(|about| about.target.clone()) {
                    self.put_back(&target, vec![call]);
                }
            }
        }
    }

    /// Withdraws what has waited for too long.
    pub(in crate::core) fn withdraw_stale(&mut self, now: Timestamp) {
        for target in self.calls.stale(now) {
            tracing::info!(group = %target.group, "its plugin has become slow: what has not begun is decided anew");
            self.withdraw(&target);
        }
    }

    /// Takes back the calls of a group that have not begun: they are decided anew.
    pub(in crate::core) fn withdraw(&mut self, target: &Target) {
        let calls = self.calls.withdraw(target);
        if !calls.is_empty() {
            self.put_back(target, calls);
        }
    }

    /// Puts things back as they were before calls of a group were decided, which have not begun.
    fn put_back(&mut self, target: &Target, calls: Vec<Call>) {
        self.give_back(&calls);
        if let Some(group) = self.living(target) {
            tracing::info!(group = %target.group, calls = calls.len(), "withdrawn before they began");
            for call in calls {
                undo::withdrawn(group, call);
            }
            shorten(group);
        }
        self.touch(&target.group);
    }

    /// Gives back what calls drew from limits that never reach their plugins.
    pub(in crate::core) fn give_back(&mut self, calls: &[Call]) {
        for (plugin, op) in calls.iter().filter_map(drawn_by) {
            let of = (plugin, self.behaviours.of(plugin));
            self.rates.give_back(of, op);
        }
    }
}

/// Returns the plugin and the kind of call whose limits a call draws from.
pub(in crate::core) fn drawn_by(call: &Call) -> Option<(&PluginName, Operation)> {
    match call {
        Call::Provision { spec, .. } => Some((&spec.instance.plugin, Operation::Create)),
        Call::Destroy { subject, .. } => Some((&subject.plugin, Operation::Destroy)),
        Call::Label { subject, .. } => Some((&subject.plugin, Operation::Label)),
        Call::Drain { .. } | Call::Repair { .. } | Call::Check { .. } => None,
    }
}

/// Returns what an instance plugin said to a call of a kind that limits are about, where it failed.
fn refused_by(event: &Event) -> Option<(&PluginName, Operation, &Error)> {
    match event {
        Event::Provisioned(answer) => {
            let error = answer.outcome.as_ref().err()?;
            Some((&answer.plugin, Operation::Create, error))
        }
        Event::Destroyed { subject, outcome } => {
            Some((&subject.plugin, Operation::Destroy, outcome.as_ref().err()?))
        }
        Event::Labelled { subject, outcome } => {
            Some((&subject.plugin, Operation::Label, outcome.as_ref().err()?))
        }
        Event::Listed(answer) => {
            let error = answer.outcome.as_ref().err()?;
            Some((&answer.plugin, Operation::List, error))
        }
        Event::Changed { .. }
        | Event::Watched { .. }
        | Event::Behaves { .. }
        | Event::Journaled { .. }
        | Event::Drained { .. }
        | Event::Repaired { .. }
        | Event::Checked { .. } => None,
    }
}

/// Returns the plugins that a plan found no slots on, and for which kind of call where it is about one.
pub(in crate::core) fn full(waiting: &[WaitingOn]) -> Vec<(PluginName, Option<CallKind>)> {
    let full = waiting.iter().filter_map(|on| match on {
        WaitingOn::Slots { plugin, kind } => Some((plugin.clone(), *kind)),
        _ => None,
    });
    full.collect()
}

/// Leaves out of the records of creations those at their end that were withdrawn: a successor must
/// not wait for what never began.
fn shorten(group: &mut Group) {
    let (intents, young) = (&group.memory.intents, &mut group.young);
    for (first, record) in &mut group.batches {
        let numbers = *first..*first + record.count;
        let open = intents.range(numbers.clone()).next_back();
        let end = numbers.end;
        let unseen = young.last_of(numbers);
        let last = open.map(|(number, _)| *number);
        let last = last.max(unseen);
        let count = last.map_or(record.count, |last| last + 1 - first);
        if count < record.count {
            record.count = count;
            young.forget_batch(first + count..end);
            let identities = usize::try_from(count).unwrap_or(usize::MAX);
            record.logical_ids.truncate(identities);
            group.cut.insert(*first);
        }
    }
}

/// Returns the records of creations that have become shorter and are still open.
pub(in crate::core) fn shortened(group: &mut Group) -> Vec<Change> {
    let cut = std::mem::take(&mut group.cut).into_iter();
    let records = cut.filter_map(|first| group.batches.get_key_value(&first));
    records
        .map(|(first, record)| put(intent_key(group.id(), *first), record))
        .collect()
}
