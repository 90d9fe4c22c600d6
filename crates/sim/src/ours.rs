//! Our controller in the world's words: the engine's own core, event by event.
//!
//! This is the only file that knows the engine's events, effects and verbs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use infrakit_engine::core::{
    Accepted, Call, Claim, Core, CreationAnswer, Effect, Event, Limits, ListAnswer, NotWritten,
    Refused, Subject, Target,
};
use infrakit_plan::{Config, Spec, Timestamp};
use infrakit_spi::behaviour::{Behaviour, defaults};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::Locality;
use infrakit_spi::rollout::{Command, Hold};
use infrakit_spi::{Any, GroupId, InstanceId, PluginName};
use infrakit_store::{Change, Revision, Store};

use crate::controller::{Answer, Ask, Controller, Creation, Foreseen, Operation, Ticket};
use crate::world::Traits;

/// The engine's core, and what it waits for.
pub struct Ours {
    core: Core,
    claim: Option<Claim>,
    localities: BTreeMap<PluginName, Locality>,
    behaviours: BTreeMap<PluginName, Behaviour>,
    open: BTreeMap<Ticket, Open>,
    next: Ticket,
    /// The latest moment that it knows of.
    last: Timestamp,
}

/// What an answer is an answer to.
enum Open {
    List {
        plugin: PluginName,
        started: Timestamp,
    },
    Write(u64),
    Create {
        target: Target,
        plugin: PluginName,
        number: u64,
        begun: Timestamp,
    },
    Destroy(Subject),
    Drain(Subject),
    Repair(Subject),
    Label(Subject),
    Check(Subject),
}

impl Ours {
    /// Creates a controller that knows nothing yet.
    #[must_use]
    pub fn new(traits: &Traits) -> Self {
        let config = Config {
            self_logical_id: traits.own.clone(),
            poll_interval: traits.poll_interval,
            settle: traits.settle,
            // Who declares nothing is taken for what he may be.
            undeclared: Arc::default(),
            checks_per_second: traits.checks_per_second,
            ..Config::default()
        };
        let silent = traits.localities.iter();
        let silent = silent.filter(|(plugin, _)| !traits.behaviours.contains_key(*plugin));
        let overrides = silent.map(|(plugin, locality)| {
            let declared = declared(traits, *locality);
            (plugin.clone(), declared.into())
        });
        let overrides = overrides.collect();
        Self {
            core: Core::new(config).overridden(overrides).governed(Limits {
                creates_per_minute: traits.creates_per_minute,
                destroys_per_minute: traits.destroys_per_minute,
            }),
            claim: None,
            localities: traits.localities.clone(),
            behaviours: traits.behaviours.clone(),
            open: BTreeMap::new(),
            next: 0,
            last: Timestamp::default(),
        }
    }

    /// Returns a maker of such controllers, boxed.
    #[must_use]
    pub fn boxed(traits: &Traits) -> Box<dyn Controller> {
        Box::new(Self::new(traits))
    }

    fn asked(&mut self, open: Open, ask: Ask) -> (Ticket, Ask) {
        self.next += 1;
        self.open.insert(self.next, open);
        (self.next, ask)
    }

    fn translate(&mut self, effect: Effect, now: Timestamp) -> (Ticket, Ask) {
        match effect {
            Effect::List {
                plugin,
                filter,
                seen,
                started,
            } => {
                let open = Open::List {
                    plugin: plugin.clone(),
                    started,
                };
                let ask = Ask::List {
                    plugin,
                    filter,
                    seen,
                };
                self.asked(open, ask)
            }
            Effect::Journal {
                batch,
                changes,
                durability,
            } => self.asked(
                Open::Write(batch),
                Ask::Write {
                    changes,
                    durability,
                },
            ),
            Effect::Call(call) => self.translate_call(call, now),
        }
    }

    fn translate_call(&mut self, call: Call, now: Timestamp) -> (Ticket, Ask) {
        let place = |subject: &Subject| {
            let Subject {
                target, plugin, id, ..
            } = subject;
            (target.group.clone(), plugin.clone(), id.clone())
        };
        match call {
            Call::Provision {
                target,
                number,
                spec,
                provision,
            } => {
                let plugin = spec.instance.plugin.clone();
                let creation = Creation {
                    group: target.group.clone(),
                    plugin: plugin.clone(),
                    logical_id: provision.logical_id,
                    tags: provision.tags,
                    properties: spec.instance.properties.clone(),
                    sequence: provision.sequence,
                };
                let open = Open::Create {
                    target,
                    plugin,
                    number,
                    begun: now,
                };
                self.asked(open, Ask::Create(creation))
            }
            Call::Destroy {
                subject,
                spec,
                reason,
                drain,
                ..
            } => {
                let (group, plugin, id) = place(&subject);
                let ask = Ask::Destroy {
                    group,
                    plugin,
                    id,
                    drain,
                    why: format!("{reason}; drained as {}", spec.hash),
                };
                self.asked(Open::Destroy(subject), ask)
            }
            Call::Drain { subject, .. } => {
                let (group, plugin, id) = place(&subject);
                self.asked(Open::Drain(subject), Ask::Drain { group, plugin, id })
            }
            Call::Repair { subject, step } => {
                let (group, plugin, id) = place(&subject);
                let ask = Ask::Repair {
                    group,
                    plugin,
                    id,
                    step,
                };
                self.asked(Open::Repair(subject), ask)
            }
            Call::Label { subject, labels } => {
                let (group, plugin, id) = place(&subject);
                let ask = Ask::Label {
                    group,
                    plugin,
                    id,
                    labels,
                };
                self.asked(Open::Label(subject), ask)
            }
            Call::Check { subject, .. } => {
                let (group, plugin, id) = place(&subject);
                self.asked(Open::Check(subject), Ask::Check { group, plugin, id })
            }
        }
    }

    fn event(&self, open: Open, answer: Answer) -> Option<Event> {
        Some(match (open, answer) {
            (Open::List { plugin, started }, Answer::Listed(outcome)) => {
                let locality = self.localities.get(&plugin).copied();
                Event::Listed(ListAnswer {
                    plugin,
                    started,
                    locality: locality.unwrap_or(Locality::Remote),
                    outcome,
                })
            }
            (Open::Write(batch), Answer::Written(outcome)) => Event::Journaled {
                batch,
                outcome: outcome.map_err(|error| NotWritten::of(&error)),
            },
            (
                Open::Create {
                    target,
                    plugin,
                    number,
                    begun,
                },
                Answer::Created(outcome),
            ) => Event::Provisioned(CreationAnswer {
                target,
                plugin,
                number,
                begun,
                outcome,
            }),
            (Open::Destroy(subject), Answer::Done(outcome)) => {
                Event::Destroyed { subject, outcome }
            }
            (Open::Drain(subject), Answer::Done(outcome)) => Event::Drained { subject, outcome },
            (Open::Repair(subject), Answer::Repaired(outcome)) => {
                Event::Repaired { subject, outcome }
            }
            (Open::Label(subject), Answer::Done(outcome)) => Event::Labelled { subject, outcome },
            (Open::Check(subject), Answer::Checked(outcome)) => Event::Checked { subject, outcome },
            // The world answers what was asked.
            _ => return None,
        })
    }
}

fn done(outcome: Result<Accepted, Refused>) -> Result<String, String> {
    outcome
        .map(|accepted| accepted.details)
        .map_err(|refused| refused.to_string())
}

impl Controller for Ours {
    fn claim(&mut self, store: &dyn Store) -> Vec<Change> {
        let claim = Claim::next(store, "simulated");
        let changes = claim.changes();
        self.claim = Some(claim);
        changes
    }

    fn start(&mut self, store: &dyn Store, claimed: Revision, now: Timestamp) {
        if let Some(claim) = self.claim.take() {
            self.core.lead(claim.won(claimed));
        }
        let unreadable = self.core.restore(store, now);
        assert!(unreadable.is_empty(), "unreadable: {unreadable:?}");
        // Whoever drives a core asks each plugin before its first list.
        for (plugin, behaviour) in &self.behaviours {
            let (plugin, behaviour) = (plugin.clone(), Ok(Box::new(behaviour.clone())));
            self.core.handle(Event::Behaves { plugin, behaviour }, now);
        }
    }

    fn operate(
        &mut self,
        group: &GroupId,
        operation: &Operation,
        nonce: &str,
        now: Timestamp,
    ) -> Result<String, String> {
        let written = |outcome: Result<_, Refused>| {
            outcome
                .map(|_| String::new())
                .map_err(|refused| refused.to_string())
        };
        match operation {
            Operation::Commit { properties } => {
                let properties = Any::parse(properties).map_err(|error| error.to_string())?;
                let spec = Spec::parse(Some(&properties)).map_err(|error| error.to_string())?;
                let raw = GroupSpec {
                    id: group.clone(),
                    properties: Some(properties),
                };
                done(self.core.commit(raw, spec, nonce, now))
            }
            Operation::SetSize(size) => done(self.core.set_size(group, *size, now)),
            Operation::DestroyMembers(ids) => {
                written(self.core.destroy_instances(group, ids, now).map(drop))
            }
            Operation::Destroy => written(self.core.destroy(group).map(drop)),
            Operation::Free => written(self.core.free(group, now).map(drop)),
            Operation::Pause => done(self.core.steer(group, &Command::Pause, now)),
            Operation::Resume => done(self.core.steer(group, &Command::Resume, now)),
            Operation::Approve => done(self.core.steer(group, &Command::Approve, now)),
            Operation::Abort => done(self.core.steer(group, &Command::Abort, now)),
            Operation::Rollback(to) => {
                let command = Command::Rollback { to: *to };
                done(self.core.steer(group, &command, now))
            }
            Operation::Hold(id) => done(self.core.hold(group, id, Hold::Set)),
            Operation::Release(id) => done(self.core.hold(group, id, Hold::Release)),
        }
    }

    fn hear(&mut self, ticket: Ticket, answer: Answer, now: Timestamp) {
        let Some(open) = self.open.remove(&ticket) else {
            return;
        };
        if let Some(event) = self.event(open, answer) {
            self.core.handle(event, now);
        }
    }

    fn idle_until(&mut self, now: Timestamp) {
        self.core.idle_until(now);
    }

    fn nudge(&mut self, plugin: &PluginName, now: Timestamp) {
        let plugin = plugin.clone();
        self.core.handle(Event::Changed { plugin }, now);
    }

    fn step(&mut self, now: Timestamp) -> Vec<(Ticket, Ask)> {
        self.last = now;
        self.core.plan(now);
        self.core.look(now);
        let effects = self.core.take_effects();
        effects
            .into_iter()
            .map(|effect| self.translate(effect, now))
            .collect()
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.core.wake_at()
    }

    fn converged(&self, group: &GroupId) -> Option<bool> {
        let described = self.core.describe(group).ok()?;
        Some(described.converged)
    }

    fn members(&self, group: &GroupId) -> Vec<InstanceId> {
        let described = self.core.describe(group).ok();
        let instances = described.and_then(|described| described.instances);
        let instances = instances.unwrap_or_default();
        instances.iter().map(|one| one.id.clone()).collect()
    }

    fn foresee(&self, group: &GroupId, properties: &str, now: Timestamp) -> Option<Foreseen> {
        let properties = Any::parse(properties).ok()?;
        let spec = Spec::parse(Some(&properties)).ok()?;
        let raw = GroupSpec {
            id: group.clone(),
            properties: Some(properties),
        };
        let preview = self
            .core
            .outlook(&raw, spec, "pretend", now)
            .ok()?
            .preview();
        let mut foreseen = Foreseen::default();
        for wave in preview.waves {
            let go = wave.go.into_iter().map(|one| one.id);
            foreseen.go.extend(go);
            foreseen.come += wave.come.len() as u64;
        }
        Some(foreseen)
    }

    fn specs(&self) -> Vec<GroupSpec> {
        self.core.committed_specs()
    }

    fn explain(&self, group: &GroupId) -> String {
        let why = self.core.why(group, None, self.last);
        let Ok(why) = why else { return String::new() };
        let deeds = why.deeds.into_iter();
        let deeds = deeds.map(|deed| {
            let (who, what) = (deed.instance, deed.action);
            format!("`{who}` {what} ({}): {}", deed.rule, deed.evidence)
        });
        why.lines
            .into_iter()
            .chain(deeds)
            .collect::<Vec<String>>()
            .join("\n")
    }
}

/// What the plugins of the world declare: creations come within the time that is configured, and
/// lists of remote ones lag behind.
fn declared(traits: &Traits, locality: Locality) -> Behaviour {
    let lag = match locality {
        Locality::InProcess => (Duration::ZERO, Duration::ZERO),
        Locality::Remote => (traits.visibility, defaults::RELAPSE),
    };
    let mut behaviour = Behaviour::default();
    behaviour.create.give_up = Some(traits.settle.into());
    behaviour.visibility_window.list = Some(lag.0.into());
    behaviour.list.relapse = Some(lag.1.into());
    behaviour
}
