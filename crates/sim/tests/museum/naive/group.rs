//! What the naive controller knows of a group.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_plan::{Spec, Timestamp};
use infrakit_sim::controller::Ticket;
use infrakit_spi::flavor::Health;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::Description;
use infrakit_spi::{InstanceId, tags};

/// A group, as the naive controller sees it.
pub(super) struct Group {
    pub(super) raw: GroupSpec,
    pub(super) spec: Spec,
    /// The spec, letter by letter.
    pub(super) text: String,
    /// Whether the text is what members are compared by.
    pub(super) by_text: bool,
    pub(super) members: BTreeMap<InstanceId, Member>,
    /// Members that lists show and that count as gone.
    pub(super) ignored: BTreeSet<InstanceId>,
    pub(super) listed: bool,
    /// Creations that are not answered, and since when.
    pub(super) begun: BTreeMap<Ticket, Timestamp>,
    /// Creations whose answer was lost, and until when they count.
    pub(super) doubtful: Vec<(String, Timestamp)>,
    pub(super) destroying: bool,
    /// The spec in force before.
    pub(super) former: Option<(GroupSpec, Spec)>,
    /// Whether it goes back.
    pub(super) back: bool,
    /// When the spec came into force.
    pub(super) since: Timestamp,
    /// A size to keep until all are new.
    pub(super) kept: Option<u64>,
    /// Whether that size is kept for good.
    pub(super) lost: bool,
    /// Whether nothing is rolled until the next commit.
    pub(super) frozen: bool,
    pub(super) paused: bool,
    /// Whether it was not committed in this life.
    pub(super) fresh: bool,
    pub(super) locked: bool,
    pub(super) was_whole: bool,
    pub(super) stage: usize,
    pub(super) failures: u32,
    pub(super) retry: Timestamp,
    pub(super) stopped: bool,
    pub(super) held: BTreeSet<InstanceId>,
    /// Members to replace whatever they are made of.
    pub(super) condemned: BTreeSet<InstanceId>,
    /// What it did or heard last.
    pub(super) said: String,
}

impl Group {
    pub(super) fn new(raw: GroupSpec, spec: Spec, now: Timestamp) -> Self {
        Self {
            text: raw
                .properties
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            raw,
            spec,
            by_text: false,
            members: BTreeMap::new(),
            ignored: BTreeSet::new(),
            listed: false,
            begun: BTreeMap::new(),
            doubtful: Vec::new(),
            destroying: false,
            former: None,
            back: false,
            since: now,
            kept: None,
            lost: false,
            frozen: false,
            paused: false,
            fresh: false,
            locked: false,
            was_whole: false,
            stage: 0,
            failures: 0,
            retry: Timestamp::default(),
            stopped: false,
            held: BTreeSet::new(),
            condemned: BTreeSet::new(),
            said: String::new(),
        }
    }

    pub(super) fn matches(&self, member: &Member) -> bool {
        if self.by_text {
            return member.text == self.text;
        }
        let hash = member.hash();
        let alike = hash == Some(self.spec.hash.as_str()) || hash == Some(tags::BOOTSTRAP);
        alike && !self.condemned.contains(&member.description.id)
    }

    /// Returns the size that it keeps now.
    pub(super) fn size(&self) -> usize {
        let size = self.kept.unwrap_or_else(|| self.spec.size.count());
        usize::try_from(size).unwrap_or(usize::MAX)
    }

    pub(super) fn under_way(&self) -> usize {
        self.begun.len() + self.doubtful.len()
    }

    pub(super) fn outdated(&self) -> usize {
        let members = self.members.values();
        members.filter(|one| !self.matches(one)).count()
    }

    /// Returns whether so many members are there and none is on its way.
    pub(super) fn is_whole(&self, target: usize) -> bool {
        let leaving = self.members.values().any(|one| one.leaving);
        self.under_way() == 0 && !leaving && self.members.len() == target
    }
}

pub(super) struct Member {
    pub(super) description: Description,
    pub(super) leaving: bool,
    pub(super) bad: u32,
    pub(super) health: Health,
    pub(super) since: Timestamp,
    pub(super) repaired: bool,
    pub(super) text: String,
}

impl Member {
    pub(super) fn new(description: Description, text: &str, now: Timestamp) -> Self {
        Self {
            description,
            leaving: false,
            bad: 0,
            health: Health::Unknown,
            since: now,
            repaired: false,
            text: text.to_owned(),
        }
    }

    pub(super) fn judged(&mut self, verdict: Health) {
        self.health = verdict;
        let sick = self.health == Health::Unhealthy;
        self.bad = if sick { self.bad + 1 } else { 0 };
    }

    pub(super) fn hash(&self) -> Option<&str> {
        self.description.tags.as_ref().and_then(tags::config_hash)
    }

    pub(super) fn identity(&self) -> Option<&str> {
        let label = self.description.tags.as_ref();
        let label = label.and_then(|tags| tags.get(tags::LOGICAL_ID));
        let own = self.description.logical_id.as_ref();
        label
            .map(String::as_str)
            .or_else(|| own.map(|id| id.as_str()))
    }
}
