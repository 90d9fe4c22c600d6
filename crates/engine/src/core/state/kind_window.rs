//! Calls of one kind of one plugin, where it says how many of them are safe at once.

use std::collections::BTreeSet;

use infrakit_plan::Timestamp;
use infrakit_spi::GroupId;

use crate::core::state::line::Line;
use crate::core::state::pace::Pace;

/// The creations, or the destructions, of one plugin: a part of its window of calls. They are counted
/// before there is a limit, too: what a plugin declares may come late.
#[derive(Debug, Default)]
pub(in crate::core) struct KindWindow {
    /// How many are safe at once, where the plugin says so.
    most: Option<usize>,
    /// Those that were begun and have not ended: being written down, waiting, or under way.
    claimed: usize,
    running: usize,
    pace: Pace,
    line: Line,
}

impl KindWindow {
    /// Keeps to what the plugin declares.
    pub(in crate::core) fn bound(&mut self, safe: Option<u64>) {
        self.most = safe.map(|calls| usize::try_from(calls).unwrap_or(usize::MAX).max(1));
    }

    /// Returns how many a plan for this group may begin; `None` where nothing is declared.
    pub(in crate::core) fn room_for(&self, group: &GroupId, now: Timestamp) -> Option<usize> {
        let free = self.free(now)?;
        Some(self.line.room_for(group, free))
    }

    /// Returns how many may begin, whoever comes.
    fn free(&self, now: Timestamp) -> Option<usize> {
        let most = self.most? + self.pace.ahead(now);
        Some(most.saturating_sub(self.claimed))
    }

    pub(in crate::core) fn claim(&mut self) {
        self.claimed += 1;
    }

    pub(in crate::core) fn release(&mut self) {
        self.claimed = self.claimed.saturating_sub(1);
    }

    /// Returns whether one more may be under way.
    pub(in crate::core) fn takes(&self) -> bool {
        self.most.is_none_or(|most| self.running < most)
    }

    pub(in crate::core) fn start(&mut self) {
        self.running += 1;
    }

    pub(in crate::core) fn end(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// Notes that one was done.
    pub(in crate::core) fn note(&mut self, now: Timestamp) {
        self.pace.note(now);
    }

    /// Has a group stand in line.
    pub(in crate::core) fn stand_in_line(&mut self, group: &GroupId) {
        self.line.join(group);
    }

    /// Returns whether it is the turn of this group.
    pub(in crate::core) fn has_turn_of(&self, group: &GroupId) -> bool {
        self.line.turn(group).is_some()
    }

    /// Returns whether a group stands in line that could have its turn.
    pub(in crate::core) fn has_turn(&self) -> bool {
        let free = self.most.is_none_or(|most| self.claimed < most);
        free && !self.line.is_empty()
    }

    /// Gives what is free to those who stand first in line, and returns whom to plan for. The window
    /// as a whole has `free` slots.
    pub(in crate::core) fn turns(&mut self, free: usize, now: Timestamp) -> BTreeSet<GroupId> {
        if self.line.is_empty() {
            return BTreeSet::new();
        }
        let free = self.free(now).map_or(free, |own| own.min(free));
        self.line.give(free)
    }

    /// Ends the turns that were given.
    pub(in crate::core) fn end_turns(&mut self) {
        self.line.end_turns();
    }

    /// Has nobody stand in line.
    pub(in crate::core) fn close(&mut self) {
        self.line = Line::default();
    }
}
