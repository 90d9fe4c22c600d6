//! How a provider behaves, as far as a group controller has to know: what an instance plugin
//! declares, per type.
//!
//! All of it is optional, and `Behaviour::default()` is a plugin that declares nothing. The names on
//! the wire are snake case, times are seconds. What follows from it, with the value that is safe
//! where nothing is declared, is in [`defaults`]; what is refused as nonsense in [`check`].

pub mod check;
pub mod defaults;
mod merge;
mod seconds;

use std::collections::BTreeMap;

pub use check::Nonsense;
pub use merge::Facts;
pub use seconds::Seconds;

use crate::{FailureClass, Omit, wire_struct, words};

wire_struct! {
    /// How a provider behaves.
    #[derive(PartialEq)]
    pub struct Behaviour {
        /// What a second creation with the same token does.
        pub idempotency: Idempotency => "idempotency" omit,
        /// Whether the token of an instance can be read from a list.
        pub token_readable: Option<bool> => "token_readable" omit,
        /// How creations go.
        pub create: Create => "create" omit,
        /// After how long a finished creation shows.
        pub visibility_window: Visibility => "visibility_window_s" omit,
        /// What lists are like.
        pub list: List => "list" omit,
        /// What proves that an instance is gone.
        pub absent_proof: AbsentProof => "absent_proof" omit,
        /// How long the dead are still listed.
        pub tombstone: Option<Seconds> => "tombstone_s" omit,
        /// The provider's words for the dead that are still listed.
        pub tombstone_states: Vec<String> => "tombstone_states" omit,
        /// What ids are like.
        pub id: Id => "id" omit,
        /// How destructions go.
        pub destroy: Destroy => "destroy" omit,
        /// How many calls the provider takes.
        pub limits: Vec<Limit> => "limits" omit,
        /// What the provider's words for the state of an instance mean.
        pub states: BTreeMap<String, Meaning> => "states" omit,
        /// The tag, or else the property, that names the domain (zone, host, rack) of an instance.
        pub domain_of: Option<String> => "domain_of" omit,
        /// How many calls at once are safe.
        pub safe_parallel: Parallel => "safe_parallel" omit,
        /// The class of failures whose message contains a word of the provider.
        pub errors: BTreeMap<String, FailureClass> => "errors" omit,
    }
}

wire_struct! {
    /// What a second creation with the same token does.
    #[derive(PartialEq)]
    pub struct Idempotency {
        /// What the provider recognises it by.
        pub kind: IdempotencyKind => "kind" omit,
        /// Where it recognises it, such as `zone`, `region`, `project`, `host`.
        pub scope: Option<String> => "scope" omit,
        /// For how long, from the first call on.
        pub ttl: Option<Seconds> => "ttl_s" omit,
    }
}

words! {
    /// What a provider recognises a creation by that it was asked for before.
    #[derive(Default)]
    pub enum IdempotencyKind {
        /// Not declared.
        #[default]
        Undeclared = "",
        /// The token of the creation.
        Token = "token",
        /// An id of the request that is made from the token.
        RequestId = "request_id",
        /// A name that is made from the token, of which there is only one.
        Name = "name",
        /// A unique id of the instance that the caller chooses, made from the token.
        CallerUuid = "caller_uuid",
        /// Nothing: asked twice, it makes two.
        None = "none",
    }
}

wire_struct! {
    /// How creations go.
    #[derive(PartialEq)]
    pub struct Create {
        /// What is there when the answer comes.
        pub answer_means: AnswerMeans => "answer_means" omit,
        /// How long it takes until the instance runs, in half of all cases.
        pub running_p50: Option<Seconds> => "running_p50_s" omit,
        /// How long it takes until the instance runs, in 99 of 100 cases.
        pub running_p99: Option<Seconds> => "running_p99_s" omit,
        /// After how long a creation that has not come true never will.
        pub give_up: Option<Seconds> => "give_up_s" omit,
    }
}

words! {
    /// What is there when a creation is answered.
    #[derive(Default)]
    pub enum AnswerMeans {
        /// Not declared.
        #[default]
        Undeclared = "",
        /// The request was taken; the instance may come to be, or not.
        Accepted = "accepted",
        /// The instance exists; it may not run yet.
        Exists = "exists",
        /// The instance runs.
        Running = "running",
    }
}

wire_struct! {
    /// After how long a finished creation, or a change of tags, shows.
    #[derive(PartialEq)]
    pub struct Visibility {
        /// In a look-up by id.
        pub get: Option<Seconds> => "get" omit,
        /// In lists.
        pub list: Option<Seconds> => "list" omit,
        /// In the tags.
        pub tag: Option<Seconds> => "tag" omit,
    }
}

wire_struct! {
    /// What lists are like.
    #[derive(PartialEq)]
    pub struct List {
        /// By how much lists are behind the truth.
        pub lag: Option<Seconds> => "lag_s" omit,
        /// By how much a list may go back behind an earlier one.
        pub relapse: Option<Seconds> => "relapse_s" omit,
        /// Whether a list that succeeds shows everything.
        pub complete: Completeness => "complete" omit,
        /// Whether what the plugin knows outlives it: started anew, it lists what it listed before.
        pub durable: Option<bool> => "durable" omit,
        /// How many instances a page may have; declared by plugins that list in pages.
        pub page: Option<u64> => "page" omit,
    }
}

words! {
    /// Whether a list that succeeds shows everything there is.
    #[derive(Default)]
    pub enum Completeness {
        /// Not declared.
        #[default]
        Undeclared = "",
        /// Nobody knows.
        Unknown = "unknown",
        /// It does, or it fails.
        Yes = "yes",
        /// Domains may be out of sight; what it shows of a domain is complete.
        PerDomain = "per_domain",
    }
}

words! {
    /// What proves that an instance is gone.
    #[derive(Default)]
    pub enum AbsentProof {
        /// Not declared.
        #[default]
        Undeclared = "",
        /// A look-up by id that does not find it.
        GetNotFound = "get_notfound",
        /// A complete list without it.
        ListComplete = "list_complete",
        /// Two looks, with the window of visibility between them.
        BothTwice = "both_twice",
        /// Nothing does.
        Never = "never",
    }
}

wire_struct! {
    /// What ids are like.
    #[derive(PartialEq)]
    pub struct Id {
        /// Whether the id of an instance that is gone is given to another.
        pub reused: Reuse => "reused" omit,
        /// The tag or property that tells two lives of an id apart.
        pub incarnation_field: Option<String> => "incarnation_field" omit,
    }
}

words! {
    /// Whether ids are given again.
    #[derive(Default)]
    pub enum Reuse {
        /// Not declared.
        #[default]
        Undeclared = "",
        /// Each id is given once.
        Never = "never",
        /// An id may be given again when its instance is gone.
        AfterDelete = "after_delete",
        /// The ids are those of machines, which are given out again and again.
        Always = "always",
    }
}

wire_struct! {
    /// How destructions go.
    #[derive(PartialEq)]
    pub struct Destroy {
        /// Whether the answer only means that it was begun.
        pub asynchronous: Option<bool> => "async" omit,
        /// How long it takes until the instance is gone, in 99 of 100 cases.
        pub p99: Option<Seconds> => "p99_s" omit,
        /// After how long one that is not gone hangs.
        pub stuck: Option<Seconds> => "stuck_s" omit,
    }
}

wire_struct! {
    /// How many calls of one kind a provider takes: a bucket that is refilled.
    #[derive(PartialEq)]
    pub struct Limit {
        /// The calls that draw from it.
        pub op: Operation => "op",
        /// How many may come at once.
        pub bucket: f64 => "bucket",
        /// How many more each second lets through.
        pub refill_per_s: f64 => "refill_per_s",
        /// The account that has the bucket; plugins and types that name the same one share it.
        pub account: Option<String> => "account" omit,
    }
}

words! {
    /// A kind of call.
    #[derive(Default)]
    pub enum Operation {
        /// Not declared, or a kind of a later release: it limits nothing.
        #[default]
        Undeclared = "",
        /// Creations.
        Create = "create",
        /// Destructions.
        Destroy = "destroy",
        /// Changes of tags.
        Label = "label",
        /// Lists.
        List = "list",
        /// All of them together.
        All = "all",
    }
}

wire_struct! {
    /// How many calls at once are safe.
    #[derive(PartialEq, Eq)]
    pub struct Parallel {
        /// Creations.
        pub create: Option<u64> => "create" omit,
        /// Destructions.
        pub destroy: Option<u64> => "destroy" omit,
    }
}

words! {
    /// What a provider's word for the state of an instance means.
    #[derive(Default)]
    pub enum Meaning {
        /// It is being made.
        Creating = "creating",
        /// It runs.
        Up = "up",
        /// It exists and does not run.
        Stopped = "stopped",
        /// It is going away.
        Leaving = "leaving",
        /// It is gone, and only still listed.
        Gone = "gone",
        /// It exists and will never work.
        Broken = "broken",
        /// The provider cannot tell. That is no evidence against the instance.
        #[default]
        Unknown = "unknown",
    }
}

/// A part that says nothing is not written.
macro_rules! omitted_when_default {
    ($($part:ty),*) => {
        $(impl Omit for $part {
            fn is_absent(&self) -> bool {
                *self == Self::default()
            }
        })*
    };
}

omitted_when_default!(
    Idempotency,
    IdempotencyKind,
    Create,
    AnswerMeans,
    Visibility,
    List,
    Completeness,
    AbsentProof,
    Id,
    Reuse,
    Destroy,
    Parallel
);

impl<K, V> Omit for BTreeMap<K, V> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

#[cfg(test)]
mod tests;
