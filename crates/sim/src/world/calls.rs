//! What becomes of what controllers ask: the plugins, the flavor and the store.

use infrakit_plan::Drain;
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Listing, Locality, Repaired};
use infrakit_spi::{Error, FailureClass, GroupId, InstanceId, LogicalId, PluginName, Tags};
use infrakit_store::{Change, Durability};

use super::{Birth, Happening, MILLIS, MINUTE, Maker, Nature, SECOND, Truth, World};
use crate::controller::{Answer, Ask, Creation, Ticket};
use crate::faults::Kind;

impl World {
    pub(super) fn carry_out(&mut self, life: u32, ticket: Ticket, ask: Ask) {
        match ask {
            Ask::List {
                plugin,
                filter,
                seen,
            } => {
                let at = self.list((life, ticket), &plugin, &filter, seen);
                self.trace
                    .murmur(self.now, format_args!("{life}#{ticket} list {plugin} {at}"));
            }
            Ask::Write {
                changes,
                durability,
            } => self.write((life, ticket), changes, durability),
            Ask::Create(creation) => self.create((life, ticket), creation),
            Ask::Destroy {
                group,
                plugin,
                id,
                drain,
                why,
            } => {
                self.counts.destroys += 1;
                self.note(format_args!(
                    "{life}#{ticket} destroy `{id}` of `{group}` on `{plugin}`: {why}"
                ));
                self.destroy((life, ticket), &plugin, &id, drain);
            }
            Ask::Label {
                plugin, id, labels, ..
            } => self.label((life, ticket), &plugin, &id, &labels),
            Ask::Check { plugin, id, .. } => self.check((life, ticket), &plugin, &id),
            Ask::Repair {
                plugin, id, step, ..
            } => self.repair((life, ticket), &plugin, &id, &step),
            Ask::Drain { plugin, id, .. } => {
                self.note(format_args!("{life}#{ticket} drain `{id}` on `{plugin}`"));
                let took = self.rng.between(50, 2_000) * MILLIS;
                self.answer((life, ticket), took, Answer::Done(Ok(())));
            }
        }
    }

    pub(super) fn reply(&mut self, whose: (u32, Ticket), after: u64, answer: Answer) {
        self.answer(whose, after, answer);
    }

    fn answer(&mut self, (life, ticket): (u32, Ticket), after: u64, answer: Answer) {
        let happening = Happening::Answer(life, ticket, answer);
        self.queue.push(self.now + after, happening);
    }

    fn list(
        &mut self,
        whose: (u32, Ticket),
        plugin: &PluginName,
        filter: &Tags,
        seen: Option<infrakit_spi::instance::Fingerprint>,
    ) -> u64 {
        let mut took = self.rng.between(1, 50) * MILLIS;
        if self.strikes(Kind::ListSlow) {
            took = self.dice.amount(Kind::ListSlow, 1_000, 20_000) * MILLIS;
        }
        let fails = self.strikes(Kind::ListFails);
        // A list that breaks off is no list: a plugin that took it for one would lie.
        let torn = self.strikes(Kind::ListTorn);
        let stale = self.strikes(Kind::ListStale);
        let back = self.strikes(Kind::ListGoesBack);
        let slow = self
            .nature(plugin)
            .map(|nature| nature.api.draw(&mut self.rng));
        took += slow.unwrap_or_default();
        let late = slow.is_some() && took > super::real::LOOK;
        let now = self.now;
        let Some(provider) = self.park.get_mut(plugin) else {
            let error = Error::not_delivered(format!("no plugin `{plugin}`"));
            self.answer(whose, MILLIS, Answer::Listed(Err(error)));
            return 0;
        };
        if late || now < provider.outage {
            let error = Error::unknown("no answer: context deadline exceeded");
            self.answer(
                whose,
                took.min(super::real::LOOK),
                Answer::Listed(Err(error)),
            );
            return 0;
        }
        if fails || torn {
            let text = if fails {
                "connection refused"
            } else {
                "unexpected end of the list"
            };
            let error = Error::unknown(text);
            self.answer(whose, took, Answer::Listed(Err(error)));
            return 0;
        }
        let lag = match provider.locality {
            Locality::InProcess => 0,
            Locality::Remote => provider.lag,
        };
        let mut moment = self.now;
        if stale && lag > 0 {
            moment = match self.dice.forced_amount(Kind::ListStale) {
                // As it was before the last so many changes.
                Some(changes) => provider.before_changes(self.now, lag, changes),
                None => moment - self.dice.amount(Kind::ListStale, 0, lag / MILLIS) * MILLIS,
            };
        }
        if back && lag > 0 {
            moment -= self.dice.amount(Kind::ListGoesBack, 0, lag / MILLIS) * MILLIS;
        } else {
            // What a plugin has shown once it does not take back.
            moment = moment.max(provider.shown);
            provider.shown = moment;
        }
        if moment >= provider.blank
            && provider
                .hidden_zone
                .as_ref()
                .is_none_or(|(_, until)| moment >= *until)
        {
            provider.seen = moment;
        }
        provider.note_unseen(moment, now);
        let fingerprint = provider.fingerprint(filter, moment);
        let listing = if provider.fingerprints && seen == Some(fingerprint) {
            Listing::Unchanged
        } else {
            let print = provider.fingerprints.then_some(fingerprint);
            Listing::Changed(provider.list(filter, moment), print)
        };
        self.answer(whose, took, Answer::Listed(Ok(listing)));
        let place = (
            plugin.clone(),
            filter.get(infrakit_spi::tags::GROUP).cloned(),
        );
        let life = self.lives.iter_mut().find(|life| life.number == whose.0);
        let before = life.and_then(|life| life.shown.insert(place, fingerprint));
        if before != Some(fingerprint) {
            self.stir();
        }
        self.now - moment
    }

    fn write(&mut self, (life, ticket): (u32, Ticket), changes: Vec<Change>, firm: Durability) {
        let mut took = self.rng.between(100, 5_000) * 1_000;
        if self.strikes(Kind::WriteSlow) {
            took = self.dice.amount(Kind::WriteSlow, 100, 10_000) * MILLIS;
        }
        let now = self.now;
        let mut at = now + took;
        if let Some(life) = self.lives.iter_mut().find(|one| one.number == life) {
            at = at.max(life.written + 1);
            life.written = at;
        }
        self.trace.note(
            now,
            format_args!("{life}#{ticket} write {} {firm:?}", Keys(&changes)),
        );
        if self.strikes(Kind::WriteFails) {
            let error = super::store::refused("no space left");
            self.answer((life, ticket), at - now, Answer::Written(Err(error)));
            return;
        }
        let apply = Happening::Apply {
            life,
            ticket,
            changes,
            durability: firm,
        };
        self.queue.push(at, apply);
    }

    pub(super) fn apply(
        &mut self,
        life: u32,
        ticket: Ticket,
        changes: Vec<Change>,
        durability: Durability,
    ) {
        let outcome = self.store.apply(changes, durability).map(drop);
        if outcome.is_ok() {
            self.applied.insert((life, ticket), self.now);
        }
        self.answer((life, ticket), MILLIS / 10, Answer::Written(outcome));
    }

    fn create(&mut self, whose: (u32, Ticket), creation: Creation) {
        self.counts.creates += 1;
        let Creation {
            group,
            plugin,
            logical_id,
            tags,
            properties,
            sequence,
        } = creation;
        let token = tags
            .get(infrakit_spi::tags::TOKEN)
            .cloned()
            .unwrap_or_default();
        let (life, ticket) = whose;
        self.note(format_args!(
            "{life}#{ticket} create a member of `{group}` on `{plugin}`, token {token}, number {sequence}"
        ));
        let Some(provider) = self.park.get(&plugin) else {
            let error = Error::not_delivered(format!("no plugin `{plugin}`"));
            self.answer(whose, MILLIS, Answer::Created(Err(error)));
            return;
        };
        let (creation, boot) = (provider.creation, provider.boot);
        let (patience, late) = (provider.patience, provider.late);
        let took = self.rng.between(creation.0 / MILLIS, creation.1 / MILLIS) * MILLIS;
        let boot = self.rng.between(boot.0 / MILLIS, boot.1 / MILLIS) * MILLIS;
        let note = properties.map(|any| any.to_string()).unwrap_or_default();
        if let Some(nature) = self.nature(&plugin) {
            let birth = Birth {
                logical_id,
                tags,
                truth: if note.contains("sick") {
                    Truth::Sick
                } else {
                    Truth::Well
                },
                maker: Maker::Controller,
                ..Birth::default()
            };
            self.create_really(whose, (plugin, group), birth, (&nature, &note));
            return;
        }
        if note.contains("refused") {
            // Only what a plugin declares stops a group.
            let error = Error::refused("invalid configuration: no such image")
                .with_class(FailureClass::Configuration);
            self.answer(whose, took, Answer::Created(Err(error)));
            return;
        }
        let refusal = if self.strikes(Kind::CreateRefused) {
            Some("internal error")
        } else if self.strikes(Kind::CreateQuota) {
            Some("quota exceeded")
        } else {
            None
        };
        if let Some(refusal) = refusal {
            let answer = Answer::Created(Err(Error::refused(refusal)));
            self.answer(whose, took, answer);
            return;
        }
        let truth = if note.contains("sick") {
            Truth::Sick
        } else {
            Truth::Well
        };
        let birth = Birth {
            logical_id,
            tags,
            truth,
            maker: Maker::Controller,
            boot,
            answers: MILLIS,
            ..Birth::default()
        };
        let gives_up = |world: &mut Self, after: u64| {
            let error = Error::unknown("no answer");
            world.answer(whose, after, Answer::Created(Err(error)));
        };
        let place = (plugin, group);
        if self.strikes(Kind::CreateLost) {
            gives_up(self, patience);
        } else if self.strikes(Kind::CreateUnanswered) {
            self.put_on_the_way(place, took, birth, None);
            gives_up(self, patience.max(took));
        } else if self.strikes(Kind::CreateLate) {
            let later = self.dice.amount(Kind::CreateLate, 0, late / MILLIS) * MILLIS;
            self.put_on_the_way(place, patience + later, birth, None);
            gives_up(self, patience);
        } else {
            if self.strikes(Kind::CreateTwice) {
                let echo = Birth {
                    maker: Maker::Echo,
                    ..birth.clone()
                };
                self.put_on_the_way(place.clone(), took + SECOND, echo, None);
            }
            self.put_on_the_way(place, took, birth, Some(whose));
        }
    }

    /// Puts a birth on the way.
    pub(super) fn put_on_the_way(
        &mut self,
        (plugin, group): (PluginName, GroupId),
        after: u64,
        birth: Birth,
        reply: Option<(u32, Ticket)>,
    ) {
        if birth.maker == Maker::Controller {
            let coming = self.coming.entry(group.clone()).or_default();
            coming.push(birth.logical_id.clone());
        }
        let birth = Box::new(birth);
        self.queue.push(
            self.now + after,
            Happening::Appear {
                plugin,
                group,
                birth,
                reply,
            },
        );
    }

    pub(super) fn no_longer_coming(&mut self, group: &GroupId, id: Option<&LogicalId>) {
        let Some(coming) = self.coming.get_mut(group) else {
            return;
        };
        if let Some(position) = coming.iter().position(|one| one.as_ref() == id) {
            coming.swap_remove(position);
        }
    }

    pub(super) fn appear(
        &mut self,
        plugin: &PluginName,
        group: &GroupId,
        birth: Birth,
        reply: Option<(u32, Ticket)>,
    ) {
        self.stir();
        if birth.maker == Maker::Controller {
            self.no_longer_coming(group, birth.logical_id.as_ref());
        }
        let now = self.now;
        let Some(provider) = self.park.get_mut(plugin) else {
            return;
        };
        let id = provider.name();
        let description = Description {
            id: id.clone(),
            logical_id: birth.logical_id.clone(),
            tags: Some(birth.tags.clone()),
            ..Description::default()
        };
        let leader = self.leader().map(|life| life.number);
        let Some(provider) = self.park.get_mut(plugin) else {
            return;
        };
        let (answers, fails, starts) = (birth.answers, birth.fails, birth.starts);
        provider.give_birth(id.clone(), birth, now);
        if let Some(leader) = leader {
            self.ledger.measure(leader, &self.park, now);
        }
        self.note(format_args!("`{id}` comes to be on `{plugin}`"));
        if let Some(whose) = reply {
            let answer = Answer::Created(Ok(Box::new(description)));
            self.answer(whose, answers, answer);
        }
        let lives = if self.strikes(Kind::StillBorn) {
            self.dice.amount(Kind::StillBorn, 0, 20_000) * MILLIS
        } else if fails {
            self.rng.between(0, starts / MILLIS) * MILLIS
        } else {
            return;
        };
        let end = Happening::Vanish(plugin.clone(), id, Some(now));
        self.queue.push(now + lives, end);
    }

    /// Returns how the provider behind a plugin behaves, where it is one of the table.
    pub(super) fn nature(&self, plugin: &PluginName) -> Option<Nature> {
        self.park.get(plugin)?.nature.clone()
    }

    pub(super) fn vanish(&mut self, plugin: &PluginName, id: &InstanceId) {
        let now = self.now;
        let provider = self.park.get_mut(plugin);
        let buried = provider.and_then(|provider| provider.bury(id, now));
        if let Some(machine) = buried {
            let group = machine.group().map(GroupId::from);
            let early = now < machine.ready || now < machine.born + 10 * SECOND;
            self.ledger.gone(plugin, id, group.as_ref());
            if let Some(group) = group
                && !early
            {
                self.ledger.pace.reason(&group, 1, now);
            }
            self.stir();
            self.note(format_args!("`{id}` is gone from `{plugin}`"));
        }
    }

    fn destroy(
        &mut self,
        whose: (u32, Ticket),
        plugin: &PluginName,
        id: &InstanceId,
        drain: Drain,
    ) {
        if let Some(nature) = self.nature(plugin) {
            self.destroy_really(whose, (plugin, id), drain, &nature);
            return;
        }
        let mut took = self.rng.between(50, 1_000) * MILLIS;
        if drain != Drain::Skip {
            if self.strikes(Kind::DrainSlow) {
                took += self.dice.amount(Kind::DrainSlow, 1_000, 120_000) * MILLIS;
            }
            if self.strikes(Kind::DrainFails) && drain == Drain::Insist {
                let error = Error::refused("it cannot be drained: busy");
                self.answer(whose, took, Answer::Done(Err(error)));
                return;
            }
        }
        if self.strikes(Kind::DestroyLost) {
            let error = Error::unknown("no answer");
            self.answer(whose, took + 5 * SECOND, Answer::Done(Err(error)));
            return;
        }
        if self.strikes(Kind::DestroyFails) {
            let error = Error::refused("internal error");
            self.answer(whose, took, Answer::Done(Err(error)));
            return;
        }
        let Some(machine) = self.park.machine_mut(plugin, id) else {
            let error = Error::refused(format!("no instance `{id}`"));
            self.answer(whose, took, Answer::Done(Err(error)));
            return;
        };
        machine.ceases_to_serve(self.now);
        machine.leaving = true;
        let born = machine.born;
        let unanswered = self.strikes(Kind::DestroyUnanswered);
        let answer = if unanswered {
            Err(Error::unknown("no answer"))
        } else {
            Ok(())
        };
        let mut lingers = 0;
        if self.strikes(Kind::DestroySlow) {
            lingers = self.dice.amount(Kind::DestroySlow, 1_000, 50_000) * MILLIS;
        }
        if self.strikes(Kind::DestroyForgotten) {
            self.note(format_args!("`{id}` will not go"));
            // Asked again, it may go.
            let later = Happening::Stays(plugin.clone(), id.clone(), born);
            self.queue.push(self.now + took + 5 * MINUTE, later);
        } else {
            self.queue.push(
                self.now + took + lingers,
                Happening::Vanish(plugin.clone(), id.clone(), None),
            );
        }
        self.answer(whose, took + MILLIS, Answer::Done(answer));
    }

    fn label(&mut self, whose: (u32, Ticket), plugin: &PluginName, id: &InstanceId, labels: &Tags) {
        let took = self.rng.between(10, 500) * MILLIS;
        self.note(format_args!("{}#{} label `{id}`", whose.0, whose.1));
        let fails = self.strikes(Kind::LabelFails);
        let lag = if self.strikes(Kind::LabelLags) {
            self.dice.amount(Kind::LabelLags, 500, 10_000) * MILLIS
        } else {
            0
        };
        let lag = lag
            + self
                .nature(plugin)
                .map_or(0, |nature| nature.lag.draw(&mut self.rng));
        let now = self.now;
        if self.strikes(Kind::LabelIgnored) {
            self.answer(whose, took, Answer::Done(Ok(())));
            return;
        }
        let provider = self.park.get_mut(plugin).filter(|_| !fails);
        let done = provider.is_some_and(|provider| provider.label(id, labels, now, lag));
        let answer = if done {
            Ok(())
        } else {
            Err(Error::refused("cannot be labelled"))
        };
        self.answer(whose, took, Answer::Done(answer));
    }

    fn check(&mut self, whose: (u32, Ticket), plugin: &PluginName, id: &InstanceId) {
        let took = self.rng.between(1, 100) * MILLIS;
        let lost = self.strikes(Kind::CheckLost);
        let lies = self.strikes(Kind::CheckLies);
        let now = self.now;
        let (dark, silent) = (now < self.dark.0, self.dark.1);
        let machine = self.park.machine_mut(plugin, id);
        let slandered = machine
            .as_ref()
            .is_some_and(|machine| machine.is_slandered(now));
        let truth = machine.as_ref().map(|machine| machine.health(now));
        if lies
            && truth == Some(Health::Unhealthy)
            && let Some(machine) = machine
        {
            machine.flattered = Some(now);
        }
        let verdict = match truth {
            Some(_) if dark && silent => Err(Error::unknown("no answer")),
            Some(Health::Healthy) if lies || slandered || dark => Ok(Health::Unhealthy),
            Some(Health::Unhealthy) if lies => Ok(Health::Healthy),
            _ if lost => Err(Error::unknown("no answer")),
            Some(verdict) => Ok(verdict),
            None => Ok(Health::Unhealthy),
        };
        self.trace.murmur(
            self.now,
            format_args!("{}#{} check `{id}`", whose.0, whose.1),
        );
        self.answer(whose, took, Answer::Checked(verdict));
    }

    fn repair(&mut self, whose: (u32, Ticket), plugin: &PluginName, id: &InstanceId, step: &str) {
        let took = self.rng.between(100, 2_000) * MILLIS;
        self.note(format_args!("{}#{} {step} `{id}`", whose.0, whose.1));
        let now = self.now;
        let answer = match self.park.machine_mut(plugin, id) {
            Some(machine) => {
                machine.ready = now + took + 20 * SECOND;
                if machine.truth == Truth::Hung {
                    machine.truth = Truth::Well;
                }
                Ok(Repaired::Done)
            }
            None => Err(Error::refused(format!("no instance `{id}`"))),
        };
        self.answer(whose, took, Answer::Repaired(answer));
    }
}

/// The keys that a transaction touches.
struct Keys<'a>(&'a [Change]);

impl std::fmt::Display for Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, change) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let sign = match change {
                Change::Put { .. } => "",
                Change::Delete { .. } => "-",
                // Every transaction of a leader checks its term.
                Change::Check { .. } => continue,
            };
            write!(f, "{comma}{sign}{}", change.key())?;
        }
        Ok(())
    }
}
