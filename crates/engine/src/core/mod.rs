//! The engine's logic without input or output: events in, effects out.
//!
//! The core is sequential and deterministic. It never blocks and never reads a clock; whoever
//! drives it says what time it is, in a time that never runs backwards. Events only say "look
//! again", so that one that comes late, twice or never does no harm.

pub(crate) mod deadlines;
mod state;
mod steps;
mod views;
mod words;

pub use state::effect::{
    Call, CreationAnswer, Effect, Event, ListAnswer, NotWritten, Subject, Target,
};
pub use state::overrides::{Override, Overrides};
pub use state::rates::Limits;
pub use state::refused::Refused;
pub use state::term::{Claim, Term};
pub use state::unfit::Unfit;
pub use steps::commit::Accepted;
pub use views::preview::Outlook;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_plan::{Buried, Config, Freed, Timestamp};
use infrakit_spi::{GroupId, PluginName};

use crate::core::state::behaviours::Behaviours;
pub(crate) use crate::core::state::brake::Brake;
use crate::core::state::group::Group;
use crate::core::state::groups::Groups;
use crate::core::state::observer::Observer;
use crate::core::state::rates::Rates;
use crate::core::state::under_way::CallsUnderWay;
use crate::core::state::unwritten::Batch;
use crate::core::words::Wall;

/// All groups of a controller, and what is under way for them.
pub struct Core {
    config: Config,
    groups: Groups,
    /// What is kept of groups that were let go, until they are committed anew.
    freed: BTreeMap<GroupId, Freed>,
    /// Who went lately of groups that are gone: lists may still show them to the next ones of these ids.
    buried: BTreeMap<GroupId, Buried>,
    observers: BTreeMap<PluginName, Observer>,
    rates: Rates,
    behaviours: Behaviours,
    calls: CallsUnderWay,
    /// Journal entries on their way to the store, with what waits for them.
    journal: BTreeMap<u64, Batch>,
    next_batch: u64,
    dirty: BTreeSet<GroupId>,
    /// When groups are to be planned for even if nothing happens to them.
    wakes: BTreeSet<(Timestamp, GroupId)>,
    /// Members of all groups, as of their last plans.
    members: usize,
    /// Grows whenever a group comes or goes.
    roster: u64,
    /// The term in which this controller leads; `None` where nobody else could.
    term: Option<Term>,
    deposed: bool,
    /// How long a plan may take to be written: what the last ones took, and twice that when it was more
    /// than was thought.
    writing: Duration,
    /// When it was last told what time it is.
    heard: Timestamp,
    /// When it last found that it had been suspended.
    woke: Timestamp,
    /// How long its machine slept, which its clock has not counted, until that is taken in.
    overslept: Duration,
    effects: Vec<Effect>,
}

/// A wall clock that is set right by less, in nanoseconds, is followed when more has come together:
/// windows open by the minute.
const WALL_STEP: u64 = 1_000_000_000;

impl Core {
    /// Creates a core without groups.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let behaviours = Behaviours {
            undeclared: std::sync::Arc::clone(&config.undeclared),
            ..Behaviours::default()
        };
        Self {
            config,
            groups: Groups::default(),
            freed: BTreeMap::new(),
            buried: BTreeMap::new(),
            observers: BTreeMap::new(),
            rates: Rates::default(),
            behaviours,
            calls: CallsUnderWay::default(),
            journal: BTreeMap::new(),
            next_batch: 0,
            dirty: BTreeSet::new(),
            wakes: BTreeSet::new(),
            members: 0,
            roster: 0,
            term: None,
            deposed: false,
            writing: Duration::ZERO,
            heard: Timestamp::default(),
            woke: Timestamp::default(),
            overslept: Duration::ZERO,
            effects: Vec::new(),
        }
    }

    /// Returns the core with limits on what plugins are asked for.
    #[must_use]
    pub fn governed(mut self, limits: Limits) -> Self {
        self.rates.limits = limits;
        self
    }

    /// Takes in an event. A deposed core takes in nothing.
    pub fn handle(&mut self, event: Event, now: Timestamp) {
        if self.deposed {
            return;
        }
        self.note_time(now);
        let begun = self.calls.ended(&event, now);
        self.note_throttling((&event, begun.unwrap_or(now)), now);
        match event {
            Event::Changed { plugin } => self.look_again(&plugin, now),
            Event::Behaves { plugin, behaviour } => self.behaves(&plugin, behaviour, now),
            Event::Watched { plugin, watched } => self.told(&plugin, watched, now),
            Event::Listed(answer) => self.listed(answer, now),
            Event::Journaled { batch, outcome } => self.journaled(batch, outcome, now),
            Event::Provisioned(answer) => self.provisioned(answer, now),
            Event::Destroyed { subject, outcome } => self.destroyed(&subject, outcome, now),
            Event::Drained { subject, outcome } => self.drained(&subject, outcome, now),
            Event::Repaired { subject, outcome } => self.repaired(&subject, outcome),
            Event::Labelled { subject, outcome } => self.labelled(&subject, outcome, now),
            Event::Checked { subject, outcome } => self.checked(&subject, outcome, now),
        }
        self.start_calls(now);
    }

    /// Plans for every group that something happened to, or whose time has come.
    pub fn plan(&mut self, now: Timestamp) {
        self.note_time(now);
        while let Some((at, _)) = self.wakes.first()
            && *at <= now
        {
            let Some((_, id)) = self.wakes.pop_first() else {
                break;
            };
            if let Some(group) = self.groups.with_remains_mut(&id) {
                group.wake_at = None;
            }
            self.dirty.insert(id);
        }
        self.withdraw_stale(now);
        let mut due = std::mem::take(&mut self.dirty);
        due.extend(self.turns(now));
        // Whoever uses less than its turn leaves slots to the next in line. Each round lets somebody
        // leave the line, or takes up slots, so that there is a last one.
        let braking = self.is_braking();
        while !due.is_empty() {
            // While the brake is being set everybody rests; then all are planned for.
            for id in self.in_order(due, now).filter(|_| !braking) {
                self.plan_group(&id, now);
            }
            self.end_turns();
            due = self.turns(now);
        }
        self.keep_took();
        self.start_calls(now);
    }

    /// Takes in how far the wall clock is ahead of the moments that the core is told, in nanoseconds.
    pub fn tell_wall(&mut self, ahead: i64) {
        if ahead.abs_diff(self.config.wall_ahead) < WALL_STEP {
            return;
        }
        let forward = ahead.saturating_sub(self.config.wall_ahead);
        let forward = u64::try_from(forward).unwrap_or_default();
        // At the beginning of a life there is nothing yet that could have been slept through.
        if self.heard != Timestamp::default() {
            self.note_wall(Duration::from_nanos(forward));
        }
        self.config.wall_ahead = ahead;
        // Their windows may have opened or closed meanwhile.
        let rolling = self.groups.values();
        let rolling = rolling.filter(|group| group.memory.roll.is_some());
        let rolling: Vec<GroupId> = rolling.map(|group| group.id().clone()).collect();
        for id in rolling {
            self.touch(&id);
        }
    }

    /// Returns the clock on the wall.
    fn on_wall(&self) -> Wall {
        Wall::ahead(self.config.wall_ahead)
    }

    /// Returns whether a group waits to be planned for.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || self.calls.has_turn()
    }

    /// Returns the effects to carry out, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Returns when to call [`plan`](Self::plan) and [`look`](Self::look) even if nothing happens.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        let groups = self.wakes.first().map(|(at, _)| *at);
        let lists = self.observers.values().filter_map(Observer::due);
        let calls = self.calls.stale_at().into_iter();
        let turns = self.rates.next_turn().into_iter();
        let alive = self.sign_of_life();
        let all = lists.chain(groups).chain(calls).chain(turns);
        all.chain(alive).min()
    }

    /// Returns the ids of the groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &GroupId> {
        self.groups.keys()
    }

    /// Returns how many members there are, in all groups.
    #[must_use]
    pub fn members(&self) -> usize {
        self.members
    }

    /// Returns a number that changes whenever a group comes or goes.
    #[must_use]
    pub fn roster(&self) -> u64 {
        self.roster
    }

    fn touch(&mut self, id: &GroupId) {
        if !self.dirty.contains(id) {
            self.dirty.insert(id.clone());
        }
    }

    /// Sets when a group is to be planned for even if nothing happens to it.
    fn wake(&mut self, id: &GroupId, at: Option<Timestamp>) {
        let Some(group) = self.groups.with_remains_mut(id) else {
            return;
        };
        if group.wake_at == at {
            return;
        }
        if let Some(former) = group.wake_at.take() {
            self.wakes.remove(&(former, id.clone()));
        }
        group.wake_at = at;
        if let Some(at) = at {
            self.wakes.insert((at, id.clone()));
        }
    }

    /// Has a group planned for at `at`, or earlier if it would be anyway.
    fn wake_by(&mut self, id: &GroupId, at: Timestamp) {
        if let Some(group) = self.groups.with_remains(id) {
            let at = group.wake_at.map_or(at, |earlier| earlier.min(at));
            self.wake(id, Some(at));
        }
    }

    fn insert_group(&mut self, group: Group) {
        self.roster += 1;
        self.groups.insert(group.id().clone(), group);
    }

    fn remove_group(&mut self, id: &GroupId) -> Option<Group> {
        self.wake(id, None);
        self.dirty.remove(id);
        let group = self.groups.remove(id)?;
        self.roster += 1;
        self.members -= group.counted;
        Some(group)
    }

    fn living(&mut self, target: &Target) -> Option<&mut Group> {
        self.groups.living(target)
    }
}
