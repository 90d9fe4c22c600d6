//! A world that answers the core at once, under a clock that the test winds.

mod answers;
mod kept;
mod looks;
mod people;
mod specs;

pub(crate) use kept::KeptCreation;
pub(crate) use specs::{GROUP, cattle, named, spec};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use infrakit_engine::core::{
    Call, Claim, Core, CreationAnswer, Effect, Event, Limits, NotWritten, Refused,
};
use infrakit_plan::{Config, Spec, Timestamp};
use infrakit_spi::behaviour::{Behaviour, Seconds};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Description, Domains, Lifecycle, Listing, Repaired};
use infrakit_spi::{Error, InstanceId, PluginName, Tags, tags};
use infrakit_store::{MemStore, Store as _};

/// What becomes of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// They are carried out, and answered.
    #[default]
    Done,
    /// They are carried out, and their answers are lost with the controller.
    Unheard,
    /// They are lost with the controller.
    Lost,
    /// They wait for better times.
    Kept,
}

/// What there is, by plugin and id.
pub(crate) type Instances = BTreeMap<(PluginName, InstanceId), Description>;

/// A provider whose creations come within so many seconds, or never.
pub(crate) fn gives_up_after(seconds: u32) -> Behaviour {
    let mut behaviour = Behaviour::default();
    behaviour.create.give_up = Some(Seconds(f64::from(seconds)));
    behaviour
}

/// Is shown effects.
pub(crate) type Witness = Box<dyn Fn(&Effect)>;

pub(crate) struct Bench {
    pub(crate) core: Core,
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    pub(crate) store: Arc<MemStore>,
    pub(crate) now: Timestamp,
    pub(crate) instances: Instances,
    /// Members that are not well.
    pub(crate) sick: BTreeSet<InstanceId>,
    /// Members of whom their flavor does not answer.
    pub(crate) silent: BTreeSet<InstanceId>,
    /// What is said of creations from a configuration with this note.
    pub(crate) refused: BTreeMap<String, Error>,
    /// What the plugin says to labels, and to steps of repair.
    pub(crate) labels: Option<Error>,
    /// How many labels the plugin acknowledges and does not put on.
    pub(crate) labels_ignored: usize,
    /// Whether the dead are listed, as going away.
    pub(crate) tombs: bool,
    pub(crate) repair: Option<Repaired>,
    /// Whether labels are acknowledged and not put on.
    pub(crate) mute: bool,
    /// How lists show instances that were made; answers do not say.
    pub(crate) first_state: Lifecycle,
    pub(crate) fate: Fate,
    /// Whether the store has no room.
    pub(crate) full: bool,
    /// Journal entries that were asked for.
    pub(crate) entries: usize,
    /// Plugins that show the instances of another one, too.
    pub(crate) alias: Option<(PluginName, PluginName)>,
    /// Calls that were made, but for checks, in words.
    pub(crate) made: Vec<String>,
    /// Calls that may still be carried out before the others are kept; any number where not set.
    pub(crate) calls_left: Option<usize>,
    /// How many groups were freed: one that is committed anew is another record.
    freed: usize,
    /// Fewest and most instances at a time, since this was last set.
    pub(crate) extremes: (usize, usize),
    /// Is shown each effect before it is carried out.
    pub(crate) witness: Option<Witness>,
    /// A plugin that does not answer.
    pub(crate) hangs: Option<PluginName>,
    /// What lists show instead of what is there.
    pub(crate) stale: Option<Instances>,
    /// The zones that lists cover, by the tag `zone`; everything where not set.
    pub(crate) covers: Option<Domains>,
    /// The id that creations are answered with, instead of one of a new instance.
    pub(crate) answered: Option<InstanceId>,
    /// Whether lists are kept waiting, and those that are.
    pub(crate) hold_lists: bool,
    pub(crate) lists: Vec<(PluginName, Timestamp)>,
    kept: Vec<Call>,
    serial: u64,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::declaring(|_| {})
    }

    /// A world whose plugins declare this, and that creations come within a quarter of a minute.
    pub(crate) fn declaring(declare: impl FnOnce(&mut Behaviour)) -> Self {
        let mut behaviour = gives_up_after(15);
        declare(&mut behaviour);
        let config = Config {
            undeclared: Arc::new(behaviour),
            ..Config::default()
        };
        Self::with(config, Limits::default())
    }

    /// A world of plugins that declare nothing.
    pub(crate) fn undeclared() -> Self {
        Self::with(Config::default(), Limits::default())
    }

    pub(crate) fn with(config: Config, limits: Limits) -> Self {
        let mut bench = Self {
            core: Core::new(config.clone()),
            config,
            limits,
            store: Arc::default(),
            now: Timestamp(1_000_000_000_000_000_000),
            instances: BTreeMap::new(),
            sick: BTreeSet::new(),
            silent: BTreeSet::new(),
            refused: BTreeMap::new(),
            labels: None,
            labels_ignored: 0,
            tombs: false,
            repair: None,
            mute: false,
            first_state: Lifecycle::default(),
            fate: Fate::Done,
            full: false,
            entries: 0,
            alias: None,
            made: Vec::new(),
            calls_left: None,
            freed: 0,
            extremes: (0, 0),
            witness: None,
            hangs: None,
            stale: None,
            covers: None,
            answered: None,
            hold_lists: false,
            lists: Vec::new(),
            kept: Vec::new(),
            serial: 0,
        };
        bench.core = bench.another();
        bench
    }

    /// A further controller on the same store, which takes the lead.
    pub(crate) fn another(&self) -> Core {
        let mut core = Core::new(self.config.clone()).governed(self.limits);
        let claim = Claim::next(self.store.as_ref(), "test");
        let written = self
            .store
            .commit(claim.changes(), infrakit_store::Durability::Synced);
        core.lead(claim.won(written.now_or_never().unwrap().unwrap()));
        let unreadable = core.restore(self.store.as_ref(), self.now);
        assert_eq!(unreadable, []);
        core
    }

    /// Ends the controller, and everything that it waits for, and starts another one.
    pub(crate) fn crash(&mut self) {
        self.kept.clear();
        self.calls_left = None;
        self.fate = Fate::Done;
        self.core = self.another();
    }

    /// Ends the controller and starts another one. What it has asked for goes on.
    pub(crate) fn restart(&mut self) {
        self.lists.clear();
        self.core = self.another();
    }

    /// Lets what a former controller has asked for come true; nobody hears of it.
    pub(crate) fn come_true(&mut self) {
        let fate = std::mem::replace(&mut self.fate, Fate::Unheard);
        for call in std::mem::take(&mut self.kept) {
            self.call(call);
        }
        self.fate = fate;
        self.settle();
    }

    /// Returns the calls that were kept; they come to nothing.
    pub(crate) fn take_kept(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.kept)
    }

    /// Why the group is as it is, in one text.
    pub(crate) fn why(&self) -> String {
        let why = self.core.why(&GROUP.into(), None, self.now).unwrap();
        assert!(why.lines.len() <= 3, "{:?}", why.lines);
        why.lines.join("\n")
    }

    pub(crate) fn commit(&mut self, raw: GroupSpec) -> String {
        self.try_commit(raw).unwrap()
    }

    pub(crate) fn try_commit(&mut self, raw: GroupSpec) -> Result<String, Refused> {
        let spec = Spec::parse(raw.properties.as_ref()).unwrap();
        let nonce = self.nonce();
        let accepted = self.core.commit(raw, spec, &nonce, self.now)?;
        self.settle();
        Ok(accepted.details)
    }

    /// Commits and lets time pass until everything is as specified.
    pub(crate) fn arrive(&mut self, raw: GroupSpec) {
        self.commit(raw);
        self.wait(300);
        assert!(self.converged(), "{:?}", self.memory().conditions);
    }

    /// Lets the core decide and the world answer, until nothing more happens at this moment.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            self.now = Timestamp(self.now.0 + 1_000);
            self.core.plan(self.now);
            self.core.look(self.now);
            let effects = self.core.take_effects();
            if effects.is_empty() && !self.core.is_dirty() {
                return;
            }
            for effect in effects {
                self.carry_out(effect);
            }
        }
        panic!("it never rests: {:?}", self.made);
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        self.settle();
        while let Some(at) = self.core.wake_at()
            && at <= end
        {
            self.now = self.now.max(at);
            self.settle();
        }
        self.now = self.now.max(end);
        self.settle();
    }

    /// Carries out the calls that were kept.
    pub(crate) fn release(&mut self) {
        self.fate = Fate::Done;
        for call in std::mem::take(&mut self.kept) {
            self.call(call);
        }
        self.settle();
    }

    /// Carries out the first calls that were kept.
    pub(crate) fn release_some(&mut self, count: usize) {
        let rest = self.kept.split_off(count);
        for call in std::mem::replace(&mut self.kept, rest) {
            self.call(call);
        }
        self.settle();
    }

    /// The groups of the calls that are kept, and how many each has.
    pub(crate) fn kept_by_group(&self) -> BTreeMap<&str, usize> {
        let mut groups = BTreeMap::new();
        for call in &self.kept {
            if let Call::Provision { target, .. } = call {
                *groups.entry(target.group.as_str()).or_default() += 1;
            }
        }
        groups
    }

    pub(crate) fn kept(&self) -> usize {
        self.kept.len()
    }

    fn carry_out(&mut self, effect: Effect) {
        if let Some(witness) = &self.witness {
            witness(&effect);
        }
        match effect {
            Effect::List {
                plugin, started, ..
            } => {
                if self.hold_lists {
                    self.lists.push((plugin, started));
                    return;
                }
                let there = self.stale.as_ref().unwrap_or(&self.instances).iter();
                let alias = |home: &PluginName| match &self.alias {
                    Some((one, other)) => {
                        [one, other].contains(&home) && [one, other].contains(&&plugin)
                    }
                    None => false,
                };
                let there = there.filter(|((home, _), _)| *home == plugin || alias(home));
                let list: Vec<_> = there.map(|(_, one)| one.clone()).collect();
                let listing = match &self.covers {
                    None => Listing::Changed(list, None),
                    Some(covers) => {
                        let list = list.into_iter().filter(|one| {
                            let zone = one.tags.as_ref().and_then(|tags| tags.get("zone"));
                            zone.is_some_and(|zone| covers.contains(zone))
                        });
                        Listing::Part(list.collect(), covers.clone(), None)
                    }
                };
                self.answer_list((plugin, started), Ok(listing));
            }
            Effect::Journal {
                batch,
                changes,
                durability,
            } => {
                self.entries += 1;
                let outcome = if self.full {
                    Err(NotWritten::Failed("no space left".to_owned()))
                } else {
                    let written = self.store.commit(changes, durability);
                    let written = written.now_or_never().unwrap();
                    written.map(drop).map_err(|error| NotWritten::of(&error))
                };
                let event = Event::Journaled { batch, outcome };
                self.core.handle(event, self.now);
            }
            Effect::Call(call) => match self.fate {
                _ if matches!(call, Call::Check { .. }) => self.call(call),
                _ if self.hangs.is_some() && self.hangs.as_ref() == kept::plugin_of(&call) => {
                    self.kept.push(call);
                }
                _ if self.calls_left == Some(0) => self.kept.push(call),
                Fate::Done | Fate::Unheard => self.call(call),
                Fate::Lost => {}
                Fate::Kept => self.kept.push(call),
            },
        }
    }

    pub(crate) fn call(&mut self, call: Call) {
        if !matches!(call, Call::Check { .. }) {
            self.calls_left = self.calls_left.map(|left| left - 1);
        }
        let event = match call {
            Call::Provision {
                target,
                number,
                spec,
                provision,
            } => {
                let plugin = spec.instance.plugin.clone();
                let note = spec.instance.properties.as_ref().unwrap().as_str();
                self.made.push(format!("create on {plugin} {note}"));
                let refusal = self.refused.iter().find(|(word, _)| note.contains(*word));
                let outcome = match refusal.map(|(_, error)| error.clone()) {
                    Some(error) => Err(error),
                    None => Ok(Box::new(match self.answered.clone() {
                        None => self.create(&plugin, provision.tags),
                        Some(id) => Description {
                            id,
                            tags: Some(provision.tags),
                            ..Description::default()
                        },
                    })),
                };
                Event::Provisioned(CreationAnswer {
                    target,
                    number,
                    plugin,
                    begun: self.now,
                    outcome,
                })
            }
            Call::Destroy {
                subject, reason, ..
            } => {
                self.made.push(format!("destroy {}: {reason}", subject.id));
                let key = (subject.plugin.clone(), subject.id.clone());
                match self.instances.get_mut(&key).filter(|_| self.tombs) {
                    Some(dead) => dead.state = Lifecycle::Terminating,
                    None => drop(self.instances.remove(&key)),
                }
                if let Some((one, other)) = &self.alias {
                    let keys = [one, other].map(|home| (home.clone(), subject.id.clone()));
                    self.instances.retain(|known, _| !keys.contains(known));
                }
                let outcome = Ok(());
                Event::Destroyed { subject, outcome }
            }
            Call::Drain { subject, .. } => {
                self.made.push(format!("drain {}", subject.id));
                let outcome = Ok(());
                Event::Drained { subject, outcome }
            }
            Call::Repair { subject, step } => {
                self.made.push(format!("{step} {}", subject.id));
                let outcome = Ok(self.repair.unwrap_or(Repaired::NotOffered));
                Event::Repaired { subject, outcome }
            }
            Call::Label { subject, labels } => {
                self.made.push(format!("label {}", subject.id));
                let outcome = match &self.labels {
                    Some(error) => Err(error.clone()),
                    None if self.mute => Ok(()),
                    None if self.labels_ignored > 0 => {
                        self.labels_ignored -= 1;
                        Ok(())
                    }
                    None => {
                        let key = (subject.plugin.clone(), subject.id.clone());
                        let instance = self.instances.get_mut(&key).unwrap();
                        instance.tags.get_or_insert_default().extend(labels);
                        Ok(())
                    }
                };
                Event::Labelled { subject, outcome }
            }
            Call::Check { subject, .. } => {
                let outcome = self.verdict(&subject.id);
                Event::Checked { subject, outcome }
            }
        };
        let there = self.instances.len();
        self.extremes = (self.extremes.0.min(there), self.extremes.1.max(there));
        let heard = self.fate != Fate::Unheard || matches!(event, Event::Checked { .. });
        if heard {
            self.core.handle(event, self.now);
        }
    }

    /// Makes an instance, or returns the one that was made for the group with the same token.
    fn create(&mut self, plugin: &PluginName, tags: Tags) -> Description {
        let token = |all: &Tags| [tags::GROUP, tags::TOKEN].map(|tag| all.get(tag).cloned());
        let there = self.instances.iter().find(|((home, _), one)| {
            home == plugin && one.tags.as_ref().map(token) == Some(token(&tags))
        });
        if let Some((_, there)) = there {
            return there.clone();
        }
        self.serial += 1;
        let id = InstanceId::new(format!("i-{:03}", self.serial));
        let made = self.plant(plugin.as_str(), id.as_str(), tags);
        if let Some(there) = self.instances.get_mut(&(plugin.clone(), id)) {
            there.state = self.first_state.clone();
        }
        made
    }

    /// Puts an instance into the world.
    pub(crate) fn plant(&mut self, plugin: &str, id: &str, tags: Tags) -> Description {
        let description = Description {
            id: id.into(),
            tags: Some(tags),
            ..Description::default()
        };
        let key = (PluginName::from(plugin), description.id.clone());
        self.instances.insert(key, description.clone());
        description
    }

    /// Forgets how few and how many instances there have been.
    pub(crate) fn watch_extremes(&mut self) {
        self.extremes = (self.instances.len(), self.instances.len());
    }

    /// Takes an instance out of the world, without anybody's doing.
    pub(crate) fn lose(&mut self, id: &str) {
        self.instances.retain(|(_, known), _| known.as_str() != id);
    }
}
