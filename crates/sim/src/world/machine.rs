//! An instance as it really is.

use infrakit_spi::flavor::Health;
use infrakit_spi::{InstanceId, LogicalId, Tags, tags};

/// The tag that names the zone of an instance, where there are several.
pub const ZONE: &str = "zone";

/// Who made an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Maker {
    /// A controller asked for it.
    #[default]
    Controller,
    /// A controller asked for it once, and the request was delivered a second time.
    Echo,
    /// A person made it.
    Hand,
}

/// How an instance really is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Truth {
    /// It does its work, once it has booted.
    #[default]
    Well,
    /// It does not, and nothing but replacement helps.
    Sick,
    /// It does not until it is rebooted.
    Hung,
    /// It does not run until it is started again, and its provider says so.
    Stopped,
    /// It never will, and its provider says so.
    Broken,
}

/// An instance.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its id.
    pub id: InstanceId,
    /// Its identity.
    pub logical_id: Option<LogicalId>,
    /// Its tags as they are.
    pub tags: Tags,
    /// The tags that lists show until that moment, when a change of them lags.
    pub shown: Option<(u64, Tags)>,
    /// When it came to be.
    pub born: u64,
    /// When lists begin to show it.
    pub visible: u64,
    /// When it has booted.
    pub ready: u64,
    /// When it ceased to be.
    pub gone: Option<u64>,
    /// Whether its destruction was accepted and is under way.
    pub leaving: bool,
    /// How it really is.
    pub truth: Truth,
    /// Whether it ever was anything but well.
    pub ever_ill: bool,
    /// Whether its flavor looks at nothing, and finds it healthy whatever it does.
    pub plain: bool,
    /// Who made it.
    pub maker: Maker,
    /// When it runs; until then it is being made.
    pub running: u64,
    /// For so long after its end lists go on showing it.
    pub lingers: u64,
    /// The last moment at which it served, if it does no longer.
    pub served: Option<u64>,
    /// Since when and until when a flavor says that it is unhealthy, although it is not.
    pub slandered: Option<(u64, u64)>,
    /// When its provider last ceased to say that it does not run.
    pub recovered: u64,
    /// Since when it has been anything but well.
    pub ill_since: Option<u64>,
    /// When a flavor last said that it is healthy, although it is not.
    pub flattered: Option<u64>,
    /// When a list first lacked it for want of memory or of sight, and when one did last. The first is
    /// of the last time that it went out of sight.
    pub unseen: Option<(u64, u64)>,
    /// How many members of its group its plugin had, itself among them, when it went out of sight.
    pub unseen_of: usize,
    /// Whether a list has shown it since one lacked it.
    pub seen_again: bool,
    /// Whether a list has ever shown it.
    pub listed: bool,
    /// Whether a list ever said that it did not cover it.
    pub passed_over: bool,
    /// Changes whenever something changes that a list shows.
    pub(super) stamp: u64,
}

impl Machine {
    /// Returns the group that it belongs to.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        self.tags.get(tags::GROUP).map(String::as_str)
    }

    /// Returns the identity that it has, from its birth or by a label.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        let label = self.tags.get(tags::LOGICAL_ID).map(String::as_str);
        label.or_else(|| self.logical_id.as_ref().map(LogicalId::as_str))
    }

    /// Returns the token of the intent that made it.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.tags.get(tags::TOKEN).map(String::as_str)
    }

    /// Returns the config hash on it.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        tags::config_hash(&self.tags)
    }

    /// Returns whether a controller asked for it.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.maker == Maker::Controller
    }

    /// Returns the zone that it is in.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.tags.get(ZONE).map(String::as_str)
    }

    /// Returns whether it does its work, and is not on its way out.
    #[must_use]
    pub fn serves(&self, now: u64) -> bool {
        self.truth == Truth::Well && now >= self.ready && !self.leaving && self.gone.is_none()
    }

    /// Returns whether whoever knows nothing younger than `age` may think that it serves.
    #[must_use]
    pub fn served_lately(&self, now: u64, age: u64) -> bool {
        let lately = |at: Option<u64>| at.is_some_and(|at| at + age >= now);
        self.serves(now) || lately(self.served) || (lately(self.flattered) && !self.leaving)
    }

    /// Returns the verdict of an honest flavor.
    #[must_use]
    pub fn health(&self, now: u64) -> Health {
        match self.truth {
            _ if self.plain => Health::Healthy,
            Truth::Well if now >= self.ready => Health::Healthy,
            Truth::Well if self.born.is_multiple_of(2) => Health::Unknown,
            Truth::Well | Truth::Sick | Truth::Hung | Truth::Stopped | Truth::Broken => {
                Health::Unhealthy
            }
        }
    }

    /// Returns whether a flavor says that it is unhealthy, although it is not.
    #[must_use]
    pub fn is_slandered(&self, now: u64) -> bool {
        self.slandered
            .is_some_and(|(from, until)| (from..until).contains(&now))
    }

    /// Notes that it does not serve from now on, if it did.
    pub fn ceases_to_serve(&mut self, now: u64) {
        if self.serves(now) {
            self.served = Some(now);
        }
    }

    pub(super) fn tags_at(&self, moment: u64) -> &Tags {
        match &self.shown {
            Some((until, tags)) if moment < *until => tags,
            _ => &self.tags,
        }
    }
}
