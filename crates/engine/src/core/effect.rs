//! What goes into the core and what comes out of it.

use std::sync::Arc;

use infrakit_plan::{Provision, Reason, Spec, Timestamp};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Fingerprint, Listing, Locality};
use infrakit_spi::{Error, GroupId, InstanceId, PluginName, Tags};
use infrakit_store::{Change, Durability};

/// A group in one of its lives. A group that is freed and committed anew is another target, so
/// that answers meant for the former one do not confuse the latter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The group.
    pub group: GroupId,
    /// The nonce of its record.
    pub nonce: Arc<str>,
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
    /// When the call was made.
    pub begun: Timestamp,
    /// The instance.
    pub outcome: Result<Box<Description>, Error>,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A plugin says that its list may have changed.
    Changed {
        /// The plugin.
        plugin: PluginName,
    },
    /// A list came, or did not.
    Listed(ListAnswer),
    /// A journal entry was written, or was not.
    Journaled {
        /// The entry.
        batch: u64,
        /// Whether it is in the store.
        outcome: Result<(), String>,
    },
    /// A creation was answered, or its answer is lost.
    Provisioned(CreationAnswer),
    /// A destruction was answered, or its answer is lost.
    Destroyed {
        /// The group.
        target: Target,
        /// The instance.
        id: InstanceId,
        /// Whether it was accepted.
        outcome: Result<(), Error>,
    },
    /// Labels were written, or were not.
    Labelled {
        /// The group.
        target: Target,
        /// The instance.
        id: InstanceId,
        /// Whether they were.
        outcome: Result<(), Error>,
    },
    /// A verdict on a member's health came, or did not.
    Checked {
        /// The group.
        target: Target,
        /// The instance.
        id: InstanceId,
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
        /// The configuration to make it from.
        spec: Arc<Spec>,
        /// What identifies it.
        provision: Provision,
    },
    /// Drain and destroy an instance.
    Destroy {
        /// The group.
        target: Target,
        /// The instance.
        description: Arc<Description>,
        /// The configuration it was made from.
        spec: Arc<Spec>,
        /// Plugin that owns it.
        plugin: PluginName,
        /// Why.
        reason: Reason,
        /// What to do about draining it.
        drain: infrakit_plan::Drain,
    },
    /// Put labels on an instance.
    Label {
        /// The group.
        target: Target,
        /// The instance.
        id: InstanceId,
        /// Plugin that owns it.
        plugin: PluginName,
        /// The labels.
        labels: Tags,
    },
    /// Ask for the health of an instance.
    Check {
        /// The group.
        target: Target,
        /// The instance.
        description: Arc<Description>,
        /// The configuration it was made from.
        spec: Arc<Spec>,
    },
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
