//! What calls answer, and what is known from then on.

use std::time::Duration;

use infrakit_plan::{ConditionKind, Doubt, Intent, Lag, Member, Origin, Timestamp};
use infrakit_spi::behaviour::{AnswerMeans, Behaviour};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Lifecycle, Repaired};
use infrakit_spi::{Delivery, Error, PluginName};

use crate::core::state::history::Kind;
use crate::core::state::young::Keep;
use crate::core::steps::failed::{asked_in_vain, note_failure};
use crate::core::steps::ids::is_it;
use crate::core::{Core, CreationAnswer, Group, Subject, Target};

impl Core {
    pub(in crate::core) fn provisioned(&mut self, answer: CreationAnswer, now: Timestamp) {
        let CreationAnswer {
            target,
            number,
            plugin,
            begun,
            outcome,
        } = answer;
        if let Some(observer) = self.observers.get_mut(&plugin) {
            observer.acted(now);
        }
        let took = self.took(begun, now).filter(|_| outcome.is_ok());
        self.note_creating(&plugin, took);
        let outcome = outcome.map_err(|error| self.classed(&plugin, error));
        let first = self.begun_first((&target, number), begun);
        let (outcome, misnamed) = match outcome {
            Ok(made) => self.take_name((&target, number), &plugin, made, (first, now)),
            Err(error) => (Err(error), false),
        };
        let lag = self.config.lag(&plugin);
        let behaviour = self.config.behaviour(&plugin);
        let sure = behaviour.answer_is_existence() && behaviour.list_is_proof();
        let comes_up = comes_up(behaviour);
        let Some(group) = self.groups.living(&target) else {
            return;
        };
        let intent = group.memory.intents.remove(&number);
        let again = intent.as_ref().is_some_and(|intent| intent.again.times > 0);
        let made = outcome.as_ref().map(|made| (&plugin, &made.id));
        group.history.created(number, made);
        let told = group.young.answered(number);
        match outcome {
            Ok(_) if told && group.seen.made_by(number).is_none() => {
                // It came and went before its answer did.
                note_creation(group, took);
            }
            Ok(description) => {
                note_creation(group, took);
                if let Some(intent) = &intent {
                    group.memory.creation.succeed(&intent.hash, begun);
                }
                if let Some(observer) = self.observers.get_mut(&plugin) {
                    observer.saw(&description.id, now);
                }
                // Where the first list of another life shows it for sure, nothing need be written.
                let keep = if sure && lag == Lag::NONE {
                    Keep::Unrecorded
                } else {
                    Keep::Recorded
                };
                let id = (plugin.clone(), description.id.clone());
                group.young.insert(number, id, now, keep);
                if !group.homes().any(|home| *home == plugin) {
                    // It came so late that nobody looked there any more. A member that is known makes it
                    // look like a home that is watched.
                    group.memory.homes.insert(plugin.clone());
                    self.settle_homes(&target.group, now);
                }
                if let Some(group) = self.groups.living(&target) {
                    let key = (plugin, description.id.clone());
                    join(group, *description, (&key.0, comes_up), now);
                    let joined = group.seen.get_on(&key.0, &key.1);
                    if joined.is_some_and(|one| one.departure.is_some()) {
                        group.departures.came_of(&key, number);
                    }
                }
            }
            Err(error) if error.delivery() == Delivery::Unknown => {
                tracing::warn!(group = %target.group, number, %error, "the outcome of a creation is unknown");
                if let Some(intent) = intent {
                    if misnamed {
                        note_failure(group, (number, &intent.hash), (&error, begun), now);
                    }
                    let intent = Intent {
                        begun: first,
                        doubt: Some(Doubt::since(now)),
                        ..intent
                    };
                    group.memory.intents.insert(number, intent);
                }
                self.refresh_on(&target.group, &plugin, now);
            }
            Err(error) if again => {
                if let Some(intent) = intent {
                    asked_in_vain(group, (number, intent), (&plugin, &error), now);
                }
                self.refresh_on(&target.group, &plugin, now);
            }
            Err(error) => {
                tracing::warn!(group = %target.group, number, %error, "cannot create a member");
                if let Some(intent) = intent {
                    note_failure(group, (number, &intent.hash), (&error, begun), now);
                }
                group.young.end(number, &plugin);
            }
        }
        self.touch(&target.group);
    }

    /// Notes how long a plugin took to create an instance.
    fn note_creating(&mut self, plugin: &PluginName, took: Option<Duration>) {
        // No client waits for longer: this process was stopped meanwhile.
        let limit = self.config.behaviour(plugin).creation_limit();
        if let Some(took) = took.filter(|took| *took <= limit) {
            self.behaviours.created(plugin, took);
        }
    }

    /// Returns how long something took that began at `begun`; what it took while the controller slept says
    /// nothing of its provider.
    fn took(&self, begun: Timestamp, now: Timestamp) -> Option<Duration> {
        (begun >= self.woke).then(|| now.since(begun))
    }

    /// Returns an error with its class. What a plugin declares of its provider's words is as good as
    /// saying it each time.
    fn classed(&self, plugin: &PluginName, error: Error) -> Error {
        let class = self.behaviours.of(plugin).class_of(error.message());
        let told = error.given_class().is_some() || error.is_of_another();
        match class.filter(|_| !told) {
            Some(class) => error.with_class(class),
            None => error,
        }
    }

    /// Returns when a creation was asked for first, whose last call began at `begun`.
    fn begun_first(&self, (target, number): (&Target, u64), begun: Timestamp) -> Timestamp {
        let group = self.groups.with_remains(&target.group);
        let intent = group.and_then(|group| group.memory.intents.get(&number));
        let again = intent.filter(|intent| intent.again.times > 0);
        again.map_or(begun, |intent| intent.begun)
    }

    pub(in crate::core) fn drained(
        &mut self,
        subject: &Subject,
        outcome: Result<(), Error>,
        now: Timestamp,
    ) {
        let Subject {
            target, plugin, id, ..
        } = subject;
        let again = now + self.config.poll_interval;
        let Some(group) = self.living(target) else {
            return;
        };
        group
            .history
            .ended((plugin, id), Kind::Drain, outcome.as_ref().map(drop));
        let Err(error) = outcome else {
            self.touch(&target.group);
            return;
        };
        tracing::warn!(group = %target.group, instance = %id, %error, "cannot drain the controller's own member");
        group.memory.drained.remove(id);
        self.wake_by(&target.group, again);
    }

    pub(in crate::core) fn repaired(
        &mut self,
        subject: &Subject,
        outcome: Result<Repaired, Error>,
    ) {
        let Subject {
            target, plugin, id, ..
        } = subject;
        let Some(group) = self.living(target) else {
            return;
        };
        let none = Error::refused("its plugin does not offer it");
        let done = match &outcome {
            Ok(Repaired::Done) => Ok(()),
            Ok(Repaired::NotOffered) => Err(&none),
            Err(error) => Err(error),
        };
        group.history.ended((plugin, id), Kind::Repair, done);
        if is_it(group, subject)
            && let Some(repair) = group.memory.repairs.0.get_mut(id)
        {
            repair.in_flight = false;
            match outcome {
                Ok(Repaired::Done) => {}
                Ok(Repaired::NotOffered) => {
                    tracing::info!(group = %target.group, instance = %id, "its plugin does not offer that repair");
                    // There is nothing to wait for: the next step, or the replacement, may come.
                    repair.at = Timestamp::default();
                }
                Err(error) => {
                    tracing::warn!(group = %target.group, instance = %id, %error, "cannot repair a member");
                }
            }
        }
        self.touch(&target.group);
    }

    pub(in crate::core) fn checked(
        &mut self,
        subject: &Subject,
        outcome: Result<Health, Error>,
        now: Timestamp,
    ) {
        let Subject {
            target, plugin, id, ..
        } = subject;
        let poll_interval = self.config.poll_interval;
        let Some(group) = self.living(target) else {
            return;
        };
        if !is_it(group, subject) {
            return;
        }
        let again = now + group.spec.health.interval.unwrap_or(poll_interval);
        let Some(mut member) = group.seen.get_mut_on(plugin, id) else {
            return;
        };
        if member.is_pending() {
            // Its plugin has said meanwhile that it does not work yet.
            member.health.dismiss();
            return;
        }
        if member.health.is_moot() {
            // It was asked before the controller slept, and is asked anew.
            member.health.dismiss();
            drop(member);
            self.touch(&target.group);
            return;
        }
        let before = member.health.last();
        let goes = member.departure.is_some();
        // A flavor that does not answer knows nothing; that is not a verdict of sickness.
        let changed = match outcome {
            // Its plugin's word that it does not run goes before what its flavor makes of it, be it that
            // it does not answer.
            _ if member.is_down() => member.health.note(Health::Unhealthy, now),
            Ok(verdict) => member.health.note(verdict, now),
            Err(error) => {
                tracing::debug!(group = %target.group, instance = %id, %error, "no verdict");
                member.health.note_silence(now)
            }
        };
        let verdict = member.health.last();
        drop(member);
        if changed || verdict == Health::Unhealthy {
            group.note_health(now);
        }
        if verdict == Health::Healthy
            && let Some(born) = group.newborn.remove(&(plugin.clone(), id.clone()))
        {
            group.memory.measured.proof.note(now.since(born));
        }
        let recovered = before == Health::Unhealthy;
        let recovers_late = goes && before != Health::Healthy && verdict == Health::Healthy;
        if recovers_late {
            group.recovered = Some(now);
        }
        let matters = verdict != Health::Healthy || recovered || group.memory.roll.is_some();
        let first = changed && (!group.converged || !is_well_known(group));
        if matters || first {
            self.touch(&target.group);
        } else {
            // Nothing to decide, but the next routine check has to be planned some time.
            self.wake_by(&target.group, again);
        }
        if recovers_late {
            self.withdraw(target);
        }
    }
}

fn note_creation(group: &mut Group, took: Option<Duration>) {
    if let Some(took) = took {
        group.memory.measured.provision.note(took);
    }
}

/// Returns whether an instance may be coming up when the answer to its creation says no more; `None` where
/// the plugin does not declare that.
fn comes_up(behaviour: &Behaviour) -> Option<bool> {
    match behaviour.create.answer_means {
        AnswerMeans::Running => Some(false),
        AnswerMeans::Accepted => Some(true),
        AnswerMeans::Exists | AnswerMeans::Undeclared => behaviour.tells_creating().then_some(true),
    }
}

/// Takes a new member in.
fn join(
    group: &mut Group,
    mut made: Description,
    (plugin, comes_up): (&PluginName, Option<bool>),
    now: Timestamp,
) {
    // An instance of which the answer to its creation says no more may be coming up then, and until a
    // list has told, nobody is asked how it does: what is said of a machine that does not run is worth
    // nothing.
    let may_come_up = || comes_up.unwrap_or_else(|| group.seen.tells_states(plugin));
    if made.state == Lifecycle::Unsaid && may_come_up() {
        made.state = Lifecycle::Pending;
    }
    let key = (plugin.clone(), made.id.clone());
    group.newborn.insert(key, now);
    let origin = Origin::Provisioned(now);
    let member = Member::new(made, plugin, origin, &group.memory.nonce, now);
    group.seen.provisioned(member);
}

/// Returns whether the group was seen to work: good verdicts on its members are no news any more.
fn is_well_known(group: &Group) -> bool {
    let conditions = &group.memory.conditions;
    let available = conditions.get(ConditionKind::Available);
    let known = group.memory.outcomes.contains_key(&group.revision);
    known && available.is_some_and(|condition| condition.holds)
}
