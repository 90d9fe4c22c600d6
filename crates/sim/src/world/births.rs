//! Creations: what becomes of what controllers want made.

use infrakit_spi::instance::Description;
use infrakit_spi::{Error, FailureClass, GroupId, LogicalId, PluginName};

use super::{Birth, Happening, MILLIS, Maker, SECOND, Truth, World};
use crate::controller::{Answer, Creation, Ticket};
use crate::faults::Kind;

impl World {
    pub(super) fn create(&mut self, whose: (u32, Ticket), creation: Creation) {
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
        let truth = if note.contains("sick") && !self.cured {
            Truth::Sick
        } else {
            Truth::Well
        };
        if let Some(nature) = self.nature(&plugin) {
            let birth = Birth {
                logical_id,
                tags,
                truth,
                maker: Maker::Controller,
                plain: note.contains("plain"),
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
        let promised = birth.id.clone();
        let id = promised.unwrap_or_else(|| provider.name());
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
        if let Some(token) = birth.tags.get(infrakit_spi::tags::TOKEN)
            && let Some(made) = provider.asked.get_mut(token)
        {
            *made = Some(id.clone());
        }
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
}
