//! A loss that is doubted, and somebody who knows that it is one.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_plan::{Intent, MemoryChange, Origin, Timestamp};
use infrakit_spi::{GroupId, PluginName};

use crate::core::state::observer::Observer;
use crate::core::steps::commit::Accepted;
use crate::core::words::{count, names};
use crate::core::{Core, Group, Refused};

/// A plugin that has not answered for so long is not just being started anew: nobody is to be left behind
/// where a person means the loss of others.
const OUT_OF_REACH: Duration = Duration::from_secs(60);

impl Core {
    /// Believes that the members of a group are gone which lists lack, and that nobody is left on former
    /// plugins that do not answer. Of the former nothing is written: the next plan makes others, which is.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn confirm_loss(&mut self, id: &GroupId, now: Timestamp) -> Result<Accepted, Refused> {
        self.known(id)?;
        let out_of_reach = self.out_of_reach(id, now);
        if !out_of_reach.is_empty() {
            self.free_to_change(id)?;
        }
        let lost = self.lose_doubted(id, now);
        let mut said = Vec::new();
        if lost > 0 {
            tracing::warn!(group = %id, lost, "somebody says that they are gone");
            let lost = count(lost, "member");
            said.push(format!(
                "{lost} of group '{id}' count as gone, and are made again"
            ));
        }
        let mut batch = None;
        if !out_of_reach.is_empty() {
            let plugins = names(&out_of_reach);
            said.push(format!(
                "nobody of group '{id}' counts as left on {plugins}, and nobody looks there any more"
            ));
            batch = self.change(id, MemoryChange::Leave(out_of_reach));
        }
        let details = if said.is_empty() {
            format!("no member of group '{id}' is missing in doubt; nothing changes")
        } else {
            said.join("; ")
        };
        Ok(Accepted { details, batch })
    }

    /// Returns the former plugins of a group that have not told this controller who is left there, and have
    /// not answered for long. Where a creation may still come true, its outcome is waited for.
    pub(in crate::core) fn out_of_reach(
        &self,
        id: &GroupId,
        now: Timestamp,
    ) -> BTreeSet<PluginName> {
        let Some(group) = self.groups.get(id) else {
            return BTreeSet::new();
        };
        let fails = |home: &PluginName| {
            let observer = self.observers.get(home);
            let since = observer.and_then(Observer::failing_since);
            since.is_some_and(|since| now.since(since) >= OUT_OF_REACH)
        };
        let may_come = |intent: &Intent| {
            let behaviour = self.config.behaviour(&intent.plugin);
            now < intent.open_until(behaviour)
        };
        let made = |home: &PluginName| {
            let mut intents = group.memory.intents.values();
            intents.any(|intent| intent.plugin == *home && may_come(intent))
        };
        let former = group.memory.homes.iter();
        let former = former.filter(|home| **home != group.spec.instance.plugin);
        former
            .filter(|home| fails(home) && !group.has_told(home) && !made(home))
            .cloned()
            .collect()
    }
}

impl Group {
    /// Returns whether a plugin has told this controller who of the group is there, be it in a list that is
    /// doubted, or covers a part. Of those that only answers have told of a person knows as much.
    pub(in crate::core) fn has_told(&self, home: &PluginName) -> bool {
        let mut members = self.seen.members().filter(|one| one.plugin == *home);
        let listed = members.any(|one| one.origin == Origin::Listed);
        listed || self.seen.listed_on(home).is_some()
    }
}
