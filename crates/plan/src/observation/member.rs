//! One member, as its plugin describes it and as the controller knows it.

use std::borrow::Cow;
use std::sync::Arc;

use infrakit_spi::flavor::Health;
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::instance::{Description, Lifecycle};
use infrakit_spi::{InstanceId, LogicalId, PluginName, tags};
use serde_json::Value;

use crate::{HealthRecord, Reason, Timestamp, Token};

/// How a member came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A list showed it.
    Listed,
    /// Its creation was answered at this moment; no list has shown it yet.
    Provisioned(Timestamp),
}

/// A member's destruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// Why it was decided.
    pub reason: Reason,
    /// When it was decided.
    pub since: Timestamp,
    /// How far it has come.
    pub step: Step,
    /// When a call for it was last accepted, or may have been, since its answer was lost: it may go
    /// by itself since then.
    pub taken: Option<Timestamp>,
}

impl Departure {
    /// Returns whether its call is under way, or is about to be.
    #[must_use]
    pub fn is_in_flight(&self) -> bool {
        matches!(self.step, Step::InFlight(_))
    }
}

/// How far a member's destruction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Drain or destroy is under way since this moment.
    InFlight(Timestamp),
    /// The plugin accepted the destruction at this moment; a list has yet to confirm it.
    Accepted(Timestamp),
    /// It failed so many times; it may be tried again from this moment on.
    Failed(u32, Timestamp),
}

/// Labels that are being put on a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Labelling {
    /// None are.
    #[default]
    Nothing,
    /// Those that adopt it, or give it this identity.
    UnderWay(Option<LogicalId>),
    /// They could not be put; it may be tried again from this moment on.
    Failed(Timestamp),
}

/// How much is lost with a member, as far as is known; the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It was found unhealthy.
    Unhealthy,
    /// It does not serve: it has not come up, or is missed.
    Idle,
    /// The group made it, and no verdict on it has come since, where it is of another configuration.
    Untried,
    /// No verdict on it has come yet.
    Unheard,
    /// It serves.
    Serves,
}

/// What is known of how a member came to be. Its id may be given to another one when it is gone: what
/// differs here tells the two apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Birth {
    /// Number of the creation that made it, where it is known.
    pub token: Option<u64>,
    /// What the field says that its plugin declares for telling lives of an id apart, where it shows it.
    pub incarnation: Option<String>,
}

impl Birth {
    /// Returns whether it is another one. Tags may be missing for a while: only two that differ tell.
    #[must_use]
    pub fn is_another(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_some_and(|(one, other)| one != other)
        }
        differ(self.token.as_ref(), other.token.as_ref())
            || differ(self.incarnation.as_ref(), other.incarnation.as_ref())
    }

    /// Returns whether nothing tells it from the other one, and as much of both is known.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.token == other.token && !self.is_another(other)
    }
}

/// A member of the group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Id given by the plugin.
    pub id: InstanceId,
    /// The plugin that it lives on.
    pub plugin: PluginName,
    /// Identity, in a group of pets.
    pub logical_id: Option<LogicalId>,
    /// Hash of the configuration that it was made from.
    pub hash: Option<ConfigHash>,
    /// Number of the intent that made it, if this group record did.
    pub token: Option<u64>,
    /// What tells it from another one with its id, beside the number.
    pub incarnation: Option<String>,
    /// Number of the first creation that was open when it was decided to go, or was begun after that: what
    /// that made is another one, even where the number of its own creation is not known.
    pub before: Option<u64>,
    /// When it became known.
    pub created: Timestamp,
    /// How it became known.
    pub origin: Origin,
    /// When its creation was answered; `None` where only a list has told of it, so that nobody knows
    /// how old it is.
    pub answered: Option<Timestamp>,
    /// When the first list was asked for that showed it.
    pub first_shown: Option<Timestamp>,
    /// When the last list was asked for that showed it, where a later one lacks it.
    pub last_shown: Option<Timestamp>,
    /// Its destruction, once decided.
    pub departure: Option<Departure>,
    /// What was said when its destruction, or the drain before it, failed last.
    pub destruction_error: Option<Arc<str>>,
    /// Since when its plugin says that it goes away.
    pub terminating: Option<Timestamp>,
    /// Whether the last list lacks it, and it is only kept because lists may lag behind.
    pub missed: bool,
    /// Labels that are being put on it.
    pub labelling: Labelling,
    /// How often labels could not be put on it.
    pub label_failures: u32,
    /// What is known of its health.
    pub health: HealthRecord,
    /// The plugin's own description.
    pub description: Arc<Description>,
}

impl Member {
    /// Returns whether a member of the same id that came to be like this is another instance: so it is
    /// where the two differ, or where that one is younger than the decision to let this one go.
    #[must_use]
    pub fn is_another(&self, other: &Birth) -> bool {
        let younger = match (self.token, other.token) {
            (None, Some(other)) => self.before.is_some_and(|before| other >= before),
            (Some(_), _) | (None, None) => false,
        };
        younger || self.birth().is_another(other)
    }

    /// Returns what is known of how it came to be.
    #[must_use]
    pub fn birth(&self) -> Birth {
        Birth {
            token: self.token,
            incarnation: self.incarnation.clone(),
        }
    }

    /// Takes over what tells it from another one with its id: the tag or property of this name.
    #[must_use]
    pub fn incarnate(mut self, field: &str) -> Self {
        self.incarnation = told_by(&self.description, field);
        self
    }

    /// Returns whether both say what made them, and that is not the same, be it of a former record of the
    /// group.
    pub(crate) fn bears_another_token(&self, other: &Self) -> bool {
        let token = |member: &Self| {
            let tags = member.description.tags.as_ref();
            tags.and_then(|tags| tags.get(tags::TOKEN)).cloned()
        };
        token(self)
            .zip(token(other))
            .is_some_and(|(own, other)| own != other)
    }

    /// Returns whether the last list lacks it, and others have shown it: it may be gone.
    #[must_use]
    pub fn is_lacked(&self) -> bool {
        self.missed && self.origin == Origin::Listed
    }

    /// Returns whether it is another one than `heir`, which its id was given to as the answer to a creation
    /// says. Of one that nobody knows what made, and that lists lack by now or show as going, nothing else
    /// tells.
    pub(crate) fn has_gone_before(&self, heir: &Self) -> bool {
        let lost = self.missed || self.description.state.is_leaving();
        let lost = lost && self.token.is_none() && heir.token.is_some();
        lost || self.bears_another_token(heir) || self.is_another(&heir.birth())
    }

    /// Builds a member from its plugin's description.
    #[must_use]
    pub fn new(
        description: Description,
        plugin: &PluginName,
        origin: Origin,
        nonce: &str,
        now: Timestamp,
    ) -> Self {
        let mut member = Self {
            id: description.id.clone(),
            plugin: plugin.clone(),
            logical_id: None,
            hash: None,
            token: None,
            incarnation: None,
            before: None,
            created: now,
            origin,
            answered: match origin {
                Origin::Provisioned(at) => Some(at),
                Origin::Listed => None,
            },
            first_shown: None,
            last_shown: None,
            departure: None,
            destruction_error: None,
            terminating: description.state.is_leaving().then_some(now),
            missed: false,
            labelling: Labelling::Nothing,
            label_failures: 0,
            health: HealthRecord::default(),
            description: Arc::new(Description::default()),
        };
        member.describe(identified(description), nonce);
        member
    }

    pub(super) fn describe(&mut self, description: Description, nonce: &str) {
        let tag = |key: &str| description.tags.as_ref()?.get(key);
        self.logical_id.clone_from(&description.logical_id);
        self.hash = description
            .tags
            .as_ref()
            .and_then(tags::config_hash)
            .map(ConfigHash::from_tag);
        self.token = tag(tags::TOKEN).and_then(|tag| Token::number_of(nonce, tag));
        let done = match &self.labelling {
            Labelling::UnderWay(None) => !self.asks_for_adoption(),
            Labelling::UnderWay(Some(id)) => self.logical_id.as_ref() == Some(id),
            Labelling::Nothing | Labelling::Failed(..) => false,
        };
        if done {
            self.labelling = Labelling::Nothing;
        }
        self.description = Arc::new(description);
    }

    /// Returns whether the member was made from the configuration with this hash. One that asks
    /// for adoption counts as such: that is what adopting it means.
    #[must_use]
    pub fn matches(&self, hash: &ConfigHash) -> bool {
        self.hash.as_ref().is_some_and(|own| own == hash) || self.asks_for_adoption()
    }

    /// Returns whether the member carries the hash that asks for adoption.
    #[must_use]
    pub fn asks_for_adoption(&self) -> bool {
        self.hash
            .as_ref()
            .is_some_and(|hash| hash.as_str() == tags::BOOTSTRAP)
    }

    /// Returns the identity that the member has, or is being given.
    #[must_use]
    pub fn identity(&self) -> Option<&LogicalId> {
        let given = match &self.labelling {
            Labelling::UnderWay(given) => given.as_ref(),
            Labelling::Nothing | Labelling::Failed(..) => None,
        };
        self.logical_id.as_ref().or(given)
    }

    /// Returns whether labels are being put on the member.
    #[must_use]
    pub fn is_being_labelled(&self) -> bool {
        matches!(self.labelling, Labelling::UnderWay(_))
    }

    /// Returns whether the member counts as doing its work: it was found healthy, and nothing else
    /// was heard of it since. Whoever was never found healthy is not counted on, whatever it was
    /// made from: it may never have come up. Nor is one that is still coming up, or that the last
    /// list lacks.
    pub(crate) fn serves(&self) -> bool {
        !self.missed && !self.is_pending() && !self.is_down() && self.health.is_well()
    }

    /// Returns whether no verdict on the member has come yet, though it could be asked, and its plugin
    /// says nothing against it.
    pub(crate) fn is_silent(&self) -> bool {
        !self.health.is_told() && !self.missed && !self.is_pending() && !self.is_down()
    }

    /// Returns how much is lost with the member.
    pub(crate) fn standing(&self) -> Standing {
        if self.serves() {
            Standing::Serves
        } else if self.is_down() {
            Standing::Unhealthy
        } else if self.is_silent() {
            Standing::Unheard
        } else if self.health.last_known() == Some(Health::Unhealthy) {
            // Be it that nobody answers any more.
            Standing::Unhealthy
        } else {
            Standing::Idle
        }
    }

    /// Returns how much is lost with the member where it is of another configuration. One that was made for
    /// a change which was never seen to work goes before those that were there before it.
    pub(crate) fn standing_if_outdated(&self) -> Standing {
        match self.standing() {
            Standing::Unheard if self.token.is_some() && !self.health.was_well() => {
                Standing::Untried
            }
            other => other,
        }
    }

    /// Returns whether the member is not on its way out, neither by our decision nor by its
    /// plugin's word.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.departure.is_none() && !self.description.state.is_leaving()
    }

    /// Returns whether its plugin says that it is gone, and only still listed.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.description.state == Lifecycle::Gone
    }

    /// Returns whether its plugin says that it is still coming up.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.description.state == Lifecycle::Pending
    }

    /// Returns whether its plugin says that it does not run although it is made. Whatever its flavor
    /// answers of it, it is not well.
    #[must_use]
    pub fn is_down(&self) -> bool {
        let state = &self.description.state;
        matches!(state, Lifecycle::Stopped | Lifecycle::Broken)
    }
}

/// Returns what tells an instance from another one with its id, by the tag or property of this name.
pub(super) fn told_by(description: &Description, field: &str) -> Option<String> {
    let told = value_of(description, field).into_owned();
    (!told.is_empty()).then_some(told)
}

/// Returns what a description says by this name: the tag, or else the property; empty where it says
/// nothing.
pub(super) fn value_of<'a>(description: &'a Description, name: &str) -> Cow<'a, str> {
    if name.is_empty() {
        return Cow::Borrowed("");
    }
    let Description {
        tags, properties, ..
    } = description;
    if let Some(tagged) = tags.as_ref().and_then(|tags| tags.get(name)) {
        return Cow::Borrowed(tagged);
    }
    let value = properties.as_ref().and_then(|all| all.to_value().ok());
    match value.as_ref().and_then(|all| all.get(name)) {
        Some(Value::String(word)) => Cow::Owned(word.clone()),
        Some(Value::Number(number)) => Cow::Owned(number.to_string()),
        _ => Cow::Borrowed(""),
    }
}

/// Fills in the identity of a pet from its tag, where the plugin left it out.
pub(super) fn identified(mut description: Description) -> Description {
    if description.logical_id.is_none() {
        let tag = description
            .tags
            .as_ref()
            .and_then(|tags| tags.get(tags::LOGICAL_ID));
        description.logical_id = tag.map(|id| LogicalId::new(id.as_str()));
    }
    description
}
