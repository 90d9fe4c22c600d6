//! The engine's logic without input or output: events in, effects out.
//!
//! The core is sequential and deterministic. It never blocks and never reads a clock; whoever
//! drives it says what time it is, in a time that never runs backwards. Events only say "look
//! again", so that one that comes late, twice or never does no harm.

mod acting;
mod change;
mod describe;
mod effect;
mod group;
mod listing;
mod observer;
mod restore;

pub use change::{Accepted, Refused};
pub use effect::{Call, CreationAnswer, Effect, Event, ListAnswer, Target};

use std::collections::{BTreeMap, BTreeSet};

use infrakit_plan::{Config, Timestamp};
use infrakit_spi::{GroupId, PluginName};

use crate::core::acting::Batch;
use crate::core::group::Group;
use crate::core::observer::Observer;

/// All groups of a controller, and what is under way for them.
pub struct Core {
    config: Config,
    groups: BTreeMap<GroupId, Group>,
    observers: BTreeMap<PluginName, Observer>,
    /// Journal entries on their way to the store, with what waits for them.
    journal: BTreeMap<u64, Batch>,
    next_batch: u64,
    dirty: BTreeSet<GroupId>,
    effects: Vec<Effect>,
}

impl Core {
    /// Creates a core without groups.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            groups: BTreeMap::new(),
            observers: BTreeMap::new(),
            journal: BTreeMap::new(),
            next_batch: 0,
            dirty: BTreeSet::new(),
            effects: Vec::new(),
        }
    }

    /// Takes in an event.
    pub fn handle(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Changed { plugin } => self.look_again(&plugin, now),
            Event::Listed(answer) => self.listed(answer, now),
            Event::Journaled { batch, outcome } => self.journaled(batch, outcome, now),
            Event::Provisioned(answer) => self.provisioned(answer, now),
            Event::Destroyed {
                target,
                id,
                outcome,
            } => self.destroyed(&target, &id, outcome, now),
            Event::Labelled {
                target,
                id,
                outcome,
            } => self.labelled(&target, &id, outcome, now),
            Event::Checked {
                target,
                id,
                outcome,
            } => self.checked(&target, &id, outcome, now),
        }
    }

    /// Plans for every group that something happened to, or whose time has come.
    pub fn plan(&mut self, now: Timestamp) {
        let due = self
            .groups
            .iter()
            .filter(|(_, group)| group.wake_at.is_some_and(|at| at <= now));
        let due: Vec<GroupId> = due.map(|(id, _)| id.clone()).collect();
        self.dirty.extend(due);
        for id in std::mem::take(&mut self.dirty) {
            self.plan_group(&id, now);
        }
    }

    /// Returns whether a group waits to be planned for.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Returns the effects to carry out, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Returns when to call [`plan`](Self::plan) and [`look`](Self::look) even if nothing happens.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        let groups = self.groups.values().filter_map(|group| group.wake_at);
        let lists = self.observers.values().filter_map(Observer::due);
        groups.chain(lists).min()
    }

    /// Returns the ids of the groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &GroupId> {
        self.groups.keys()
    }

    fn touch(&mut self, id: &GroupId) {
        if !self.dirty.contains(id) {
            self.dirty.insert(id.clone());
        }
    }
}
