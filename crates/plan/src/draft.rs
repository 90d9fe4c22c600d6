//! A plan in the making: what is known, what has been decided so far, and the ledger of what may
//! still be.

use std::collections::BTreeSet;

use infrakit_spi::flavor::Health;
use infrakit_spi::hash::ConfigHash;
use infrakit_spi::{LogicalId, PluginName, Tags, tags};

use crate::action::{Action, Asked, Drain, Provision};
use crate::guards::Guard;
use crate::ledger::budget::Ledger;
use crate::ledger::errand::{Errand, Made, Refusal, Stake};
use crate::memory::{Again, Content, Intent, Memory};
use crate::observation::{Index, Key, Member, Observed};
use crate::reason::Cause;
use crate::waiting::WaitingOn;
use crate::{CallKind, Config, Scarce, Spec, Timestamp, Token};

/// A plan in the making.
pub(crate) struct Draft<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) seen: &'a Observed,
    pub(crate) index: &'a Index,
    pub(crate) memory: Memory,
    pub(crate) now: Timestamp,
    pub(crate) config: &'a Config,
    /// What may be done.
    pub(crate) ledger: Ledger,
    pub(crate) actions: Vec<Action>,
    pub(crate) waiting: Vec<WaitingOn>,
    /// Members that this plan destroys, or that go already for all that is known.
    pub(crate) taken: BTreeSet<&'a Key>,
    /// Those among them that a former life asked to go, and that may stay after all: they are looked at as others
    /// are.
    pub(crate) asked_before: BTreeSet<&'a Key>,
    /// Members from elsewhere that a person is to look at before the rollout goes on.
    pub(crate) strangers: BTreeSet<&'a Key>,
    /// Members that the ledger counts as gone already, and that may stay or go all the same.
    pub(crate) booked: BTreeSet<&'a Key>,
    /// Whether the rollout stands still: not even what was begun is finished.
    pub(crate) frozen: bool,
    /// Whether the group shrinks once it is known who is sick: nobody is rolled before that.
    pub(crate) awaits_verdicts: bool,
    /// Calls that a rate limit held back.
    pub(crate) metered: BTreeSet<(PluginName, CallKind)>,
    pub(crate) wake_at: Option<Timestamp>,
    /// When something will have been waited for for too long.
    pub(crate) overdue_at: Option<Timestamp>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(
        spec: &'a Spec,
        seen: &'a Observed,
        memory: Memory,
        now: Timestamp,
        config: &'a Config,
    ) -> Self {
        let index = seen.index();
        let hold = memory.roll.as_ref().and_then(|roll| roll.hold);
        let mut ledger = Ledger::open(spec, seen, hold, config);
        ledger.expect(memory.intents.len(), 0);
        Self {
            spec,
            seen,
            index,
            memory,
            now,
            config,
            ledger,
            actions: Vec::new(),
            waiting: Vec::new(),
            taken: BTreeSet::new(),
            asked_before: BTreeSet::new(),
            strangers: BTreeSet::new(),
            booked: BTreeSet::new(),
            frozen: false,
            awaits_verdicts: false,
            metered: BTreeSet::new(),
            wake_at: None,
            overdue_at: None,
        }
    }

    /// Returns the members behind keys, without those that this plan destroys.
    pub(crate) fn members(
        &self,
        keys: impl IntoIterator<Item = &'a Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Member)> {
        keys.into_iter()
            .filter(|key| !self.taken.contains(key))
            .filter_map(|key| Some((key, self.seen.at(key)?)))
    }

    /// Returns how many of these members this plan does not let go.
    pub(crate) fn left_of(&self, keys: &BTreeSet<Key>) -> usize {
        let taken = self.taken.iter().filter(|key| keys.contains(**key));
        keys.len() - taken.count()
    }

    /// Returns the members on their way out, those that this plan lets go included.
    pub(crate) fn departing(&self) -> impl Iterator<Item = &'a Member> {
        let keys = self.index.leaving.iter().chain(self.taken.iter().copied());
        keys.filter_map(|key| self.seen.at(key))
    }

    /// Creations without an outcome.
    pub(crate) fn pending(&self) -> usize {
        self.ledger.tally().coming
    }

    /// Returns whether the controller runs on this member.
    pub(crate) fn is_self(&self, member: &Member) -> bool {
        self.config.self_logical_id.is_some() && member.logical_id == self.config.self_logical_id
    }

    /// Returns whether the member must not be touched: the operator holds it, the controller runs on it, or
    /// its plugin shows another one with its id.
    pub(crate) fn is_untouchable(&self, member: &Member) -> bool {
        let held = self.memory.is_held(member) && Guard::Holds.stands();
        held || self.is_self(member) && Guard::Own.stands() || self.seen.is_doubled(member)
    }

    /// Returns the working members of other configurations that may be replaced. One that the last
    /// list lacks is most likely gone already.
    pub(crate) fn replaceable(&self) -> impl Iterator<Item = (&'a Key, &'a Member)> {
        let outdated = self.index.outdated.iter().map(|(_, key)| key);
        self.members(outdated)
            .filter(|(key, _)| !self.strangers.contains(key))
            .filter(|(_, member)| !member.missed && !self.is_untouchable(member))
    }

    /// Returns whether an outdated member is left that may be replaced. One that the last list lacks
    /// may be back with the next one.
    pub(crate) fn has_left(&self) -> bool {
        let outdated = self.index.outdated.iter().map(|(_, key)| key);
        let mut outdated = self.members(outdated);
        outdated.any(|(_, member)| !self.is_untouchable(member))
    }

    /// Returns whether a member was made from another configuration.
    pub(crate) fn outdated(&self, member: &Member) -> bool {
        !member.matches(&self.spec.hash)
    }

    pub(crate) fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Waits for something, said once.
    pub(crate) fn wait(&mut self, on: WaitingOn) {
        if !self.waiting.contains(&on) {
            self.waiting.push(on);
        }
    }

    /// Says what is in the way of something that the ledger refused.
    pub(crate) fn refused(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Floor { available, needed } => {
                self.wait(WaitingOn::Budget { available, needed });
            }
            // The next list may tell.
            Refusal::Unseen | Refusal::Unsure => self.wait(WaitingOn::Observation),
            Refusal::Ceiling { most } => self.wait(WaitingOn::Ceiling { most }),
            Refusal::Call(plugin, Scarce::Slots(kind)) => {
                self.wait(WaitingOn::Slots { plugin, kind });
            }
            Refusal::Call(plugin, Scarce::Rate(kind, until)) => {
                self.metered.insert((plugin.clone(), kind));
                self.wait(WaitingOn::Governor {
                    plugin,
                    kind,
                    until,
                });
                self.wake(until.max(self.now));
            }
            // What keeps the slots and the room busy is waited for by itself.
            Refusal::Slots | Refusal::Room => {}
        }
    }

    /// Draws a call that puts labels on a member; returns whether it may be made.
    pub(crate) fn may_label(&mut self, member: &Member) -> bool {
        if self.seen.is_doubled(member) {
            return false;
        }
        let drawn = self.ledger.label(member);
        let may = drawn.is_ok();
        if let Err(refusal) = drawn {
            self.refused(refusal);
        }
        may
    }

    /// Returns what a member means to the budget.
    pub(crate) fn stake(&self, key: &Key, member: &Member) -> Stake {
        let working = self.spec.size.concerns(member) || self.memory.naming;
        let serves = working && member.serves();
        let outdated = self.outdated(member);
        let ready = if outdated {
            serves
        } else {
            working && !self.index.unproved.contains(key)
        };
        Stake {
            working,
            serves,
            silent: working && self.may_serve(member),
            ready,
            new: working && !outdated,
            stranger: self.strangers.contains(key),
        }
    }

    /// Destroys a member, if the ledger lets it go; if not, says what is in the way. Returns whether
    /// it goes.
    pub(crate) fn destroy(
        &mut self,
        (key, member): (&'a Key, &'a Member),
        errand: Errand,
        drain: Drain,
    ) -> Result<(), Refusal> {
        if self.taken.contains(key) {
            return Err(Refusal::Slots);
        }
        if self.seen.may_reach_another(member, errand.reason()) {
            self.refused(Refusal::Unseen);
            return Err(Refusal::Unseen);
        }
        let stake = self.stake(key, member);
        let booked = self.booked.contains(key);
        if booked {
            self.ledger.take_back(stake);
        }
        match self.ledger.destroy(member, stake, errand) {
            Ok(right) => {
                self.taken.insert(key);
                self.actions.push(Action::Destroy {
                    id: member.id.clone(),
                    plugin: member.plugin.clone(),
                    reason: errand.reason(),
                    drain,
                    blamed: false,
                    right,
                });
                Ok(())
            }
            Err(refusal) => {
                if booked {
                    self.ledger.let_go(stake);
                }
                self.refused(refusal.clone());
                Err(refusal)
            }
        }
    }

    /// Counts a member among those that leave, without doing anything about it.
    pub(crate) fn let_go(&mut self, entry: (&'a Key, &'a Member)) {
        self.book(entry);
        self.taken.insert(entry.0);
    }

    /// Counts on a member as little as on one that leaves, until it is known whether it does.
    pub(crate) fn book(&mut self, (key, member): (&'a Key, &'a Member)) {
        self.booked.insert(key);
        let stake = self.stake(key, member);
        self.ledger.let_go(stake);
    }

    /// Begins a creation. Returns whether it was begun; if not, what holds it back is said.
    pub(crate) fn provision(
        &mut self,
        logical_id: Option<&LogicalId>,
        sequence: usize,
        cause: Cause,
    ) -> bool {
        let (hash, plugin) = self.configuration_for_one_more();
        let made = if hash == self.spec.hash {
            Made::New
        } else {
            Made::Former
        };
        if self.is_held_back(&hash) {
            self.ledger.creation_blocked = true;
            return false;
        }
        if self.tries_enough(&hash) {
            return false;
        }
        let number = self.memory.next_token;
        let token = Token::new(&self.memory.nonce, number);
        let right = match self.ledger.create((&token, &plugin), cause, made) {
            Ok(right) => right,
            Err(refusal) => {
                self.refused(refusal);
                return false;
            }
        };
        self.memory.next_token += 1;
        if made == Made::New
            && let Some(roll) = &mut self.memory.roll
        {
            roll.owed = roll.owed.saturating_sub(1);
        }
        let intent = Intent {
            logical_id: logical_id.cloned(),
            plugin,
            hash: hash.clone(),
            begun: self.now,
            content: Some(Content {
                sequence: sequence as u64,
                revision: self.memory.revision,
            }),
            again: Again::default(),
            doubt: None,
        };
        self.memory.intents.insert(number, intent);
        self.actions.push(Action::Provision(Provision {
            tags: self.new_tags(&hash, &token, logical_id),
            token,
            logical_id: logical_id.cloned(),
            hash,
            cause,
            sequence: sequence as u64,
            asked: Asked::First,
            right,
        }));
        true
    }

    /// Returns the controller's tags of a new member.
    pub(crate) fn new_tags(
        &self,
        hash: &ConfigHash,
        token: &Token,
        logical_id: Option<&LogicalId>,
    ) -> Tags {
        let mut tags = self.labels(hash);
        tags.insert(tags::TOKEN.to_owned(), token.to_string());
        if let Some(id) = logical_id {
            tags.insert(tags::LOGICAL_ID.to_owned(), id.as_str().to_owned());
        }
        tags
    }

    /// Returns the configuration that one more member is made from: the one in force, unless the
    /// rollout lets no more members have it and the former one is known.
    pub(crate) fn configuration_for_one_more(&self) -> (ConfigHash, PluginName) {
        let former = self
            .memory
            .roll
            .as_ref()
            .and_then(|roll| roll.former.as_ref());
        match former {
            Some(former) if !self.ledger.may_be_new() => {
                (former.hash.clone(), former.plugin.clone())
            }
            Some(_) | None => (self.spec.hash.clone(), self.spec.instance.plugin.clone()),
        }
    }

    /// Returns whether a member may serve for all that is known. One that served and that the last list
    /// lacks may be there all the same, until it is believed to be gone. Where a member was asked and no
    /// verdict comes for as long as members have to come up, none is to be expected: it must not keep the
    /// group as it is for ever.
    fn may_serve(&self, member: &Member) -> bool {
        if member.missed {
            return member.health.last_known() == Some(Health::Healthy);
        }
        let patient = self.spec.health.grace_ends(member.created);
        // Nor was one asked whose verdict is too old to be counted on.
        let asked = member.health.asked().is_some() && !member.health.is_outlived();
        member.is_silent() && (!asked || self.now < patient)
    }

    /// The tags that make an instance a member of this group and of that configuration.
    pub(crate) fn labels(&self, hash: &ConfigHash) -> Tags {
        let group = self.memory.group.as_str().to_owned();
        Tags::from([
            (tags::GROUP.to_owned(), group),
            (self.config.hash_tag.to_owned(), hash.as_str().to_owned()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use infrakit_spi::Any;
    use infrakit_spi::flavor::Health;
    use infrakit_spi::instance::Description;
    use proptest::prelude::*;

    use super::*;
    use crate::{Departure, Lag, Listed, Reason, Step};

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn spec(allocation: &str) -> Spec {
        let text = format!(r#"{{"Allocation":{allocation}}}"#);
        Spec::parse(Some(&Any::parse(&text).expect("valid JSON"))).expect("a valid spec")
    }

    /// Members of this configuration or another, with or without an identity, of this health.
    fn observed(spec: &Spec, members: &[(bool, bool, Health)], naming: bool) -> Observed {
        let list = members.iter().enumerate().map(|(number, (new, named, _))| {
            let id = format!("i{number}");
            let hash = if *new { spec.hash.as_str() } else { "other" };
            let mut tags = Tags::from([
                (tags::GROUP.to_owned(), "g".to_owned()),
                (tags::CONFIG_HASH.to_owned(), hash.to_owned()),
            ]);
            if *named {
                tags.insert(tags::LOGICAL_ID.to_owned(), id.clone());
            }
            Description {
                id: id.into(),
                tags: Some(tags),
                ..Description::default()
            }
        });
        let circumstances = Listed {
            plugin: &"p".into(),
            started: NOW,
            now: NOW,
            lag: Lag::NONE,
        };
        let mut seen = Observed::default();
        seen.apply(&"g".into(), list, circumstances, "n");
        for (number, (_, _, health)) in members.iter().enumerate() {
            let id = format!("i{number}").into();
            let mut member = seen.get_mut(&id).expect("it was listed");
            member.health.note(*health, NOW);
        }
        seen.aim(&Arc::new(spec.clone()), naming);
        seen
    }

    fn member() -> impl Strategy<Value = (bool, bool, Health)> {
        let health = prop_oneof![
            Just(Health::Healthy),
            Just(Health::Unknown),
            Just(Health::Unhealthy)
        ];
        (any::<bool>(), any::<bool>(), health)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whoever is let go in a plan is counted as the next plan will count it.
        #[test]
        fn the_tally_is_what_a_count_gives(
            members in prop::collection::vec((member(), any::<bool>()), 0..12),
            pets in any::<bool>(),
            naming in any::<bool>(),
        ) {
            let spec = spec(if pets { r#"{"LogicalIDs":["i1","i2"]}"# } else { r#"{"Size":3}"# });
            let kinds: Vec<_> = members.iter().map(|(kind, _)| *kind).collect();
            let seen = observed(&spec, &kinds, naming);
            let mut after = seen.clone();
            let config = Config::default();
            let memory = Memory { naming, ..Memory::default() };
            let mut draft = Draft::new(&spec, &seen, memory.clone(), NOW, &config);
            for (number, (_, goes)) in members.iter().enumerate() {
                let id = format!("i{number}").into();
                if !goes {
                    continue;
                }
                draft.let_go(seen.entry(&id).expect("it was listed"));
                after.get_mut(&id).expect("it was listed").departure = Some(Departure {
                    reason: Reason::Surplus,
                    since: NOW,
                    step: Step::InFlight(NOW),
                    taken: None,
                });
            }
            let counted = Draft::new(&spec, &after, memory, NOW, &config).ledger.tally();
            prop_assert_eq!(draft.ledger.tally(), counted);
        }
    }
}
