//! A preview as it travels.

use infrakit_spi::{GoDuration, rollout};

use super::pace::rounded;
use super::{Coming, Going, Preview, Wave};
use crate::FieldChange;

impl Preview {
    /// Returns the preview as it travels, with the sentence of the commit and the fields of the spec
    /// that it changes.
    #[must_use]
    pub fn told(self, sentence: String, changes: Vec<FieldChange>) -> rollout::Preview {
        let timed = self.timed;
        rollout::Preview {
            plan: self.fingerprint,
            sentence,
            changes: changes.into_iter().map(change).collect(),
            waves: self.waves.into_iter().map(|one| wave(one, timed)).collect(),
            duration: self.duration.map(|took| GoDuration(rounded(took))),
            basis: self.basis,
            notes: self.notes,
        }
    }
}

fn change(change: FieldChange) -> rollout::Change {
    let FieldChange {
        path,
        before,
        after,
    } = change;
    rollout::Change {
        path,
        before,
        after,
    }
}

fn wave(wave: Wave, timed: bool) -> rollout::Wave {
    let time = |time| timed.then_some(GoDuration(rounded(time)));
    rollout::Wave {
        go: wave.go.into_iter().map(leaver).collect(),
        come: wave.come.into_iter().map(comer).collect(),
        starts: time(wave.at),
        takes: time(wave.takes),
        then: wave.then,
    }
}

fn leaver(one: Going) -> rollout::Leaver {
    rollout::Leaver {
        id: one.id,
        logical_id: one.logical_id,
        reason: one.reason.to_string(),
    }
}

fn comer(one: Coming) -> rollout::Comer {
    rollout::Comer {
        logical_id: one.logical_id,
        hash: one.hash.to_string(),
    }
}
