//! What comes of labels that were asked for.

use infrakit_plan::{Labelling, Timestamp};
use infrakit_spi::{Delivery, Error};

use crate::core::state::group::Said;
use crate::core::state::history::Kind;
use crate::core::steps::ids::is_it;
use crate::core::{Core, Subject};

impl Core {
    /// Takes in the answer to a call that puts labels on a member.
    pub(in crate::core) fn labelled(
        &mut self,
        subject: &Subject,
        outcome: Result<(), Error>,
        now: Timestamp,
    ) {
        let Subject {
            target, plugin, id, ..
        } = subject;
        let again = now + self.config.poll_interval;
        let settle = self.config.settle;
        let behaviour = self.config.behaviour(plugin);
        let shown = behaviour.tag_visibility().max(behaviour.relapse()) + behaviour.list_lag();
        let Some(group) = self.living(target) else {
            return;
        };
        group
            .history
            .ended((plugin, id), Kind::Label, outcome.as_ref().map(drop));
        let key = (plugin.clone(), id.clone());
        let Err(error) = outcome else {
            // The list will show the new tags; until then they count as being put on, as long as it
            // may take.
            group.labels_in_doubt.insert(key, (Said::Done, now + shown));
            self.refresh_on(&target.group, plugin, now);
            return;
        };
        tracing::warn!(group = %target.group, instance = %id, %error, "cannot label");
        if error.delivery() == Delivery::Unknown {
            // The labels may come yet: nobody else is given the identity meanwhile.
            let told = now + settle;
            group.labels_in_doubt.insert(key, (Said::Nothing, told));
            self.refresh_on(&target.group, plugin, now + settle);
        } else if is_it(group, subject)
            && let Some(mut member) = group.seen.get_mut_on(plugin, id)
        {
            let named = matches!(member.labelling, Labelling::UnderWay(Some(_)));
            if named && error.delivery() == Delivery::Refused {
                member.label_failures += 1;
                member.labelling = Labelling::Failed(again);
            } else {
                member.labelling = Labelling::Nothing;
            }
        }
        self.wake_by(&target.group, again);
    }
}
