//! What becomes of what controllers write.

use infrakit_store::{Change, Durability};

use super::{Happening, MILLIS, World};
use crate::controller::{Answer, Ticket};
use crate::faults::Kind;

impl World {
    pub(super) fn write(
        &mut self,
        (life, ticket): (u32, Ticket),
        changes: Vec<Change>,
        firm: Durability,
    ) {
        let mut took = self.rng.between(100, 5_000) * 1_000;
        if self.strikes(Kind::WriteSlow) {
            took = self.dice.amount(Kind::WriteSlow, 100, 10_000) * MILLIS;
        }
        let now = self.now;
        let mut at = now + took;
        if let Some(life) = self.lives.iter_mut().find(|one| one.number == life) {
            at = at.max(life.written + 1);
            life.written = at;
        }
        self.trace.note(
            now,
            format_args!("{life}#{ticket} write {} {firm:?}", Keys(&changes)),
        );
        if self.strikes(Kind::WriteFails) {
            let error = super::store::refused("no space left");
            self.answer((life, ticket), at - now, Answer::Written(Err(error)));
            return;
        }
        let apply = Happening::Apply {
            life,
            ticket,
            changes,
            durability: firm,
        };
        self.queue.push(at, apply);
    }

    pub(super) fn apply(
        &mut self,
        life: u32,
        ticket: Ticket,
        changes: Vec<Change>,
        durability: Durability,
    ) {
        let outcome = self.store.apply(changes, durability).map(drop);
        if outcome.is_ok() {
            self.applied.insert((life, ticket), self.now);
        }
        self.answer((life, ticket), MILLIS / 10, Answer::Written(outcome));
    }
}

/// The keys that a transaction touches.
struct Keys<'a>(&'a [Change]);

impl std::fmt::Display for Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, change) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let sign = match change {
                Change::Put { .. } => "",
                Change::Delete { .. } => "-",
                // Every transaction of a leader checks its term.
                Change::Check { .. } => continue,
            };
            write!(f, "{comma}{sign}{}", change.key())?;
        }
        Ok(())
    }
}
