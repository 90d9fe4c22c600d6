//! A line of groups that wait for the same thing: first come, first served, a turn at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use infrakit_spi::GroupId;

/// Calls that a group gets in one turn where several may be made: one entry in the journal serves
/// them all. An eighth of the window that a plugin begins with, so that eight groups share it.
pub(in crate::core) const TURN: usize = 16;

/// Groups that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(in crate::core) struct Line {
    order: VecDeque<GroupId>,
    standing: BTreeSet<GroupId>,
    /// Whose turn it is, and how many calls each may begin.
    turns: BTreeMap<GroupId, usize>,
}

impl Line {
    pub(in crate::core) fn is_empty(&self) -> bool {
        self.order.is_empty() && self.turns.is_empty()
    }

    /// Returns how many groups wait, or have their turn.
    pub(in crate::core) fn len(&self) -> usize {
        self.order.len() + self.turns.len()
    }

    /// Returns how many calls a group may begin whose turn it is.
    pub(in crate::core) fn turn(&self, group: &GroupId) -> Option<usize> {
        self.turns.get(group).copied()
    }

    /// Returns how many of `free` calls a group may begin.
    pub(in crate::core) fn room_for(&self, group: &GroupId, free: usize) -> usize {
        match self.turn(group) {
            Some(turn) => free.min(turn),
            // Who comes by chance must not come before those that wait.
            None if self.is_empty() => free,
            None => 0,
        }
    }

    /// Has a group stand at the end.
    pub(in crate::core) fn join(&mut self, group: &GroupId) {
        if self.standing.insert(group.clone()) {
            self.order.push_back(group.clone());
        }
    }

    /// Gives `free` calls to those who stand first, and returns whose turn it is.
    pub(in crate::core) fn give(&mut self, mut free: usize) -> BTreeSet<GroupId> {
        if self.is_empty() {
            return BTreeSet::new();
        }
        let share = free.checked_div(self.order.len()).unwrap_or_default();
        let share = share.max(TURN);
        while free > 0
            && let Some(group) = self.order.pop_front()
        {
            self.standing.remove(&group);
            let turn = share.min(free);
            free -= turn;
            self.turns.insert(group, turn);
        }
        self.turns.keys().cloned().collect()
    }

    /// Ends all turns.
    pub(in crate::core) fn end_turns(&mut self) {
        self.turns.clear();
    }
}
