//! How many members a group has, and how far they are.

use crate::core::Group;

/// Numbers of members that stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::core) struct Census {
    /// All of them.
    pub(in crate::core) total: usize,
    /// Those of the configuration in force.
    pub(in crate::core) updated: usize,
    /// Those of them that have proved themselves.
    pub(in crate::core) ready: usize,
}

impl Census {
    /// Counts the members of a group.
    pub(in crate::core) fn of(group: &Group) -> Self {
        let mut census = Self::default();
        for member in group.seen.members().filter(|member| member.stays()) {
            census.total += 1;
            if member.matches(&group.spec.hash) {
                census.updated += 1;
                census.ready += usize::from(member.health.proved(&group.spec.updating));
            }
        }
        census
    }
}
