//! One group: its spec in force, its memory, and its members.

use std::collections::BTreeMap;
use std::sync::Arc;

use infrakit_plan::{Memory, Observed, Spec, Timestamp};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{GroupId, InstanceId};

use crate::core::Target;

/// Specs of former revisions that are kept, so that old members are drained and checked as they
/// were meant to be.
pub(super) const HISTORY: usize = 20;

/// State of a group.
pub(super) struct Group {
    pub(super) target: Target,
    /// The spec as it was committed.
    pub(super) raw: GroupSpec,
    pub(super) revision: u64,
    pub(super) spec: Arc<Spec>,
    /// Specs of this and former revisions, oldest first.
    pub(super) history: Vec<Arc<Spec>>,
    pub(super) memory: Memory,
    /// The memory as it is in the store, apart from intents.
    pub(super) stored: Memory,
    /// Journaled intents: number of the first of a batch to how many it has.
    pub(super) batches: BTreeMap<u64, u64>,
    /// Intents of a former process; a plugin in this process cannot fulfil them any more.
    pub(super) inherited: Vec<u64>,
    pub(super) seen: Observed,
    pub(super) wake_at: Option<Timestamp>,
    pub(super) converged: bool,
    /// Why the last list did not come, and when that was known.
    pub(super) unlisted: Option<(Timestamp, String)>,
    /// How often the destruction of a member failed.
    pub(super) failed: BTreeMap<InstanceId, u32>,
    /// Set while the group is being destroyed: a list must be from after this moment.
    pub(super) destroying_since: Option<Timestamp>,
}

impl Group {
    pub(super) fn new(raw: GroupSpec, revision: u64, spec: Arc<Spec>, memory: Memory) -> Self {
        let target = Target {
            group: raw.id.clone(),
            nonce: memory.nonce.as_str().into(),
        };
        Self {
            target,
            raw,
            revision,
            history: vec![Arc::clone(&spec)],
            spec,
            stored: Memory::default(),
            memory,
            batches: BTreeMap::new(),
            inherited: Vec::new(),
            seen: Observed::default(),
            wake_at: None,
            converged: false,
            unlisted: None,
            failed: BTreeMap::new(),
            destroying_since: None,
        }
    }

    pub(super) fn id(&self) -> &GroupId {
        &self.target.group
    }

    /// Puts another spec in force.
    pub(super) fn adopt_spec(&mut self, raw: GroupSpec, revision: u64, spec: Arc<Spec>) {
        self.raw = raw;
        self.revision = revision;
        self.history.retain(|former| former.hash != spec.hash);
        self.history.push(Arc::clone(&spec));
        let surplus = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..surplus);
        self.spec = spec;
    }

    /// Returns the spec that members with this hash were made from, or the one in force.
    pub(super) fn spec_of(&self, hash: Option<&ConfigHash>) -> Arc<Spec> {
        let former = hash.and_then(|hash| self.history.iter().find(|spec| spec.hash == *hash));
        Arc::clone(former.unwrap_or(&self.spec))
    }
}
