//! The simulated world: a clock, instances, a store, controllers, and whatever goes wrong.

mod age;
mod births;
mod calls;
mod incidents;
mod life;
mod machine;
mod nature;
mod park;
mod people;
mod promises;
mod provider;
mod queue;
mod real;
mod rest;
mod store;
mod time;
mod writes;

pub use life::Life;
pub use machine::{Machine, Maker, Truth, ZONE};
pub use nature::{Bucket, Class, Fill, Nature, Spread};
pub use park::Park;
pub use provider::{Birth, Provider};
pub use store::SimStore;
pub use time::{MILLIS, MINUTE, SECOND, Traits};

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::{GroupId, InstanceId, PluginName, Tags};
use infrakit_store::{Change, Durability};

use crate::controller::{Answer, Ask, Maker as ControllerMaker, Operation, Ticket};
use crate::faults::{Dice, Kind};
use crate::invariants;
use crate::judge::{Breach, Coming, Ledger, Scene};
use crate::rng::Rng;
use crate::scenario::Deed;
use crate::trace::{Clock, DAWN, Tells, Trace};
use queue::Queue;

/// Lines of what a controller says of a group that are told where a promise was broken.
const WHY: usize = 12;

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
    /// An instance ceases to be, if it is the one that was born then.
    Vanish(PluginName, InstanceId, Option<u64>),
    /// A destruction that was accepted has come to nothing.
    Stays(PluginName, InstanceId, u64),
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
    /// How far the clock of the last life is from the world's.
    skew: i64,
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
    /// Promises that nobody is held to.
    forgiven: &'static [&'static str],
    counts: Counts,
    step_guard: (u64, u32),
    /// Changes that people asked for and that are on their way to the store: those of one group
    /// come one after the other.
    turns: BTreeMap<(u32, GroupId), Ticket>,
    /// What a person is asking of a group right now.
    asking: Option<(GroupId, Operation)>,
    /// What people asked for and what is not on record yet, by the transaction that is to record it.
    wishes: BTreeMap<(u32, Ticket), (GroupId, Operation)>,
    /// When transactions were taken whose answers are on their way.
    applied: BTreeMap<(u32, Ticket), u64>,
    /// The opportunities for faults until the first death of a controller.
    met_at_death: Vec<(Kind, u32)>,
    /// Until when all health is told wrongly; and whether it is not told at all.
    dark: (u64, bool),
    /// Since when health has been told wrongly of everybody.
    darkened: u64,
    /// Whether no configuration makes its members sick any more.
    cured: bool,
    /// Sick members that may have been spared.
    suspicions: Vec<invariants::Suspicion>,
    /// Calls that were refused because there were too many.
    throttled: u64,
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
            if let Some(nature) = &provider.nature {
                traits.behaviours.insert(name.clone(), nature.declaration());
            }
        }
        let mut ledger = Ledger::new(&traits);
        ledger.pace.limits = (traits.creates_per_minute, traits.destroys_per_minute);
        Self {
            now: DAWN,
            traits,
            maker,
            park,
            store: SimStore::default(),
            lives: Vec::new(),
            next_life: 1,
            skew: 0,
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
            forgiven: &[],
            counts: Counts::default(),
            step_guard: (0, 0),
            turns: BTreeMap::new(),
            asking: None,
            wishes: BTreeMap::new(),
            applied: BTreeMap::new(),
            met_at_death: Vec::new(),
            dark: (0, false),
            darkened: 0,
            throttled: 0,
            cured: false,
            suspicions: Vec::new(),
        }
    }

    /// Lets the trace keep its lines.
    #[must_use]
    pub fn telling(mut self) -> Self {
        self.trace = Trace::new(Tells::Story);
        self
    }

    /// Lets these promises be broken.
    pub fn forgive(&mut self, promises: &'static [&'static str]) {
        self.forgiven = promises;
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
        if self.forgiven.contains(&invariant) {
            return;
        }
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
        if let Some(until) = self.suspended(&happening) {
            self.queue.push(until, happening);
            return;
        }
        match happening {
            Happening::Appear {
                plugin,
                group,
                birth,
                reply,
            } => self.appear(&plugin, &group, *birth, reply),
            Happening::Vanish(plugin, id, born) => self.end(&plugin, &id, born),
            Happening::Stays(plugin, id, born) => self.stays(&plugin, &id, born),
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
    fn judge_ask(&mut self, life: u32, ask: &Ask) {
        if !self.breaches.is_empty() {
            return;
        }
        let age = self.age(ask);
        self.suspect(life, ask, age);
        self.settle_suspicions();
        let Some(scene) = self.scene(life, age) else {
            return;
        };
        let broken = invariants::ALL
            .iter()
            .filter(|one| !self.forgiven.contains(&one.name()))
            .find_map(|one| Some((one.name(), one.ask(&scene, ask)?)));
        if let Some((name, what)) = broken {
            self.breach(name, what);
            self.tell_the_truth(life, ask);
        }
    }

    /// Returns what an invariant judges by, if somebody watches the life. The truth may be so old.
    fn scene(&self, life: u32, age: u64) -> Option<Scene<'_>> {
        Some(Scene {
            now: self.now,
            life,
            sight: self.ledger.sight(life)?,
            ledger: &self.ledger,
            park: &self.park,
            coming: &self.coming,
            age,
            dark: (self.now < self.dark.0).then_some(self.darkened),
        })
    }

    /// Tells how the members of a group really are, and what the controller says, for whoever wonders why a promise was broken.
    fn tell_the_truth(&mut self, life: u32, ask: &Ask) {
        let group = match ask {
            Ask::Create(creation) => &creation.group,
            Ask::Destroy { group, .. } | Ask::Repair { group, .. } | Ask::Label { group, .. } => {
                group
            }
            Ask::List { .. } | Ask::Write { .. } | Ask::Check { .. } | Ask::Drain { .. } => return,
        };
        let sight = self.ledger.sight(life);
        let promise = sight.and_then(|sight| sight.promises.get(group));
        for (plugin, one) in self.park.of(group.as_str()) {
            let current = promise.is_some_and(|promise| promise.matches(one.hash()));
            let age = if current { "current" } else { "outdated" };
            let stays = if one.leaving { "leaving" } else { "staying" };
            let serves = if one.serves(self.now) {
                "serves"
            } else {
                "does not serve"
            };
            let verdict = self.ledger.verdicts.get(&(plugin.clone(), one.id.clone()));
            let known = sight.is_some_and(|sight| {
                sight
                    .members
                    .contains_key(&(plugin.clone(), one.id.clone()))
            });
            let (id, identity, known) = (
                &one.id,
                one.identity(),
                if known { "known" } else { "unknown" },
            );
            let token = one.token().unwrap_or_default();
            let sight = match one.unseen {
                Some((first, last)) => format!("unseen {} to {}", Clock(first), Clock(last)),
                None if one.passed_over => "passed over".to_owned(),
                None => "shown".to_owned(),
            };
            let zone = one.zone().unwrap_or("no zone");
            self.trace.note(
                self.now,
                format_args!(
                    "  true of `{id}` ({identity:?}, {token}) on `{plugin}`: {age}, {stays}, {serves}, {:?}, told {verdict:?}, {known}, {zone}, {sight}",
                    one.truth
                ),
            );
        }
        let coming = self.coming.get(group).map_or(0, Vec::len);
        let size = promise.map_or(0, |promise| promise.size);
        let line = format_args!("  coming: {coming}; size: {size}");
        self.trace.note(self.now, line);
        let acts = self.lives.iter().find(|one| one.number == life);
        let why = acts.map(|life| life.controller().explain(group));
        let why = why.unwrap_or_default();
        for line in why.lines().take(WHY) {
            self.trace.note(self.now, format_args!("  why: {line}"));
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
