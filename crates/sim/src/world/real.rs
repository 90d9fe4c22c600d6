//! Calls of plugins that stand before a provider of the table.

use infrakit_plan::Drain;
use infrakit_spi::behaviour::AnswerMeans;
use infrakit_spi::instance::Description;
use infrakit_spi::{Error, FailureClass, GroupId, InstanceId, PluginName};

use super::{Birth, Happening, MILLIS, MINUTE, Machine, Maker, Nature, SECOND, World, ZONE};
use crate::controller::{Answer, Ticket};
use crate::faults::Kind;

/// The limit of a call that creates or destroys: the client hangs up after that.
const LIMIT: u64 = 10 * MINUTE;
/// The limit of a call that lists or checks.
pub(super) const LOOK: u64 = 15 * SECOND;

/// So much later at most than its answer an instance exists where nothing is declared: with four seconds
/// until lists show it, and four by which they go back, it shows within fifteen.
const PROMISED: u64 = 7 * SECOND;

/// What providers say while they have trouble that passes by itself; some of it sounds as if the
/// request were wrong.
const WORDS: [&str; 8] = [
    "internal error",
    "network interface eni-0a1 does not exist",
    "InvalidInstanceID.NotFound: the instance id does not exist",
    "unsupported: try another zone",
    "invalid response from scheduler",
    "access denied: token expired a moment ago",
    "conf file does not exist",
    "exit status 1",
];

impl World {
    /// Creates an instance as a provider of this nature would.
    pub(super) fn create_really(
        &mut self,
        whose: (u32, Ticket),
        place: (PluginName, GroupId),
        mut birth: Birth,
        (nature, note): (&Nature, &str),
    ) {
        let api = nature.api.draw(&mut self.rng);
        let starts = nature.running.draw(&mut self.rng).max(api);
        let healthy = nature.healthy.draw(&mut self.rng);
        let lag = nature.lag.draw(&mut self.rng);
        let zone = self.rng.below(nature.zones);
        let luck = self.rng.below(10_000);
        let secretly = self.rng.chance(500);
        if nature.zones > 1 {
            birth.tags.insert(ZONE.to_owned(), format!("z{zone}"));
        }
        if let Some(error) = self.refusal(&place.0, nature, note) {
            self.answer(whose, api.min(LOOK), Answer::Created(Err(error)));
            return;
        }
        if self.strikes(Kind::CreateLost) {
            let error = Error::unknown("connection reset by peer");
            self.answer(whose, api, Answer::Created(Err(error)));
            return;
        }
        if self.strikes(Kind::ForeignId)
            && let Some(id) = self.any_id(&place.0)
        {
            let made = Description {
                id,
                logical_id: birth.logical_id,
                tags: Some(birth.tags),
                ..Description::default()
            };
            self.answer(whose, api, Answer::Created(Ok(Box::new(made))));
            return;
        }
        if nature.once
            && let Some(answer) = self.made_before(&place.0, &birth)
        {
            self.answer(whose, api, Answer::Created(answer));
            return;
        }
        // Some plugins show an instance in their lists only when it runs.
        let blocks = nature.answer == AnswerMeans::Running;
        let exists = if nature.promises {
            self.exists_later(nature, (api, starts))
        } else if blocks && secretly {
            starts
        } else {
            api
        };
        let starts = starts.max(exists);
        let answered = match (nature.promises, blocks) {
            (true, _) => api,
            (false, true) => starts,
            (false, false) => exists,
        };
        birth.starts = starts - exists;
        birth.boot = match (birth.plain, nature.declared) {
            (false, _) => birth.starts + healthy,
            // Nobody can know more than that it runs, or that it is there.
            (true, true) => birth.starts,
            (true, false) => 0,
        };
        birth.hidden = lag;
        birth.answers = answered.saturating_sub(exists) + MILLIS;
        birth.fails = luck < nature.stillborn;
        let unanswered = self.rng.below(10_000) < nature.unanswered
            || self.strikes(Kind::CreateUnanswered)
            || self
                .park
                .get(&place.0)
                .is_some_and(|plugin| self.now < plugin.outage);
        let reply = if unanswered || answered > LIMIT {
            let error = Error::unknown("no answer: context deadline exceeded");
            self.answer(whose, answered.min(LIMIT), Answer::Created(Err(error)));
            None
        } else {
            Some(whose)
        };
        if self.strikes(Kind::CreateTwice) {
            let echo = Birth {
                maker: Maker::Echo,
                ..birth.clone()
            };
            self.put_on_the_way(place.clone(), exists + SECOND, echo, None);
        }
        if let Some(whose) = reply.filter(|_| nature.promises) {
            self.promise(whose, &place, answered, &mut birth);
            self.put_on_the_way(place, exists, birth, None);
            return;
        }
        self.put_on_the_way(place, exists, birth, reply);
    }

    /// Draws when an instance exists whose creation is answered before that: when it runs at the latest.
    /// Where nothing is declared, lists show it within what clients of the original plugins wait for.
    fn exists_later(&mut self, nature: &Nature, (api, starts): (u64, u64)) -> u64 {
        if nature.declared {
            return self.rng.between(api / MILLIS, starts / MILLIS) * MILLIS;
        }
        api + self.rng.between(0, PROMISED / MILLIS) * MILLIS
    }

    /// Answers a creation with the id that its instance will have.
    fn promise(
        &mut self,
        whose: (u32, Ticket),
        (plugin, group): &(PluginName, GroupId),
        after: u64,
        birth: &mut Birth,
    ) {
        let Some(provider) = self.park.get_mut(plugin) else {
            return;
        };
        let id = provider.promise(group);
        birth.id = Some(id.clone());
        let made = Description {
            id,
            logical_id: birth.logical_id.clone(),
            tags: Some(birth.tags.clone()),
            ..Description::default()
        };
        self.answer(whose, after + MILLIS, Answer::Created(Ok(Box::new(made))));
    }

    /// Returns what is answered to a creation that was asked for before, and notes one that was not.
    fn made_before(
        &mut self,
        plugin: &PluginName,
        birth: &Birth,
    ) -> Option<Result<Box<Description>, Error>> {
        let token = birth.tags.get(infrakit_spi::tags::TOKEN)?;
        let provider = self.park.get_mut(plugin)?;
        match provider.asked.get(token) {
            None => {
                provider.asked.insert(token.clone(), None);
                None
            }
            Some(None) => Some(Err(Error::unknown(
                "a request with this token is in progress",
            ))),
            Some(Some(id)) => {
                let id = id.clone();
                let made = provider
                    .recall(&id)
                    .filter(|one| one.token() == Some(token));
                let mut tags = birth.tags.clone();
                // Where it is was decided when it was made, be it that it is gone since.
                tags.remove(ZONE);
                tags.extend(
                    made.and_then(Machine::zone)
                        .map(|zone| (ZONE.to_owned(), zone.to_owned())),
                );
                Some(Ok(Box::new(Description {
                    id,
                    logical_id: birth.logical_id.clone(),
                    tags: Some(tags),
                    ..Description::default()
                })))
            }
        }
    }

    /// Returns why a creation is refused at once, if it is.
    fn refusal(&mut self, plugin: &PluginName, nature: &Nature, note: &str) -> Option<Error> {
        let now = self.now;
        let provider = self.park.get_mut(plugin)?;
        let away = now < provider.outage;
        let full = nature
            .creates
            .and_then(|bucket| provider.creates.take(bucket, now).err());
        if note.contains("refused") {
            let error = Error::refused("invalid configuration: no such image");
            // Only who declares how it behaves says of what class a failure is.
            return Some(if nature.declared {
                error.with_class(FailureClass::Configuration)
            } else {
                error
            });
        }
        if let Some(wait) = full {
            let wait = wait.div_ceil(SECOND);
            self.note(format_args!("`{plugin}` is asked too often"));
            self.throttled += 1;
            return Some(Error::refused(format!(
                "RequestLimitExceeded: request limit exceeded, retry after {wait} s"
            )));
        }
        // While the control plane is away half of what it seems to refuse is made nevertheless.
        if away && self.rng.chance(500) {
            return Some(Error::refused("503 service unavailable"));
        }
        if self.strikes(Kind::CreateRefused) {
            let words = *self.rng.pick(&WORDS);
            return Some(Error::refused(words));
        }
        if self.strikes(Kind::CreateQuota) {
            let words = "InsufficientInstanceCapacity: no capacity in the zone";
            return Some(Error::refused(words));
        }
        if self.strikes(Kind::PrepareFails) {
            let words = "the flavor cannot prepare: secret store does not exist";
            return Some(Error::refused(words));
        }
        None
    }

    /// Destroys an instance as a provider of this nature would.
    pub(super) fn destroy_really(
        &mut self,
        whose: (u32, Ticket),
        (plugin, id): (&PluginName, &InstanceId),
        drain: Drain,
        nature: &Nature,
    ) {
        let mut took = nature.api.draw(&mut self.rng);
        let lasts = nature.destroy.draw(&mut self.rng);
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
        let now = self.now;
        let away = self.park.get(plugin).is_some_and(|one| now < one.outage);
        if away || self.strikes(Kind::DestroyLost) {
            let error = Error::unknown("no answer: 504 gateway timeout");
            self.answer(whose, took.min(LIMIT), Answer::Done(Err(error)));
            return;
        }
        let full = self.park.get_mut(plugin).and_then(|provider| {
            let bucket = nature.destroys?;
            provider.destroys.take(bucket, now).err()
        });
        let refused = self.rng.below(10_000) < nature.refused || self.strikes(Kind::DestroyFails);
        let there = self.park.machine(plugin, id).is_some();
        let promised = self.park.get(plugin);
        let promised = promised.is_some_and(|provider| provider.promised_to(id).is_some());
        let agreed = there || (promised && nature.agrees);
        let words = if full.is_some() {
            self.throttled += 1;
            Some("RequestLimitExceeded: request limit exceeded".to_owned())
        } else if refused {
            Some("resource is locked by another action".to_owned())
        } else if agreed {
            None
        } else {
            Some(format!("no instance `{id}`"))
        };
        if let Some(words) = words {
            self.answer(
                whose,
                took.min(LOOK),
                Answer::Done(Err(Error::refused(words))),
            );
            return;
        }
        if took > LIMIT || self.strikes(Kind::DestroyUnanswered) {
            let error = Error::unknown("no answer: context deadline exceeded");
            self.answer(whose, took.min(LIMIT), Answer::Done(Err(error)));
        } else {
            self.answer(whose, took + MILLIS, Answer::Done(Ok(())));
        }
        let Some(machine) = self.park.machine_mut(plugin, id) else {
            return;
        };
        machine.ceases_to_serve(now);
        machine.leaving = true;
        let born = machine.born;
        if self.strikes(Kind::DestroyForgotten) {
            self.note(format_args!("`{id}` will not go"));
            // It was accepted and comes to nothing; asked again, it may go.
            let later = Happening::Stays(plugin.clone(), id.clone(), born);
            self.queue.push(now + took + 5 * MINUTE, later);
            return;
        }
        let gone = Happening::Vanish(plugin.clone(), id.clone(), Some(born));
        self.queue.push(now + took + lasts, gone);
    }

    /// Returns the id of an instance of a plugin.
    fn any_id(&mut self, plugin: &PluginName) -> Option<InstanceId> {
        let ids: Vec<InstanceId> = self
            .park
            .get(plugin)?
            .machines()
            .map(|one| one.id.clone())
            .collect();
        (!ids.is_empty()).then(|| self.rng.pick(&ids).clone())
    }

    /// A destruction that was accepted has come to nothing.
    pub(super) fn stays(&mut self, plugin: &PluginName, id: &InstanceId, born: u64) {
        let machine = self.park.machine_mut(plugin, id);
        if let Some(machine) = machine.filter(|one| one.born == born) {
            machine.leaving = false;
            self.stir();
            self.note(format_args!("`{id}` is as if nothing had been asked of it"));
        }
    }
}
