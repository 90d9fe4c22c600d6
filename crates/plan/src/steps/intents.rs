//! Creations without an outcome: closed when a list answers them.
//!
//! For as long as its provider may take, a creation whose answer was lost counts as capacity: a
//! second one in its place would be one too many as soon as the first comes true.

use infrakit_spi::FailureClass;

use crate::action::WaitingOn;
use crate::draft::Draft;
use crate::{FailedCreation, Told};

impl Draft<'_> {
    /// Closes creations that a list answers: found, or in doubt for long enough and not found.
    /// Counts those that remain.
    pub(crate) fn settle_intents(&mut self) {
        if self.memory.intents.is_empty() {
            return;
        }
        let (mut found, mut lost) = (Vec::new(), Vec::new());
        let mut wake = None;
        let mut overdue = false;
        for (number, intent) in &mut self.memory.intents {
            if self.index.tokens.contains_key(number) {
                found.push(*number);
                continue;
            }
            if intent.doubt.is_none() {
                continue;
            }
            let at = intent.open_until(self.config.behaviour(&intent.plugin));
            if let Some(doubt) = &mut intent.doubt {
                doubt.until = at;
            }
            let listed = self.seen.listed_on(&intent.plugin);
            if listed.is_some_and(|listed| listed >= at) {
                lost.push(*number);
            } else if at > self.now {
                wake = Some(wake.map_or(at, |earlier| at.min(earlier)));
            } else {
                // Planning again would not help: only a list that is started now can tell.
                overdue = true;
            }
        }
        for number in found {
            if let Some(intent) = self.memory.intents.remove(&number) {
                self.memory.creation.succeed(&intent.hash, intent.begun);
            }
        }
        for number in lost {
            if let Some(intent) = self.memory.intents.remove(&number) {
                let failed = FailedCreation {
                    token: self.memory.token(number),
                    hash: &intent.hash,
                    class: FailureClass::Unavailable,
                    told: Told::Guessed,
                    message: "no instance came of it",
                    begun: intent.begun,
                };
                self.memory.creation.fail(&failed, self.now);
            }
        }
        if let Some(at) = wake {
            self.wake(at);
        }
        if overdue {
            self.wait(WaitingOn::Observation);
        }
        let intents = self.memory.intents.values();
        let new = intents
            .filter(|intent| intent.hash == self.spec.hash)
            .count();
        self.ledger.expect(self.memory.intents.len(), new);
    }
}
