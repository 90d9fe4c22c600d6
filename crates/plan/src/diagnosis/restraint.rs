//! What holds back creations from a configuration: their failures, and the early deaths of what
//! they made.

use infrakit_spi::hash::ConfigHash;

use crate::Timestamp;
use crate::diagnosis::crashes::{self, Crash, EARLY};
use crate::draft::Draft;
use crate::guards::Guard;
use crate::waiting::WaitingOn;

impl Draft<'_> {
    /// Returns whether nothing is to be made from a configuration for now, and says why.
    pub(crate) fn is_held_back(&mut self, hash: &ConfigHash) -> bool {
        if !Guard::Backoff.stands() {
            return false;
        }
        let creation = &self.memory.creation;
        if creation.stopped(hash).is_some() {
            self.wait(WaitingOn::Configuration);
            return true;
        }
        if let Some(until) = creation.pending(hash, self.now) {
            let failures = creation.failures();
            self.wait(WaitingOn::Backoff { until, failures });
            self.wake(until);
            return true;
        }
        self.is_on_trial(hash)
    }

    /// Returns whether as many creations from a configuration are under way as may be tried after its last
    /// failure. What became of one whose answer was lost is told by a list, and need not be waited for.
    pub(crate) fn tries_enough(&self, hash: &ConfigHash) -> bool {
        let size = self.spec.size.count();
        let tries = self.memory.creation.tries(hash, size);
        let Some((most, since)) = tries.filter(|_| Guard::Backoff.stands()) else {
            return false;
        };
        // Those begun last have the highest numbers.
        let newest = self.memory.intents.values().rev();
        let since = newest.take_while(|intent| intent.begun >= since);
        let tried = since.filter(|intent| intent.hash == *hash && intent.doubt.is_none());
        tried.take(most).count() == most
    }

    /// Returns whether members made from a configuration die early, and as many as may be are being
    /// tried, or none for now.
    pub(crate) fn is_on_trial(&mut self, hash: &ConfigHash) -> bool {
        let Some(crash) = self.memory.creation.crashes().of(hash) else {
            return false;
        };
        if !crash.loops() {
            return false;
        }
        let until = match crash.pending(self.now) {
            Some(until) => Some(until),
            None => self.tried_until(hash, crash),
        };
        let Some(until) = until else { return false };
        let last = crash.last().to_owned();
        self.wait(WaitingOn::CrashLoop { until, last });
        self.wake(until);
        true
    }

    /// Returns until when to wait for those that are being tried after a pause, where there are as
    /// many as may be.
    fn tried_until(&self, hash: &ConfigHash, crash: &Crash) -> Option<Timestamp> {
        let coming = self.memory.intents.range(crash.next()..);
        let coming = coming.filter(|(_, intent)| intent.hash == *hash).count();
        let made = self.index.tokens.range(crash.next()..);
        let made = made.filter_map(|(_, key)| self.seen.at(key));
        let made = made.filter(|member| member.matches(hash));
        let mut tried = coming as u64;
        let mut first = None::<Timestamp>;
        for member in made {
            tried += 1;
            let at = member.answered.unwrap_or(member.created) + EARLY;
            first = Some(first.map_or(at, |first| first.min(at)));
        }
        let enough = tried >= crashes::at_once(self.spec.size.count());
        let soon = self.now + EARLY;
        enough.then(|| first.filter(|at| *at > self.now).unwrap_or(soon))
    }

    /// Forgets the pauses of configurations of which a member lives, and says of which others
    /// members die early.
    pub(crate) fn judge_crashes(&mut self) {
        if self.memory.creation.crashes().is_empty() {
            return;
        }
        let looping = self.memory.creation.crashes().looping();
        let well = looping.filter(|(hash, crash)| {
            let made = self.index.tokens.range(crash.next()..);
            let mut made = made.filter_map(|(_, key)| self.seen.at(key));
            made.any(|member| {
                let listed = self.seen.listed_on(&member.plugin).unwrap_or_default();
                member.matches(hash) && crashes::lives(member, &self.spec.health, listed)
            })
        });
        let well: Vec<ConfigHash> = well.map(|(hash, _)| hash.clone()).collect();
        let crashes = self.memory.creation.crashes_mut();
        for hash in well {
            crashes.forgive(&hash);
        }
        crashes.expire(self.now);
        // Of a configuration that nothing is made from any more there is nothing to wait for.
        let former = self.memory.roll.as_ref();
        let former = former.and_then(|roll| roll.former.as_ref());
        let former = former.map(|former| former.hash.clone());
        let used = |hash: &ConfigHash| *hash == self.spec.hash || Some(hash) == former.as_ref();
        let looping = self.memory.creation.crashes().looping();
        let looping = looping.filter(|(hash, _)| used(hash));
        let said: Vec<(Timestamp, String)> = looping
            .map(|(hash, crash)| {
                let until = crash.pending(self.now);
                let until = until.or_else(|| self.tried_until(hash, crash));
                (until.unwrap_or(self.now + EARLY), crash.last().to_owned())
            })
            .collect();
        for (until, last) in said {
            self.wake(until);
            self.wait(WaitingOn::CrashLoop { until, last });
        }
    }
}
