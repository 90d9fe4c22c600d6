//! The planner: what a group needs next, in one pass from top to bottom.

use std::sync::Arc;
use std::time::Duration;

use infrakit_spi::InstanceId;

use crate::action::{Action, Plan};
use crate::diagnosis::sickness;
use crate::draft::Draft;
use crate::guards::Guard;
use crate::memory::{Memory, Phase};
use crate::observation::{Key, Member, Observed};
use crate::proof::is_ready;
use crate::steps::{brake, cattle, checks, conditions, gates, heal, pets, roll, strangers};
use crate::waiting::WaitingOn;
use crate::{Config, Size, Spec, Timestamp};

/// Decides what a group needs next.
///
/// Nothing is decided before a complete list was seen. Of everything the plan proposes, the
/// members that it takes out of service together never exceed the group's budget, and members plus
/// creations plus departures never exceed its size and surge.
///
/// Where `seen` was [aimed](Observed::aim) at this very spec, a plan costs what has changed; where
/// it was not, it is sorted first.
///
/// ```
/// use infrakit_plan::{Action, Config, Lag, Listed, Memory, Observed, Spec, Timestamp, WaitingOn, plan};
/// use infrakit_spi::Any;
///
/// let text = r#"{"Instance": {"Plugin": "file"}, "Allocation": {"Size": 2}}"#;
/// let spec = Spec::parse(Some(&Any::parse(text)?))?;
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
/// let plugin = &spec.instance.plugin;
/// let circumstances = Listed { plugin, started: now, now, lag: Lag::NONE };
/// seen.apply(&memory.group, [], circumstances, &memory.nonce);
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
    if !seen.is_aimed(spec, memory.naming) {
        let mut aimed = seen.clone();
        aimed.aim(&Arc::new(spec.clone()), memory.naming);
        return decide(Draft::new(spec, &aimed, memory, now, config));
    }
    decide(Draft::new(spec, seen, memory, now, config))
}

fn decide(mut draft: Draft<'_>) -> Plan {
    let doubted = draft.doubt_losses();
    if draft.seen.listed().is_none() {
        if !doubted {
            draft.wait(WaitingOn::Observation);
        }
        return draft.finish();
    }
    draft.settle_intents();
    draft.forget_the_gone();
    if draft.memory.phase == Phase::Freed {
        draft.note_waiting();
        return draft.finish();
    }
    if brake::stand_still(&mut draft) {
        return draft.finish();
    }
    if draft.memory.phase == Phase::Destroying {
        draft.destroy_everything();
        return draft.finish();
    }
    let (creation, hash) = (&draft.memory.creation, &draft.spec.hash);
    let pauses = creation.stopped(hash).is_some() || creation.pending(hash, draft.now).is_some();
    if pauses && Guard::Backoff.stands() {
        draft.ledger.block_creations();
    }
    strangers::forget_strangers(&mut draft);
    strangers::note_strangers(&mut draft);
    draft.resume_decided();
    draft.destroy_requested();
    gates::note_roll(&mut draft);
    draft.judge_crashes();
    draft.ask_again();
    let illness = sickness::diagnose(&mut draft);
    gates::limit(&mut draft, &illness);
    match &draft.spec.size {
        Size::Cattle(_) => cattle::cattle(&mut draft),
        Size::Pets(ids) => pets::pets(&mut draft, ids),
    }
    heal::heal(&mut draft, &illness);
    roll::roll(&mut draft, &illness);
    if matches!(draft.spec.size, Size::Cattle(_)) {
        // What goes makes room.
        cattle::grow(&mut draft);
    }
    draft.retry_departures();
    draft.adopt();
    roll::drain_self(&mut draft);
    checks::check(&mut draft, &illness);
    draft.note_waiting();
    draft.finish()
}

/// How long lists must lack a member before nobody holds it any more. Lists of providers lag and
/// relapse by minutes, a whole zone by up to an hour, and a hold that ended by itself would have the
/// member destroyed that somebody is looking into; one that is left over does no harm.
const SURELY_GONE: Duration = Duration::from_secs(3600);

/// Forgets holds of members that are surely gone.
fn forget_held(memory: &mut Memory, seen: &Observed, now: Timestamp) {
    if memory.held.is_empty() {
        memory.held_unseen.clear();
        return;
    }
    let held = memory.held.iter();
    let unseen = held.filter(|id| memory.remembered(id, seen).is_none());
    let known = &memory.held_unseen;
    memory.held_unseen = unseen
        .map(|id| (id.clone(), known.get(id).copied().unwrap_or(now)))
        .collect();
    let listed = seen.listed();
    let gone = |since: Timestamp| listed.is_some_and(|listed| listed >= since + SURELY_GONE);
    let unseen = &memory.held_unseen;
    memory
        .held
        .retain(|id| !unseen.get(id).is_some_and(|since| gone(*since)));
}

impl<'a> Draft<'a> {
    /// Completes the plan: says what the group is like, and when to plan anew.
    fn finish(mut self) -> Plan {
        let idle = self
            .actions
            .iter()
            .all(|action| matches!(action, Action::Check { .. }));
        let quiet = self
            .waiting
            .iter()
            .all(|on| matches!(on, WaitingOn::SelfMember { .. } | WaitingOn::Held { .. }));
        // Without a member that could show anything its rollout is kept, and is not under way.
        let rests = !self.has_left() && !is_ready(&self);
        let active = self.memory.phase == Phase::Active;
        let lacks = active && gates::lacks_identities(&self);
        let converged = idle && quiet && !lacks && (self.memory.roll.is_none() || rests);
        self.forget_homes();
        if self.memory.phase == Phase::Active && self.seen.listed().is_some() {
            gates::note_outcome(&mut self, converged);
        }
        conditions::judge(&mut self);
        Plan {
            converged,
            actions: self.actions,
            memory: self.memory,
            waiting: self.waiting,
            metered: self.metered,
            wake_at: self.wake_at,
            overdue_at: self.overdue_at,
        }
    }

    /// Says what is missing and kept all the same. Returns whether anything is.
    fn doubt_losses(&mut self) -> bool {
        self.memory.missing = self.seen.missing();
        let Some(doubted) = self.seen.doubted() else {
            return false;
        };
        self.wait(WaitingOn::Losses {
            count: doubted.count,
            since: doubted.since,
            until: doubted.until,
        });
        true
    }

    fn forget_the_gone(&mut self) {
        let seen = self.seen;
        let memory = &mut self.memory;
        memory.bind_lives(seen);
        forget_held(memory, seen, self.now);
        memory
            .decided
            .retain(|(plugin, id), _| seen.get_on(plugin, id).is_some());
    }

    /// Forgets former homes that are empty, and that nothing can come to any more. Whoever is back where
    /// nobody looks would stay for good.
    pub(crate) fn forget_homes(&mut self) {
        let (seen, memory) = (self.seen, &mut self.memory);
        let intents = &memory.intents;
        let former = memory.roll.as_ref().and_then(|roll| roll.former.as_ref());
        memory.homes.retain(|home| {
            let used = former.is_some_and(|former| former.plugin == *home)
                || intents.values().any(|intent| intent.plugin == *home);
            let there = seen.population(home) > 0 || seen.may_have_others_on(home);
            used || there || seen.listed_on(home).is_none()
        });
    }

    pub(crate) fn note_waiting(&mut self) {
        let pending = self.pending();
        if pending > 0 {
            self.wait(WaitingOn::Creations { count: pending });
        }
        let leaving = self.ledger.tally().leaving;
        if leaving > 0 {
            self.wait(WaitingOn::Departures { count: leaving });
        }
        if self.memory.phase == Phase::Destroying {
            return;
        }
        self.note_coming_up();
        if let Some(own) = self.own()
            && (self.outdated(own) || self.is_too_many(own))
        {
            let id = own.id.clone();
            self.wait(WaitingOn::SelfMember { id });
        }
        if self.memory.held.is_empty() {
            return;
        }
        self.note_held();
    }

    /// Says who exists and does not work yet, by its plugin's word.
    fn note_coming_up(&mut self) {
        let coming_up = &self.index.coming_up;
        let Some((_, first)) = self.members(coming_up).next() else {
            return;
        };
        let (id, count) = (first.id.clone(), self.left_of(coming_up));
        let waits = |on: &WaitingOn| matches!(on, WaitingOn::Health { .. });
        if !self.waiting.iter().any(waits) {
            self.wait(WaitingOn::Health { id, count });
        }
    }

    /// Says which members would have to go, were they not held.
    fn note_held(&mut self) {
        let held: Vec<&Member> = self
            .memory
            .held
            .iter()
            .filter_map(|id| self.memory.remembered(id, self.seen))
            .filter(|member| member.stays())
            .filter(|member| self.outdated(member) || self.is_too_many(member))
            .collect();
        if let Some(first) = held.first() {
            let (id, count) = (first.id.clone(), held.len());
            let surplus = held.iter().filter(|one| self.is_too_many(one)).count();
            self.wait(WaitingOn::Held { id, count, surplus });
        }
    }

    /// Returns the member that the controller runs on, if it stays.
    pub(crate) fn own(&self) -> Option<&'a Member> {
        let id = self.config.self_logical_id.as_ref()?;
        let holders = self.index.holders.get(id)?;
        let mut own = self.members(holders).map(|(_, member)| member);
        own.find(|member| member.stays() && self.is_self(member))
    }

    /// Returns whether a member that stays would have to go, were it not the controller's own.
    fn is_too_many(&self, one: &Member) -> bool {
        match &self.spec.size {
            Size::Cattle(_) => self.ledger.surplus(self.stand_ins()) > 0,
            Size::Pets(ids) => one.logical_id.as_ref().is_some_and(|id| !ids.contains(id)),
        }
    }

    /// Returns the member that is meant where an id is remembered.
    pub(crate) fn meant(&self, id: &InstanceId) -> Option<(&'a Key, &'a Member)> {
        let seen = self.seen;
        let life = self.memory.lives.get(id);
        let entry = match life {
            Some(life) => seen.entry_on(&life.plugin, id),
            None => seen.entry(id),
        };
        entry.filter(|(_, member)| self.memory.means(member))
    }

    /// Returns how many staying members the operator wants gone.
    pub(crate) fn doomed(&self) -> usize {
        let doomed = self.memory.doomed.iter();
        doomed
            .filter_map(|id| self.meant(id))
            .filter(|(key, member)| member.stays() && !self.taken.contains(key))
            .count()
    }

    /// Returns how many members are about to go, for whom others may have been made in advance; as
    /// many of them as may be made at most.
    pub(crate) fn stand_ins(&self) -> usize {
        let most = self.ledger.surge();
        let rolled = if self.memory.roll.is_some() {
            let counted = |(key, _): &(&Key, _)| !self.booked.contains(key);
            self.replaceable().filter(counted).take(most).count()
        } else {
            0
        };
        rolled + self.doomed()
    }
}
