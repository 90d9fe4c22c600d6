//! What a commit would do, worked out from a copy of what is known.

use std::sync::Arc;

use infrakit_plan::{
    Config, Memory, MemoryChange, Observed, PreviewInput, Spec, Timestamp, preview, spec_diff,
};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::rollout::Preview;

use crate::core::steps::transition::{Cause, Wanted};
use crate::core::steps::transition::{anew, transition};
use crate::core::{Core, Refused};

/// All that a preview is worked out from. Working it out takes a while in a big group, and touches
/// nothing.
pub struct Outlook {
    sentence: String,
    before: Option<Arc<Spec>>,
    after: Spec,
    seen: Observed,
    memory: Memory,
    config: Config,
    now: Timestamp,
}

impl Core {
    /// Copies what a preview of a commit is worked out from. `nonce` names the record of a group
    /// that is new.
    ///
    /// # Errors
    /// Returns why the commit would be refused.
    pub fn outlook(
        &self,
        raw: &GroupSpec,
        spec: Spec,
        nonce: &str,
        now: Timestamp,
    ) -> Result<Outlook, Refused> {
        let sentence = self.explain(&raw.id, &spec)?;
        let group = self.groups.get(&raw.id);
        let mut config = self.config.clone();
        // What is shown is what follows once everything is thawed.
        config.frozen = None;
        config.other_members = self.members - group.map_or(0, |group| group.counted);
        let mut outlook = Outlook {
            sentence,
            before: group.map(|group| Arc::clone(&group.spec)),
            after: spec.clone(),
            seen: Observed::default(),
            memory: Memory {
                group: raw.id.clone(),
                nonce: nonce.to_owned(),
                ..Memory::default()
            },
            config,
            now,
        };
        if let Some(group) = group {
            outlook.seen = group.seen.clone();
            outlook.memory = group.memory.clone();
            outlook.memory.frozen = None;
            if *group.spec == spec {
                if let Some(change) = anew(group, now) {
                    change.apply(&mut outlook.memory);
                }
                return Ok(outlook);
            }
        }
        let revision = group.map_or(1, |group| group.revision + 1);
        let wanted = Wanted {
            raw: raw.clone(),
            spec,
            doomed: std::collections::BTreeSet::new(),
            urgent: std::collections::BTreeSet::new(),
            cause: Cause::Committed,
        };
        let change = transition(group, &wanted, revision, now);
        MemoryChange::Commit(Box::new(change)).apply(&mut outlook.memory);
        Ok(outlook)
    }
}

impl Outlook {
    /// Says what the commit would do.
    #[must_use]
    pub fn preview(self) -> Preview {
        let before = self.before.as_deref();
        let shown = preview(PreviewInput {
            before,
            after: &self.after,
            seen: &self.seen,
            memory: &self.memory,
            now: self.now,
            config: &self.config,
        });
        let former = before.map(Spec::canonical);
        let changes = spec_diff(former.as_ref(), &self.after.canonical());
        shown.told(self.sentence, changes)
    }
}
