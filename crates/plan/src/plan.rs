//! The planner: what a group needs next, in one pass from top to bottom.

use std::collections::BTreeSet;

use infrakit_spi::{InstanceId, LogicalId, Tags, tags};

use crate::action::{Action, Drain, Plan, Provision, Reason, WaitingOn};
use crate::budget::Budget;
use crate::memory::{Intent, Memory, Phase, Roll};
use crate::observed::{Member, Observed, Step};
use crate::{Config, Size, Spec, Timestamp, Token};
use crate::{replace, scale};

/// Decides what a group needs next.
///
/// Nothing is decided before a complete list was seen. Of everything the plan proposes, the
/// members that it takes out of service together never exceed the group's budget, and members plus
/// creations plus departures never exceed its size and surge.
///
/// ```
/// use infrakit_plan::{Action, Config, Listed, Memory, Observed, Spec, Timestamp, WaitingOn, plan};
/// use infrakit_spi::{Any, instance::Locality};
///
/// let spec = Spec::parse(Some(&Any::parse(r#"{"Allocation": {"Size": 2}}"#)?))?;
/// let memory = Memory { group: "web".into(), nonce: "k3f9".to_owned(), ..Memory::default() };
/// let (config, now) = (Config::default(), Timestamp(1));
///
/// // Nothing is known yet, so nothing is done, and the plan says what it waits for.
/// let mut seen = Observed::default();
/// let blind = plan(&spec, &seen, memory.clone(), now, &config);
/// assert!(blind.actions.is_empty());
/// assert_eq!(blind.waiting, [WaitingOn::Observation]);
///
/// // A complete list shows no instance: both members are missing.
/// let circumstances = Listed { started: now, now, locality: Locality::InProcess };
/// seen.apply(&memory.group, [], circumstances, (&memory.nonce, &config));
/// let first = plan(&spec, &seen, memory, now, &config);
/// assert!(matches!(first.actions[..], [Action::Provision(_), Action::Provision(_)]));
///
/// // The memory of that plan knows what was begun, so that it is not begun again.
/// let second = plan(&spec, &seen, first.memory, now, &config);
/// assert!(second.actions.is_empty());
/// assert_eq!(second.waiting, [WaitingOn::Creations { count: 2 }]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn plan(spec: &Spec, seen: &Observed, memory: Memory, now: Timestamp, config: &Config) -> Plan {
    let mut draft = Draft::new(spec, seen, memory, now, config);
    if seen.listed().is_none() {
        draft.waiting.push(WaitingOn::Observation);
        return draft.finish();
    }
    draft.settle_intents();
    draft.forget_the_gone();
    if draft.memory.phase == Phase::Destroying {
        draft.destroy_everything();
        return draft.finish();
    }
    draft.destroy_requested();
    draft.retry_departures();
    draft.note_roll();
    match &spec.size {
        Size::Cattle(size) => scale::cattle(&mut draft, *size),
        Size::Pets(ids) => scale::pets(&mut draft, ids),
    }
    replace::replace(&mut draft);
    draft.adopt();
    replace::check(&mut draft);
    draft.note_waiting();
    draft.finish()
}

/// A plan in the making.
pub(crate) struct Draft<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) seen: &'a Observed,
    pub(crate) memory: Memory,
    pub(crate) now: Timestamp,
    pub(crate) config: &'a Config,
    pub(crate) budget: Budget,
    pub(crate) actions: Vec<Action>,
    pub(crate) waiting: Vec<WaitingOn>,
    /// Members that this plan destroys.
    pub(crate) taken: BTreeSet<&'a InstanceId>,
    /// Creations that this plan begins.
    pub(crate) begun: usize,
    /// Members that are needed and not there, beyond what is being created.
    pub(crate) missing: usize,
    wake_at: Option<Timestamp>,
}

impl<'a> Draft<'a> {
    fn new(
        spec: &'a Spec,
        seen: &'a Observed,
        memory: Memory,
        now: Timestamp,
        config: &'a Config,
    ) -> Self {
        Self {
            spec,
            seen,
            memory,
            now,
            config,
            budget: Budget::of(spec),
            actions: Vec::new(),
            waiting: Vec::new(),
            taken: BTreeSet::new(),
            begun: 0,
            missing: 0,
            wake_at: None,
        }
    }

    /// Members that are not on their way out, neither already nor by this plan.
    pub(crate) fn staying(&self) -> impl Iterator<Item = &'a Member> + use<'a, '_> {
        self.seen
            .members()
            .filter(|member| member.stays() && !self.taken.contains(&member.id))
    }

    /// Staying members that the size is about. In a group of pets, one without an identity is
    /// nobody's: it is neither replaced nor waited for.
    pub(crate) fn working(&self) -> impl Iterator<Item = &'a Member> + use<'a, '_> {
        self.staying()
            .filter(|member| self.spec.size.concerns(member))
    }

    /// Members on their way out that are still there.
    pub(crate) fn leaving(&self) -> usize {
        self.seen.members().filter(|member| !member.stays()).count() + self.taken.len()
    }

    /// Creations without an outcome.
    pub(crate) fn pending(&self) -> usize {
        self.memory.intents.len()
    }

    /// Returns whether the controller runs on this member.
    pub(crate) fn is_self(&self, member: &Member) -> bool {
        self.config.self_logical_id.is_some() && member.logical_id == self.config.self_logical_id
    }

    /// Returns whether a member was made from another configuration.
    pub(crate) fn outdated(&self, member: &Member) -> bool {
        !member.matches(&self.spec.hash)
    }

    pub(crate) fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    pub(crate) fn destroy(&mut self, member: &'a Member, reason: Reason, drain: Drain) {
        if self.taken.insert(&member.id) {
            self.actions.push(Action::Destroy {
                id: member.id.clone(),
                reason,
                drain,
            });
        }
    }

    /// Begins a creation, unless creations pause after failures.
    pub(crate) fn provision(&mut self, logical_id: Option<&LogicalId>, sequence: usize) {
        let number = self.memory.next_token;
        self.memory.next_token += 1;
        let token = Token::new(&self.memory.nonce, number);
        let mut labels = self.labels();
        labels.insert(tags::TOKEN.to_owned(), token.to_string());
        if let Some(id) = logical_id {
            labels.insert(tags::LOGICAL_ID.to_owned(), id.as_str().to_owned());
        }
        let logical_id = logical_id.cloned();
        let intent = Intent {
            logical_id: logical_id.clone(),
            begun: self.now,
            doubt: None,
        };
        self.memory.intents.insert(number, intent);
        self.begun += 1;
        let sequence = sequence as u64;
        self.actions.push(Action::Provision(Provision {
            token,
            logical_id,
            tags: labels,
            sequence,
        }));
    }

    /// The tags that make an instance a member of this group and configuration.
    fn labels(&self) -> Tags {
        Tags::from([
            (
                tags::GROUP.to_owned(),
                self.memory.group.as_str().to_owned(),
            ),
            (
                self.config.hash_tag.to_owned(),
                self.spec.hash.as_str().to_owned(),
            ),
        ])
    }

    /// Closes creations that a list answers: found, or in doubt for long enough and not found.
    fn settle_intents(&mut self) {
        if self.memory.intents.is_empty() {
            return;
        }
        for token in self.seen.members().filter_map(|member| member.token) {
            if let Some(intent) = self.memory.intents.remove(&token) {
                self.memory.creation.succeed(intent.begun);
            }
        }
        let listed = self.seen.listed().unwrap_or_default();
        let mut lost = Vec::new();
        let mut wake = None::<Timestamp>;
        let mut overdue = false;
        for (number, intent) in &self.memory.intents {
            let Some(doubt) = intent.doubt else { continue };
            if listed >= doubt.settle_at {
                lost.push(*number);
            } else if doubt.settle_at > self.now {
                wake = Some(wake.map_or(doubt.settle_at, |wake| wake.min(doubt.settle_at)));
            } else {
                // Planning again would not help: only a list that is started now can tell.
                overdue = true;
            }
        }
        for number in lost {
            if let Some(intent) = self.memory.intents.remove(&number) {
                self.memory.creation.fail(intent.begun, self.now);
            }
        }
        if let Some(at) = wake {
            self.wake(at);
        }
        if overdue {
            self.waiting.push(WaitingOn::Observation);
        }
    }

    fn forget_the_gone(&mut self) {
        let seen = self.seen;
        self.memory.doomed.retain(|id| seen.get(id).is_some());
    }

    /// Destroys all members; the one that the controller runs on goes when nothing else is left to
    /// do, creations without an outcome included: nobody could clean up after it.
    fn destroy_everything(&mut self) {
        self.memory.roll = None;
        let (own, others): (Vec<&Member>, Vec<&Member>) =
            self.staying().partition(|member| self.is_self(member));
        let last = if others.is_empty() && self.leaving() == 0 && self.pending() == 0 {
            own
        } else {
            Vec::new()
        };
        for member in others.into_iter().chain(last) {
            self.destroy(member, Reason::GroupDestroyed, Drain::Try);
        }
        self.retry_departures();
        self.note_waiting();
    }

    /// Adopts instances that were made by hand and ask for it. A list has to confirm it.
    fn adopt(&mut self) {
        let (underway, asking): (Vec<&Member>, Vec<&Member>) = self
            .staying()
            .filter(|member| member.asks_for_adoption())
            .partition(|member| member.adopting);
        if !underway.is_empty() && !self.waiting.contains(&WaitingOn::Observation) {
            self.waiting.push(WaitingOn::Observation);
        }
        for member in asking {
            let mut labels = self.labels();
            // The request may stand under the key of another release; both must say the same.
            for key in [tags::CONFIG_HASH, tags::CONFIG_SHA] {
                if member
                    .description
                    .tags
                    .as_ref()
                    .is_some_and(|tags| tags.contains_key(key))
                {
                    labels.insert(key.to_owned(), self.spec.hash.as_str().to_owned());
                }
            }
            self.actions.push(Action::Adopt {
                id: member.id.clone(),
                labels,
            });
        }
    }

    fn destroy_requested(&mut self) {
        let doomed: Vec<&Member> = self
            .staying()
            .filter(|member| self.memory.doomed.contains(&member.id))
            .collect();
        for member in doomed {
            self.destroy(member, Reason::Requested, Drain::Try);
        }
    }

    /// Tries failed destructions again, and those that were accepted and came to nothing.
    fn retry_departures(&mut self) {
        for member in self.seen.members() {
            let Some(departure) = member.departure else {
                continue;
            };
            let due = match departure.step {
                Step::InFlight(_) => continue,
                Step::Failed(_, retry_at) => retry_at,
                Step::Accepted(at) => at + self.config.settle.saturating_mul(4),
            };
            if due > self.now {
                self.wake(due);
            } else {
                let reason = self.present_reason(member, departure.reason);
                let drain = replace::drain(self.spec, reason);
                self.actions.push(Action::Destroy {
                    id: member.id.clone(),
                    reason,
                    drain,
                });
            }
        }
    }

    /// Returns why a member that has been decided to go is to go now. A rolling update insists on
    /// draining; an operator's wish, or sickness that came meanwhile, must not be held up by that.
    fn present_reason(&self, member: &Member, decided: Reason) -> Reason {
        if self.memory.phase == Phase::Destroying {
            Reason::GroupDestroyed
        } else if self.memory.doomed.contains(&member.id) {
            Reason::Requested
        } else if decided == Reason::Outdated && scale::is_sick(self, member) {
            Reason::Unhealthy
        } else {
            decided
        }
    }

    /// Notes whether a rolling update begins or ends. It lasts until the outdated members are gone,
    /// those decided to go included, and the new ones have proved themselves.
    fn note_roll(&mut self) {
        let to_roll = |member: &Member| self.outdated(member) && !self.is_self(member);
        if self.working().any(to_roll) {
            self.memory.roll.get_or_insert_with(Roll::default);
            return;
        }
        let Some(roll) = &self.memory.roll else {
            return;
        };
        let leaving = self
            .seen
            .members()
            .any(|member| self.spec.size.concerns(member) && to_roll(member));
        // Whether the controller's own member proves itself changes nothing: it stays.
        let unproved = self
            .working()
            .any(|member| !self.is_self(member) && !member.health.proved(&self.spec.updating));
        let wanted = self.spec.size.count().min(roll.hold.unwrap_or(u64::MAX));
        let short = (self.working().count() as u64) < wanted;
        if !leaving && !unproved && !short {
            self.memory.roll = None;
        }
    }

    fn note_waiting(&mut self) {
        let pending = self.pending();
        if pending > 0 {
            self.waiting.push(WaitingOn::Creations { count: pending });
        }
        let leaving = self.leaving();
        if leaving > 0 {
            self.waiting.push(WaitingOn::Departures { count: leaving });
        }
        if self.memory.phase == Phase::Destroying {
            return;
        }
        let own = self.staying().find(|member| self.is_self(member));
        if let Some(member) = own.filter(|own| self.outdated(own) || self.is_too_many(own)) {
            self.waiting.push(WaitingOn::SelfMember {
                id: member.id.clone(),
            });
        }
    }

    /// Returns whether a member that stays would have to go, were it not the controller's own.
    fn is_too_many(&self, own: &Member) -> bool {
        match &self.spec.size {
            Size::Cattle(size) => self.staying().count() as u64 > *size,
            Size::Pets(ids) => own.logical_id.as_ref().is_some_and(|id| !ids.contains(id)),
        }
    }

    fn finish(self) -> Plan {
        let idle = self
            .actions
            .iter()
            .all(|action| matches!(action, Action::Check { .. }));
        let quiet = self
            .waiting
            .iter()
            .all(|on| matches!(on, WaitingOn::SelfMember { .. }));
        Plan {
            converged: idle && quiet && self.memory.roll.is_none(),
            actions: self.actions,
            memory: self.memory,
            waiting: self.waiting,
            wake_at: self.wake_at,
        }
    }
}
