//! What follows from a declaration, with the value that is safe where nothing is declared.
//!
//! None of it depends on where the plugin runs: one in this process may stand before a provider
//! that is as slow as any other.

use std::time::Duration;

use super::{
    AbsentProof, AnswerMeans, Behaviour, Completeness, IdempotencyKind, Limit, Meaning, Operation,
    Reuse, Seconds,
};
use crate::FailureClass;

/// The limit of a call: for so long the answer of one is waited for. Nothing can be said of a creation
/// of which nothing is declared before that time has passed since it began.
pub const CREATION: Duration = Duration::from_secs(600);

/// How often the declared 99th percentile a creation may take that nobody said when to give up.
/// Times of providers have long tails: of bare metal twice the 99th percentile was measured.
const TAIL: u32 = 3;

/// After how long a finished creation shows in the lists of a plugin that declares nothing: the
/// usual client timeout, within which answers and lists of the original's plugins come.
pub const VISIBILITY: Duration = Duration::from_secs(15);

/// By how much a list of a plugin that declares nothing may go back behind an earlier one: copies
/// of a store that follow each other are rarely more than five seconds apart, and of two lists each
/// may come from one that is behind.
pub const RELAPSE: Duration = Duration::from_secs(10);

/// How much later a second list has to be asked for, to confirm what a first one lacks.
pub const LAG: Duration = Duration::from_secs(2);

/// After how long a destruction hangs of which nothing is declared: clouds take five minutes in 99
/// of 100 cases, and controllers that wait for them usually give a quarter of an hour.
pub const STUCK: Duration = Duration::from_secs(900);

fn or(declared: Option<Seconds>, undeclared: Duration) -> Duration {
    declared.map_or(undeclared, Seconds::duration)
}

impl Operation {
    /// Returns whether what is said of this kind of call is about calls of `op`.
    #[must_use]
    pub fn covers(self, op: Self) -> bool {
        self == op || self == Self::All
    }
}

impl Behaviour {
    /// Returns for how long after it began a creation may still come true.
    ///
    /// ```
    /// use infrakit_spi::behaviour::{Behaviour, defaults};
    ///
    /// assert_eq!(Behaviour::default().creation_limit(), defaults::CREATION);
    /// ```
    #[must_use]
    pub fn creation_limit(&self) -> Duration {
        let usual = self
            .create
            .running_p99
            .map_or(Duration::ZERO, |p99| p99.duration().saturating_mul(TAIL));
        or(self.create.give_up, CREATION.max(usual))
    }

    /// Returns how long a creation takes until the instance runs, in 99 of 100 cases; `None` when
    /// nobody said.
    #[must_use]
    pub fn creation_usually(&self) -> Option<Duration> {
        self.create.running_p99.map(Seconds::duration)
    }

    /// Returns whether an instance is known to exist when its creation is answered.
    #[must_use]
    pub fn answer_is_existence(&self) -> bool {
        match self.create.answer_means {
            AnswerMeans::Exists | AnswerMeans::Running => true,
            AnswerMeans::Accepted | AnswerMeans::Undeclared => false,
        }
    }

    /// Returns for how long after its beginning a creation can simply be asked for again with the
    /// same token and answers with the same instance; `None` where that would make a second one.
    ///
    /// A name or a unique id chosen by the caller cannot be made twice, but the second call is
    /// refused: what is there has to be found in a list.
    #[must_use]
    pub fn asks_again_within(&self) -> Option<Duration> {
        match self.idempotency.kind {
            IdempotencyKind::Token | IdempotencyKind::RequestId => {
                // Not said for how long: not longer than the creation itself may take.
                Some(or(self.idempotency.ttl, self.creation_limit()))
            }
            IdempotencyKind::Name
            | IdempotencyKind::CallerUuid
            | IdempotencyKind::None
            | IdempotencyKind::Undeclared => None,
        }
    }

    /// Returns whether lists show what creation an instance came of; so where nothing is declared, as the
    /// plugins of the original keep all tags.
    #[must_use]
    pub fn shows_tokens(&self) -> bool {
        self.token_readable.unwrap_or(true)
    }

    /// Returns for how long after it was finished lists may lack a creation.
    #[must_use]
    pub fn visibility(&self) -> Duration {
        or(self.visibility_window.list, VISIBILITY)
    }

    /// Returns for how long after its answer a creation may go on. One that was only accepted may come
    /// true for as long as a creation may take.
    #[must_use]
    pub fn goes_on_after_answer(&self) -> Duration {
        match self.create.answer_means {
            AnswerMeans::Accepted => self.creation_limit(),
            AnswerMeans::Exists | AnswerMeans::Running | AnswerMeans::Undeclared => Duration::ZERO,
        }
    }

    /// Returns for how long after it was finished lists may show the tags as they were before.
    #[must_use]
    pub fn tag_visibility(&self) -> Duration {
        or(self.visibility_window.tag, self.visibility())
    }

    /// Returns by how much a list may go back behind an earlier one.
    #[must_use]
    pub fn relapse(&self) -> Duration {
        or(self.list.relapse, RELAPSE)
    }

    /// Returns how much later a second list has to be asked for to confirm a first one.
    #[must_use]
    pub fn list_lag(&self) -> Duration {
        or(self.list.lag, LAG)
    }

    /// Returns whether a list that lacks many at once is believed: it shows everything or fails,
    /// and the plugin does not forget.
    #[must_use]
    pub fn list_is_proof(&self) -> bool {
        self.list.complete == Completeness::Yes && self.list.durable == Some(true)
    }

    /// Returns what proves that an instance is gone; a complete list where nothing is declared, as
    /// plugins of the original can do nothing else. Pages that need not show one moment may pass over one
    /// that is there: it takes two lists.
    #[must_use]
    pub fn proof_of_absence(&self) -> AbsentProof {
        let counted = self.list.page.is_some() && self.list.complete != Completeness::Yes;
        match self.absent_proof {
            AbsentProof::Undeclared if counted => AbsentProof::BothTwice,
            AbsentProof::Undeclared => AbsentProof::ListComplete,
            declared => declared,
        }
    }

    /// Returns how much later a second look has to come that confirms that an instance is absent: what
    /// the first one lacked shows by then.
    #[must_use]
    pub fn absence_window(&self) -> Duration {
        let looked_up = or(self.visibility_window.get, Duration::ZERO);
        self.visibility().max(looked_up).max(self.list_lag())
    }

    /// Returns for how long the dead are still listed; none where nothing is declared.
    #[must_use]
    pub fn dead_are_listed(&self) -> Duration {
        or(self.tombstone, Duration::ZERO)
    }

    /// Returns whether an id may be given again; it may where nothing is declared.
    #[must_use]
    pub fn reuses_ids(&self) -> bool {
        match self.id.reused {
            Reuse::Never => false,
            Reuse::AfterDelete | Reuse::Always | Reuse::Undeclared => true,
        }
    }

    /// Returns whether ids are those of machines, so that one that was listed before is what a creation
    /// may be answered with.
    #[must_use]
    pub fn gives_out_machines(&self) -> bool {
        self.id.reused == Reuse::Always
    }

    /// Returns whether the answer of a destruction only means that it was begun; so where nothing
    /// is declared.
    #[must_use]
    pub fn destroys_later(&self) -> bool {
        self.destroy.asynchronous.unwrap_or(true)
    }

    /// Returns after how long a destruction that has not happened hangs.
    #[must_use]
    pub fn destruction_stuck(&self) -> Duration {
        let usual = self
            .destroy
            .p99
            .map_or(Duration::ZERO, |p99| p99.duration().saturating_mul(TAIL));
        or(self.destroy.stuck, STUCK.max(usual))
    }

    /// Returns whether the plugin says of an instance that it is still being made.
    #[must_use]
    pub fn tells_creating(&self) -> bool {
        let mut meanings = self.states.values();
        meanings.any(|meaning| *meaning == Meaning::Creating)
    }

    /// Returns what the provider's word for a state means, in upper or lower case; `None` where
    /// nothing is declared.
    #[must_use]
    pub fn meaning(&self, state: &str) -> Option<Meaning> {
        let same = |one: &&String| one.eq_ignore_ascii_case(state);
        if self.tombstone_states.iter().find(same).is_some() {
            return Some(Meaning::Gone);
        }
        let mut states = self.states.iter();
        states
            .find(|(word, _)| word.eq_ignore_ascii_case(state))
            .map(|(_, meaning)| *meaning)
    }

    /// Returns the limits that calls of the kind `op` draw from.
    pub fn limits_of(&self, op: Operation) -> impl Iterator<Item = &Limit> {
        self.limits
            .iter()
            .filter(|limit| limit.op != Operation::Undeclared)
            .filter(move |limit| limit.op.covers(op))
    }

    /// Returns the class that is declared for a failure with this message: that of the longest
    /// declared word which the message contains.
    #[must_use]
    pub fn class_of(&self, message: &str) -> Option<FailureClass> {
        self.errors
            .iter()
            .filter(|(word, _)| !word.is_empty() && message.contains(word.as_str()))
            .max_by_key(|(word, _)| word.len())
            .map(|(_, class)| *class)
    }
}
