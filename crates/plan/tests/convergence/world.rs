//! A small world: instances, plugins that misbehave as a tape says, and an engine that does what
//! plans say and forgets everything but its memory when it is restarted.

mod engine;
mod judge;
mod specs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use infrakit_plan::{
    Config, Decided, Doubt, Intent, Labelling, Lag, Listed, Memory, Observed, Phase, Roll, Size,
    Spec, Timestamp,
};
use infrakit_spi::behaviour::{Behaviour, Seconds};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::{InstanceId, LogicalId, PluginName, Tags, tags};
use proptest::sample::Index;

use specs::spec;

const NONCE: &str = "n";
const GROUP: &str = "g";
/// Longest time that a creation whose answer is lost takes; shorter than what is declared.
const SLOWEST: u64 = 10_000;

/// How the provider behaves: creations come within 15 s, or never.
fn declared(in_process: bool) -> Behaviour {
    let mut behaviour = Behaviour::default();
    behaviour.create.give_up = Some(Seconds(15.0));
    // Most destructions come to pass within a minute; the others take the controller by surprise.
    behaviour.destroy.stuck = Some(Seconds(60.0));
    if in_process {
        behaviour.visibility_window.list = Some(Seconds(0.0));
        behaviour.list.relapse = Some(Seconds(0.0));
    }
    behaviour
}

/// Whether members are alike or named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Cattle,
    Pets,
}

/// What a world starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    /// Which proof new members owe: 0 and 1 none, 2 `Count`, 3 `Duration`.
    pub(crate) proof: u8,
    /// Which budget rollouts have; see `budget`.
    pub(crate) budget: u8,
    /// Whether the controller runs on one of the members.
    pub(crate) own: bool,
    pub(crate) in_process: bool,
}

/// Which of the instances something happens to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick(pub(crate) Index);

/// Something that happens to the world.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// So many milliseconds pass.
    Run(u64),
    /// An instance is deleted by hand.
    Delete(Pick),
    /// The health of an instance changes.
    Turn(Pick, Health),
    /// The controller is killed and started again.
    Restart,
    /// A size and a configuration are committed.
    Commit(u64, u8),
    /// An instance is made by hand: one that asks for adoption, or an outdated one.
    ByHand(Pick, bool),
    /// An instance appears that is none of the group's business.
    Stranger,
    /// The operator asks for the destruction of a member.
    Doom(Pick),
}

struct Instance {
    tags: Tags,
    health: Health,
    by_hand: bool,
}

/// Something that will happen.
enum Event {
    Appear(Tags),
    Provisioned {
        epoch: u32,
        token: u64,
        begun: Timestamp,
        answer: Answer,
    },
    Disappear(InstanceId),
    Destroyed {
        epoch: u32,
        id: InstanceId,
        done: bool,
    },
    Labelled {
        epoch: u32,
        id: InstanceId,
        labels: Tags,
        done: bool,
    },
    Checked {
        epoch: u32,
        id: InstanceId,
    },
    Listed {
        epoch: u32,
        started: Timestamp,
        list: Vec<Description>,
    },
}

enum Answer {
    Done,
    Refused,
    Lost,
}

pub(crate) struct World {
    kind: Kind,
    own: bool,
    proof: u8,
    budget: u8,
    now: Timestamp,
    instances: BTreeMap<InstanceId, Instance>,
    strangers: BTreeSet<InstanceId>,
    events: BTreeMap<(Timestamp, u64), Event>,
    next_event: u64,
    next_instance: u64,
    tape: std::vec::IntoIter<u8>,
    // What the engine knows; all but spec and memory is lost by a restart.
    spec: Spec,
    memory: Memory,
    seen: Observed,
    epoch: u32,
    failures: BTreeMap<InstanceId, u32>,
    listing: bool,
    list_due: Timestamp,
    wake_at: Option<Timestamp>,
    converged: bool,
    config: Config,
    plans: u64,
}

impl World {
    pub(crate) fn new(shape: Shape, tape: Vec<u8>) -> Self {
        let mut world = Self {
            kind: shape.kind,
            own: shape.own,
            proof: shape.proof,
            budget: shape.budget,
            now: Timestamp(1_000_000_000_000_000),
            instances: BTreeMap::new(),
            strangers: BTreeSet::new(),
            events: BTreeMap::new(),
            next_event: 0,
            next_instance: 0,
            tape: tape.into_iter(),
            spec: spec((shape.kind, shape.proof, shape.budget), shape.size, 0),
            memory: Memory {
                group: GROUP.into(),
                nonce: NONCE.to_owned(),
                ..Memory::default()
            },
            seen: Observed::default(),
            epoch: 0,
            failures: BTreeMap::new(),
            listing: false,
            list_due: Timestamp(0),
            wake_at: None,
            converged: false,
            config: Config {
                undeclared: Arc::new(declared(shape.in_process)),
                ..Config::default()
            },
            plans: 0,
        };
        if shape.own {
            let own = LogicalId::from("pet-0");
            world.config.self_logical_id = Some(own);
            world.by_hand(&[
                (tags::LOGICAL_ID, "pet-0"),
                (tags::CONFIG_HASH, tags::BOOTSTRAP),
            ]);
        }
        world
    }

    fn by_hand(&mut self, pairs: &[(&str, &str)]) {
        let group = (tags::GROUP, GROUP);
        let tags = pairs.iter().copied().chain([group]);
        let tags = tags
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        self.appear(tags, true);
    }

    fn appear(&mut self, tags: Tags, by_hand: bool) -> InstanceId {
        // Ids that are not in the order of creation.
        let number = self.next_instance;
        self.next_instance += 1;
        let id = InstanceId::new(format!("i{}-{number}", number * 7 % 10));
        let health = if self.fault(8) {
            Health::Unhealthy
        } else {
            Health::Healthy
        };
        self.instances.insert(
            id.clone(),
            Instance {
                tags,
                health,
                by_hand,
            },
        );
        id
    }

    /// Returns a value from the tape; zero when it is used up.
    fn chance(&mut self) -> u8 {
        self.tape.next().unwrap_or_default()
    }

    /// Returns whether a fault of so many in 256 happens.
    fn fault(&mut self, of_256: u8) -> bool {
        self.chance() > 255 - of_256
    }

    fn later(&mut self, millis: u64, event: Event) {
        let at = self.now + Duration::from_millis(millis);
        self.events.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    /// Returns a member's instance, never the controller's own.
    fn pick(&self, Pick(index): Pick) -> Option<InstanceId> {
        let ids: Vec<&InstanceId> = self
            .instances
            .iter()
            .filter(|(id, one)| !self.strangers.contains(*id) && !self.is_own(&one.tags))
            .map(|(id, _)| id)
            .collect();
        (!ids.is_empty()).then(|| (*index.get(&ids)).clone())
    }

    fn is_own(&self, tags: &Tags) -> bool {
        self.own && tags.get(tags::LOGICAL_ID).is_some_and(|id| id == "pet-0")
    }

    pub(crate) fn apply(&mut self, op: Op) {
        match op {
            Op::Run(millis) => self.run(self.now + Duration::from_millis(millis)),
            Op::Delete(which) => {
                if let Some(id) = self.pick(which) {
                    self.instances.remove(&id);
                }
            }
            Op::Turn(which, health) => {
                let id = self.pick(which);
                if let Some(one) = id.and_then(|id| self.instances.get_mut(&id)) {
                    one.health = health;
                }
            }
            Op::Restart => self.restart(),
            Op::Commit(size, note) => self.commit(size, note),
            Op::ByHand(Pick(index), asks) => {
                let hash = if asks { tags::BOOTSTRAP } else { "strange" };
                let name = format!("pet-{}", index.index(8) + 1);
                match self.kind {
                    Kind::Cattle => self.by_hand(&[(tags::CONFIG_SHA, hash)]),
                    Kind::Pets => {
                        self.by_hand(&[(tags::CONFIG_HASH, hash), (tags::LOGICAL_ID, &name)]);
                    }
                }
            }
            Op::Stranger => {
                let id = self.appear(Tags::new(), true);
                self.strangers.insert(id);
            }
            Op::Doom(which) => self.doom(which),
        }
    }

    fn commit(&mut self, size: u64, note: u8) {
        if self.memory.phase == Phase::Destroying {
            return;
        }
        let after = spec((self.kind, self.proof, self.budget), size, note);
        if self
            .seen
            .members()
            .any(|member| !member.matches(&after.hash))
        {
            let held = self.memory.roll.as_ref().and_then(|roll| roll.hold);
            let former = held.unwrap_or_else(|| self.spec.size.count());
            let hold = (former < after.size.count()).then_some(former);
            self.memory.roll = Some(Roll {
                hold,
                ..Roll::begin(&self.seen, self.now)
            });
        }
        self.spec = after;
        self.decide();
    }

    fn doom(&mut self, which: Pick) {
        let (Some(id), Size::Cattle(size)) = (self.pick(which), &self.spec.size) else {
            return;
        };
        if self.seen.get(&id).is_none() || *size == 0 || self.memory.doomed.contains(&id) {
            return;
        }
        self.spec = self.spec.with_size(size - 1);
        self.memory.doomed.insert(id);
        self.decide();
    }

    fn restart(&mut self) {
        self.epoch += 1;
        let intents = std::mem::take(&mut self.memory.intents);
        let text = serde_json::to_string(&self.memory).expect("memory is plain data");
        self.memory = serde_json::from_str(&text).expect("it was just written");
        // Destructions under way are in the journal, as creations are.
        let leaving = self.seen.members().filter_map(|member| {
            let plugin = member.plugin.clone();
            let reason = member.departure?.reason;
            let decided = Decided {
                plugin,
                reason,
                begun: self.now,
                since: self.now,
            };
            Some(((member.plugin.clone(), member.id.clone()), decided))
        });
        let decided: BTreeMap<(PluginName, InstanceId), Decided> = leaving.collect();
        self.memory.decided = decided;
        self.memory.intents = intents
            .into_iter()
            .map(|(number, one)| {
                (
                    number,
                    Intent {
                        doubt: Some(Doubt::since(self.now)),
                        ..one
                    },
                )
            })
            .collect();
        self.seen = Observed::default();
        self.failures.clear();
        self.listing = false;
        self.list_due = self.now;
        self.decide();
    }

    /// Lets the world go on until `end`.
    fn run(&mut self, end: Timestamp) {
        loop {
            let event = self.events.keys().next().map(|(at, _)| *at);
            let list = (!self.listing).then_some(self.list_due.max(self.now));
            let wake = self.wake_at.map(|at| at.max(self.now));
            let next = [event, list, wake].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if event == Some(next) {
                if let Some((_, event)) = self.events.pop_first() {
                    self.happen(event);
                }
            } else if list == Some(next) {
                self.begin_list();
            }
            self.decide();
        }
        self.now = self.now.max(end);
    }

    fn begin_list(&mut self) {
        let started = self.now;
        let list = self.describe();
        let pause = u64::from(self.chance()) * 20;
        self.listing = true;
        let epoch = self.epoch;
        self.later(
            pause + 1,
            Event::Listed {
                epoch,
                started,
                list,
            },
        );
    }

    fn describe(&self) -> Vec<Description> {
        let mut list: Vec<Description> = self
            .instances
            .iter()
            .map(|(id, one)| Description {
                id: id.clone(),
                tags: Some(one.tags.clone()),
                ..Description::default()
            })
            .collect();
        // Plugins promise no order.
        list.reverse();
        list
    }

    fn happen(&mut self, event: Event) {
        let current = self.epoch;
        match event {
            Event::Appear(tags) => {
                self.appear(tags, false);
            }
            Event::Disappear(id) => {
                self.instances.remove(&id);
            }
            Event::Provisioned {
                epoch,
                token,
                begun,
                answer,
            } if epoch == current => {
                self.provisioned(token, begun, &answer);
            }
            Event::Destroyed { epoch, id, done } if epoch == current => self.destroyed(&id, done),
            Event::Labelled {
                epoch,
                id,
                labels,
                done,
            } => {
                if let Some(one) = self.instances.get_mut(&id).filter(|_| done) {
                    one.tags.extend(labels);
                }
                if epoch == current
                    && !done
                    && let Some(mut member) = self.seen.get_mut(&id)
                {
                    member.labelling = Labelling::Nothing;
                }
            }
            Event::Checked { epoch, id } if epoch == current => {
                let health = self
                    .instances
                    .get(&id)
                    .map_or(Health::Unknown, |one| one.health);
                let now = self.now;
                if let Some(mut member) = self.seen.get_mut(&id) {
                    member.health.note(health, now);
                }
            }
            Event::Listed {
                epoch,
                started,
                list,
            } if epoch == current => {
                self.listing = false;
                let circumstances = Listed {
                    plugin: &self.spec.instance.plugin.clone(),
                    started,
                    now: self.now,
                    lag: Lag::of(&self.config.undeclared),
                };
                self.seen.apply(&GROUP.into(), list, circumstances, NONCE);
                let awaited = self
                    .memory
                    .intents
                    .values()
                    .any(|intent| intent.doubt.is_some())
                    || self.seen.members().any(|member| !member.stays());
                let pause = if awaited {
                    Duration::from_secs(1)
                } else {
                    self.config.poll_interval
                };
                self.list_due = self.now + pause;
            }
            // Answers to a controller that is no more.
            Event::Provisioned { .. }
            | Event::Destroyed { .. }
            | Event::Checked { .. }
            | Event::Listed { .. } => {}
        }
    }
}
