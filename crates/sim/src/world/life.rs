//! Lives of controllers: how they begin, decide, hear, and end.

use std::collections::BTreeMap;

use infrakit_plan::Timestamp;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Description, Fingerprint, Listing, Locality, Repaired};
use infrakit_spi::{GroupId, PluginName};
use infrakit_store::Durability;

use super::{Happening, MILLIS, MINUTE, Maker, SECOND, World};
use crate::controller::{Answer, Ask, Controller, Operation, Ticket};
use crate::faults::Kind;
use crate::judge::Cause;

/// Steps at one moment after which a controller counts as caught in a loop.
const LOOP: u32 = 2_000;

/// A controller from its start to its end.
pub struct Life {
    /// Its number; no two lives have the same.
    pub number: u32,
    pub(super) controller: Box<dyn Controller>,
    /// How far its clock is from the world's.
    skew: i64,
    /// What its clock showed last; it never shows that again.
    last: u64,
    /// When it is to be woken, in the world's time.
    pub(super) wake: Option<u64>,
    /// Things it asked for that are not routine, and that are not answered.
    pub(super) busy: u32,
    /// Routine things it asked for that are not answered.
    pub(super) looking: u32,
    /// The store takes its transactions in their order; the last is taken then.
    pub(super) written: u64,
    /// What lists showed last, by plugin and group.
    pub(super) shown: BTreeMap<(PluginName, Option<String>), Fingerprint>,
    /// Whether another holds the office.
    pub(super) deposed: bool,
    /// Until when it is suspended.
    pub(super) suspended: u64,
    /// What it had in force when that was last looked at.
    pub(super) promised: Vec<GroupSpec>,
}

impl Life {
    /// Returns the controller.
    #[must_use]
    pub fn controller(&self) -> &dyn Controller {
        self.controller.as_ref()
    }

    /// Reads its clock, which never runs backwards and never stands still.
    pub(super) fn clock(&mut self, now: u64) -> Timestamp {
        let shown = now.saturating_add_signed(self.skew);
        self.last = shown.max(self.last + 1);
        Timestamp(self.last)
    }

    fn world_time(&self, at: Timestamp) -> u64 {
        at.0.saturating_add_signed(self.skew.saturating_neg())
    }
}

impl World {
    /// Starts the first controller.
    pub fn start(&mut self) {
        self.begin_life();
    }

    /// Returns the controller in office.
    #[must_use]
    pub fn leader(&self) -> Option<&Life> {
        self.lives.iter().find(|life| !life.deposed)
    }

    pub(super) fn begin_life(&mut self) {
        let skew = self.draw_skew();
        let number = self.next_life;
        self.next_life += 1;
        self.term += 1;
        self.stir();
        self.note(format_args!("controller {number} starts"));
        let mut life = Life {
            number,
            controller: (self.maker)(&self.traits),
            skew,
            last: 0,
            wake: None,
            busy: 0,
            looking: 0,
            written: 0,
            shown: BTreeMap::new(),
            deposed: false,
            suspended: 0,
            promised: Vec::new(),
        };
        let claim = life.controller.claim(&self.store);
        let claimed = match self.store.apply(claim, Durability::Synced) {
            Ok(revision) => revision,
            Err(error) => {
                self.breach("takes the lead", error.to_string());
                return;
            }
        };
        self.ledger.begin(number, self.term);
        self.ledger.terms.push((self.term, self.now));
        let now = life.clock(self.now);
        life.controller.start(&self.store, claimed, now);
        self.lives.push(life);
        self.refresh_promises(number, true);
        self.step(number);
    }

    /// Draws how far the clock of the next life is from the world's.
    ///
    /// One that jumps ahead while a creation is under way looks exactly like a long time in which
    /// nobody was there, after which nothing can come of that creation: nobody can tell the two apart.
    fn draw_skew(&mut self) -> i64 {
        let drawn = if self.strikes(Kind::ClockJump) {
            let far = self.dice.amount(Kind::ClockJump, 1, 26 * 60 * 60);
            let sign = if far.is_multiple_of(2) { 1 } else { -1 };
            sign * i64::try_from(far * SECOND).unwrap_or_default()
        } else {
            0
        };
        if self.coming.values().all(Vec::is_empty) {
            self.skew = drawn;
        } else {
            self.skew = self.skew.min(drawn);
        }
        self.skew
    }

    /// Ends the life of the controller in office, as a kill would, and starts the next one.
    pub fn crash(&mut self, restart_after: u64) {
        if let Some(number) = self.leader().map(|life| life.number) {
            self.kill(number, restart_after);
        }
    }

    /// Kills a controller. What it has asked of plugins goes on; of its transactions on their way
    /// some may still be taken.
    pub(super) fn kill(&mut self, number: u32, restart_after: u64) {
        let Some(position) = self.lives.iter().position(|life| life.number == number) else {
            return;
        };
        let life = self.lives.remove(position);
        if self.counts.crashes == 0 {
            self.met_at_death = self.dice.all_met();
        }
        self.counts.crashes += 1;
        self.ledger.end(number);
        self.turns.retain(|(whose, _), _| *whose != number);
        self.note(format_args!("controller {number} dies"));
        let power = self.strikes(Kind::PowerCut);
        let survives = !power && self.dice.amount(Kind::PowerCut, 0, 1) == 1;
        let wishes = std::mem::take(&mut self.wishes);
        for ((whose, ticket), (group, operation)) in wishes {
            if whose == number {
                self.ledger.told.unsure(&group, &operation);
            } else {
                self.wishes.insert((whose, ticket), (group, operation));
            }
        }
        self.queue.retain(|happening| match happening {
            Happening::Answer(whose, ..) => *whose != number,
            Happening::Apply { life: whose, .. } => *whose != number || survives,
            _ => true,
        });
        if self.lives.is_empty() {
            self.end_local_calls();
        }
        if power {
            let deposed: Vec<u32> = self.lives.iter().map(|life| life.number).collect();
            for number in deposed {
                self.depose(number);
            }
            let risk = self.store.at_risk() as u64;
            let kept = self.dice.amount(Kind::PowerCut, 0, risk);
            self.store
                .power_cut(usize::try_from(kept).unwrap_or_default());
            self.note(format_args!(
                "{} of {risk} buffered transactions are lost",
                risk - kept
            ));
        }
        if !life.deposed {
            self.queue.push(self.now + restart_after, Happening::Start);
        }
    }

    /// What runs in the controller's process dies with it, creations under way included.
    fn end_local_calls(&mut self) {
        let park = &self.park;
        let dies = |happening: &Happening| match happening {
            Happening::Appear { plugin, .. } => park.get(plugin).is_some_and(|provider| {
                // What a provider outside was asked for goes on.
                provider.locality == Locality::InProcess && provider.nature.is_none()
            }),
            _ => false,
        };
        let mut lost = Vec::new();
        for happening in self.queue.iter().filter(|one| dies(one)) {
            if let Happening::Appear { group, birth, .. } = happening
                && birth.maker == Maker::Controller
            {
                lost.push((group.clone(), birth.logical_id.clone()));
            }
        }
        self.queue.retain(|happening| !dies(happening));
        for (group, logical_id) in lost {
            self.no_longer_coming(&group, logical_id.as_ref());
        }
    }

    /// Lets another controller take over; the old one goes on until it learns of that.
    pub fn take_over(&mut self, learns_after: u64) {
        let now = self.now;
        if let Some(old) = self.lives.iter_mut().find(|life| !life.deposed) {
            old.deposed = true;
            let number = old.number;
            self.counts.takeovers += 1;
            self.note(format_args!(
                "controller {number} is deposed and does not know"
            ));
            self.queue
                .push(now + learns_after, Happening::Depose(number));
            self.begin_life();
        }
    }

    pub(super) fn depose(&mut self, number: u32) {
        if let Some(position) = self.lives.iter().position(|life| life.number == number) {
            self.note(format_args!(
                "controller {number} learns that it is deposed"
            ));
            self.lives.remove(position);
            self.ledger.end(number);
            self.queue.retain(
                |happening| !matches!(happening, Happening::Answer(whose, ..) if *whose == number),
            );
        }
    }

    /// Lets a controller decide, and begins what it asks.
    pub(super) fn step(&mut self, number: u32) {
        let world_now = self.now;
        let Some(life) = self.lives.iter_mut().find(|life| life.number == number) else {
            return;
        };
        let now = life.clock(world_now);
        let asks = life.controller.step(now);
        life.wake = life
            .controller
            .wake_at()
            .map(|at| life.world_time(at).max(world_now));
        self.guard_against_loops();
        for (ticket, ask) in asks {
            if !self.begin(number, ticket, ask) {
                return;
            }
        }
    }

    fn guard_against_loops(&mut self) {
        if self.step_guard.0 != self.now {
            self.step_guard = (self.now, 0);
        }
        self.step_guard.1 += 1;
        if self.step_guard.1 == LOOP {
            self.breach("no busy loops", format!("{LOOP} steps at one moment"));
        }
    }

    /// Begins something that a controller asks. Returns whether the controller is still alive.
    fn begin(&mut self, number: u32, ticket: Ticket, ask: Ask) -> bool {
        let routine = matches!(ask, Ask::List { .. } | Ask::Check { .. });
        if !routine {
            self.stir();
            if self.strikes(Kind::CrashBefore) {
                let pause = self.dice.amount(Kind::CrashBefore, 1, 60) * SECOND;
                self.kill(number, pause);
                return false;
            }
        }
        self.ledger.asked(number, ticket, &ask, self.now);
        self.judge_ask(number, &ask);
        // The first write after a person's wish is that wish.
        if matches!(ask, Ask::Write { .. })
            && let Some((group, operation)) = self.asking.take()
        {
            self.turns.insert((number, group.clone()), ticket);
            self.wishes.insert((number, ticket), (group, operation));
        }
        if let Some(life) = self.lives.iter_mut().find(|life| life.number == number) {
            if routine {
                life.looking += 1;
            } else {
                life.busy += 1;
            }
        }
        self.carry_out(number, ticket, ask);
        if !routine && self.strikes(Kind::CrashAfter) {
            let pause = self.dice.amount(Kind::CrashAfter, 1, 60) * SECOND;
            self.kill(number, pause);
            return false;
        }
        if !routine && self.can_be_taken_over() && self.strikes(Kind::Takeover) {
            let learns = self.dice.amount(Kind::Takeover, 100, 5 * 60 * 1000) * MILLIS;
            self.take_over(learns.min(5 * MINUTE));
        }
        self.lives.iter().any(|life| life.number == number)
    }

    /// Two controllers can share a plugin only when it runs outside of both.
    fn can_be_taken_over(&self) -> bool {
        let mut providers = self.park.providers();
        providers.all(|(_, provider)| provider.locality == Locality::Remote)
    }

    /// Lets a controller hear an answer.
    pub(super) fn deliver(&mut self, number: u32, ticket: Ticket, answer: Answer) {
        if !self.lives.iter().any(|life| life.number == number) {
            return;
        }
        let routine = matches!(answer, Answer::Listed(_) | Answer::Checked(_));
        let cause = match &answer {
            Answer::Listed(Err(_)) => {
                // What is due by itself is decided first, so that what comes after is brought
                // about by the failure alone.
                self.step(number);
                Cause::FailedList
            }
            Answer::Written(Ok(())) => {
                let taken = self.applied.remove(&(number, ticket));
                Cause::Written(taken.unwrap_or(self.now))
            }
            _ => Cause::Any,
        };
        if !routine && self.strikes(Kind::CrashHearing) {
            self.kill(number, SECOND);
            return;
        }
        let twice = (!routine && self.strikes(Kind::AnswerTwice)).then(|| answer.clone());
        self.tell_answer(number, ticket, &answer);
        self.hear(number, ticket, answer, cause);
        if let Some(answer) = twice {
            self.hear(number, ticket, answer, Cause::Any);
        }
    }

    fn hear(&mut self, number: u32, ticket: Ticket, answer: Answer, cause: Cause) {
        self.ledger.heard(number, ticket, &answer, self.now);
        let world_now = self.now;
        let Some(life) = self.lives.iter_mut().find(|life| life.number == number) else {
            return;
        };
        if matches!(answer, Answer::Listed(_) | Answer::Checked(_)) {
            life.looking = life.looking.saturating_sub(1);
        } else {
            life.busy = life.busy.saturating_sub(1);
        }
        if matches!(answer, Answer::Written(_)) {
            self.turns
                .retain(|(whose, _), own| *whose != number || *own != ticket);
        }
        let written = matches!(answer, Answer::Written(Ok(())));
        let wish = match &answer {
            Answer::Written(_) => self.wishes.remove(&(number, ticket)),
            _ => None,
        };
        let now = life.clock(world_now);
        life.controller.hear(ticket, answer, now);
        if let Some((group, operation)) = &wish {
            if written {
                self.ledger.told.acknowledged(group, operation);
                self.note_hold(group, operation);
            } else {
                self.ledger.told.unsure(group, operation);
                self.ledger.not_written(number, (group, operation));
            }
        }
        if written {
            self.refresh_promises(number, wish.is_some());
        }
        if let Some((group, operation)) = wish.filter(|_| written) {
            self.note_reason(&group, &operation);
        }
        self.set_cause(number, cause);
        self.step(number);
        self.set_cause(number, Cause::Any);
    }

    /// A hand over one that has gone meanwhile is over nobody who is given its id.
    fn note_hold(&mut self, group: &GroupId, operation: &Operation) {
        if let Operation::Hold(id) = operation {
            let mut members = self.park.of(group.as_str());
            if !members.any(|(_, one)| one.id == *id) {
                self.ledger.told.gone(group, id);
            }
        }
    }

    fn set_cause(&mut self, number: u32, cause: Cause) {
        if let Some(sight) = self.ledger.sight_mut(number) {
            sight.cause = cause;
            if let Cause::Written(taken) = cause {
                sight.planned = taken;
            }
        }
    }

    fn tell_answer(&mut self, number: u32, ticket: Ticket, answer: &Answer) {
        let now = self.now;
        let trace = &mut self.trace;
        let says = Says(answer);
        let line = format_args!("{number}#{ticket} {says}");
        match answer {
            Answer::Listed(Ok(Listing::Unchanged)) | Answer::Checked(_) => {
                trace.murmur(now, line);
            }
            _ => trace.note(now, line),
        }
    }
}

/// An answer in words.
struct Says<'a>(&'a Answer);

impl std::fmt::Display for Says<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Answer::Listed(Ok(Listing::Unchanged)) => f.write_str("the list is as before"),
            Answer::Listed(Ok(Listing::Changed(list, _) | Listing::Part(list, ..))) => {
                write!(f, "lists {}", Shown(list))
            }
            Answer::Listed(Err(error)) => write!(f, "no list: {error}"),
            Answer::Written(Ok(())) => f.write_str("written"),
            Answer::Written(Err(error)) => write!(f, "not written: {error}"),
            Answer::Created(Ok(made)) => write!(f, "created `{}`", made.id),
            Answer::Created(Err(error)) => write!(f, "not created: {error}"),
            Answer::Done(Ok(())) => f.write_str("done"),
            Answer::Done(Err(error)) => write!(f, "not done: {error}"),
            Answer::Repaired(Ok(Repaired::Done)) => f.write_str("repaired"),
            Answer::Repaired(Ok(Repaired::NotOffered)) => f.write_str("no such step"),
            Answer::Repaired(Err(error)) => write!(f, "not repaired: {error}"),
            Answer::Checked(Ok(verdict)) => write!(f, "{verdict:?}"),
            Answer::Checked(Err(error)) => write!(f, "no verdict: {error}"),
        }
    }
}

/// A list of instances, by their ids.
struct Shown<'a>(&'a [Description]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nobody");
        }
        for (index, one) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}", one.id)?;
        }
        Ok(())
    }
}
