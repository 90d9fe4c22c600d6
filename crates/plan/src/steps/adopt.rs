//! Instances that were made by hand and ask to be members.

use infrakit_spi::tags;

use crate::action::Action;
use crate::draft::Draft;
use crate::waiting::WaitingOn;

impl Draft<'_> {
    /// Adopts instances that were made by hand and ask for it. A list has to confirm it.
    pub(crate) fn adopt(&mut self) {
        let asking: Vec<_> = self.members(&self.index.asking).collect();
        if !asking.is_empty() {
            self.wait(WaitingOn::Observation);
        }
        for (_, member) in asking {
            if member.is_being_labelled() || !self.may_label(member) {
                continue;
            }
            let mut labels = self.labels(&self.spec.hash);
            // The request may stand under the key of another release; both must say the same.
            for key in [tags::CONFIG_HASH, tags::CONFIG_SHA] {
                let tags = member.description.tags.as_ref();
                if tags.is_some_and(|tags| tags.contains_key(key)) {
                    labels.insert(key.to_owned(), self.spec.hash.as_str().to_owned());
                }
            }
            self.actions.push(Action::Adopt {
                id: member.id.clone(),
                plugin: member.plugin.clone(),
                labels,
            });
        }
    }
}
