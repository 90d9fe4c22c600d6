//! A list as it is taken in: its circumstances, how far it may be behind, and what it changed.

use std::time::Duration;

use infrakit_spi::behaviour::{Behaviour, Seconds};
use infrakit_spi::{InstanceId, PluginName};

use crate::Timestamp;
use crate::diagnosis::crashes::EarlyDeath;

/// Circumstances of a list.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The plugin that was asked.
    pub plugin: &'a PluginName,
    /// When the list was asked for.
    pub started: Timestamp,
    /// When its answer is taken in.
    pub now: Timestamp,
    /// How far it may be behind the truth.
    pub lag: Lag,
}

/// What a list changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Members that were not known before.
    pub appeared: usize,
    /// Members that are gone.
    pub vanished: usize,
    /// Members whose tags or identity changed, or that were confirmed.
    pub changed: usize,
    /// Members of the configuration in force that went without our doing before they had proved
    /// themselves.
    pub stillborn: usize,
    /// Members that went without our doing as soon as they were made.
    pub early: Vec<EarlyDeath>,
    /// Members that went because somebody had named them. Another plugin may have given the same id to
    /// one that nobody named.
    pub named: Vec<InstanceId>,
    /// How long the destructions took that the list shows as done.
    pub departed: Vec<Duration>,
    /// The list shows instances that another one lacked a moment ago, and that are not believed to be
    /// back before they could have been forgotten by it.
    pub ghosts: usize,
    /// Members of which it says what is older than what their flavors said since.
    pub outdated: usize,
    /// The list lacks a member that is too young to be missed, or members whose loss is doubted: a
    /// list started after this moment tells.
    pub look_again: Option<Timestamp>,
}

impl Seen {
    /// Returns whether anything is different.
    #[must_use]
    pub fn anything(&self) -> bool {
        let ghosts = self.ghosts;
        let nothing = Self {
            ghosts,
            ..Self::default()
        };
        *self != nothing
    }

    /// Notes that a list started after this moment tells more; the earliest such moment counts.
    pub(super) fn look_again_at(&mut self, until: Timestamp) {
        self.look_again = Some(self.look_again.map_or(until, |at| at.min(until)));
    }
}

/// How far a plugin's lists may be behind the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Behind the answer to a creation the creation itself: one that was only accepted goes on.
    pub coming: Duration,
    /// Behind a creation that is finished and that no list has shown yet.
    pub visibility: Duration,
    /// Behind another list: for so long a young instance may be missing from a list although one
    /// before has shown it, and a dead one be on it.
    pub relapse: Duration,
    /// As far as it is known that they do: for so long one that its plugin has agreed to destroy may be
    /// missing from a list that is from before its creation. Where nothing is said of lists, a plugin's
    /// word that it is destroyed and a list without it are taken together, as in the original.
    pub declared_relapse: Duration,
    /// After how long one that is shown as going away is gone; `None` where the dead are not listed.
    pub dying: Option<Duration>,
}

/// That of a provider of which nothing is known.
impl Default for Lag {
    fn default() -> Self {
        Self::of(&Behaviour::default())
    }
}

impl Lag {
    /// Lists that show what is there at the moment when they are asked for.
    pub const NONE: Self = Self {
        coming: Duration::ZERO,
        visibility: Duration::ZERO,
        relapse: Duration::ZERO,
        declared_relapse: Duration::ZERO,
        dying: None,
    };

    /// Returns how far the lists of a provider may be behind. Where it runs says nothing of that.
    #[must_use]
    pub fn of(behaviour: &Behaviour) -> Self {
        let behind = behaviour.list.lag.map_or(Duration::ZERO, Seconds::duration);
        let declared = behaviour
            .list
            .relapse
            .map_or(Duration::ZERO, Seconds::duration);
        Self {
            coming: behaviour.goes_on_after_answer(),
            visibility: behaviour.visibility().max(behind),
            // Of two lists one may be behind, and the other not.
            relapse: behaviour.relapse().max(behind),
            declared_relapse: declared.max(behind),
            dying: (!behaviour.dead_are_listed().is_zero()).then(|| behaviour.destruction_stuck()),
        }
    }

    /// Returns for how long after an instance was there it may be missing from a list.
    #[must_use]
    pub fn longest(self) -> Duration {
        self.visibility.max(self.relapse)
    }

    /// Returns how long after the answer to a creation lists may lack what it made, be it that one has shown
    /// it and another one goes back.
    #[must_use]
    pub fn after_answer(self) -> Duration {
        self.coming + self.longest()
    }
}
