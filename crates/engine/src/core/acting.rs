//! From a plan to its effects, and from their answers back into what is known.

use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{
    Action, Departure, Doubt, Intent, Member, Origin, Phase, Provision, Reason, Step, Timestamp,
    plan,
};
use infrakit_spi::flavor::Health;
use infrakit_spi::{Delivery, Error, GroupId, InstanceId};
use infrakit_store::{Change, Durability};

use super::{Call, Core, CreationAnswer, Effect, Group, Target};
use crate::records::{IntentRecord, delete, intent_key, put, put_memory};

/// What waits for a journal entry.
pub(super) enum Batch {
    /// Nothing.
    Nothing,
    /// Creations: they may begin once their intents are in the store.
    Creations(Target, Vec<(u64, Call)>),
    /// A commit: it takes effect once it is in the store.
    Commit(Box<super::change::PendingCommit>),
    /// A group to forget.
    Forget(Target),
    /// A group to destroy.
    Destroying(Target),
}

impl Core {
    pub(super) fn plan_group(&mut self, id: &GroupId, now: Timestamp) {
        let all: usize = self.groups.values().map(|group| group.seen.len()).sum();
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        self.config.other_members = all - group.seen.len();
        let memory = std::mem::take(&mut group.memory);
        let decided = plan(&group.spec, &group.seen, memory, now, &self.config);
        group.memory = decided.memory;
        // A group on its way out is never settled: any list may be the one that shows it empty.
        let converged = decided.converged && group.memory.phase != Phase::Destroying;
        if group.converged != converged {
            tracing::info!(group = %id, converged, "state changed");
        }
        group.converged = converged;
        // A moment that has come already is served by this very plan; it must not wake us again.
        group.wake_at = decided
            .wake_at
            .map(|at| at.max(now + Duration::from_millis(1)));
        let mut creations = Vec::new();
        let mut awaited = false;
        for action in decided.actions {
            match action {
                Action::Provision(provision) => creations.push(provision),
                Action::Destroy { id, reason, drain } => {
                    if let Some(call) = begin_destruction(group, &id, reason, drain, now) {
                        tracing::info!(group = %group.id(), instance = %id, %reason, "destroying");
                        self.effects.push(Effect::Call(call));
                    }
                }
                Action::Adopt { id, labels } => {
                    let Some(member) = group.seen.get_mut(&id) else {
                        continue;
                    };
                    member.adopting = true;
                    tracing::info!(group = %group.target.group, instance = %id, "adopting");
                    self.effects.push(Effect::Call(Call::Label {
                        target: group.target.clone(),
                        id,
                        plugin: group.spec.instance.plugin.clone(),
                        labels,
                    }));
                }
                Action::Check { id } => {
                    let Some(member) = group.seen.get_mut(&id) else {
                        continue;
                    };
                    member.health.ask();
                    let description = Arc::clone(&member.description);
                    let hash = member.hash.clone();
                    self.effects.push(Effect::Call(Call::Check {
                        target: group.target.clone(),
                        description,
                        spec: group.spec_of(hash.as_ref()),
                    }));
                }
            }
            awaited = true;
        }
        let plugin = group.spec.instance.plugin.clone();
        self.journal_plan(id, creations, now);
        self.finish_destroying(id);
        if awaited && let Some(observer) = self.observers.get_mut(&plugin) {
            observer.refresh_eagerness();
        }
    }

    /// Writes down what the plan remembers; creations wait until that is done.
    fn journal_plan(&mut self, id: &GroupId, creations: Vec<Provision>, now: Timestamp) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let mut changes = close_batches(group);
        if !creations.is_empty() {
            let record = IntentRecord {
                first: creations[0].token.number(),
                count: creations.len() as u64,
                begun: now,
                logical_ids: creations
                    .iter()
                    .filter_map(|one| one.logical_id.clone())
                    .collect(),
            };
            group.batches.insert(record.first, record.count);
            changes.push(put(intent_key(id, record.first), &record));
            tracing::info!(group = %id, count = record.count, "creating members");
        }
        let durability = if creations.is_empty() {
            Durability::Buffered
        } else {
            Durability::Synced
        };
        if !creations.is_empty() || remembers_other(&group.memory, &group.stored) {
            group.stored = stored_part(&group.memory);
            changes.push(put_memory(&group.stored));
        }
        if changes.is_empty() {
            return;
        }
        let target = group.target.clone();
        let spec = Arc::clone(&group.spec);
        let calls = creations
            .into_iter()
            .map(|provision| {
                let number = provision.token.number();
                let (target, spec) = (target.clone(), Arc::clone(&spec));
                (
                    number,
                    Call::Provision {
                        target,
                        number,
                        spec,
                        provision,
                    },
                )
            })
            .collect::<Vec<_>>();
        let batch = if calls.is_empty() {
            Batch::Nothing
        } else {
            Batch::Creations(target, calls)
        };
        self.write(batch, changes, durability);
    }

    /// Writes to the store and returns the number of the journal entry.
    pub(super) fn write(
        &mut self,
        batch: Batch,
        changes: Vec<Change>,
        durability: Durability,
    ) -> u64 {
        let number = self.next_batch;
        self.next_batch += 1;
        self.journal.insert(number, batch);
        self.effects.push(Effect::Journal {
            batch: number,
            changes,
            durability,
        });
        number
    }

    pub(super) fn journaled(&mut self, batch: u64, outcome: Result<(), String>, now: Timestamp) {
        let Some(batch) = self.journal.remove(&batch) else {
            return;
        };
        match (batch, outcome) {
            (Batch::Nothing, Ok(())) => {}
            (Batch::Nothing, Err(error)) => {
                tracing::error!(%error, "cannot write to the store");
            }
            (Batch::Commit(pending), Ok(())) => self.committed(*pending, now),
            (Batch::Forget(target), Ok(())) => {
                if self.living(&target).is_some() {
                    self.forget(&target.group);
                }
            }
            (Batch::Destroying(target), Ok(())) => {
                if self.living(&target).is_some() {
                    self.destroying(&target.group, now);
                }
            }
            // Whoever asked for these is told; nothing has changed.
            (Batch::Commit(_) | Batch::Forget(_) | Batch::Destroying(_), Err(_)) => {}
            (Batch::Creations(_, calls), Ok(())) => {
                self.effects
                    .extend(calls.into_iter().map(|(_, call)| Effect::Call(call)));
            }
            (Batch::Creations(target, calls), Err(error)) => {
                tracing::error!(group = %target.group, %error, "cannot journal creations");
                let Some(group) = self.living(&target) else {
                    return;
                };
                for (number, _) in calls {
                    if let Some(intent) = group.memory.intents.remove(&number) {
                        group.memory.creation.fail(intent.begun, now);
                    }
                }
                self.touch(&target.group);
            }
        }
    }

    pub(super) fn provisioned(&mut self, answer: CreationAnswer, now: Timestamp) {
        let CreationAnswer {
            target,
            number,
            begun,
            outcome,
        } = answer;
        let settle = self.config.settle;
        let Some(group) = self.living(&target) else {
            return;
        };
        let intent = group.memory.intents.remove(&number);
        match outcome {
            Ok(description) => {
                let memory = &mut group.memory;
                memory.slowest_creation = memory.slowest_creation.max(now.since(begun));
                memory.creation.succeed(begun);
                let member =
                    Member::new(*description, Origin::Provisioned(now), &memory.nonce, now);
                let other = group
                    .seen
                    .get(&member.id)
                    .filter(|known| known.token != member.token);
                if other.is_some() {
                    let message = format!("`{}` was answered for two creations", member.id);
                    tracing::error!(group = %target.group, "{message}");
                    group.memory.creation.fail(begun, now);
                } else {
                    group.seen.provisioned(member);
                }
            }
            Err(error) if error.delivery() == Delivery::Unknown => {
                let settle = settle.max(group.memory.slowest_creation * 3);
                let doubt = Doubt {
                    settle_at: now + settle,
                };
                tracing::warn!(group = %target.group, number, %error, "the outcome of a creation is unknown");
                if let Some(intent) = intent {
                    let intent = Intent {
                        doubt: Some(doubt),
                        ..intent
                    };
                    group.memory.intents.insert(number, intent);
                }
                self.refresh(&target.group, now);
            }
            Err(error) => {
                tracing::warn!(group = %target.group, number, %error, "cannot create a member");
                group.memory.creation.fail(begun, now);
            }
        }
        self.touch(&target.group);
    }

    pub(super) fn destroyed(
        &mut self,
        target: &Target,
        id: &InstanceId,
        outcome: Result<(), Error>,
        now: Timestamp,
    ) {
        let poll_interval = self.config.poll_interval;
        let Some(group) = self.living(target) else {
            return;
        };
        let Some(member) = group.seen.get_mut(id) else {
            self.touch(&target.group);
            return;
        };
        let reason = member
            .departure
            .map_or(Reason::Surplus, |departure| departure.reason);
        match outcome {
            Ok(()) => {
                member.departure = Some(Departure {
                    reason,
                    step: Step::Accepted(now),
                });
            }
            Err(error) => {
                let attempts = group.note_failed_destruction(id);
                let pause = Duration::from_secs(1).saturating_mul(1 << attempts.min(9));
                let step = Step::Failed(attempts, now + pause.min(poll_interval * 6));
                tracing::warn!(group = %target.group, instance = %id, attempts, %error, "cannot destroy a member");
                if let Some(member) = group.seen.get_mut(id) {
                    member.departure = Some(Departure { reason, step });
                }
            }
        }
        self.refresh(&target.group, now);
        self.touch(&target.group);
    }

    pub(super) fn labelled(
        &mut self,
        target: &Target,
        id: &InstanceId,
        outcome: Result<(), Error>,
        now: Timestamp,
    ) {
        let poll_interval = self.config.poll_interval;
        let Some(group) = self.living(target) else {
            return;
        };
        if let Err(error) = outcome {
            tracing::warn!(group = %target.group, instance = %id, %error, "cannot adopt");
            if let Some(member) = group.seen.get_mut(id) {
                member.adopting = false;
            }
            group.wake_at = Some(now + poll_interval);
            return;
        }
        // The list will show the new tags; until then the member stays marked as being adopted.
        self.refresh(&target.group, now);
    }

    pub(super) fn checked(
        &mut self,
        target: &Target,
        id: &InstanceId,
        outcome: Result<Health, Error>,
        now: Timestamp,
    ) {
        let Some(group) = self.living(target) else {
            return;
        };
        let Some(member) = group.seen.get_mut(id) else {
            return;
        };
        // A flavor that does not answer knows nothing; that is not a verdict of sickness.
        let verdict = match outcome {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::debug!(group = %target.group, instance = %id, %error, "no verdict");
                Health::Unknown
            }
        };
        let changed = member.health.note(verdict, now);
        let matters = verdict != Health::Healthy || group.memory.roll.is_some();
        let first = changed && verdict == Health::Healthy && !group.converged;
        if matters || first || changed && verdict != Health::Healthy {
            self.touch(&target.group);
        } else if let Some(group) = self.groups.get_mut(&target.group) {
            // Nothing to decide, but the next routine check has to be planned some time.
            let at = now + self.config.poll_interval;
            group.wake_at = Some(group.wake_at.map_or(at, |wake| wake.min(at)));
        }
    }

    fn living(&mut self, target: &Target) -> Option<&mut Group> {
        self.groups
            .get_mut(&target.group)
            .filter(|group| group.target.nonce == target.nonce)
    }
}

impl Group {
    /// Notes that the destruction of a member failed, and returns how often it has.
    fn note_failed_destruction(&mut self, id: &InstanceId) -> u32 {
        let seen = &self.seen;
        self.failed.retain(|id, _| seen.get(id).is_some());
        let attempts = self.failed.entry(id.clone()).or_default();
        *attempts += 1;
        *attempts
    }
}

fn begin_destruction(
    group: &mut Group,
    id: &InstanceId,
    reason: Reason,
    drain: infrakit_plan::Drain,
    now: Timestamp,
) -> Option<Call> {
    let member = group.seen.get_mut(id)?;
    member.departure = Some(Departure {
        reason,
        step: Step::InFlight(now),
    });
    let description = Arc::clone(&member.description);
    let hash = member.hash.clone();
    let spec = group.spec_of(hash.as_ref());
    let plugin = group.spec.instance.plugin.clone();
    Some(Call::Destroy {
        target: group.target.clone(),
        description,
        spec,
        plugin,
        reason,
        drain,
    })
}

/// Removes the records of batches whose creations all have an outcome.
fn close_batches(group: &mut Group) -> Vec<Change> {
    let intents = &group.memory.intents;
    let closed: Vec<u64> = group
        .batches
        .iter()
        .filter(|(first, count)| intents.range(**first..**first + **count).next().is_none())
        .map(|(first, _)| *first)
        .collect();
    let id = group.target.group.clone();
    closed
        .into_iter()
        .map(|first| {
            group.batches.remove(&first);
            delete(intent_key(&id, first))
        })
        .collect()
}

fn remembers_other(memory: &infrakit_plan::Memory, stored: &infrakit_plan::Memory) -> bool {
    memory.next_token != stored.next_token
        || memory.phase != stored.phase
        || memory.roll != stored.roll
        || memory.doomed != stored.doomed
        // What a creation may take decides how long one in doubt is waited for after a crash.
        || memory.slowest_creation > stored.slowest_creation + stored.slowest_creation / 2
}

/// The memory without its intents, which are journaled apart.
pub(super) fn stored_part(memory: &infrakit_plan::Memory) -> infrakit_plan::Memory {
    infrakit_plan::Memory {
        group: memory.group.clone(),
        nonce: memory.nonce.clone(),
        next_token: memory.next_token,
        phase: memory.phase,
        roll: memory.roll.clone(),
        doomed: memory.doomed.clone(),
        creation: memory.creation.clone(),
        slowest_creation: memory.slowest_creation,
        intents: std::collections::BTreeMap::new(),
    }
}
