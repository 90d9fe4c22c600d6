//! Creations without an outcome: closed when a list answers them.
//!
//! For as long as its provider may take, a creation whose answer was lost counts as capacity: a
//! second one in its place would be one too many as soon as the first comes true.

use std::collections::BTreeSet;

use infrakit_spi::FailureClass;

use crate::action::{Action, Asked, Provision};
use crate::draft::Draft;
use crate::guards::Guard;
use crate::reason::Cause;
use crate::waiting::WaitingOn;
use crate::{FailedCreation, Token, Told};

impl Draft<'_> {
    /// Closes creations that a list answers: found, or in doubt for long enough and not found.
    /// Counts those that remain.
    pub(crate) fn settle_intents(&mut self) {
        if self.memory.intents.is_empty() {
            return;
        }
        let (mut found, mut lost, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        let ended = self.ended_intents();
        let mut wake = None;
        let mut overdue = false;
        // Both are in order: thousands of slow creations may be under way, and this is asked with each
        // plan.
        let first = self.memory.intents.keys().next().copied();
        let shown = self.index.tokens.range(first.unwrap_or_default()..);
        let mut shown = shown.map(|(token, _)| *token).peekable();
        for (number, intent) in &mut self.memory.intents {
            while shown.next_if(|token| token < number).is_some() {}
            if shown.peek() == Some(number) {
                found.push(*number);
                continue;
            }
            if ended.contains(number) {
                lost.push((*number, "its instance was gone before a list showed it"));
                continue;
            }
            if intent.doubt.is_none() {
                continue;
            }
            let behaviour = self.config.behaviour(&intent.plugin);
            let at = intent.open_until(behaviour);
            if let Some(doubt) = &mut intent.doubt {
                doubt.until = at;
            }
            let listed = self.seen.listed_on(&intent.plugin);
            let until = if Guard::Doubt.stands() {
                at
            } else {
                intent.begun
            };
            // A list that lacks too many others proves nothing of this one either. Where nobody looks any
            // more, since a person says that nobody is left there, no list tells.
            let told = listed.is_some_and(|listed| listed >= until)
                && !self.seen.is_doubted_on(&intent.plugin);
            let left = || !self.seen.homes().any(|home| *home == intent.plugin);
            if told || self.now >= at && left() {
                if behaviour.shows_tokens() {
                    lost.push((*number, "no instance came of it"));
                } else {
                    unknown.push(*number);
                }
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
        // Whatever came of them is listed by now, and counts as a member: no list says which it is, so
        // that a missing token speaks against nobody.
        for number in unknown {
            self.memory.intents.remove(&number);
        }
        for (number, message) in lost {
            if let Some(intent) = self.memory.intents.remove(&number) {
                let failed = FailedCreation {
                    token: self.memory.token(number),
                    hash: &intent.hash,
                    class: FailureClass::Unavailable,
                    told: Told::Guessed,
                    message,
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

    /// Returns the creations whose instances are gone as lists show, which carry their tokens. There may
    /// be thousands of the dead: they are only looked at while creations are open.
    fn ended_intents(&self) -> BTreeSet<u64> {
        let ended = self.seen.homes().flat_map(|home| self.seen.ended(home));
        ended
            .filter(|number| self.memory.intents.contains_key(number))
            .collect()
    }

    /// Asks once more for creations whose answers were lost, where their providers know them by their
    /// tokens: whatever came of the first call, the answer names the one instance.
    ///
    /// The very same is asked for, or nothing. What the flavor makes of a specification may depend on
    /// all of it, so that after a commit there is no asking again: those are found in a list.
    pub(crate) fn ask_again(&mut self) {
        if self.memory.creation.stopped(&self.spec.hash).is_some() {
            return;
        }
        let revision = self.memory.revision;
        let mut due = Vec::new();
        for (number, intent) in &self.memory.intents {
            if intent.doubt.is_none() {
                continue;
            }
            let same = intent
                .content
                .filter(|content| content.revision == revision);
            let Some(content) = same.filter(|_| intent.hash == self.spec.hash) else {
                continue;
            };
            let behaviour = self.config.behaviour(&intent.plugin);
            match intent.asked_again_at(behaviour) {
                Some(at) if at > self.now => due.push((*number, content, Some(at))),
                Some(_) => due.push((*number, content, None)),
                None => {}
            }
        }
        let intents = self.memory.intents.values();
        let mut doubted = intents.filter(|intent| intent.doubt.is_some()).count();
        for (number, content, later) in due {
            if let Some(at) = later {
                self.wake(at);
                continue;
            }
            let Some(intent) = self.memory.intents.get(&number).cloned() else {
                continue;
            };
            let token = Token::new(&self.memory.nonce, number);
            let right = match self.ledger.ask_again((&token, &intent.plugin), doubted) {
                Ok(right) => right,
                Err(refusal) => {
                    self.refused(refusal);
                    continue;
                }
            };
            self.actions.push(Action::Provision(Provision {
                tags: self.new_tags(&intent.hash, &token, intent.logical_id.as_ref()),
                token,
                logical_id: intent.logical_id.clone(),
                hash: intent.hash.clone(),
                cause: Cause::Missing,
                sequence: content.sequence,
                asked: Asked::Again,
                right,
            }));
            if let Some(intent) = self.memory.intents.get_mut(&number) {
                intent.again.times += 1;
                intent.doubt = None;
                doubted -= 1;
            }
        }
    }
}
