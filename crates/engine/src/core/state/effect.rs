//! What goes into the core and what comes out of it.

use std::sync::Arc;

use infrakit_plan::{Birth, CallKind, Provision, Reason, Spec, Timestamp};
use infrakit_spi::behaviour::Behaviour;
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Fingerprint, Listing, Locality, Repaired};
use infrakit_spi::{Error, GroupId, InstanceId, PluginName, Tags};
use infrakit_store::{Change, Durability, StoreError};

use crate::records::TERM;

/// A group in one of its lives. A group that is freed and committed anew is another target, so
/// that answers meant for the former one do not confuse the latter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The group.
    pub group: GroupId,
    /// The nonce of its record.
    pub nonce: Arc<str>,
}

/// The member that a call is about. Ids are only unique within one plugin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The group.
    pub target: Target,
    /// The plugin that the member lives on.
    pub plugin: PluginName,
    /// The member.
    pub id: InstanceId,
    /// What is known of how it came to be. Its plugin may give its id to another one before the answer
    /// comes.
    pub birth: Birth,
    /// Number of the first creation that was begun after the call: what that made is another one.
    pub before: u64,
}

/// What came of asking for a list.
#[derive(Debug)]
pub struct ListAnswer {
    /// The plugin.
    pub plugin: PluginName,
    /// When it was asked for.
    pub started: Timestamp,
    /// Where the plugin runs.
    pub locality: Locality,
    /// The list.
    pub outcome: Result<Listing, Error>,
}

/// What came of a creation.
#[derive(Debug)]
pub struct CreationAnswer {
    /// The group.
    pub target: Target,
    /// Number of the intent.
    pub number: u64,
    /// The plugin that was called.
    pub plugin: PluginName,
    /// When the call was made.
    pub begun: Timestamp,
    /// The instance.
    pub outcome: Result<Box<Description>, Error>,
}

/// Why a journal entry is not in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// Another controller leads by now: nothing of this one is written any more.
    Deposed,
    /// The store refused it, or could not write it.
    Failed(String),
}

impl NotWritten {
    /// Tells from a store's answer why an entry is not in it.
    #[must_use]
    pub fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Conflict { key, .. } if key.as_str() == TERM => Self::Deposed,
            other => Self::Failed(chain(other)),
        }
    }
}

impl std::fmt::Display for NotWritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deposed => f.write_str("another controller has taken the lead"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A plugin says that its list may have changed.
    Changed {
        /// The plugin.
        plugin: PluginName,
    },
    /// A plugin in another process began or ceased to tell of changes.
    Watched {
        /// The plugin.
        plugin: PluginName,
        /// Whether it does.
        watched: bool,
    },
    /// A plugin said how its provider behaves, or something that cannot be read. Whoever drives the
    /// core asks before the first list of a plugin, and when it was found anew.
    Behaves {
        /// The plugin, with the type.
        plugin: PluginName,
        /// What it declares, or why that cannot be read.
        behaviour: Result<Box<Behaviour>, String>,
    },
    /// A list came, or did not.
    Listed(ListAnswer),
    /// A journal entry was written, or was not.
    Journaled {
        /// The entry.
        batch: u64,
        /// Whether it is in the store.
        outcome: Result<(), NotWritten>,
    },
    /// A creation was answered, or its answer is lost.
    Provisioned(CreationAnswer),
    /// A destruction was answered, or its answer is lost.
    Destroyed {
        /// The member.
        subject: Subject,
        /// Whether it was accepted.
        outcome: Result<(), Error>,
    },
    /// The controller's own member was drained, or was not.
    Drained {
        /// The member.
        subject: Subject,
        /// Whether it was.
        outcome: Result<(), Error>,
    },
    /// A step of repair was answered, or its answer is lost.
    Repaired {
        /// The member.
        subject: Subject,
        /// Whether it was taken.
        outcome: Result<Repaired, Error>,
    },
    /// Labels were written, or were not.
    Labelled {
        /// The member.
        subject: Subject,
        /// Whether they were.
        outcome: Result<(), Error>,
    },
    /// A verdict on a member's health came, or did not.
    Checked {
        /// The member.
        subject: Subject,
        /// The verdict.
        outcome: Result<Health, Error>,
    },
}

/// A call of a plugin on behalf of a group.
#[derive(Debug)]
pub enum Call {
    /// Prepare and create an instance.
    Provision {
        /// The group.
        target: Target,
        /// Number of the intent.
        number: u64,
        /// The configuration to make it from, and so the plugin that makes it.
        spec: Arc<Spec>,
        /// What identifies it.
        provision: Provision,
    },
    /// Drain and destroy an instance.
    Destroy {
        /// The member.
        subject: Subject,
        /// The instance.
        description: Arc<Description>,
        /// The configuration it was made from.
        spec: Arc<Spec>,
        /// Why.
        reason: Reason,
        /// What to do about draining it.
        drain: infrakit_plan::Drain,
        /// How far its departure had come before.
        former: Option<infrakit_plan::Departure>,
        /// Whether it was counted against the rollout that it goes.
        blamed: bool,
    },
    /// Drain an instance, and leave it at that.
    Drain {
        /// The member.
        subject: Subject,
        /// The instance.
        description: Arc<Description>,
        /// The configuration it was made from.
        spec: Arc<Spec>,
    },
    /// Ask for a step of repair.
    Repair {
        /// The member.
        subject: Subject,
        /// The step, such as `reboot`.
        step: String,
    },
    /// Put labels on an instance.
    Label {
        /// The member.
        subject: Subject,
        /// The labels.
        labels: Tags,
    },
    /// Ask for the health of an instance.
    Check {
        /// The member.
        subject: Subject,
        /// The instance.
        description: Arc<Description>,
        /// The configuration it was made from.
        spec: Arc<Spec>,
    },
}

impl Call {
    /// Returns the kind of call, as limits know it.
    #[must_use]
    pub fn kind(&self) -> CallKind {
        match self {
            Self::Provision { .. } => CallKind::Create,
            Self::Destroy { .. } => CallKind::Destroy,
            Self::Label { .. } => CallKind::Label,
            Self::Drain { .. } | Self::Repair { .. } | Self::Check { .. } => CallKind::Other,
        }
    }

    /// Returns the member that it changes something about; `None` where it makes one, or only asks.
    pub(in crate::core) fn changes(&self) -> Option<&Subject> {
        match self {
            Self::Destroy { subject, .. }
            | Self::Drain { subject, .. }
            | Self::Repair { subject, .. }
            | Self::Label { subject, .. } => Some(subject),
            Self::Provision { .. } | Self::Check { .. } => None,
        }
    }
}

/// Something for the shell to do.
#[derive(Debug)]
pub enum Effect {
    /// Ask a plugin for a list.
    List {
        /// The plugin.
        plugin: PluginName,
        /// Tags that every listed instance carries.
        filter: Tags,
        /// Fingerprint of the last list.
        seen: Option<Fingerprint>,
        /// When it is asked for; to be given back with the answer.
        started: Timestamp,
    },
    /// Write to the store, then say so.
    Journal {
        /// The entry, to be given back with the answer.
        batch: u64,
        /// What to write.
        changes: Vec<Change>,
        /// How firmly.
        durability: Durability,
    },
    /// Call a plugin.
    Call(Call),
}
