//! The journal: what is written before anything is done, and what waits for it.

use std::collections::BTreeSet;

use infrakit_plan::guards::Guard;
use infrakit_plan::{Memory, MemoryChange, Timestamp};
use infrakit_spi::{GroupId, PluginName};
use infrakit_store::{Change, Durability};

use crate::core::state::remembered::stored_part;
use crate::core::state::unwritten::{Batch, RETRY};
use crate::core::steps::undo;
use crate::core::{Core, Effect, Group, NotWritten, Refused};
use crate::records::put_memory;

impl Core {
    /// Writes to the store and returns the number of the journal entry.
    pub(in crate::core) fn write(
        &mut self,
        batch: Batch,
        mut changes: Vec<Change>,
        durability: Durability,
    ) -> u64 {
        let number = self.next_batch;
        self.next_batch += 1;
        if let Some(group) = batch
            .changing()
            .and_then(|id| self.groups.with_remains_mut(id))
        {
            group.changing += 1;
            // What has not begun was decided before the change, and must not begin beside it.
            let target = group.target.clone();
            self.withdraw(&target);
        }
        if let Some(term) = self.term.as_ref().filter(|_| Guard::Fencing.stands()) {
            changes.push(term.check());
        }
        self.journal.insert(number, batch);
        self.effects.push(Effect::Journal {
            batch: number,
            changes,
            durability,
        });
        number
    }

    /// Changes a group's memory, as an operator asks for; it takes effect once the store has it.
    /// Nothing is planned meanwhile. Returns the journal entry to wait for.
    pub(in crate::core) fn change(&mut self, id: &GroupId, change: MemoryChange) -> Option<u64> {
        let group = self.groups.get(id)?;
        let mut memory = stored_part(&group.memory);
        change.apply(&mut memory);
        let changes = vec![put_memory(&group.on_record(&memory))];
        let batch = Batch::Change(group.target.clone(), change);
        Some(self.write(batch, changes, Durability::Synced))
    }

    /// Returns whether a change of the group's spec, its memory or its existence is on its way to
    /// the store. What comes next is worked out from what that one leads to, so it has to wait.
    #[must_use]
    pub fn is_changing(&self, id: &GroupId) -> bool {
        let mut batches = self.journal.values();
        batches.any(|batch| batch.changing() == Some(id))
    }

    /// Refuses to work a change out from what another one is about to replace: of two that overlap
    /// one would be acknowledged and lost.
    pub(in crate::core) fn free_to_change(&self, id: &GroupId) -> Result<(), Refused> {
        if self.is_changing(id) {
            return Err(Refused::Changing(id.clone()));
        }
        Ok(())
    }

    pub(in crate::core) fn journaled(
        &mut self,
        batch: u64,
        outcome: Result<(), NotWritten>,
        now: Timestamp,
    ) {
        let Some(batch) = self.journal.remove(&batch) else {
            return;
        };
        if let Some(id) = batch.changing()
            && let Some(group) = self.groups.with_remains_mut(id)
        {
            group.changing = group.changing.saturating_sub(1);
            match outcome {
                Ok(()) => self.touch(id),
                // At once it would not be taken either.
                Err(_) => self.wake_by(id, now + RETRY),
            }
        }
        match outcome {
            Ok(()) => self.written(batch, now),
            Err(NotWritten::Deposed) => {
                tracing::error!("another controller has taken the lead");
                self.depose();
            }
            Err(NotWritten::Failed(error)) => self.not_written(batch, &error, now),
        }
    }

    fn written(&mut self, batch: Batch, now: Timestamp) {
        match batch {
            Batch::Nothing | Batch::Memory(..) => {}
            Batch::Plan {
                target,
                calls,
                planned,
                ..
            } => self.written_down(&target, calls, (planned, now)),
            Batch::Commit(pending) => self.committed(*pending, now),
            Batch::Change(target, change) => {
                if let Some(group) = self.living(&target) {
                    let naming = group.memory.naming;
                    tracing::info!(group = %target.group, ?change, "changed");
                    change.apply(&mut group.memory);
                    if let MemoryChange::Leave(homes) = &change {
                        leave(group, homes);
                    }
                    if naming != group.memory.naming {
                        group.aim();
                    }
                    group.converged = false;
                    self.touch(&target.group);
                    if change == MemoryChange::Destroy {
                        self.destroying(&target.group, now);
                    }
                }
            }
            Batch::Brake(since) => self.braked(since),
            Batch::Forget(target) => {
                if self.living(&target).is_some() {
                    self.forget(&target.group, now);
                }
            }
            Batch::Leave(target, fate) => {
                if self.living(&target).is_some() {
                    self.leave_remains(&target.group, fate, now);
                }
            }
        }
    }

    fn not_written(&mut self, batch: Batch, error: &str, now: Timestamp) {
        match batch {
            Batch::Nothing => tracing::error!(%error, "cannot write to the store"),
            Batch::Memory(target, deletions) => {
                tracing::error!(group = %target.group, %error, "cannot write to the store");
                if let Some(group) = self.living(&target) {
                    // What the store holds is not known any more.
                    group.stored = Memory::default();
                    group.undeleted.extend(deletions);
                    group.note_health(now);
                }
                self.wake_by(&target.group, now + RETRY);
            }
            // Whoever asked for these is told; nothing has changed. A group that has come to its end is
            // ended with a later plan.
            Batch::Commit(_) | Batch::Change(..) | Batch::Forget(_) | Batch::Leave(..) => {}
            Batch::Brake(_) => self.touch_all(),
            Batch::Plan {
                target,
                calls,
                deletions,
                ..
            } => {
                tracing::error!(group = %target.group, %error, "cannot journal a plan");
                for call in &calls {
                    self.calls.release(call);
                }
                self.give_back(&calls);
                let Some(group) = self.living(&target) else {
                    return;
                };
                group.stored = Memory::default();
                group.undeleted.extend(deletions);
                group.note_health(now);
                for call in calls {
                    undo::not_written(group, call, now);
                }
                // At once it would not be taken either.
                self.wake_by(&target.group, now + RETRY);
            }
        }
    }
}

/// Takes in that nobody is left on plugins. One that has told meanwhile who is there is looked at all the same.
fn leave(group: &mut Group, homes: &BTreeSet<PluginName>) {
    for home in homes {
        if group.has_told(home) {
            group.memory.homes.insert(home.clone());
            continue;
        }
        let young: Vec<u64> = group.young.on(home).map(|(_, number)| number).collect();
        for number in young {
            group.young.end(number, home);
        }
    }
}
