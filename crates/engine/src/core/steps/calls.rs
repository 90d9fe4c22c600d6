//! From a plan to its effects.
//!
//! What a plan decides is written down before any of it is done, so that a successor knows of all
//! that may have happened. Asking for health changes nothing, and does not wait.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{
    Action, Asked, Departure, FailedCreation, Labelling, Member, Phase, Plan, Provision, Reason,
    Step, Timestamp, Told, WaitingOn, plan,
};
use infrakit_spi::{FailureClass, GroupId, InstanceId, PluginName};
use infrakit_store::{Change, Durability};

use crate::core::state::departures::Leaving;
use crate::core::state::group::goes_back;
use crate::core::state::unwritten::{Batch, RETRY};
use crate::core::steps::deeds::{self, Scene};
use crate::core::steps::{slots, undo};
use crate::core::{Call, Core, Group, Subject};
use crate::records::{IntentRecord, delete, intent_key, put, put_memory};

/// Least time between two plans that are made because some time has come. A plan that wakes its group
/// at once would never let the loop rest; nothing that is waited for is finer than that.
const LEAST: Duration = Duration::from_millis(1);

/// What of a plan is to begin.
#[derive(Default)]
struct Begun {
    /// Calls that wait for the journal.
    calls: Vec<Call>,
    /// Creations among them.
    creations: Vec<Provision>,
    /// Members among them that are destroyed.
    leaving: Vec<Leaving>,
    /// Calls that wait for nothing.
    checks: Vec<Call>,
    /// Whether members are counted on again: what that means is planned anew.
    spares: bool,
}

impl Core {
    pub(in crate::core) fn plan_group(&mut self, id: &GroupId, now: Timestamp) {
        let Some(group) = self.groups.with_remains_mut(id) else {
            return;
        };
        if group.changing > 0 {
            // Whatever becomes of the change, it is planned for then.
            return;
        }
        let frozen = group.memory.frozen.or(self.config.frozen).is_some();
        // In a group that is frozen nothing is begun, and what it waits for has to be said.
        if let Some((to, at)) = group.reverting.filter(|_| !frozen) {
            if !goes_back(&group.memory) {
                group.reverting = None;
            } else if at <= now {
                self.begin_revert(id, to, Vec::new(), now);
                return;
            } else {
                // Another plan would have it written down that the rollout is paused, and not that it goes
                // back.
                self.wake_by(id, at);
                return;
            }
        }
        self.members = self.members - group.counted + group.seen.len();
        group.counted = group.seen.len();
        self.config.other_members = self.members - group.counted;
        self.allow(id, now);
        let Some(group) = self.groups.with_remains_mut(id) else {
            return;
        };
        let naming = group.memory.naming;
        let memory = std::mem::take(&mut group.memory);
        let Plan {
            actions,
            memory,
            waiting,
            metered,
            wake_at,
            overdue_at,
            converged,
        } = plan(&group.spec, &group.seen, memory, now, &self.config);
        group.memory = memory;
        let full = slots::full(&waiting);
        let unsure = waiting.contains(&WaitingOn::Observation);
        group.waiting.note(waiting, &group.memory.waits, now);
        if group.memory.naming != naming {
            group.aim();
        }
        // A group on its way out is never settled: any list may be the one that shows it empty.
        let converged = converged && group.memory.phase != Phase::Destroying;
        if group.converged != converged {
            tracing::info!(group = %id, converged, "state changed");
            group.newborn.clear();
        }
        group.converged = converged;
        let awaited = !actions.is_empty();
        let revert = actions.iter().find_map(|action| match action {
            Action::Revert { to } => Some(*to),
            _ => None,
        });
        // A moment that has come already is served by this very plan; it must not wake us again.
        let retry = group.reverting.filter(|_| !frozen).map(|(_, at)| at);
        let wake_at = wake_at.into_iter().chain(overdue_at).chain(retry).min();
        self.wake(id, wake_at.map(|at| at.max(now + LEAST)));
        match revert {
            Some(to) => self.begin_revert(id, to, actions, now),
            None => self.begin(id, actions, now),
        }
        self.note_trouble(id, now);
        self.stand_in_line(id, &full, metered);
        self.settle_homes(id, now);
        self.finish_destroying(id, now);
        self.finish_remains(id, now);
        if awaited {
            self.look_eagerly(id);
        }
        if unsure {
            self.look_soon(id, now);
        }
    }

    /// Begins what a plan says: what changes something once that is written down.
    fn begin(&mut self, id: &GroupId, actions: Vec<Action>, now: Timestamp) {
        let Some(group) = self.groups.with_remains_mut(id) else {
            return;
        };
        let mut begun = Begun::default();
        let scene = Scene::of(group, now);
        for action in actions {
            deeds::note(group, &action, &scene);
            begin(group, action, &mut begun, now);
        }
        for call in &begun.calls {
            self.calls.claim(call);
            if let Some((plugin, op)) = slots::drawn_by(call) {
                let of = (plugin, self.behaviours.of(plugin));
                self.rates.draw(of, op, (Some(id), now));
            }
        }
        if begun.spares {
            self.touch(id);
        }
        let checks = std::mem::take(&mut begun.checks);
        for check in checks {
            self.calls.claim(&check);
            self.calls.push(check, now);
        }
        self.journal_plan(id, begun, now);
    }

    /// Carries out a plan that reverts a failed rollout: nothing else of it, since everything is to
    /// be decided anew for what is put back.
    fn begin_revert(&mut self, id: &GroupId, to: u64, actions: Vec<Action>, now: Timestamp) {
        if let Some(group) = self.groups.with_remains_mut(id) {
            let scene = Scene::of(group, now);
            for action in actions {
                undo::not_begun(group, &action);
                if matches!(action, Action::Revert { .. }) {
                    deeds::note(group, &action, &scene);
                }
            }
            group.reverting = Some((to, now + RETRY));
        }
        if let Err(error) = self.revert(id, to, now) {
            // The rollout stays paused, and says by what.
            if let Some(group) = self.groups.with_remains_mut(id) {
                group.reverting = None;
            }
            tracing::error!(group = %id, revision = to, %error, "cannot put the former configuration back");
        }
    }

    /// Writes down what the plan remembers; calls wait until that is done.
    fn journal_plan(&mut self, id: &GroupId, begun: Begun, now: Timestamp) {
        let Some(group) = self.groups.with_remains_mut(id) else {
            return;
        };
        if group.departures.settle(&group.seen, &group.memory) {
            group.note_health(now);
        }
        // How many members there were is written with their health. Those that were asked to go since
        // are missed by nobody as long as they are on record, and those that came since are not forgotten.
        let health = group.write_health(now);
        let mut changes = Vec::new();
        if health.is_some() || group.health_due.is_none_or(|due| due <= now) {
            changes.append(&mut group.undeleted);
            changes.extend(group.departures.closed(id));
            group.young.end_settled();
        }
        changes.extend(close_batches(group));
        let batches = &group.batches;
        group.young.forget_unbatched(|number| {
            let last = batches.range(..=number).next_back();
            last.is_some_and(|(first, record)| number < first + record.count)
        });
        changes.extend(group.young.close(id));
        let deletions = changes.clone();
        changes.extend(slots::shortened(group));
        changes.extend(group.young.record(id));
        changes.extend(intents(group, &begun.creations, now + self.writing));
        let departures = &mut group.departures;
        changes.extend(departures.rewritten(id));
        changes.extend(departures.record(&group.memory, now, begun.leaving));
        // A machine that is made and forgotten costs money for ever. One that goes has gone, and
        // its record is only there to choose no other.
        if !begun.calls.is_empty() {
            changes.extend(self.rates.changes(now));
        }
        let durability = if begun.creations.is_empty() {
            Durability::Buffered
        } else {
            Durability::Synced
        };
        if !begun.calls.is_empty() || group.remembers_other() {
            group.stored = group.on_record(&group.memory);
            changes.push(put_memory(&group.stored));
        }
        changes.extend(health);
        let health_due = group.health_due.map(|due| due.max(now + RETRY));
        if changes.is_empty() {
            if let Some(due) = health_due {
                self.wake_by(id, due);
            }
            return;
        }
        let batch = if begun.calls.is_empty() {
            Batch::Memory(group.target.clone(), deletions)
        } else {
            Batch::Plan {
                target: group.target.clone(),
                calls: begun.calls,
                planned: now,
                deletions,
            }
        };
        self.write(batch, changes, durability);
        if let Some(due) = health_due {
            self.wake_by(id, due);
        }
    }
}

/// Begins one action of a plan: notes that it is under way, and makes a call of it.
fn begin(group: &mut Group, action: Action, begun: &mut Begun, now: Timestamp) {
    match action {
        Action::Provision(provision) => begin_creation(group, provision, begun, now),
        Action::Destroy {
            id,
            plugin,
            reason,
            drain,
            blamed,
            ..
        } => {
            let how = (reason, drain, blamed);
            if let Some(call) = begin_destruction(group, (&plugin, &id), how, now) {
                tracing::info!(group = %group.id(), instance = %id, %reason, "destroying");
                let member = group.seen.get_on(&plugin, &id);
                let birth = member.map(Member::birth).unwrap_or_default();
                begun.leaving.push((plugin, id, reason, birth));
                begun.calls.push(call);
            }
        }
        Action::Spare { id, plugin } => {
            let Some(mut member) = group.seen.get_mut_on(&plugin, &id) else {
                return;
            };
            member.departure = None;
            drop(member);
            tracing::info!(group = %group.id(), instance = %id, "its destruction has come to nothing, and has no reason any more: it stays");
            group.departures.doubt();
            begun.spares = true;
        }
        Action::Drain { id, plugin, .. } => {
            let Some(member) = group.seen.get_on(&plugin, &id) else {
                return;
            };
            tracing::info!(group = %group.id(), instance = %id, "draining the controller's own member");
            begun.calls.push(Call::Drain {
                description: Arc::clone(&member.description),
                spec: group.spec_of(member.hash.as_ref()),
                subject: subject(group, plugin, id),
            });
        }
        Action::Repair {
            id, plugin, step, ..
        } => {
            tracing::info!(group = %group.id(), instance = %id, %step, "repairing");
            let subject = subject(group, plugin, id);
            begun.calls.push(Call::Repair { subject, step });
        }
        Action::Adopt { id, plugin, labels } => {
            let identity = labels.get(infrakit_spi::tags::LOGICAL_ID);
            let identity = identity.map(|id| infrakit_spi::LogicalId::new(id.as_str()));
            let Some(mut member) = group.seen.get_mut_on(&plugin, &id) else {
                return;
            };
            member.labelling = Labelling::UnderWay(identity);
            drop(member);
            group.labels_in_doubt.remove(&(plugin.clone(), id.clone()));
            tracing::info!(group = %group.id(), instance = %id, ?labels, "labelling");
            let subject = subject(group, plugin, id);
            begun.calls.push(Call::Label { subject, labels });
        }
        Action::Check { id, plugin } => {
            let Some(mut member) = group.seen.get_mut_on(&plugin, &id) else {
                return;
            };
            member.health.ask();
            let (description, hash) = (Arc::clone(&member.description), member.hash.clone());
            drop(member);
            begun.checks.push(Call::Check {
                description,
                spec: group.spec_of(hash.as_ref()),
                subject: subject(group, plugin, id),
            });
        }
        // It is carried out alone, as a commit.
        Action::Revert { .. } => {}
    }
}

fn subject(group: &Group, plugin: PluginName, id: InstanceId) -> Subject {
    let member = group.seen.get_on(&plugin, &id);
    let birth = member.map(Member::birth).unwrap_or_default();
    let before = match birth.token {
        Some(_) => group.memory.next_token,
        None => group.memory.others_from(&plugin, &group.seen),
    };
    Subject {
        target: group.target.clone(),
        birth,
        before,
        plugin,
        id,
    }
}

fn begin_creation(group: &mut Group, provision: Provision, begun: &mut Begun, now: Timestamp) {
    let number = provision.token.number();
    let Some(spec) = group.known_spec(&provision.hash).map(Arc::clone) else {
        // Made from another configuration than its tag says, it would never be found out.
        tracing::error!(group = %group.id(), hash = %provision.hash, "no spec of this configuration is known any more");
        group.memory.intents.remove(&number);
        let failed = FailedCreation {
            token: provision.token.clone(),
            hash: &provision.hash,
            class: FailureClass::Other,
            told: Told::Guessed,
            message: "the former configuration is not known any more",
            begun: now,
        };
        group.memory.creation.fail(&failed, now);
        if let Some(roll) = &mut group.memory.roll {
            roll.former = None;
        }
        return;
    };
    let call = Call::Provision {
        target: group.target.clone(),
        number,
        spec,
        provision: provision.clone(),
    };
    // One that was asked for before is on record.
    if provision.asked == Asked::First {
        begun.creations.push(provision);
    }
    begun.calls.push(call);
}

fn begin_destruction(
    group: &mut Group,
    (plugin, id): (&PluginName, &InstanceId),
    (reason, drain, counted): (Reason, infrakit_plan::Drain, bool),
    now: Timestamp,
) -> Option<Call> {
    let others = group.memory.others_from(plugin, &group.seen);
    let mut member = group.seen.get_mut_on(plugin, id)?;
    let former = member.departure;
    member.before.get_or_insert(others);
    let decided = group.memory.decided.get(&(plugin.clone(), id.clone()));
    let (since, taken) = match (former, decided) {
        (Some(departure), _) => (departure.since, departure.taken),
        // A former life's call may have been accepted.
        (None, Some(decided)) => (decided.begun, Some(decided.since)),
        (None, None) => (now, None),
    };
    member.departure = Some(Departure {
        reason,
        since,
        step: Step::InFlight(now),
        taken,
    });
    let description = Arc::clone(&member.description);
    let hash = member.hash.clone();
    let new = member.matches(&group.spec.hash);
    drop(member);
    // A new member that falls sick speaks against its configuration, once.
    let first = former.is_none() && decided.is_none();
    let mut blamed = first && new && reason == Reason::Unhealthy;
    match &mut group.memory.roll {
        Some(roll) => roll.failed += u64::from(blamed),
        None => blamed = false,
    }
    let blamed = blamed || counted;
    Some(Call::Destroy {
        description,
        spec: group.spec_of(hash.as_ref()),
        subject: subject(group, plugin.clone(), id.clone()),
        reason,
        drain,
        former,
        blamed,
    })
}

/// Removes the records of batches whose creations all have an outcome that lists have shown.
fn close_batches(group: &mut Group) -> Vec<Change> {
    let mut changes = Vec::new();
    for first in closed_batches(group) {
        if let Some(record) = group.batches.remove(&first) {
            group.young.forget_batch(first..first + record.count);
        }
        changes.push(delete(intent_key(group.id(), first)));
    }
    changes
}

/// Returns the batches whose creations all have such an outcome. All is in order, so that one walk
/// does: thousands of slow creations may be under way, and this is asked with each plan.
fn closed_batches(group: &Group) -> Vec<u64> {
    let mut open = group.memory.intents.keys().copied().peekable();
    let mut young = group.young.numbers().peekable();
    let mut closed = Vec::new();
    for (first, record) in &group.batches {
        let end = first + record.count;
        while open.next_if(|number| number < first).is_some() {}
        while young.next_if(|number| number < first).is_some() {}
        let mut next = open.peek().into_iter().chain(young.peek());
        if next.all(|number| *number >= end) {
            closed.push(*first);
        }
    }
    closed
}

/// Returns the records of creations that begin by `begun`: one for each row of numbers with one
/// configuration.
fn intents(group: &mut Group, creations: &[Provision], begun: Timestamp) -> Vec<Change> {
    let id = group.target.group.clone();
    let rows = creations.chunk_by(|one, next| {
        let follows = one.token.number() + 1 == next.token.number();
        follows && one.hash == next.hash && one.sequence + 1 == next.sequence
    });
    let mut changes = Vec::new();
    for row in rows {
        let first = row[0].token.number();
        let plugin = group.memory.intents.get(&first);
        let record = IntentRecord {
            first,
            count: row.len() as u64,
            begun,
            logical_ids: row
                .iter()
                .filter_map(|one| one.logical_id.clone())
                .collect(),
            plugin: plugin.map(|intent| intent.plugin.clone()),
            hash: Some(row[0].hash.clone()),
            content: Some((row[0].sequence, group.memory.revision)),
        };
        changes.push(put(intent_key(&id, first), &record));
        tracing::info!(group = %id, count = record.count, "creating members");
        group.batches.insert(first, record);
    }
    changes
}
