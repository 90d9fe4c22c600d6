//! The shell around the core: one loop that owns the clock, the tasks and the store.
//!
//! The loop handles one input at a time. Calls run in tasks of their own and come back as inputs.

mod call;
mod clock;
mod footprint;
mod input;
mod resolve;
mod writer;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::Timestamp;
use infrakit_spi::instance::{Detail, Fingerprint, Listing, Locality};
use infrakit_spi::{Error, GroupId, PluginName, Tags};
use infrakit_store::Store;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::{Call, Core, Effect, Event, ListAnswer, NotWritten};
pub(crate) use crate::shell::clock::Clock;
pub use crate::shell::clock::{Clocks, SystemClocks, Uptime};
use crate::shell::footprint::Footprint;
pub(crate) use crate::shell::resolve::Resolver;

/// Waits for a journal entry.
pub(crate) type Teller = oneshot::Sender<Result<(), NotWritten>>;
/// What this loop hears.
pub(crate) type Input = input::Input<Shell>;
/// A question to this loop.
pub(crate) type Question = input::Question<Shell>;
/// Looks at the core after each step until it has what it waits for.
pub(crate) type Waiter = Box<dyn FnMut(&Core) -> bool + Send>;

/// The loop's state.
pub(crate) struct Shell {
    pub(crate) core: Core,
    store: Arc<dyn Store>,
    resolver: Arc<Resolver>,
    inputs: mpsc::UnboundedSender<Input>,
    patience: call::Patience,
    /// Journal entries for the writer, in order.
    entries: mpsc::UnboundedSender<writer::Entry>,
    batches: BTreeMap<u64, Teller>,
    /// Changes of groups that wait until another change of theirs is written, in order.
    queued: BTreeMap<GroupId, VecDeque<Question>>,
    waiters: Vec<Waiter>,
    /// The ids of the groups, for whoever needs them at once.
    ids: watch::Sender<Arc<[GroupId]>>,
    /// Which state of the groups those ids are of.
    roster: u64,
    clock: Clock,
    /// Planning pauses until this moment, so that it takes a tenth of the time at most.
    plan_not_before: Option<Instant>,
    footprint: Footprint,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Settings of the loop.
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) clock: Clock,
    pub(crate) slow: Duration,
    pub(crate) ids: watch::Sender<Arc<[GroupId]>>,
    pub(crate) stop: CancellationToken,
}

/// Longest share of the loop's time that planning may take, as rest per unit of work: the one thread
/// has ten times as long for answers and lists, which is what the next plan is about. After one that
/// takes fifty milliseconds it plans again in half a second, which a person hardly notices.
const REST: u32 = 10;
/// Plans shorter than this are never put off: a timer is no finer than that.
const CHEAP: Duration = Duration::from_millis(1);

impl Shell {
    pub(crate) fn new(core: Core, setup: Setup, inputs: mpsc::UnboundedSender<Input>) -> Self {
        let (entries, received) = mpsc::unbounded_channel();
        // Its end is not the end of everything else in this process.
        let stop = setup.stop.child_token();
        let tasks = TaskTracker::new();
        let told = inputs.clone();
        let writing = writer::write(Arc::clone(&setup.store), received, move |event| {
            // Where the loop has ended nobody waits for it.
            let _ = told.send(Input::Event(event));
        });
        tasks.spawn(stop.clone().run_until_cancelled_owned(writing));
        Self {
            core,
            store: setup.store,
            resolver: setup.resolver,
            inputs,
            patience: call::Patience {
                limit: setup.slow,
                ..call::Patience::default()
            },
            entries,
            batches: BTreeMap::new(),
            queued: BTreeMap::new(),
            waiters: Vec::new(),
            ids: setup.ids,
            roster: 0,
            clock: setup.clock,
            plan_not_before: None,
            footprint: Footprint::default(),
            tasks,
            stop,
        }
    }

    /// Takes up the groups in the store. Returns those that cannot be read.
    pub(crate) fn restore(&mut self) -> Vec<(GroupId, String)> {
        self.core.tell_wall(self.clock.wall_ahead());
        let now = self.clock.now();
        let store = Arc::clone(&self.store);
        self.core.restore(store.as_ref(), now)
    }

    /// Runs until the token is cancelled.
    pub(crate) async fn run(mut self, mut inputs: mpsc::UnboundedReceiver<Input>) {
        self.step();
        loop {
            let wake = self.wake_at();
            let input = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                input = inputs.recv() => input,
                () = sleep_until(wake) => None,
            };
            if let Some(input) = input {
                self.take(input);
                while let Ok(input) = inputs.try_recv() {
                    self.take(input);
                }
            }
            self.step();
            if self.core.is_deposed() {
                tracing::error!(
                    "this controller stops: another one leads, and nothing of this one is carried out any more"
                );
                // Calls that wait for a slot must not begin.
                self.stop.cancel();
                break;
            }
        }
        self.tasks.close();
    }

    fn take(&mut self, input: Input) {
        // Before anything is made of it: the machine may have slept.
        self.core.tell_wall(self.clock.wall_ahead());
        let now = self.clock.now();
        let event = match input {
            Input::Ask(question) => return question(self, now),
            Input::Event(event) => event,
        };
        let told = match &event {
            Event::Journaled { batch, outcome } => self
                .batches
                .remove(batch)
                .map(|teller| (teller, outcome.clone())),
            _ => None,
        };
        if let Event::Listed(ListAnswer {
            outcome: Ok(Listing::Changed(list, _) | Listing::Part(list, ..)),
            ..
        }) = &event
            && self.footprint.read(list.len(), Instant::now())
        {
            self.give_memory_back(footprint::READ);
        }
        let journaled = matches!(event, Event::Journaled { .. });
        self.core.handle(event, now);
        if journaled {
            self.publish_ids();
        }
        if let Some((teller, outcome)) = told {
            // Whoever asked may have gone; the change stands all the same.
            let _ = teller.send(outcome);
        }
        if journaled {
            self.take_queued(now);
        }
    }

    /// Makes a change of a group as soon as no other one is on its way to the store, be it an
    /// operator's or a rollback that the planner asked for. Those that wait keep their order.
    pub(crate) fn when_free(&mut self, id: &GroupId, change: Question, now: Timestamp) {
        if self.queued.contains_key(id) || self.core.is_changing(id) {
            self.queued.entry(id.clone()).or_default().push_back(change);
        } else {
            change(self, now);
        }
    }

    fn take_queued(&mut self, now: Timestamp) {
        let waiting: Vec<GroupId> = self.queued.keys().cloned().collect();
        for id in waiting {
            while !self.core.is_changing(&id) {
                let queue = self.queued.get_mut(&id);
                let Some(change) = queue.and_then(VecDeque::pop_front) else {
                    self.queued.remove(&id);
                    break;
                };
                change(self, now);
            }
        }
    }

    fn publish_ids(&mut self) {
        if self.roster == self.core.roster() {
            return;
        }
        self.roster = self.core.roster();
        let ids = self.core.groups().cloned().collect();
        self.ids.send_replace(ids);
    }

    fn step(&mut self) {
        let ahead = self.clock.wall_ahead();
        self.core.tell_wall(ahead);
        if self.plan_not_before.is_none_or(|at| at <= Instant::now()) {
            let begun = Instant::now();
            self.core.plan(self.clock.now());
            let cost = begun.elapsed();
            self.plan_not_before =
                (cost > CHEAP).then(|| Instant::now() + cost.saturating_mul(REST));
        }
        self.publish_ids();
        self.core.look(self.clock.now());
        for effect in self.core.take_effects() {
            self.carry_out(effect);
        }
        let core = &self.core;
        self.waiters.retain_mut(|waiter| !waiter(core));
        if self.footprint.shrank(self.core.members()) {
            self.give_memory_back(footprint::SETTLED);
        }
    }

    fn wake_at(&self) -> Option<Instant> {
        let planned = self.core.wake_at().map(|at| self.clock.instant(at));
        if self.core.is_dirty() {
            // Put off for the sake of pace; there is nothing else to wait for.
            return Some(self.plan_not_before.unwrap_or_else(Instant::now));
        }
        match (planned, self.plan_not_before) {
            (Some(planned), Some(not_before)) => Some(planned.max(not_before)),
            (planned, _) => planned,
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::List {
                plugin,
                filter,
                seen,
                started,
            } => {
                self.list(plugin, filter, seen, started);
            }
            Effect::Journal {
                batch,
                mut changes,
                durability,
            } => {
                changes.extend(self.clock.note());
                let entry = writer::Entry {
                    batch,
                    changes,
                    durability,
                };
                // The writer ends with this loop, and not before.
                let _ = self.entries.send(entry);
            }
            Effect::Call(call) => self.call(call),
        }
    }

    fn list(
        &self,
        plugin: PluginName,
        filter: Tags,
        seen: Option<Fingerprint>,
        started: Timestamp,
    ) {
        let resolver = Arc::clone(&self.resolver);
        let inputs = self.inputs.clone();
        let patience = self.patience.clone();
        self.spawn(async move {
            let mut locality = Locality::Remote;
            let work = async {
                let instance = resolver.instance(&plugin).await?;
                locality = instance.locality();
                resolver.ask(&plugin, instance.as_ref(), &inputs).await;
                resolver.watch(&plugin, instance.as_ref(), &inputs);
                instance
                    .describe_since(&filter, Detail::Properties, seen)
                    .await
            };
            let outcome = match tokio::time::timeout(patience.limit, work).await {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::unknown(format!("`{plugin}` does not answer"))),
            };
            if outcome.is_err() {
                resolver.forget(&plugin);
            }
            Event::Listed(ListAnswer {
                plugin,
                started,
                locality,
                outcome,
            })
        });
    }

    fn call(&mut self, call: Call) {
        let begun = self.clock.now();
        let resolver = Arc::clone(&self.resolver);
        let patience = self.patience.clone();
        self.spawn(call::run(call, begun, resolver, patience));
    }

    fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let inputs = self.inputs.clone();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if let Some(event) = stop.run_until_cancelled(work).await {
                let _ = inputs.send(Input::Event(event));
            }
        });
    }

    fn give_memory_back(&self, after: Duration) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let settled = tokio::time::sleep(after);
            if stop.run_until_cancelled(settled).await.is_some() {
                // Nobody waits for it.
                drop(tokio::task::spawn_blocking(infrakit_heap::give_back));
            }
        });
    }

    /// Tells `teller` when the journal entry is in the store, or is not.
    pub(crate) fn tell(&mut self, batch: u64, teller: Teller) {
        self.batches.insert(batch, teller);
    }

    /// Lets `waiter` look at the core after each step until it returns true.
    pub(crate) fn wait(&mut self, mut waiter: Waiter) {
        if !waiter(&self.core) {
            self.waiters.push(waiter);
        }
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
