//! What can be asked of the core between two events.

use std::sync::Arc;

use infrakit_plan::{Spec, Timestamp};
use infrakit_spi::group::{GroupDescription, GroupSpec};
use infrakit_spi::{GroupId, InstanceId};

use crate::core::{Core, Group, Refused};

impl Core {
    /// Returns the revision in force; `None` for a group that is not known.
    #[must_use]
    pub fn revision(&self, id: &GroupId) -> Option<u64> {
        self.groups.get(id).map(|group| group.revision)
    }

    /// Returns the size that a group is specified to have.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn size(&self, id: &GroupId) -> Result<u64, Refused> {
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NoSize(id.clone()))?;
        Ok(group.spec.size.count())
    }

    /// Describes a group as it was last seen.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn describe(&self, id: &GroupId) -> Result<GroupDescription, Refused> {
        let group = self
            .groups
            .get(id)
            .ok_or_else(|| Refused::NotWatched(id.clone()))?;
        let instances = group
            .seen
            .members()
            .map(|member| Arc::clone(&member.description));
        let settled = group.changing == 0 && !self.dirty.contains(id);
        let converged = group.is_as_specified() && settled;
        Ok(GroupDescription {
            instances: Some(instances.collect()),
            converged,
            ..GroupDescription::default()
        })
    }

    /// Describes a group as the last list showed it, where a new one did not come for a reason.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn describe_as_listed(&self, id: &GroupId, why: &str) -> Result<GroupDescription, Refused> {
        let listed = self.listed_at(id).map(|at| self.on_wall().moment(at));
        Ok(GroupDescription {
            converged: false,
            unlisted: why.to_owned(),
            listed: listed.unwrap_or_default(),
            ..self.describe(id)?
        })
    }

    /// Returns the specs in force, by group.
    #[must_use]
    pub fn inspect(&self) -> Vec<GroupSpec> {
        let canonical = |group: &Group| GroupSpec {
            id: group.id().clone(),
            properties: Some(group.spec.canonical()),
        };
        self.groups.values().map(canonical).collect()
    }

    /// Returns the specs in force as they were committed, by group.
    #[must_use]
    pub fn committed_specs(&self) -> Vec<GroupSpec> {
        self.groups
            .values()
            .map(|group| group.raw.clone())
            .collect()
    }

    /// Returns the revisions of a group that are kept, oldest first: number, moment, and spec. The
    /// last one is in force.
    pub fn revisions(&self, id: &GroupId) -> impl Iterator<Item = (u64, Timestamp, &Spec)> {
        let revisions = self.groups.get(id).map(|group| &group.revisions);
        let revisions = revisions.into_iter().flatten();
        revisions.map(|(revision, committed)| (*revision, committed.at, committed.spec.as_ref()))
    }

    /// Returns when the last list of a group's members was started, whatever it covers: the earliest,
    /// where they live on several plugins.
    #[must_use]
    pub fn listed_at(&self, id: &GroupId) -> Option<Timestamp> {
        self.groups.get(id).and_then(|group| group.seen.looked())
    }

    /// Returns why the last list of a group's plugin that failed did, and when that was known.
    #[must_use]
    pub fn unlisted(&self, id: &GroupId) -> Option<(Timestamp, &str)> {
        let (at, message) = self.groups.get(id)?.unlisted.as_ref()?;
        Some((*at, message))
    }

    /// Returns whether any of these is still a member of the group.
    #[must_use]
    pub fn has_any(&self, id: &GroupId, instances: &[InstanceId]) -> bool {
        self.groups
            .get(id)
            .is_some_and(|group| instances.iter().any(|one| group.seen.get(one).is_some()))
    }

    /// Returns whether a group is known.
    #[must_use]
    pub fn knows(&self, id: &GroupId) -> bool {
        self.groups.contains_key(id)
    }
}
