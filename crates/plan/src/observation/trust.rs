//! How far the lists of a plugin are believed: what it declares of them, and what the group's operator
//! says.

use std::time::Duration;

use infrakit_spi::behaviour::{AbsentProof, Behaviour, Completeness};

use super::tomb::ToldBy;
use crate::Share;
use crate::guards::Guard;
use crate::spec::LossPolicy;

/// Up to so many are believed to be gone in the smallest group, too: of one or two no second set
/// can be made that is worth a wait.
pub(super) const FEW: usize = 2;

/// What a list that succeeds proves of those that it lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing.
    #[default]
    None,
    /// That they are gone, in domains of which it shows somebody.
    PerDomain,
    /// That they are gone.
    Whole,
}

/// No second look ends a doubt that lasts for so long.
const FOREVER: Duration = Duration::MAX;

/// How far the lists of a plugin are believed that lack many members of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    pub(super) proof: Proof,
    /// So many of a group, or of a domain, are believed to be gone at once.
    at_once: Share,
    /// How much later a second list has to be asked for that confirms a first one.
    confirm: Duration,
    /// How much later a second list has to be asked for that confirms the loss of any member, be it a
    /// single one; `None` where one list proves it.
    twice: Option<Duration>,
    /// After how long it is believed that nobody is there any more.
    pub(super) silence: Duration,
    /// The tag or property that names the domain of a member.
    pub(super) domain_of: String,
    /// The tag or property that tells two lives of an id apart.
    pub(super) incarnation_field: String,
    /// Whether an id that is gone may be that of another one later.
    pub(super) reuses_ids: bool,
    /// Whether lists show what creation an instance came of.
    pub(super) shows_tokens: bool,
}

impl Default for Trust {
    fn default() -> Self {
        Self::of(&Behaviour::default(), &LossPolicy::default())
    }
}

impl Trust {
    /// Works it out from what the plugin declares and what the group's operator says, who wins.
    #[must_use]
    pub fn of(behaviour: &Behaviour, policy: &LossPolicy) -> Self {
        let durable = behaviour.list.durable == Some(true);
        Self {
            proof: match behaviour.list.complete {
                Completeness::Yes if durable => Proof::Whole,
                Completeness::PerDomain if durable => Proof::PerDomain,
                Completeness::Yes
                | Completeness::PerDomain
                | Completeness::Unknown
                | Completeness::Undeclared => Proof::None,
            },
            at_once: policy.at_once(),
            confirm: policy.confirm_after.unwrap_or_else(|| behaviour.list_lag()),
            twice: match behaviour.proof_of_absence() {
                AbsentProof::ListComplete | AbsentProof::Undeclared => None,
                // Nobody can be looked up by id: it takes two lists where only that would prove it.
                AbsentProof::GetNotFound | AbsentProof::BothTwice => {
                    let window = behaviour.absence_window();
                    Some(policy.confirm_after.unwrap_or(window))
                }
                AbsentProof::Never => Some(FOREVER),
            },
            silence: policy.silent_after(),
            domain_of: behaviour.domain_of.clone().unwrap_or_default(),
            incarnation_field: behaviour.id.incarnation_field.clone().unwrap_or_default(),
            reuses_ids: behaviour.reuses_ids(),
            shows_tokens: behaviour.shows_tokens(),
        }
    }

    /// Returns whether a list proves by itself that who is not in it is gone.
    pub(super) fn is_proof(&self) -> bool {
        self.proof == Proof::Whole || !Guard::Losses.stands()
    }

    /// Returns for how long it is doubted that so many are gone.
    pub(super) fn wait(&self, tally: Tally) -> Option<Duration> {
        if self.is_proof() {
            None
        } else if tally.is_silent() {
            Some(self.silence)
        } else {
            let beyond = self.proof == Proof::None && tally.is_beyond(self);
            beyond.then_some(self.confirm)
        }
    }

    /// Returns for how long the loss of any member is doubted, however few there are.
    pub(super) fn least(&self) -> Option<Duration> {
        self.twice.filter(|_| Guard::Losses.stands())
    }

    /// Returns who told that a member is gone which its plugin calls so. Where each id is given once there
    /// is no doubt: a list that shows it in another state is from before.
    pub(super) fn told_gone(&self) -> ToldBy {
        if self.reuses_ids {
            ToldBy::List
        } else {
            ToldBy::Plugin
        }
    }

    fn limit(&self, members: usize) -> usize {
        let share = self.at_once.floor(members as u64);
        FEW.max(usize::try_from(share).unwrap_or(usize::MAX))
    }
}

/// Members of a domain, or of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) lost: usize,
    pub(super) shown: usize,
    /// Those among them that no list has shown before one lacked those that are lost.
    pub(super) fresh: usize,
    /// Those that were made so lately that no list has shown them, and that this one lacks as well.
    pub(super) young: usize,
    /// Missing beside them: those that were asked to go, and those that were lost shortly before.
    pub(super) before: usize,
    /// Whether some were lost shortly before, and nobody was shown since.
    pub(super) again: bool,
}

impl Tally {
    pub(super) fn is_silent(self) -> bool {
        let had = self.lost + self.young + self.before;
        self.shown == self.fresh && (had > FEW || self.again)
    }

    fn is_beyond(self, trust: &Trust) -> bool {
        // Whoever comes to light with such a list is none of those of whom so many are missing.
        self.lost > trust.limit(self.lost + self.young + self.shown - self.fresh)
    }
}
