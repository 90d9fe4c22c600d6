//! The brake: freezing a group, or all of them, and letting them go on.
//!
//! It is written down before it is said to be set, so that no restart lets it go. The planner begins
//! nothing for a group that is frozen. What waits for a slot is taken back; what was begun before is
//! heard to its end.

use infrakit_plan::{Brake, Freed, MemoryChange, Timestamp};
use infrakit_spi::GroupId;
use infrakit_spi::rollout::Freeze;
use infrakit_store::{Durability, Key, Store};

use crate::core::state::unwritten::Batch;
use crate::core::words::names;
use crate::core::{Accepted, Core, Refused, Target, Unfit};
use crate::records::{BRAKE, BrakeRecord, delete, put};

impl Core {
    /// Freezes or thaws a group.
    ///
    /// # Errors
    /// Returns why it is refused; nothing changes then.
    pub fn freeze(
        &mut self,
        id: &GroupId,
        freeze: Freeze,
        now: Timestamp,
    ) -> Result<Accepted, Refused> {
        self.free_to_change(id)?;
        let group = self.groups.get(id);
        let group = group.ok_or_else(|| Refused::NotWatched(id.clone()))?;
        let (details, change) = match (freeze, group.memory.frozen, self.config.frozen) {
            (Freeze::Set, Some(since), _) => {
                let since = self.on_wall().moment(since);
                (
                    format!("Group '{id}' is frozen already, since {since}"),
                    None,
                )
            }
            (Freeze::Set, None, _) => (
                format!(
                    "Group '{id}' is frozen: nothing is created, destroyed, repaired or rolled before `infrakit thaw {id}`; what was begun is finished"
                ),
                Some(MemoryChange::Freeze { since: now }),
            ),
            (Freeze::Thaw, Some(_), Some(_)) => (
                format!(
                    "Group '{id}' is not frozen by itself any more; all groups are, until `infrakit thaw --all`"
                ),
                Some(MemoryChange::Thaw),
            ),
            (Freeze::Thaw, Some(_), None) => {
                let details = format!("Group '{id}' goes on");
                (details, Some(MemoryChange::Thaw))
            }
            (Freeze::Thaw, None, Some(_)) => return Err(Unfit::AllFrozen(id.clone()).into()),
            (Freeze::Thaw, None, None) => return Err(Unfit::NotFrozen(id.clone()).into()),
        };
        let batch = change.and_then(|change| self.change(id, change));
        Ok(Accepted { details, batch })
    }

    /// Freezes or thaws all groups at once. Those that were frozen by name stay frozen.
    ///
    /// # Errors
    /// Returns why it is refused; nothing changes then.
    pub fn freeze_all(&mut self, freeze: Freeze, now: Timestamp) -> Result<Accepted, Refused> {
        let key = Key::new(BRAKE.to_owned());
        let (details, since, change) = match (freeze, self.config.frozen) {
            (Freeze::Set, Some(since)) => {
                let since = self.on_wall().moment(since);
                let details = format!("All groups are frozen already, since {since}");
                return Ok(Accepted { details, batch: None });
            }
            (Freeze::Set, None) => (
                "All groups are frozen, and those that come are: nothing is created, destroyed, repaired or rolled before `infrakit thaw --all`; what was begun is finished".to_owned(),
                Some(now),
                put(key, &BrakeRecord { since: now }),
            ),
            (Freeze::Thaw, Some(_)) => (self.thawed(), None, delete(key)),
            (Freeze::Thaw, None) => return Err(Unfit::NothingFrozen(self.frozen_by_name()).into()),
        };
        let batch = self.write(Batch::Brake(since), vec![change], Durability::Synced);
        let batch = Some(batch);
        Ok(Accepted { details, batch })
    }

    fn thawed(&self) -> String {
        let frozen = self.frozen_by_name();
        if frozen.is_empty() {
            return "All groups go on".to_owned();
        }
        format!("All groups go on but those that are frozen by name: {frozen}")
    }

    fn frozen_by_name(&self) -> String {
        let groups = self.groups.values();
        let frozen = groups.filter(|group| group.memory.frozen.is_some());
        let frozen: Vec<&GroupId> = frozen.map(|group| group.id()).collect();
        names(frozen)
    }

    pub(in crate::core) fn braked(&mut self, since: Option<Timestamp>) {
        tracing::warn!(frozen = since.is_some(), "the brake of all groups");
        self.config.frozen = since;
        let groups = self.groups.all_with_remains();
        let targets: Vec<Target> = groups.map(|group| group.target.clone()).collect();
        for target in targets {
            self.withdraw(&target);
        }
        self.touch_all();
    }

    /// Returns whether the brake of all groups is being set: whatever a plan would begin now, it would
    /// begin after that was acknowledged.
    pub(in crate::core) fn is_braking(&self) -> bool {
        let mut batches = self.journal.values();
        batches.any(|batch| matches!(batch, Batch::Brake(Some(_))))
    }

    /// Has all groups planned for.
    pub(in crate::core) fn touch_all(&mut self) {
        let groups = self.groups.all_with_remains();
        let ids: Vec<GroupId> = groups.map(|group| group.id().clone()).collect();
        for id in ids {
            self.touch(&id);
        }
    }

    pub(in crate::core) fn restore_brake(&mut self, store: &dyn Store) {
        let Some(found) = store.get(&Key::new(BRAKE.to_owned())) else {
            return;
        };
        // One that cannot be read is a brake all the same: nothing is begun before somebody looks.
        let record = found.value.decode::<BrakeRecord>();
        self.config.frozen = Some(record.map_or_else(
            |error| {
                tracing::error!(%error, "the record of the brake cannot be read; all groups stay frozen");
                Timestamp::default()
            },
            |record| record.since,
        ));
    }

    /// Returns whether nothing of a group begins before somebody thaws it, or all groups.
    pub(crate) fn is_frozen(&self, id: &GroupId) -> bool {
        self.frozen_by(id).is_some()
    }

    /// Returns which brake holds a group: its own goes before that of all, and outlives that it is freed.
    fn frozen_by(&self, id: &GroupId) -> Option<Brake> {
        let own = match self.groups.get(id) {
            Some(group) => group.memory.frozen.is_some(),
            None => self.freed.get(id).is_some_and(Freed::is_frozen),
        };
        let all = || self.config.frozen.map(|_| Brake::All);
        own.then_some(Brake::Group).or_else(all)
    }

    /// Adds to what a change of a group leads to that it waits for the brake to be let go.
    pub(in crate::core) fn unless_frozen(&self, id: &GroupId, mut details: String) -> String {
        match self.frozen_by(id) {
            Some(Brake::Group) => details.push_str(&format!(
                "; the group is frozen, and nothing of it begins before `infrakit thaw {id}`"
            )),
            Some(Brake::All) => details.push_str(
                "; all groups are frozen, and nothing of it begins before `infrakit thaw --all`",
            ),
            None => {}
        }
        details
    }
}
