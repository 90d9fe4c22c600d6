//! What is kept of a member that went lately, for lists that may still show it.

use std::collections::BTreeMap;

use infrakit_spi::instance::Domains;

use super::key::Key;
use super::member::Birth;
use crate::Timestamp;

/// Who told that a member is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToldBy {
    /// A list that lacks it, or that calls it gone. Of two lists either may be the older one.
    List,
    /// Its plugin: by the answer to its destruction, where it answers when that is done, or by calling
    /// it gone, where it gives no id twice.
    Plugin,
}

/// A member that went lately.
#[derive(Clone, Debug)]
pub(super) struct Tomb {
    /// When the list was asked for that told, or when the answer came.
    pub(super) since: Timestamp,
    pub(super) birth: Birth,
    pub(super) told: ToldBy,
    /// Whether nobody had asked it to go: nothing but that one list speaks for its end.
    pub(super) unasked: bool,
    /// The domain in which it was; empty where nobody knows. A list that covers others tells nothing of it.
    pub(super) domain: String,
}

/// One that is gone, and that lists go on showing.
#[derive(Clone, Debug)]
pub(super) struct Dead {
    pub(super) birth: Birth,
    /// The domain in which it was; empty where nobody knows.
    pub(super) domain: String,
}

/// How an id was given to another group.
#[derive(Clone, Copy, Debug)]
pub struct GivenAway {
    /// By when.
    pub since: Timestamp,
    /// The number of the first creation of the former group that had not begun then: what that one or a
    /// later one made has the id by now.
    pub before: u64,
}

/// Returns whether a list of a part of the world, or of everything, tells of a domain. One that nobody knows
/// may be elsewhere.
pub(super) fn tells_of(covers: Option<&Domains>, domain: &str) -> bool {
    covers.is_none_or(|covers| !domain.is_empty() && covers.contains(domain))
}

impl Tomb {
    /// Returns whether it is one that came to be like this that went, and not another one that was given
    /// its id.
    pub(super) fn is_of(&self, shown: &Birth) -> bool {
        self.birth.is_same(shown)
    }
}

/// Those that went lately of a group that is gone. Lists may show them to the next group of its id.
#[derive(Clone, Debug)]
pub struct Buried {
    pub(super) tombs: BTreeMap<Key, Tomb>,
    /// A list that is asked for later than this shows none of them.
    pub(super) until: Timestamp,
}

impl Buried {
    /// Returns whether lists that are asked for from now on show none of them.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now > self.until
    }
}
