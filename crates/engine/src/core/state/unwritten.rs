//! What takes effect once the store has it.

use std::time::Duration;

use infrakit_plan::{Memory, MemoryChange, Timestamp};
use infrakit_spi::GroupId;
use infrakit_spi::group::GroupSpec;

use crate::core::state::effect::{Call, Target};
use crate::core::state::group::{Committed, Deletions};
use crate::records::Fate;

/// Pause before something is tried again that could not be written down. A disk that is full or fails is
/// no better sooner, and each attempt is a plan and a write; one that was slow for a moment is not waited
/// for much longer than it took.
pub(in crate::core) const RETRY: Duration = Duration::from_secs(1);

/// What waits for a journal entry.
pub(in crate::core) enum Batch {
    /// Nothing.
    Nothing,
    /// Nothing: a plan's memory, which it does not act upon.
    Memory(Target, Deletions),
    /// Calls of a plan: they may begin once what it remembers is in the store.
    Plan {
        target: Target,
        calls: Vec<Call>,
        /// When it was made.
        planned: Timestamp,
        deletions: Deletions,
    },
    /// A commit: it takes effect once it is in the store.
    Commit(Box<PendingCommit>),
    /// A change of the memory.
    Change(Target, MemoryChange),
    /// A group to forget, or what remains of it.
    Forget(Target),
    /// A group to put out of sight.
    Leave(Target, Fate),
    /// The brake of all groups: set since a moment, or let go.
    Brake(Option<Timestamp>),
}

impl Batch {
    /// Returns the group whose planning rests until the entry is written.
    pub(in crate::core) fn changing(&self) -> Option<&GroupId> {
        match self {
            Self::Nothing | Self::Memory(..) | Self::Plan { .. } | Self::Brake(_) => None,
            Self::Commit(pending) => Some(&pending.raw.id),
            Self::Change(target, _) | Self::Forget(target) | Self::Leave(target, _) => {
                Some(&target.group)
            }
        }
    }
}

/// A commit that takes effect once the store has it.
pub(in crate::core) struct PendingCommit {
    pub(in crate::core) raw: GroupSpec,
    pub(in crate::core) revision: u64,
    pub(in crate::core) committed: Committed,
    /// The memory of a group that is new.
    pub(in crate::core) memory: Memory,
    pub(in crate::core) change: MemoryChange,
    pub(in crate::core) expired: Vec<u64>,
}
