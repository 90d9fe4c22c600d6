//! What becomes of what controllers ask: the plugins, the flavor and the store.

use std::collections::BTreeSet;

use infrakit_plan::Drain;
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Listing, Locality, Repaired};
use infrakit_spi::{Error, GroupId, InstanceId, PluginName, Tags};

use super::{Happening, MILLIS, MINUTE, Machine, Nature, SECOND, Truth, World};
use crate::controller::{Answer, Ask, Ticket};
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
            Ask::Check { group, plugin, id } => {
                self.check((life, ticket), &group, (&plugin, &id));
            }
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

    pub(super) fn answer(&mut self, (life, ticket): (u32, Ticket), after: u64, answer: Answer) {
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
        if moment >= provider.blank && provider.unseen_zone(moment).is_none() {
            provider.seen = moment;
        }
        for lost in provider.note_unseen(moment, now) {
            // Once that is believed others are made.
            self.ledger.pace.reason(&lost, 1, now);
        }
        let fingerprint = provider.fingerprint(filter, moment);
        let listing = if provider.fingerprints && seen == Some(fingerprint) {
            Listing::Unchanged
        } else {
            let print = provider.fingerprints.then_some(fingerprint);
            let list = provider.list(filter, moment);
            provider.note_listed(&list);
            match provider.covered(moment) {
                Some(covers) => Listing::Part(list, covers, print),
                None => Listing::Changed(list, print),
            }
        };
        if !shows_twice(&listing) {
            provider.answered = now;
        }
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

    /// Returns how the provider behind a plugin behaves, where it is one of the table.
    pub(super) fn nature(&self, plugin: &PluginName) -> Option<Nature> {
        self.park.get(plugin)?.nature.clone()
    }

    pub(super) fn vanish(&mut self, plugin: &PluginName, id: &InstanceId) {
        let now = self.now;
        let provider = self.park.get_mut(plugin);
        let buried = provider.and_then(|provider| provider.bury(id, now));
        let buried = buried.map(|machine| {
            let early = now < machine.ready || now < machine.born + 10 * SECOND;
            (machine.group().map(GroupId::from), early)
        });
        if let Some((group, early)) = buried {
            let has_namesake = |group: &&GroupId| {
                let mut others = self.park.of(group.as_str());
                others.any(|(_, one)| one.id == *id)
            };
            if let Some(group) = group.as_ref().filter(has_namesake) {
                self.ledger.told.namesake_gone(group, id);
                self.ledger.gone(plugin, id, None);
            } else {
                self.ledger.gone(plugin, id, group.as_ref());
            }
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

    fn check(
        &mut self,
        whose: (u32, Ticket),
        group: &GroupId,
        (plugin, id): (&PluginName, &InstanceId),
    ) {
        let took = self.rng.between(1, 100) * MILLIS;
        let lost = self.strikes(Kind::CheckLost);
        let lies = self.strikes(Kind::CheckLies);
        let now = self.now;
        let (dark, silent) = (now < self.dark.0, self.dark.1);
        let hazy = self.park.get(plugin).is_some_and(|one| now < one.hazy);
        let machine = self.park.machine_mut(plugin, id);
        let slandered = machine
            .as_ref()
            .is_some_and(|machine| machine.is_slandered(now));
        let plain = machine.as_ref().is_some_and(|machine| machine.plain);
        let truth = machine.as_ref().map(|machine| machine.health(now));
        if let Some(machine) = machine {
            // A flavor that looks at nothing, and a state that nobody can tell.
            let unknown = hazy && plain && machine.truth != Truth::Well;
            if (lies && truth == Some(Health::Unhealthy)) || unknown {
                machine.flattered = Some(now);
            }
        }
        let verdict = match truth {
            Some(_) if dark && silent => Err(Error::unknown("no answer")),
            // Who looks at nothing is wrong about nothing.
            Some(verdict) if plain => Ok(verdict),
            Some(Health::Healthy) if lies || slandered || dark => Ok(Health::Unhealthy),
            Some(Health::Unhealthy) if lies => Ok(Health::Healthy),
            _ if lost => Err(Error::unknown("no answer")),
            Some(verdict) => Ok(verdict),
            None => Ok(Health::Unhealthy),
        };
        let another = |one: &Machine| one.group() != Some(group.as_str());
        if verdict == Ok(Health::Healthy)
            && self.park.machine(plugin, id).is_some_and(another)
            && let Some(provider) = self.park.get_mut(plugin)
        {
            provider.flatter_former(group, id, now);
        }
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
                // Where the flavor looks at nothing, nobody can know more than that it runs again.
                let boots = if machine.plain { 0 } else { 20 * SECOND };
                machine.ready = now + took + boots;
                if matches!(machine.truth, Truth::Hung | Truth::Stopped) {
                    machine.truth = Truth::Well;
                }
                Ok(Repaired::Done)
            }
            None => Err(Error::refused(format!("no instance `{id}`"))),
        };
        self.answer(whose, took, Answer::Repaired(answer));
    }
}

/// Returns whether an id is in a list twice.
fn shows_twice(listing: &Listing) -> bool {
    let (Listing::Changed(list, _) | Listing::Part(list, ..)) = listing else {
        return false;
    };
    let mut ids = BTreeSet::new();
    !list.iter().all(|one| ids.insert(&one.id))
}
