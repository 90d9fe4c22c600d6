//! All groups of a controller: those that it keeps as specified, and what remains of others.
//!
//! A group that was freed or destroyed may have calls under way that still take effect. What remains
//! of it lives on until they are settled, hidden from whoever asks for groups: only functions whose
//! name says so see it.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::{GroupId, PluginName};

use crate::core::state::remains::Remains;
use crate::core::{Group, Target};

/// All groups of a controller.
#[derive(Default)]
pub(in crate::core) struct Groups {
    kept: BTreeMap<GroupId, Group>,
    remains: BTreeMap<GroupId, Remains>,
}

impl Groups {
    pub(in crate::core) fn get(&self, id: &GroupId) -> Option<&Group> {
        self.kept.get(id)
    }

    pub(in crate::core) fn get_mut(&mut self, id: &GroupId) -> Option<&mut Group> {
        self.kept.get_mut(id)
    }

    pub(in crate::core) fn contains_key(&self, id: &GroupId) -> bool {
        self.kept.contains_key(id)
    }

    pub(in crate::core) fn keys(&self) -> impl Iterator<Item = &GroupId> {
        self.kept.keys()
    }

    pub(in crate::core) fn values(&self) -> impl Iterator<Item = &Group> {
        self.kept.values()
    }

    pub(in crate::core) fn insert(&mut self, id: GroupId, group: Group) {
        self.kept.insert(id, group);
    }

    pub(in crate::core) fn remove(&mut self, id: &GroupId) -> Option<Group> {
        self.kept.remove(id)
    }

    /// Returns a group, or what remains of it.
    pub(in crate::core) fn with_remains(&self, id: &GroupId) -> Option<&Group> {
        let remains = || self.remains.get(id).map(|remains| &remains.group);
        self.kept.get(id).or_else(remains)
    }

    /// Returns a group, or what remains of it, to change it.
    pub(in crate::core) fn with_remains_mut(&mut self, id: &GroupId) -> Option<&mut Group> {
        match self.kept.get_mut(id) {
            Some(group) => Some(group),
            None => self.remains.get_mut(id).map(|remains| &mut remains.group),
        }
    }

    /// Returns a group, or what remains of it, if it is still in the life that `target` names.
    pub(in crate::core) fn living(&mut self, target: &Target) -> Option<&mut Group> {
        self.with_remains_mut(&target.group)
            .filter(|group| group.target.nonce == target.nonce)
    }

    /// Returns all groups and what remains of others.
    pub(in crate::core) fn all_with_remains(&self) -> impl Iterator<Item = &Group> {
        let remains = self.remains.values().map(|remains| &remains.group);
        self.kept.values().chain(remains)
    }

    /// Takes in that a list of everybody on a plugin shows no id of these groups twice.
    pub(in crate::core) fn forget_doubled(&mut self, plugin: &PluginName, ids: &BTreeSet<GroupId>) {
        for id in ids {
            if let Some(group) = self.with_remains_mut(id) {
                let news = group.seen.note_doubled(plugin, &BTreeSet::new(), true);
                group.converged &= !news;
            }
        }
    }

    pub(in crate::core) fn remains(&self, id: &GroupId) -> Option<&Remains> {
        self.remains.get(id)
    }

    pub(in crate::core) fn remains_mut(&mut self, id: &GroupId) -> Option<&mut Remains> {
        self.remains.get_mut(id)
    }

    pub(in crate::core) fn all_remains(&self) -> impl Iterator<Item = &Remains> {
        self.remains.values()
    }

    pub(in crate::core) fn leave_remains(&mut self, remains: Remains) {
        let id = remains.group.id().clone();
        self.remains.insert(id, remains);
    }

    pub(in crate::core) fn take_remains(&mut self, id: &GroupId) -> Option<Remains> {
        self.remains.remove(id)
    }
}
