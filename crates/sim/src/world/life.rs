//! Lives of controllers: how they begin, decide, hear, and end.

use infrakit_plan::Timestamp;

use super::{Happening, MILLIS, MINUTE, SECOND, World};
use crate::controller::{Answer, Ask, Controller, Ticket};
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
    /// Whether another holds the office.
    pub(super) deposed: bool,
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
        let skew = if self.strikes(Kind::ClockJump) {
            let far = self.dice.amount(Kind::ClockJump, 1, 26 * 60 * 60);
            let sign = if far.is_multiple_of(2) { 1 } else { -1 };
            sign * i64::try_from(far * SECOND).unwrap_or_default()
        } else {
            0
        };
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
            deposed: false,
        };
        self.ledger.begin(number, self.term);
        self.ledger.terms.push((self.term, self.now));
        let now = life.clock(self.now);
        life.controller.start(&self.store, now);
        self.lives.push(life);
        self.refresh_promises(number);
        self.step(number);
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
        self.counts.crashes += 1;
        self.ledger.end(number);
        self.note(format_args!("controller {number} dies"));
        let power = self.strikes(Kind::PowerCut);
        let survives = !power && self.dice.amount(Kind::PowerCut, 0, 1) == 1;
        self.queue.retain(|happening| match happening {
            Happening::Answer(whose, ..) => *whose != number,
            Happening::Apply { life: whose, .. } => *whose != number || survives,
            _ => true,
        });
        if power {
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
        self.judge_ask(number, &ask);
        self.ledger.asked(number, ticket, &ask, self.now);
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
        if !routine && self.strikes(Kind::Takeover) {
            let learns = self.dice.amount(Kind::Takeover, 100, 5 * 60 * 1000) * MILLIS;
            self.take_over(learns.min(5 * MINUTE));
        }
        self.lives.iter().any(|life| life.number == number)
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
            Answer::Written(Ok(())) => Cause::Written(self.now),
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
        let written = matches!(answer, Answer::Written(Ok(())));
        let now = life.clock(world_now);
        life.controller.hear(ticket, answer, now);
        if written {
            self.refresh_promises(number);
        }
        self.set_cause(number, cause);
        self.step(number);
        self.set_cause(number, Cause::Any);
    }

    fn set_cause(&mut self, number: u32, cause: Cause) {
        if let Some(sight) = self.ledger.sight_mut(number) {
            sight.cause = cause;
        }
    }

    fn refresh_promises(&mut self, number: u32) {
        if let Some(life) = self.lives.iter().find(|life| life.number == number) {
            let specs = life.controller.specs();
            self.ledger.in_force(number, &specs);
        }
    }

    fn tell_answer(&mut self, number: u32, ticket: Ticket, answer: &Answer) {
        let now = self.now;
        let trace = &mut self.trace;
        let mut line = |text: std::fmt::Arguments<'_>| {
            trace.note(now, format_args!("{number}#{ticket} {text}"));
        };
        match answer {
            Answer::Listed(Ok(infrakit_spi::instance::Listing::Unchanged)) => {
                line(format_args!("the list is as before"));
            }
            Answer::Listed(Ok(infrakit_spi::instance::Listing::Changed(list, _))) => {
                let shown = Shown(list);
                line(format_args!("lists {shown}"));
                self.stir();
            }
            Answer::Listed(Err(error)) => line(format_args!("no list: {error}")),
            Answer::Written(Ok(())) => line(format_args!("written")),
            Answer::Written(Err(error)) => line(format_args!("not written: {error}")),
            Answer::Created(Ok(made)) => line(format_args!("created `{}`", made.id)),
            Answer::Created(Err(error)) => line(format_args!("not created: {error}")),
            Answer::Done(Ok(())) => line(format_args!("done")),
            Answer::Done(Err(error)) => line(format_args!("not done: {error}")),
            Answer::Checked(Ok(infrakit_spi::flavor::Health::Healthy)) => {
                line(format_args!("healthy"));
            }
            Answer::Checked(Ok(verdict)) => line(format_args!("{verdict:?}")),
            Answer::Checked(Err(error)) => line(format_args!("no verdict: {error}")),
        }
    }
}

/// A list of instances, by their ids.
struct Shown<'a>(&'a [infrakit_spi::instance::Description]);

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
