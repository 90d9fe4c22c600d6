//! The engine of the world: it plans, does what plans say, and takes in the answers.

use std::time::Duration;

use infrakit_plan::{
    Action, Departure, Doubt, FailedCreation, Intent, Labelling, Member, Origin, Provision, Step,
    Timestamp, Told, check, plan,
};
use infrakit_spi::instance::Description;
use infrakit_spi::{FailureClass, InstanceId, Tags, tags};

use super::{Answer, Event, NONCE, SLOWEST, World};

impl World {
    pub(super) fn provisioned(&mut self, token: u64, begun: Timestamp, answer: &Answer) {
        let now = self.now;
        let intent = self.memory.intents.remove(&token);
        match answer {
            Answer::Done => {
                if let Some(intent) = &intent {
                    self.memory.creation.succeed(&intent.hash, begun);
                }
                let tag = format!("{NONCE}-{token}");
                let made = self.describe().into_iter().find(|one| {
                    one.tags.as_ref().and_then(|tags| tags.get(tags::TOKEN)) == Some(&tag)
                });
                let gone = Description {
                    id: format!("gone-{token}").into(),
                    ..Description::default()
                };
                let made = made.unwrap_or_else(|| Description {
                    tags: Some(Tags::from([(tags::TOKEN.to_owned(), tag)])),
                    ..gone
                });
                let origin = Origin::Provisioned(now);
                self.seen.provisioned(Member::new(
                    made,
                    &self.spec.instance.plugin,
                    origin,
                    NONCE,
                    now,
                ));
            }
            Answer::Refused => {
                if let Some(intent) = intent {
                    let failed = FailedCreation {
                        token: self.memory.token(token),
                        hash: &intent.hash,
                        class: FailureClass::Other,
                        told: Told::Guessed,
                        message: "no",
                        begun,
                    };
                    self.memory.creation.fail(&failed, now);
                }
            }
            Answer::Lost => {
                if let Some(intent) = intent {
                    let doubt = Some(Doubt::since(now));
                    self.memory
                        .intents
                        .insert(token, Intent { doubt, ..intent });
                }
            }
        }
        self.list_due = self.list_due.min(self.now + Duration::from_secs(1));
    }

    pub(super) fn destroyed(&mut self, id: &InstanceId, done: bool) {
        let now = self.now;
        let failures = self.failures.entry(id.clone()).or_default();
        let Some(mut member) = self.seen.get_mut(id) else {
            return;
        };
        let known = member.departure.expect("it was marked");
        let taken = if done { Some(now) } else { known.taken };
        let step = if done {
            Step::Accepted(now)
        } else {
            *failures += 1;
            Step::Failed(
                *failures,
                now + Duration::from_secs(u64::from(*failures).min(60)),
            )
        };
        member.departure = Some(Departure {
            step,
            taken,
            ..known
        });
        self.list_due = self.list_due.min(now);
    }

    /// Plans and begins what the plan says, checking it against what must always hold.
    pub(super) fn decide(&mut self) {
        let decided = plan(
            &self.spec,
            &self.seen,
            self.memory.clone(),
            self.now,
            &self.config,
        );
        self.plans += 1;
        let broken = check::violations(&self.spec, &self.seen, &decided, &self.config);
        assert_eq!(broken, Vec::<String>::new(), "{}", self.report());
        assert!(
            decided.wake_at.is_none_or(|at| at > self.now),
            "a busy loop: {decided:#?}"
        );
        self.outgrows_nothing(&decided);
        self.memory = decided.memory.clone();
        self.wake_at = decided.wake_at;
        self.converged = decided.converged;
        let spares = |action: &Action| matches!(action, Action::Spare { .. });
        let spares = decided.actions.iter().any(spares);
        for action in decided.actions {
            self.act(action);
        }
        if spares {
            // What it means that they are members again is planned anew.
            return self.decide();
        }
        let again = plan(
            &self.spec,
            &self.seen,
            self.memory.clone(),
            self.now,
            &self.config,
        );
        let begun = |action: &Action| !matches!(action, Action::Check { .. });
        assert!(
            !again.actions.iter().any(begun),
            "not idempotent: {:?} {}",
            again.actions,
            self.report()
        );
        let twice = again.actions.iter().find(|action| match action {
            Action::Check { id, .. } => self.seen.get(id).is_some_and(|one| one.health.in_flight()),
            _ => false,
        });
        assert!(twice.is_none(), "asked twice: {twice:?}");
    }

    fn act(&mut self, action: Action) {
        let epoch = self.epoch;
        let now = self.now;
        let pause = u64::from(self.chance()) * 10 + 1;
        match action {
            Action::Provision(provision) => self.create(provision, pause),
            Action::Destroy { id, reason, .. } => {
                assert!(!self.strangers.contains(&id), "a stranger is destroyed");
                let mut member = self.seen.get_mut(&id).expect("a member");
                member.departure = Some(Departure {
                    reason,
                    since: now,
                    step: Step::InFlight(now),
                    taken: member.departure.and_then(|departure| departure.taken),
                });
                drop(member);
                let done = !self.fault(40);
                if done {
                    // Slow ones stay listed for a while; now and then for longer than is waited.
                    let slow = u64::from(self.chance()).pow(2) * 2;
                    self.later(pause + slow, Event::Disappear(id.clone()));
                }
                self.later(pause, Event::Destroyed { epoch, id, done });
            }
            Action::Adopt { id, labels, .. } => {
                assert!(!self.strangers.contains(&id), "a stranger is adopted");
                self.seen.get_mut(&id).expect("a member").labelling = Labelling::UnderWay(None);
                let done = !self.fault(40);
                self.later(
                    pause,
                    Event::Labelled {
                        epoch,
                        id,
                        labels,
                        done,
                    },
                );
            }
            Action::Spare { id, .. } => {
                self.seen.get_mut(&id).expect("a member").departure = None;
            }
            Action::Drain { .. } | Action::Repair { .. } | Action::Revert { .. } => {}
            Action::Check { id, .. } => {
                self.seen.get_mut(&id).expect("a member").health.ask();
                self.later(pause / 4, Event::Checked { epoch, id });
            }
        }
    }

    fn create(&mut self, provision: Provision, pause: u64) {
        let Provision { token, tags, .. } = provision;
        let token = token.number();
        let (epoch, begun) = (self.epoch, self.now);
        let kind = self.chance();
        let (answer, delay) = match kind {
            200..=219 => (Answer::Refused, None),
            220..=231 => (Answer::Lost, None),
            232..=243 => (Answer::Lost, Some(0)),
            244..=255 => (Answer::Lost, Some(u64::from(self.chance()) * SLOWEST / 255)),
            _ => (Answer::Done, Some(0)),
        };
        if let Some(delay) = delay {
            self.later(pause + delay, Event::Appear(tags));
        }
        self.later(
            pause,
            Event::Provisioned {
                epoch,
                token,
                begun,
                answer,
            },
        );
    }
}
