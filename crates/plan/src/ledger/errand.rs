//! What steps ask the [ledger](super::budget) for, and how it says no.

use infrakit_spi::PluginName;

use crate::Scarce;
use crate::reason::Reason;

/// Why the ledger says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too few others would serve.
    Floor { available: usize, needed: usize },
    /// As many replacements are under way as may be, or there is no surplus to take from.
    Slots,
    /// There are as many members as may be, those that come and go included.
    Room,
    /// Nothing but an answer has told of the instance, and that may have named the one of somebody else.
    Unseen,
    /// There would be as many as may be, should those be back that were said to be gone.
    Unsure,
    /// The hard ceiling is reached.
    Ceiling { most: u64 },
    /// The plugin takes no more calls of this kind for now.
    Call(PluginName, Scarce),
}

/// Why a member is to go, and what the ledger has to know of it beyond its own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// The whole group goes.
    Everybody,
    /// The operator named it, and nobody is made in its place.
    Requested,
    /// The operator named it, and wants it gone whoever serves.
    RequestedNow,
    /// There are too many like members. `stand_ins` are those that were made in advance for others
    /// that are about to go.
    Surplus { stand_ins: usize },
    /// Its identity is not in the list: it makes way for those that are. `settling` are members that
    /// have yet to prove themselves.
    Unlisted { settling: usize },
    /// It could not be given an identity.
    Nameless,
    /// A better member has its identity. While that one serves, nobody is missed.
    Duplicate { better_serves: bool },
    /// It is sick. `settling` are new members that may yet prove themselves.
    Sick { settling: usize },
    /// It was made from another configuration. `settling` are new members that have yet to prove
    /// themselves, and sick ones that stand before it in line.
    Outdated { settling: usize },
    /// It was decided before, for this reason: in an earlier life, or to no avail.
    Resumed(Reason),
}

impl Refusal {
    /// Returns whether it is about one member or its plugin: others may go all the same.
    pub(crate) fn lets_others_go(&self) -> bool {
        match self {
            Self::Call(..) | Self::Unseen => true,
            Self::Floor { .. } | Self::Ceiling { .. } => false,
            Self::Slots | Self::Room | Self::Unsure => false,
        }
    }
}

impl Errand {
    /// Returns the reason that the member's destruction is told with.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Everybody => Reason::GroupDestroyed,
            Self::Requested | Self::RequestedNow => Reason::Requested,
            Self::Surplus { .. } => Reason::Surplus,
            Self::Unlisted { .. } | Self::Nameless => Reason::Unlisted,
            Self::Duplicate { .. } => Reason::Duplicate,
            Self::Sick { .. } => Reason::Unhealthy,
            Self::Outdated { .. } => Reason::Outdated,
            Self::Resumed(reason) => reason,
        }
    }
}

/// What a member means to the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stake {
    /// Whether the size is about it.
    pub(crate) working: bool,
    /// Whether it serves.
    pub(crate) serves: bool,
    /// Whether it may serve for all that is known: no verdict on it has come yet, as after a restart.
    /// Such a one is not counted on, and is not let go as one that does nothing either.
    pub(crate) silent: bool,
    /// Whether it serves and owes no proof.
    pub(crate) ready: bool,
    /// Whether it has the configuration in force.
    pub(crate) new: bool,
    /// Whether a person is to look at it first, since it came from elsewhere in mid-rollout.
    pub(crate) stranger: bool,
}

/// What a member is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// The configuration in force.
    New,
    /// The former one.
    Former,
}
