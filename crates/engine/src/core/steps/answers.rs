//! What calls answer, and what is known from then on.

use std::time::Duration;

use infrakit_plan::{
    ConditionKind, Departure, Doubt, Intent, Labelling, Member, Origin, Reason, Step, Timestamp,
};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Repaired};
use infrakit_spi::{Delivery, Error, FailureClass, PluginName};

use crate::core::state::history::Kind;
use crate::core::{Core, CreationAnswer, Group, Subject};

/// How many times the slowest creation so far one in doubt is waited for.
pub(in crate::core) const PATIENCE: u32 = 3;

impl Core {
    pub(in crate::core) fn provisioned(&mut self, answer: CreationAnswer, now: Timestamp) {
        let CreationAnswer {
            target,
            number,
            plugin,
            begun,
            outcome,
        } = answer;
        let settle = self.config.settle;
        if let Some(observer) = self.observers.get_mut(&plugin) {
            observer.acted(now);
        }
        if outcome.is_ok() {
            self.behaviours.created(&plugin, now.since(begun));
        }
        let slowest = self.behaviours.longest_creation(&plugin);
        let Some(group) = self.living(&target) else {
            return;
        };
        let intent = group.memory.intents.remove(&number);
        let made = outcome.as_ref().map(|description| &description.id);
        group.history.created(number, made);
        match outcome {
            Ok(description) => {
                let took = now.since(begun);
                group.memory.measured.provision.note(took);
                group.memory.creation.succeed(begun);
                let id = description.id.clone();
                group.unseen.insert(number, (plugin.clone(), id));
                take_in(group, *description, &plugin, (begun, now));
                if !group.homes().any(|home| *home == plugin) {
                    // It came so late that nobody looked there any more.
                    group.memory.homes.insert(plugin);
                    self.settle_homes(&target.group, now);
                }
            }
            Err(error) if error.delivery() == Delivery::Unknown => {
                let slowest = slowest.max(group.memory.measured.provision.longest);
                let doubt = Doubt {
                    settle_at: now + settle.max(slowest.saturating_mul(PATIENCE)),
                };
                tracing::warn!(group = %target.group, number, %error, "the outcome of a creation is unknown");
                if let Some(intent) = intent {
                    let intent = Intent {
                        doubt: Some(doubt),
                        ..intent
                    };
                    group.memory.intents.insert(number, intent);
                }
                self.refresh_on(&target.group, &plugin, now);
            }
            Err(error) => {
                tracing::warn!(group = %target.group, number, %error, "cannot create a member");
                let (class, message) = (error.class(), error.message());
                group.memory.creation.fail(class, message, begun, now);
            }
        }
        self.touch(&target.group);
    }

    pub(in crate::core) fn destroyed(
        &mut self,
        subject: &Subject,
        outcome: Result<(), Error>,
        now: Timestamp,
    ) {
        let Subject { target, plugin, id } = subject;
        let poll_interval = self.config.poll_interval;
        if let Some(observer) = self.observers.get_mut(plugin) {
            observer.acted(now);
        }
        let Some(group) = self.living(target) else {
            return;
        };
        group
            .history
            .ended(id, Kind::Destroy, outcome.as_ref().map(drop));
        let Some(member) = group.seen.get_on(plugin, id) else {
            self.touch(&target.group);
            return;
        };
        let decided = member.departure;
        let reason = decided.map_or(Reason::Surplus, |departure| departure.reason);
        let since = decided.map_or(now, |departure| departure.since);
        let step = match outcome {
            Ok(()) => Step::Accepted(now),
            Err(error) => {
                let attempts = group.note_failed_destruction(id);
                let pause = Duration::from_secs(1).saturating_mul(1 << attempts.min(9));
                tracing::warn!(group = %target.group, instance = %id, attempts, %error, "cannot destroy a member");
                Step::Failed(attempts, now + pause.min(poll_interval * 6))
            }
        };
        if let Some(mut member) = group.seen.get_mut_on(plugin, id) {
            member.departure = Some(Departure {
                reason,
                since,
                step,
            });
        }
        self.refresh_on(&target.group, plugin, now);
        self.touch(&target.group);
    }

    pub(in crate::core) fn drained(
        &mut self,
        subject: &Subject,
        outcome: Result<(), Error>,
        now: Timestamp,
    ) {
        let Subject { target, id, .. } = subject;
        let again = now + self.config.poll_interval;
        let Some(group) = self.living(target) else {
            return;
        };
        group
            .history
            .ended(id, Kind::Drain, outcome.as_ref().map(drop));
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
        let Subject { target, id, .. } = subject;
        let Some(group) = self.living(target) else {
            return;
        };
        let none = Error::refused("its plugin does not offer it");
        let done = match &outcome {
            Ok(Repaired::Done) => Ok(()),
            Ok(Repaired::NotOffered) => Err(&none),
            Err(error) => Err(error),
        };
        group.history.ended(id, Kind::Repair, done);
        if let Some(repair) = group.memory.repairs.0.get_mut(id) {
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

    pub(in crate::core) fn labelled(
        &mut self,
        subject: &Subject,
        outcome: Result<(), Error>,
        now: Timestamp,
    ) {
        let Subject { target, plugin, id } = subject;
        let again = now + self.config.poll_interval;
        let settle = self.config.settle;
        let Some(group) = self.living(target) else {
            return;
        };
        group
            .history
            .ended(id, Kind::Label, outcome.as_ref().map(drop));
        let Err(error) = outcome else {
            // The list will show the new tags; until then they count as being put on.
            self.refresh_on(&target.group, plugin, now);
            return;
        };
        tracing::warn!(group = %target.group, instance = %id, %error, "cannot label");
        if error.delivery() == Delivery::Unknown {
            // The labels may come yet: nobody else is given the identity meanwhile.
            let key = (plugin.clone(), id.clone());
            group.labels_in_doubt.insert(key, now + settle);
            self.refresh_on(&target.group, plugin, now + settle);
        } else if let Some(mut member) = group.seen.get_mut_on(plugin, id) {
            let named = matches!(member.labelling, Labelling::UnderWay(Some(_)));
            if named && error.delivery() == Delivery::Refused {
                member.label_failures += 1;
                member.labelling = Labelling::Failed(again);
            } else {
                member.labelling = Labelling::Nothing;
            }
        }
        self.wake_by(&target.group, again);
    }

    pub(in crate::core) fn checked(
        &mut self,
        subject: &Subject,
        outcome: Result<Health, Error>,
        now: Timestamp,
    ) {
        let Subject { target, plugin, id } = subject;
        let poll_interval = self.config.poll_interval;
        let Some(group) = self.living(target) else {
            return;
        };
        let again = now + group.spec.health.interval.unwrap_or(poll_interval);
        let Some(mut member) = group.seen.get_mut_on(plugin, id) else {
            return;
        };
        // A flavor that does not answer knows nothing; that is not a verdict of sickness.
        let verdict = match outcome {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::debug!(group = %target.group, instance = %id, %error, "no verdict");
                Health::Unknown
            }
        };
        let recovered = member.health.last() == Health::Unhealthy;
        let changed = member.health.note(verdict, now);
        drop(member);
        if verdict == Health::Healthy
            && let Some(born) = group.newborn.remove(id)
        {
            group.memory.measured.proof.note(now.since(born));
        }
        let matters = verdict != Health::Healthy || recovered || group.memory.roll.is_some();
        let first = changed && (!group.converged || !is_well_known(group));
        if matters || first {
            self.touch(&target.group);
        } else {
            // Nothing to decide, but the next routine check has to be planned some time.
            self.wake_by(&target.group, again);
        }
    }
}

/// Returns whether the group was seen to work: good verdicts on its members are no news any more.
fn is_well_known(group: &Group) -> bool {
    let conditions = &group.memory.conditions;
    let available = conditions.get(ConditionKind::Available);
    let known = group.memory.outcomes.contains_key(&group.revision);
    known && available.is_some_and(|condition| condition.holds)
}

/// Takes in an instance that was made.
fn take_in(
    group: &mut Group,
    description: Description,
    plugin: &PluginName,
    (begun, now): (Timestamp, Timestamp),
) {
    let origin = Origin::Provisioned(now);
    let member = Member::new(description, plugin, origin, &group.memory.nonce, now);
    let other = group
        .seen
        .get_on(plugin, &member.id)
        .filter(|known| known.token == member.token || known.departure.is_none());
    let twice = other.is_some_and(|known| known.token != member.token);
    if twice {
        let message = format!("`{}` was answered for two creations", member.id);
        tracing::error!(group = %group.id(), "{message}");
        let class = FailureClass::Other;
        group.memory.creation.fail(class, &message, begun, now);
        return;
    }
    group.newborn.insert(member.id.clone(), now);
    group.seen.provisioned(member);
}
