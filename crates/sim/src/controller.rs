//! What the world knows of a controller: it asks, it hears answers, and people ask things of it.
//!
//! The words here are the world's own, so that any policy can be put into it: ours
//! ([`crate::ours`]), or a naive one that shows that a scenario can be failed.

use std::collections::BTreeSet;

use infrakit_plan::{Drain, Timestamp};
use infrakit_spi::flavor::Health;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::Repaired;
use infrakit_spi::instance::{Description, Fingerprint, Listing};
use infrakit_spi::{Any, Error, GroupId, InstanceId, LogicalId, PluginName, Tags};
use infrakit_store::{Change, Durability, Revision, Store, StoreError};

use crate::world::Traits;

/// Ties an answer to what was asked; drawn by the controller, never used twice in one life.
pub type Ticket = u64;

/// Something that a controller asks of the world.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A list of the instances of a plugin that carry these tags.
    List {
        /// The plugin.
        plugin: PluginName,
        /// The tags.
        filter: Tags,
        /// Fingerprint of the list that it has.
        seen: Option<Fingerprint>,
    },
    /// A transaction of the store.
    Write {
        /// The changes.
        changes: Vec<Change>,
        /// What it has to survive.
        durability: Durability,
    },
    /// A new instance.
    Create(Creation),
    /// The end of an instance.
    Destroy {
        /// The group that it is destroyed for.
        group: GroupId,
        /// The plugin.
        plugin: PluginName,
        /// The instance.
        id: InstanceId,
        /// What to do about draining it.
        drain: Drain,
        /// The controller's own words for why; told in stories and never trusted.
        why: String,
    },
    /// Labels on an instance.
    Label {
        /// The group that it is labelled for.
        group: GroupId,
        /// The plugin.
        plugin: PluginName,
        /// The instance.
        id: InstanceId,
        /// The labels.
        labels: Tags,
    },
    /// The health of an instance.
    Check {
        /// The group that asks.
        group: GroupId,
        /// The plugin that the instance is on.
        plugin: PluginName,
        /// The instance.
        id: InstanceId,
    },
    /// That an instance is drained, and left at that.
    Drain {
        /// The group that asks.
        group: GroupId,
        /// The plugin.
        plugin: PluginName,
        /// The instance.
        id: InstanceId,
    },
    /// A step of repair.
    Repair {
        /// The group that asks.
        group: GroupId,
        /// The plugin.
        plugin: PluginName,
        /// The instance.
        id: InstanceId,
        /// The step.
        step: String,
    },
}

/// An instance to create.
#[derive(Clone, Debug)]
pub struct Creation {
    /// The group that it is for.
    pub group: GroupId,
    /// The plugin.
    pub plugin: PluginName,
    /// Its identity.
    pub logical_id: Option<LogicalId>,
    /// Its tags.
    pub tags: Tags,
    /// What the instance plugin is to make it of.
    pub properties: Option<Any>,
    /// Its position in the group, from 0, for templates.
    pub sequence: u64,
}

/// What came of something that was asked.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A list.
    Listed(Result<Listing, Error>),
    /// The store's word.
    Written(Result<(), StoreError>),
    /// A new instance.
    Created(Result<Box<Description>, Error>),
    /// Whether a destruction, a drain or a labelling was accepted.
    Done(Result<(), Error>),
    /// Whether a step of repair was taken.
    Repaired(Result<Repaired, Error>),
    /// A verdict.
    Checked(Result<Health, Error>),
}

/// Something that a person asks of a controller.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Put a spec in force.
    Commit {
        /// Properties of the group, as JSON.
        properties: String,
    },
    /// Change the size.
    SetSize(i64),
    /// Destroy members and lower the size by their number.
    DestroyMembers(Vec<InstanceId>),
    /// Destroy the group with all its members.
    Destroy,
    /// Stop managing the group.
    Free,
    /// Stop rolling.
    Pause,
    /// Go on rolling.
    Resume,
    /// Let the next stage begin.
    Approve,
    /// End the rollout where it stands.
    Abort,
    /// Go back to a former revision; the last one when none is named.
    Rollback(Option<u64>),
    /// Never destroy, repair or roll this member.
    Hold(InstanceId),
    /// Let a member be treated as any other again.
    Release(InstanceId),
}

/// What a controller says beforehand of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// The members that will go.
    pub go: BTreeSet<InstanceId>,
    /// How many will come.
    pub come: u64,
}

/// A policy under test, in one of its lives.
///
/// Time never runs backwards within a life. Everything that is to outlive it has to be in the store.
pub trait Controller {
    /// Returns what to write to take the lead, at the very beginning of a life. The world writes it
    /// at once.
    fn claim(&mut self, _store: &dyn Store) -> Vec<Change> {
        Vec::new()
    }

    /// Takes up what the store holds; the claim was written by the transaction `claimed`.
    fn start(&mut self, store: &dyn Store, claimed: Revision, now: Timestamp);

    /// Takes in what a person asks. Returns what it leads to, or why it is refused.
    ///
    /// # Errors
    /// Returns why it is refused.
    fn operate(
        &mut self,
        group: &GroupId,
        operation: &Operation,
        nonce: &str,
        now: Timestamp,
    ) -> Result<String, String>;

    /// Takes in an answer.
    fn hear(&mut self, ticket: Ticket, answer: Answer, now: Timestamp);

    /// Takes in that time was skipped until now in which nothing could happen.
    fn idle_until(&mut self, _now: Timestamp) {}

    /// Takes in that a plugin says that its list may have changed.
    fn nudge(&mut self, plugin: &PluginName, now: Timestamp);

    /// Decides. Returns what it asks, in order.
    fn step(&mut self, now: Timestamp) -> Vec<(Ticket, Ask)>;

    /// Returns when to step again even if nothing happens.
    fn wake_at(&self) -> Option<Timestamp>;

    /// Returns whether it says that a group is as specified; `None` when it does not know the group.
    fn converged(&self, group: &GroupId) -> Option<bool>;

    /// Returns the members of a group, as it knows them.
    fn members(&self, group: &GroupId) -> Vec<InstanceId>;

    /// Returns the specs in force.
    fn specs(&self) -> Vec<GroupSpec>;

    /// Says what a commit would do; `None` when it cannot say.
    fn foresee(&self, _group: &GroupId, _properties: &str, _now: Timestamp) -> Option<Foreseen> {
        None
    }

    /// Says in a few words what it waits for, for stories.
    fn explain(&self, _group: &GroupId) -> String {
        String::new()
    }
}

/// Makes a controller, at the beginning of each life; it is told what it could know of the world
/// from its configuration.
pub type Maker = dyn Fn(&Traits) -> Box<dyn Controller>;
