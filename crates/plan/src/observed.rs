//! What is known of a group's members: the last complete list, and what was done since.
//!
//! A list says what was there when it was *started*. Whatever happened after that moment, it
//! cannot deny: an instance made since is not missing, one destroyed since is not back.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use infrakit_spi::flavor::Health;
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::instance::{Description, Locality};
use infrakit_spi::{GroupId, InstanceId, LogicalId, tags};

use crate::{Config, HealthRecord, Reason, Timestamp, Token};

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
    /// How far it has come.
    pub step: Step,
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

/// A member of the group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Id given by the plugin.
    pub id: InstanceId,
    /// Identity, in a group of pets.
    pub logical_id: Option<LogicalId>,
    /// Hash of the configuration that it was made from.
    pub hash: Option<ConfigHash>,
    /// Number of the intent that made it, if this group record did.
    pub token: Option<u64>,
    /// When it became known.
    pub created: Timestamp,
    /// How it became known.
    pub origin: Origin,
    /// Its destruction, once decided.
    pub departure: Option<Departure>,
    /// Whether the labels that adopt it are being written.
    pub adopting: bool,
    /// What is known of its health.
    pub health: HealthRecord,
    /// The plugin's own description.
    pub description: Arc<Description>,
}

impl Member {
    /// Builds a member from its plugin's description.
    #[must_use]
    pub fn new(description: Description, origin: Origin, nonce: &str, now: Timestamp) -> Self {
        let mut member = Self {
            id: description.id.clone(),
            logical_id: None,
            hash: None,
            token: None,
            created: now,
            origin,
            departure: None,
            adopting: false,
            health: HealthRecord::default(),
            description: Arc::new(Description::default()),
        };
        member.describe(identified(description), nonce);
        member
    }

    fn describe(&mut self, description: Description, nonce: &str) {
        let tag = |key: &str| description.tags.as_ref()?.get(key);
        self.logical_id.clone_from(&description.logical_id);
        self.hash = description
            .tags
            .as_ref()
            .and_then(tags::config_hash)
            .map(ConfigHash::from_tag);
        self.token = tag(tags::TOKEN).and_then(|tag| Token::number_of(nonce, tag));
        self.adopting &= self.asks_for_adoption();
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

    /// Returns whether the member counts as doing its work, in a group whose configuration has this
    /// hash. One of the current configuration has to be known as healthy; an outdated one is only
    /// known not to when it was found unhealthy.
    pub(crate) fn serves(&self, hash: &ConfigHash) -> bool {
        match self.health.last() {
            Health::Healthy => true,
            Health::Unknown => !self.matches(hash),
            Health::Unhealthy => false,
        }
    }

    /// Returns whether the member is not on its way out.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.departure.is_none()
    }
}

/// Circumstances of a list.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// When the list was asked for.
    pub started: Timestamp,
    /// When its answer is taken in.
    pub now: Timestamp,
    /// Where the plugin runs.
    pub locality: Locality,
}

/// What a list changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Members that were not known before.
    pub appeared: usize,
    /// Members that are gone.
    pub vanished: usize,
    /// Members whose tags or identity changed, or that were confirmed.
    pub changed: usize,
}

impl Seen {
    /// Returns whether anything is different.
    #[must_use]
    pub fn anything(&self) -> bool {
        *self != Self::default()
    }
}

/// The members of a group, as far as known.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    members: BTreeMap<InstanceId, Member>,
    listed: Option<Timestamp>,
    /// How far lists may lag behind creations; known from the last one.
    lag: Duration,
}

impl Observed {
    /// Returns the members, ordered by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// Returns how many members are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Returns whether no member is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Returns a member.
    #[must_use]
    pub fn get(&self, id: &InstanceId) -> Option<&Member> {
        self.members.get(id)
    }

    /// Returns a member to change.
    pub fn get_mut(&mut self, id: &InstanceId) -> Option<&mut Member> {
        self.members.get_mut(id)
    }

    /// Returns when the last complete list was started; `None` before the first.
    #[must_use]
    pub fn listed(&self) -> Option<Timestamp> {
        self.listed
    }

    /// Takes in an answered creation.
    pub fn provisioned(&mut self, member: Member) {
        match self.members.entry(member.id.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(member);
            }
            // The plugin has given the id of an instance that went to a new one.
            Entry::Occupied(mut entry) if is_another(entry.get(), &member) => {
                entry.insert(member);
            }
            // A list has shown it before its answer came.
            Entry::Occupied(_) => {}
        }
    }

    /// Takes in that a later look showed the same list as before. Members that it lacks, and that
    /// it would have to show by now, are gone.
    pub fn unchanged(&mut self, started: Timestamp) -> Seen {
        let mut seen = Seen::default();
        if self.is_stale(started) {
            return seen;
        }
        let lag = self.lag;
        self.members.retain(|_, member| {
            let stays = member.origin == Origin::Listed || still_there(member, started, lag);
            seen.vanished += usize::from(!stays);
            stays
        });
        self.listed = Some(started);
        seen
    }

    fn is_stale(&self, started: Timestamp) -> bool {
        self.listed.is_some_and(|last| started < last)
    }

    /// Takes in a complete list of the group's instances; one that was started before another that
    /// was taken in already is ignored.
    pub fn apply(
        &mut self,
        group: &GroupId,
        list: impl IntoIterator<Item = Description>,
        circumstances: Listed,
        (nonce, config): (&str, &Config),
    ) -> Seen {
        let Listed {
            started,
            now,
            locality,
        } = circumstances;
        let mut seen = Seen::default();
        if self.is_stale(started) {
            return seen;
        }
        self.lag = match locality {
            Locality::InProcess => Duration::ZERO,
            Locality::Remote => config.visibility,
        };
        let mut missing: BTreeMap<InstanceId, Member> = std::mem::take(&mut self.members);
        let mut present = Vec::with_capacity(missing.len());
        for description in list {
            if description
                .tags
                .as_ref()
                .and_then(|tags| tags.get(tags::GROUP))
                .map(String::as_str)
                != Some(group.as_str())
            {
                continue;
            }
            let member = match missing.remove(&description.id) {
                Some(mut member) => {
                    let description = identified(description);
                    if member.origin != Origin::Listed {
                        member.origin = Origin::Listed;
                        seen.changed += 1;
                    }
                    if *member.description != description {
                        let fresh = Member::new(description, Origin::Listed, nonce, now);
                        if is_another(&member, &fresh) {
                            member = fresh;
                        } else {
                            member.describe(Arc::unwrap_or_clone(fresh.description), nonce);
                        }
                        seen.changed += 1;
                    }
                    member
                }
                None => {
                    seen.appeared += 1;
                    Member::new(description, Origin::Listed, nonce, now)
                }
            };
            present.push((member.id.clone(), member));
        }
        for (id, member) in missing {
            if still_there(&member, started, self.lag) {
                present.push((id, member));
            } else {
                seen.vanished += 1;
            }
        }
        // A list that names an instance twice shows one instance; the first entry has its history.
        let named = present.len();
        present.sort_by(|(a, _), (b, _)| a.cmp(b));
        present.dedup_by(|(later, _), (first, _)| later == first);
        seen.appeared -= named - present.len();
        self.members = present.into_iter().collect();
        self.listed = Some(started);
        seen
    }
}

/// Fills in the identity of a pet from its tag, where the plugin left it out.
fn identified(mut description: Description) -> Description {
    if description.logical_id.is_none() {
        let tag = description
            .tags
            .as_ref()
            .and_then(|tags| tags.get(tags::LOGICAL_ID));
        description.logical_id = tag.map(|id| LogicalId::new(id.clone()));
    }
    description
}

/// Returns whether two members of one id are two instances: each was made by an intent of its own.
fn is_another(known: &Member, fresh: &Member) -> bool {
    known.token.is_some() && fresh.token.is_some() && known.token != fresh.token
}

/// Returns whether a member that no list has shown is to be kept although a list that was started
/// at `started` lacks it; lists may lag behind creations by `lag`.
fn still_there(member: &Member, started: Timestamp, lag: Duration) -> bool {
    let answered = match member.origin {
        Origin::Listed => return false,
        Origin::Provisioned(at) => at,
    };
    started <= answered + lag && member.stays()
        || started <= answered
        // Destroyed before any list showed it: gone as soon as a list from after that lacks it.
        || member.departure.is_some_and(|departure| match departure.step {
            Step::InFlight(at) | Step::Accepted(at) => started <= at,
            Step::Failed(..) => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000_000_000)
    }

    fn description(id: &str) -> Description {
        let tags = [
            (tags::GROUP, "g"),
            (tags::CONFIG_HASH, "h"),
            (tags::TOKEN, "n-4"),
        ];
        Description {
            id: id.into(),
            tags: Some(
                tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
            ),
            ..Description::default()
        }
    }

    fn list(seen: &mut Observed, ids: &[&str], started: u64, locality: Locality) -> Seen {
        let circumstances = Listed {
            started: at(started),
            now: at(started + 1),
            locality,
        };
        let ids = ids.iter().map(|id| description(id));
        seen.apply(&"g".into(), ids, circumstances, ("n", &Config::default()))
    }

    fn ids(seen: &Observed) -> Vec<&str> {
        seen.members().map(|member| member.id.as_str()).collect()
    }

    #[test]
    fn reads_tags_and_ignores_strangers() {
        let mut seen = Observed::default();
        let stranger = Description {
            id: "s".into(),
            ..Description::default()
        };
        let circumstances = Listed {
            started: at(1),
            now: at(1),
            locality: Locality::Remote,
        };
        seen.apply(
            &"g".into(),
            [stranger, description("a")],
            circumstances,
            ("n", &Config::default()),
        );
        assert_eq!(ids(&seen), ["a"]);
        let member = seen.get(&"a".into()).unwrap();
        assert_eq!(
            (member.token, member.matches(&ConfigHash::from_tag("h"))),
            (Some(4), true)
        );
    }

    #[test]
    fn a_list_from_before_a_creation_cannot_deny_it() {
        let mut seen = Observed::default();
        let made = Member::new(description("a"), Origin::Provisioned(at(10)), "n", at(10));
        seen.provisioned(made);
        list(&mut seen, &[], 9, Locality::InProcess);
        assert_eq!(ids(&seen), ["a"]);
        assert_eq!(list(&mut seen, &[], 11, Locality::InProcess).vanished, 1);
        assert!(seen.is_empty());
    }

    #[test]
    fn remote_lists_may_lag_behind_a_creation() {
        let mut seen = Observed::default();
        let made = Member::new(description("a"), Origin::Provisioned(at(10)), "n", at(10));
        seen.provisioned(made);
        list(&mut seen, &[], 20, Locality::Remote);
        assert_eq!(ids(&seen), ["a"]);
        list(&mut seen, &[], 26, Locality::Remote);
        assert!(seen.is_empty());
    }

    #[test]
    fn what_was_listed_and_is_missing_is_gone() {
        let mut seen = Observed::default();
        list(&mut seen, &["a", "b"], 1, Locality::Remote);
        assert_eq!(list(&mut seen, &["b"], 2, Locality::Remote).vanished, 1);
        assert_eq!(ids(&seen), ["b"]);
        assert!(!list(&mut seen, &["b"], 3, Locality::Remote).anything());
    }
}
