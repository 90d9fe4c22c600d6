//! What people were told: changes that were acknowledged, and so are on record.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::group::GroupSpec;
use infrakit_spi::{Any, GroupId, InstanceId};

use super::Promise;
use crate::controller::Operation;

/// What people were told.
#[derive(Debug, Default)]
pub struct Told {
    /// Members that a person has put a hand over.
    pub held: BTreeSet<(GroupId, InstanceId)>,
    /// Those of whom nobody knows whether they are held: the controller died over it.
    held_in_doubt: BTreeSet<(GroupId, InstanceId)>,
    /// Groups that were given up, and not taken up again.
    pub freed: BTreeSet<GroupId>,
    /// Groups whose end was acknowledged, and that were not taken up again.
    pub destroyed: BTreeSet<GroupId>,
    /// Groups whose rollout was stopped by a person, who has not let it go on.
    pub stopped: BTreeSet<GroupId>,
    /// Groups of which nobody knows whether they are to be: the controller died over the commit or
    /// the end of them.
    pub open: BTreeSet<GroupId>,
    /// What was promised last, where nothing else has been asked for since then.
    pub specs: BTreeMap<GroupId, Promise>,
}

impl Told {
    /// Notes a change that was acknowledged.
    pub fn acknowledged(&mut self, group: &GroupId, operation: &Operation) {
        if decides(operation) {
            self.open.remove(group);
        }
        match operation {
            Operation::Commit { properties } => {
                self.freed.remove(group);
                self.destroyed.remove(group);
                self.stopped.remove(group);
                self.specs.remove(group);
                let spec = GroupSpec {
                    id: group.clone(),
                    properties: Any::parse(properties).ok(),
                };
                if let Some(promise) = Promise::of(&spec)
                    // What goes back by itself need not stay.
                    && !properties.contains("rollback")
                {
                    self.specs.insert(group.clone(), promise);
                }
            }
            Operation::SetSize(_) | Operation::DestroyMembers(_) | Operation::Rollback(_) => {
                self.specs.remove(group);
                if matches!(operation, Operation::Rollback(_)) {
                    self.stopped.remove(group);
                }
            }
            Operation::Destroy => {
                self.forget(group);
                self.destroyed.insert(group.clone());
            }
            Operation::Free => {
                self.forget_but_holds(group);
                self.freed.insert(group.clone());
            }
            Operation::Pause | Operation::Abort => {
                self.stopped.insert(group.clone());
            }
            Operation::Resume => {
                self.stopped.remove(group);
            }
            Operation::Approve => {}
            Operation::Hold(id) => {
                self.held.insert((group.clone(), id.clone()));
            }
            Operation::Release(id) => {
                let place = (group.clone(), id.clone());
                self.held.remove(&place);
                self.held_in_doubt.remove(&place);
            }
        }
    }

    /// Notes a change of which nobody knows whether it is on record: the controller died over it.
    pub fn unsure(&mut self, group: &GroupId, operation: &Operation) {
        self.specs.remove(group);
        if decides(operation) {
            self.open.insert(group.clone());
        }
        match operation {
            Operation::Hold(id) | Operation::Release(id) => {
                let place = (group.clone(), id.clone());
                self.held.remove(&place);
                self.held_in_doubt.insert(place);
            }
            Operation::Free => self.forget_but_holds(group),
            Operation::Destroy => self.forget(group),
            _ => {
                self.freed.remove(group);
                self.destroyed.remove(group);
                self.stopped.remove(group);
            }
        }
    }

    /// Returns the groups that were given up, and those that may have been.
    pub fn perhaps_freed(&self) -> impl Iterator<Item = &GroupId> {
        self.freed.union(&self.open)
    }

    /// Returns the ids that are held in a group, or may be.
    pub fn perhaps_held(&self, group: &GroupId) -> impl Iterator<Item = &InstanceId> {
        let all = self.held.iter().chain(&self.held_in_doubt);
        all.filter(move |(of, _)| of == group).map(|(_, id)| id)
    }

    /// Notes that one of two instances of a group with the same id is gone: nobody knows which was meant.
    pub fn namesake_gone(&mut self, group: &GroupId, id: &InstanceId) {
        let place = (group.clone(), id.clone());
        if self.held.remove(&place) {
            self.held_in_doubt.insert(place);
        }
    }

    /// Returns whether an id is held in a group, or may be.
    #[must_use]
    pub fn may_be_held(&self, group: &GroupId, id: &InstanceId) -> bool {
        self.perhaps_held(group).any(|held| held == id)
    }

    /// Notes that an instance is gone.
    pub fn gone(&mut self, group: &GroupId, id: &InstanceId) {
        let place = (group.clone(), id.clone());
        self.held.remove(&place);
        self.held_in_doubt.remove(&place);
    }

    fn forget(&mut self, group: &GroupId) {
        self.forget_but_holds(group);
        self.held.retain(|(of, _)| of != group);
        self.held_in_doubt.retain(|(of, _)| of != group);
    }

    /// Whoever is held when its group is freed is held when that is committed anew.
    fn forget_but_holds(&mut self, group: &GroupId) {
        self.specs.remove(group);
        self.stopped.remove(group);
        self.freed.remove(group);
        self.destroyed.remove(group);
    }
}

/// Returns whether there is to be a group by that, or to be none.
fn decides(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Commit { .. } | Operation::Destroy | Operation::Free
    )
}
