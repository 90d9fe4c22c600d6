//! The simulated world: a clock, instances, a store, controllers, and whatever goes wrong.

mod calls;
mod life;
mod machine;
mod people;
mod queue;
mod rest;
mod store;
mod time;

pub use life::Life;
pub use machine::{Birth, Machine, Maker, Park, Provider, Truth};
pub use store::SimStore;
pub use time::{MILLIS, MINUTE, SECOND, Traits};

use std::collections::{BTreeMap, BTreeSet};

use infrakit_plan::Drain;
use infrakit_spi::{GroupId, InstanceId, PluginName, Tags};
use infrakit_store::{Change, Durability, Store as _};
use serde_json::Value;

use crate::controller::{Answer, Ask, Maker as ControllerMaker, Operation, Ticket};
use crate::faults::{Dice, Kind};
use crate::invariants;
use crate::judge::{Breach, Coming, Ledger, Scene, Stage};
use crate::rng::Rng;
use crate::scenario::Deed;
use crate::trace::{DAWN, Tells, Trace};
use queue::Queue;

/// Something that is going to happen.
pub(crate) enum Happening {
    /// An instance comes to be.
    Appear {
        plugin: PluginName,
        group: GroupId,
        birth: Box<Birth>,
        /// The life and ticket of who asked, when the answer depends on it.
        reply: Option<(u32, Ticket)>,
    },
    /// An instance ceases to be.
    Vanish(PluginName, InstanceId),
    /// A controller hears an answer.
    Answer(u32, Ticket, Answer),
    /// The store takes a transaction.
    Apply {
        life: u32,
        ticket: Ticket,
        changes: Vec<Change>,
        durability: Durability,
    },
    /// A controller is started.
    Start,
    /// A deposed controller learns that it is.
    Depose(u32),
    /// A person does something, or something happens by itself.
    Deed(usize),
}

/// A world with one policy in it.
pub struct World {
    now: u64,
    traits: Traits,
    maker: Box<ControllerMaker>,
    park: Park,
    store: SimStore,
    lives: Vec<Life>,
    next_life: u32,
    term: u64,
    queue: Queue<Happening>,
    /// What [`Happening::Deed`] refers to.
    deeds: Vec<Deed>,
    dice: Dice,
    rng: Rng,
    trace: Trace,
    ledger: Ledger,
    coming: Coming,
    breaches: Vec<Breach>,
    /// When something other than routine last happened.
    stirred: u64,
    /// Whether idle time is skipped.
    skips: bool,
    counts: Counts,
    step_guard: (u64, u32),
    /// Changes that people asked for and that are on their way to the store: those of one group
    /// come one after the other.
    turns: BTreeMap<(u32, GroupId), Ticket>,
    /// The group that a person is asking something of right now.
    asking: Option<GroupId>,
    /// When transactions were taken whose answers are on their way.
    applied: BTreeMap<(u32, Ticket), u64>,
    /// The opportunities for faults until the first death of a controller.
    met_at_death: Vec<(Kind, u32)>,
}

/// What a run consisted of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that were handled.
    pub events: u64,
    /// Creations begun.
    pub creates: u64,
    /// Destructions begun.
    pub destroys: u64,
    /// Deaths of a controller.
    pub crashes: u64,
    /// Changes of leadership.
    pub takeovers: u64,
    /// Nanoseconds in which nothing but routine happened, and which were skipped.
    pub skipped: u64,
}

impl World {
    /// Creates a world. Its controller is started by [`start`](Self::start).
    #[must_use]
    pub fn new(seed: u64, mut traits: Traits, park: Park, maker: Box<ControllerMaker>) -> Self {
        for (name, provider) in park.providers() {
            traits.localities.insert(name.clone(), provider.locality);
        }
        let ledger = Ledger::new(time::nanos(traits.visibility), traits.own.clone());
        Self {
            now: DAWN,
            traits,
            maker,
            park,
            store: SimStore::default(),
            lives: Vec::new(),
            next_life: 1,
            term: 0,
            queue: Queue::new(),
            deeds: Vec::new(),
            dice: Dice::new(seed),
            rng: Rng::new(seed, 1),
            trace: Trace::new(Tells::Hash),
            ledger,
            coming: Coming::new(),
            breaches: Vec::new(),
            stirred: DAWN,
            skips: false,
            counts: Counts::default(),
            step_guard: (0, 0),
            turns: BTreeMap::new(),
            asking: None,
            applied: BTreeMap::new(),
            met_at_death: Vec::new(),
        }
    }

    /// Lets the trace keep its lines.
    #[must_use]
    pub fn telling(mut self) -> Self {
        self.trace = Trace::new(Tells::Story);
        self
    }

    /// Lets idle time be skipped, or not.
    pub fn skip_idle_time(&mut self, skips: bool) {
        self.skips = skips;
    }

    /// Returns the time.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Returns the instances.
    #[must_use]
    pub fn park(&self) -> &Park {
        &self.park
    }

    /// Returns the instances, to change behind everybody's back.
    pub fn park_mut(&mut self) -> &mut Park {
        self.stirred = self.now;
        &mut self.park
    }

    /// Returns the dice.
    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// Returns the store.
    #[must_use]
    pub fn store(&self) -> &SimStore {
        &self.store
    }

    /// Returns what has happened.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Returns what the run consisted of so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns how many opportunities each kind of fault had when a controller first died.
    #[must_use]
    pub fn met_at_death(&self) -> &[(Kind, u32)] {
        &self.met_at_death
    }

    /// Returns the judge's books.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the promises that were broken so far.
    #[must_use]
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// Says which groups there are to be in the end, and which are to be no more.
    pub fn expect(&mut self, groups: BTreeSet<GroupId>, destroying: BTreeSet<GroupId>) {
        self.ledger.expect(groups, destroying);
    }

    /// Notes that a promise was broken.
    pub fn breach(&mut self, invariant: &'static str, what: String) {
        self.trace
            .note(self.now, format_args!("BROKEN {invariant}: {what}"));
        self.breaches.push(Breach {
            invariant,
            at: self.now,
            what,
        });
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, nanos: u64) {
        self.run_until(self.now + nanos);
    }

    /// Lets time pass until `end`, or until a promise is broken.
    pub fn run_until(&mut self, end: u64) {
        while self.breaches.is_empty() {
            self.skip_until(end);
            let wake = self.lives.iter().filter_map(|life| life.wake).min();
            let event = self.queue.peek();
            let next = match (event, wake) {
                (Some(event), Some(wake)) => event.min(wake),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => break,
            };
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            self.counts.events += 1;
            if event.is_some_and(|event| event <= next) {
                if let Some(happening) = self.queue.pop() {
                    self.happen(happening);
                }
            } else if let Some(life) = self.lives.iter().find(|life| life.wake == wake) {
                self.step(life.number);
            }
        }
        if self.breaches.is_empty() {
            self.now = self.now.max(end);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Appear {
                plugin,
                group,
                birth,
                reply,
            } => self.appear(&plugin, &group, *birth, reply),
            Happening::Vanish(plugin, id) => self.vanish(&plugin, &id),
            Happening::Answer(life, ticket, answer) => self.deliver(life, ticket, answer),
            Happening::Apply {
                life,
                ticket,
                changes,
                durability,
            } => self.apply(life, ticket, changes, durability),
            Happening::Start => self.begin_life(),
            Happening::Depose(life) => self.depose(life),
            Happening::Deed(index) => {
                let deed = self.deeds[index].clone();
                let waits = matches!(&deed, Deed::Operate(group, _) | Deed::DestroyOne(group, _)
                    | Deed::HoldOne(group, _) if self.is_someones_turn(group));
                if waits {
                    let later = self.now + 100 * MILLIS;
                    self.queue.push(later, Happening::Deed(index));
                } else {
                    self.perform(&deed);
                }
            }
        }
    }

    /// Lets all invariants judge something that a life is about to do.
    fn judge_ask(&mut self, life: u32, stage: Stage, ask: &Ask) {
        if let Ask::Destroy { group, .. } | Ask::Repair { group, .. } = ask {
            self.look_for_hands(group);
        }
        let Some(sight) = self.ledger.sight(life) else {
            return;
        };
        let scene = Scene {
            now: self.now,
            life,
            sight,
            ledger: &self.ledger,
            park: &self.park,
            coming: &self.coming,
            stage,
        };
        let broken = invariants::ALL
            .iter()
            .find_map(|one| Some((one.name(), one.ask(&scene, ask)?)));
        if let Some((name, what)) = broken {
            self.breach(name, what);
            self.tell_what_is_known(life);
        }
    }

    /// Reads on which members of a group a hand lies. A wish that the store has not taken is none.
    fn look_for_hands(&mut self, group: &GroupId) {
        let record = self.store.get(&format!("memory/{group}").into());
        let record = record.and_then(|record| record.value.decode::<Value>().ok());
        let held = record
            .as_ref()
            .and_then(|record| record.get("held")?.as_array());
        let held = held.into_iter().flatten().filter_map(Value::as_str);
        self.ledger.hands(group, held.map(InstanceId::from));
    }

    /// Tells what a life was told of its members, for whoever wonders why a promise was broken.
    fn tell_what_is_known(&mut self, life: u32) {
        let Some(sight) = self.ledger.sight(life) else {
            return;
        };
        for ((plugin, id), seen) in &sight.members {
            let promise = sight.promises.get(&seen.group);
            let current = promise.is_some_and(|promise| promise.matches(seen.hash.as_deref()));
            let age = if current { "current" } else { "outdated" };
            let stays = if seen.leaving { "leaving" } else { "staying" };
            let (group, verdict, former) = (&seen.group, seen.verdict, seen.former);
            let line = format_args!(
                "  known of `{id}` of `{group}` on `{plugin}`: {age}, {stays}, {verdict:?}, before that {former:?}"
            );
            self.trace.note(self.now, line);
        }
    }

    /// A destruction is judged when it is decided, which is when it is journaled: what is learnt
    /// while the store takes its time cannot be held against it.
    fn judge_departures(&mut self, life: u32, ask: &Ask) {
        let Ask::Write { changes, .. } = ask else {
            return;
        };
        for destroy in changes.iter().flat_map(departures) {
            self.judge_ask(life, Stage::Decided, &destroy);
            if let Ask::Destroy {
                group, plugin, id, ..
            } = destroy
            {
                self.ledger.condemned(life, &group, (plugin, id));
            }
        }
    }

    /// Returns whether a change of a group is on its way to the store.
    pub(crate) fn is_someones_turn(&self, group: &GroupId) -> bool {
        let leader = self.leader().map(|life| life.number);
        leader.is_some_and(|number| self.turns.contains_key(&(number, group.clone())))
    }

    fn note(&mut self, line: std::fmt::Arguments<'_>) {
        self.trace.note(self.now, line);
    }

    fn stir(&mut self) {
        self.stirred = self.now;
    }

    /// Returns the tags of an instance of a group that a person makes.
    fn hand_made(group: &GroupId, labels: &[(&str, &str)]) -> Tags {
        let own = (infrakit_spi::tags::GROUP, group.as_str());
        let pairs = labels.iter().copied().chain([own]);
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// Asks the controller in office for something, as a person would, once the change before it is
    /// made. `None` when no controller is there.
    pub fn operate(
        &mut self,
        group: &GroupId,
        operation: Operation,
    ) -> Option<Result<String, String>> {
        let patience = self.now + 30 * SECOND;
        while self.is_someones_turn(group) && self.now < patience && self.breaches.is_empty() {
            self.run_for(10 * MILLIS);
        }
        self.ask_of_the_leader(group, operation)
    }

    /// Returns whether a fault strikes now, and tells it.
    fn strikes(&mut self, kind: Kind) -> bool {
        let strikes = self.dice.strikes(kind);
        if strikes {
            self.stir();
            self.note(format_args!("! {}", kind.name()));
        }
        strikes
    }
}

/// Reads the destructions that a change journals.
fn departures(change: &Change) -> Vec<Ask> {
    let Change::Put { key, value, .. } = change else {
        return Vec::new();
    };
    let group = key.strip_prefix("departures/");
    let Some((group, _)) = group.and_then(|rest| rest.rsplit_once('/')) else {
        return Vec::new();
    };
    let record = serde_json::from_str::<Value>(value).unwrap_or_default();
    let parts = record.get("parts").and_then(Value::as_array);
    let mut asks = Vec::new();
    for part in parts.into_iter().flatten() {
        let text = |name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default();
        let ids = part.get("ids").and_then(Value::as_array);
        for id in ids.into_iter().flatten().filter_map(Value::as_str) {
            asks.push(Ask::Destroy {
                group: group.into(),
                plugin: text("plugin").into(),
                id: id.into(),
                drain: Drain::Try,
                why: text("reason").to_lowercase(),
            });
        }
    }
    asks
}
