//! What there is to say about a preview beside its waves.

use infrakit_spi::GoDuration;

use super::model::Model;
use super::pace::rounded;
use crate::{Plan, WaitingOn};

impl Model {
    /// Approves a stage that waits for it; returns whether one did.
    pub(super) fn approve(&mut self, decided: &Plan) -> bool {
        let waiting = decided.waiting.iter().find_map(|on| match on {
            WaitingOn::Approval { stage } => Some(*stage),
            _ => None,
        });
        let Some(stage) = waiting else { return false };
        let approved = self.memory.roll.as_mut().and_then(crate::Roll::approve);
        self.between(&format!("stage {stage} waits for `rollout approve`"));
        self.note("approvals are taken to come at once".to_owned());
        approved.is_some()
    }

    /// Says what a halt is due to; returns whether the rollout goes no further by itself.
    pub(super) fn stops(&mut self, decided: &Plan) -> bool {
        let halt = decided.waiting.iter().find(|on| {
            matches!(
                on,
                WaitingOn::Paused { .. } | WaitingOn::Aborted { .. } | WaitingOn::Configuration
            )
        });
        if let Some(halt) = halt {
            self.note(format!("it comes to a halt: {halt}"));
        }
        halt.is_some()
    }

    /// Says what the next wave waits for, beyond those before it.
    pub(super) fn say_what_is_between(&mut self, decided: &Plan) {
        for on in &decided.waiting {
            match on {
                WaitingOn::Bake { stage, until } if *until == self.now => {
                    let bake = self.spec.updating.stages.get(stage.saturating_sub(1));
                    let bake = bake.map(|stage| stage.bake).unwrap_or_default();
                    self.between(&format!("stage {stage} bakes for {}", GoDuration(bake)));
                }
                WaitingOn::Window { opens } if *opens == Some(self.now) => {
                    let after = rounded(self.now.since(self.begun));
                    let text = format!("the next window opens, {} from now", GoDuration(after));
                    if self.waves.is_empty() {
                        self.note(format!("nothing is replaced before {text}"));
                    } else {
                        self.between(&text);
                    }
                }
                _ => {}
            }
        }
    }

    fn between(&mut self, text: &str) {
        if let Some(wave) = self.waves.last_mut()
            && !wave.then.split("; ").any(|known| known == text)
        {
            if !wave.then.is_empty() {
                wave.then.push_str("; ");
            }
            wave.then.push_str(text);
        }
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn say_waiting(&mut self, decided: &Plan) {
        for on in &decided.waiting {
            self.note(format!("it is not known how it goes on: {on}"));
        }
    }
}
