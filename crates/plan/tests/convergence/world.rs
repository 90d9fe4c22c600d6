//! A small world: instances, plugins that misbehave as a tape says, and an engine that does what
//! plans say and forgets everything but its memory when it is restarted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_plan::{
    Action, Config, Departure, Doubt, Intent, Listed, Member, Memory, Observed, Origin, Phase,
    Plan, Provision, Roll, Size, Spec, Step, Timestamp, check, plan,
};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::{Description, Locality};
use infrakit_spi::{Any, InstanceId, LogicalId, Tags, tags};
use proptest::sample::Index;

const NONCE: &str = "n";
const GROUP: &str = "g";
/// Longest time that a creation whose answer is lost takes; shorter than `Config::settle`.
const SLOWEST: u64 = 10_000;

/// Whether members are alike or named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Cattle,
    Pets,
}

/// What a world starts with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    /// Which proof new members owe: 0 and 1 none, 2 `Count`, 3 `Duration`.
    pub(crate) proof: u8,
    /// Whether the controller runs on one of the members.
    pub(crate) own: bool,
    pub(crate) in_process: bool,
}

/// Which of the instances something happens to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick(pub(crate) Index);

/// Something that happens to the world.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// So many milliseconds pass.
    Run(u64),
    /// An instance is deleted by hand.
    Delete(Pick),
    /// The health of an instance changes.
    Turn(Pick, Health),
    /// The controller is killed and started again.
    Restart,
    /// A size and a configuration are committed.
    Commit(u64, u8),
    /// An instance is made by hand: one that asks for adoption, or an outdated one.
    ByHand(Pick, bool),
    /// An instance appears that is none of the group's business.
    Stranger,
    /// The operator asks for the destruction of a member.
    Doom(Pick),
}

struct Instance {
    tags: Tags,
    health: Health,
    by_hand: bool,
}

/// Something that will happen.
enum Event {
    Appear(Tags),
    Provisioned {
        epoch: u32,
        token: u64,
        begun: Timestamp,
        answer: Answer,
    },
    Disappear(InstanceId),
    Destroyed {
        epoch: u32,
        id: InstanceId,
        done: bool,
    },
    Labelled {
        epoch: u32,
        id: InstanceId,
        labels: Tags,
        done: bool,
    },
    Checked {
        epoch: u32,
        id: InstanceId,
    },
    Listed {
        epoch: u32,
        started: Timestamp,
        list: Vec<Description>,
    },
}

enum Answer {
    Done,
    Refused,
    Lost,
}

pub(crate) struct World {
    kind: Kind,
    own: bool,
    proof: u8,
    now: Timestamp,
    instances: BTreeMap<InstanceId, Instance>,
    strangers: BTreeSet<InstanceId>,
    events: BTreeMap<(Timestamp, u64), Event>,
    next_event: u64,
    next_instance: u64,
    tape: std::vec::IntoIter<u8>,
    // What the engine knows; all but spec and memory is lost by a restart.
    spec: Spec,
    memory: Memory,
    seen: Observed,
    epoch: u32,
    failures: BTreeMap<InstanceId, u32>,
    listing: bool,
    list_due: Timestamp,
    wake_at: Option<Timestamp>,
    converged: bool,
    locality: Locality,
    config: Config,
    plans: u64,
}

fn spec(kind: Kind, size: u64, note: u8, proof: u8) -> Spec {
    let allocation = match kind {
        Kind::Cattle => format!(r#"{{"Size":{size}}}"#),
        Kind::Pets => {
            let ids: Vec<String> = (0..=size).map(|number| format!("pet-{number}")).collect();
            format!(r#"{{"LogicalIDs":{ids:?}}}"#)
        }
    };
    let updating = match proof {
        2 => r#"{"Count":3}"#,
        3 => r#"{"Duration":"25s"}"#,
        _ => "{}",
    };
    let text = format!(
        r#"{{"Instance":{{"Plugin":"p","Properties":{note}}},"Allocation":{allocation},"Updating":{updating}}}"#
    );
    Spec::parse(Some(&Any::parse(&text).unwrap())).unwrap()
}

impl World {
    pub(crate) fn new(shape: Shape, tape: Vec<u8>) -> Self {
        let mut world = Self {
            kind: shape.kind,
            own: shape.own,
            proof: shape.proof,
            now: Timestamp(1_000_000_000_000_000),
            instances: BTreeMap::new(),
            strangers: BTreeSet::new(),
            events: BTreeMap::new(),
            next_event: 0,
            next_instance: 0,
            tape: tape.into_iter(),
            spec: spec(shape.kind, shape.size, 0, shape.proof),
            memory: Memory {
                group: GROUP.into(),
                nonce: NONCE.to_owned(),
                ..Memory::default()
            },
            seen: Observed::default(),
            epoch: 0,
            failures: BTreeMap::new(),
            listing: false,
            list_due: Timestamp(0),
            wake_at: None,
            converged: false,
            locality: if shape.in_process {
                Locality::InProcess
            } else {
                Locality::Remote
            },
            config: Config::default(),
            plans: 0,
        };
        if shape.own {
            let own = LogicalId::from("pet-0");
            world.config.self_logical_id = Some(own);
            world.by_hand(&[
                (tags::LOGICAL_ID, "pet-0"),
                (tags::CONFIG_HASH, tags::BOOTSTRAP),
            ]);
        }
        world
    }

    fn by_hand(&mut self, pairs: &[(&str, &str)]) {
        let group = (tags::GROUP, GROUP);
        let tags = pairs.iter().copied().chain([group]);
        let tags = tags
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        self.appear(tags, true);
    }

    fn appear(&mut self, tags: Tags, by_hand: bool) -> InstanceId {
        // Ids that are not in the order of creation.
        let number = self.next_instance;
        self.next_instance += 1;
        let id = InstanceId::new(format!("i{}-{number}", number * 7 % 10));
        let health = if self.fault(8) {
            Health::Unhealthy
        } else {
            Health::Healthy
        };
        self.instances.insert(
            id.clone(),
            Instance {
                tags,
                health,
                by_hand,
            },
        );
        id
    }

    /// Returns a value from the tape; zero when it is used up.
    fn chance(&mut self) -> u8 {
        self.tape.next().unwrap_or_default()
    }

    /// Returns whether a fault of so many in 256 happens.
    fn fault(&mut self, of_256: u8) -> bool {
        self.chance() > 255 - of_256
    }

    fn later(&mut self, millis: u64, event: Event) {
        let at = self.now + Duration::from_millis(millis);
        self.events.insert((at, self.next_event), event);
        self.next_event += 1;
    }

    /// Returns a member's instance, never the controller's own.
    fn pick(&self, Pick(index): Pick) -> Option<InstanceId> {
        let ids: Vec<&InstanceId> = self
            .instances
            .iter()
            .filter(|(id, one)| !self.strangers.contains(*id) && !self.is_own(&one.tags))
            .map(|(id, _)| id)
            .collect();
        (!ids.is_empty()).then(|| (*index.get(&ids)).clone())
    }

    fn is_own(&self, tags: &Tags) -> bool {
        self.own && tags.get(tags::LOGICAL_ID).is_some_and(|id| id == "pet-0")
    }

    pub(crate) fn apply(&mut self, op: Op) {
        match op {
            Op::Run(millis) => self.run(self.now + Duration::from_millis(millis)),
            Op::Delete(which) => {
                if let Some(id) = self.pick(which) {
                    self.instances.remove(&id);
                }
            }
            Op::Turn(which, health) => {
                let id = self.pick(which);
                if let Some(one) = id.and_then(|id| self.instances.get_mut(&id)) {
                    one.health = health;
                }
            }
            Op::Restart => self.restart(),
            Op::Commit(size, note) => self.commit(size, note),
            Op::ByHand(Pick(index), asks) => {
                let hash = if asks { tags::BOOTSTRAP } else { "strange" };
                let name = format!("pet-{}", index.index(8) + 1);
                match self.kind {
                    Kind::Cattle => self.by_hand(&[(tags::CONFIG_SHA, hash)]),
                    Kind::Pets => {
                        self.by_hand(&[(tags::CONFIG_HASH, hash), (tags::LOGICAL_ID, &name)]);
                    }
                }
            }
            Op::Stranger => {
                let id = self.appear(Tags::new(), true);
                self.strangers.insert(id);
            }
            Op::Doom(which) => self.doom(which),
        }
    }

    fn commit(&mut self, size: u64, note: u8) {
        if self.memory.phase == Phase::Destroying {
            return;
        }
        // Other identities are refused by the sentence.
        let size = match self.kind {
            Kind::Cattle => size,
            Kind::Pets => self.spec.size.count() - 1,
        };
        let after = spec(self.kind, size, note, self.proof);
        if self
            .seen
            .members()
            .any(|member| !member.matches(&after.hash))
        {
            let held = self.memory.roll.as_ref().and_then(|roll| roll.hold);
            let former = held.unwrap_or_else(|| self.spec.size.count());
            let hold = (former < after.size.count()).then_some(former);
            self.memory.roll = Some(Roll { hold });
        }
        self.spec = after;
        self.decide();
    }

    fn doom(&mut self, which: Pick) {
        let (Some(id), Size::Cattle(size)) = (self.pick(which), &self.spec.size) else {
            return;
        };
        if self.seen.get(&id).is_none() || *size == 0 || self.memory.doomed.contains(&id) {
            return;
        }
        self.spec = self.spec.with_size(size - 1);
        self.memory.doomed.insert(id);
        self.decide();
    }

    fn restart(&mut self) {
        self.epoch += 1;
        let intents = std::mem::take(&mut self.memory.intents);
        let text = serde_json::to_string(&self.memory).unwrap();
        self.memory = serde_json::from_str(&text).unwrap();
        let settle_at = self.now + self.config.settle;
        self.memory.intents = intents
            .into_iter()
            .map(|(number, one)| {
                (
                    number,
                    Intent {
                        doubt: Some(Doubt { settle_at }),
                        ..one
                    },
                )
            })
            .collect();
        self.seen = Observed::default();
        self.failures.clear();
        self.listing = false;
        self.list_due = self.now;
        self.decide();
    }

    /// Lets the world go on until `end`.
    fn run(&mut self, end: Timestamp) {
        loop {
            let event = self.events.keys().next().map(|(at, _)| *at);
            let list = (!self.listing).then_some(self.list_due.max(self.now));
            let wake = self.wake_at.map(|at| at.max(self.now));
            let next = [event, list, wake].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if event == Some(next) {
                if let Some((_, event)) = self.events.pop_first() {
                    self.happen(event);
                }
            } else if list == Some(next) {
                self.begin_list();
            }
            self.decide();
        }
        self.now = self.now.max(end);
    }

    fn begin_list(&mut self) {
        let started = self.now;
        let list = self.describe();
        let pause = u64::from(self.chance()) * 20;
        self.listing = true;
        let epoch = self.epoch;
        self.later(
            pause + 1,
            Event::Listed {
                epoch,
                started,
                list,
            },
        );
    }

    fn describe(&self) -> Vec<Description> {
        let mut list: Vec<Description> = self
            .instances
            .iter()
            .map(|(id, one)| Description {
                id: id.clone(),
                tags: Some(one.tags.clone()),
                ..Description::default()
            })
            .collect();
        // Plugins promise no order.
        list.reverse();
        list
    }

    fn happen(&mut self, event: Event) {
        let current = self.epoch;
        match event {
            Event::Appear(tags) => {
                self.appear(tags, false);
            }
            Event::Disappear(id) => {
                self.instances.remove(&id);
            }
            Event::Provisioned {
                epoch,
                token,
                begun,
                answer,
            } if epoch == current => {
                self.provisioned(token, begun, &answer);
            }
            Event::Destroyed { epoch, id, done } if epoch == current => self.destroyed(&id, done),
            Event::Labelled {
                epoch,
                id,
                labels,
                done,
            } => {
                if let Some(one) = self.instances.get_mut(&id).filter(|_| done) {
                    one.tags.extend(labels);
                }
                if epoch == current
                    && !done
                    && let Some(member) = self.seen.get_mut(&id)
                {
                    member.adopting = false;
                }
            }
            Event::Checked { epoch, id } if epoch == current => {
                let health = self
                    .instances
                    .get(&id)
                    .map_or(Health::Unknown, |one| one.health);
                let now = self.now;
                if let Some(member) = self.seen.get_mut(&id) {
                    member.health.note(health, now);
                }
            }
            Event::Listed {
                epoch,
                started,
                list,
            } if epoch == current => {
                self.listing = false;
                let circumstances = Listed {
                    started,
                    now: self.now,
                    locality: self.locality,
                };
                self.seen
                    .apply(&GROUP.into(), list, circumstances, (NONCE, &self.config));
                let awaited = self
                    .memory
                    .intents
                    .values()
                    .any(|intent| intent.doubt.is_some())
                    || self.seen.members().any(|member| !member.stays());
                let pause = if awaited {
                    Duration::from_secs(1)
                } else {
                    self.config.poll_interval
                };
                self.list_due = self.now + pause;
            }
            // Answers to a controller that is no more.
            Event::Provisioned { .. }
            | Event::Destroyed { .. }
            | Event::Checked { .. }
            | Event::Listed { .. } => {}
        }
    }

    fn provisioned(&mut self, token: u64, begun: Timestamp, answer: &Answer) {
        let now = self.now;
        let intent = self.memory.intents.remove(&token);
        match answer {
            Answer::Done => {
                self.memory.creation.succeed(begun);
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
                self.seen.provisioned(Member::new(made, origin, NONCE, now));
            }
            Answer::Refused => self.memory.creation.fail(begun, now),
            Answer::Lost => {
                if let Some(intent) = intent {
                    let doubt = Some(Doubt {
                        settle_at: now + self.config.settle,
                    });
                    self.memory
                        .intents
                        .insert(token, Intent { doubt, ..intent });
                }
            }
        }
        self.list_due = self.list_due.min(self.now + Duration::from_secs(1));
    }

    fn destroyed(&mut self, id: &InstanceId, done: bool) {
        let now = self.now;
        let failures = self.failures.entry(id.clone()).or_default();
        let Some(member) = self.seen.get_mut(id) else {
            return;
        };
        let reason = member.departure.expect("it was marked").reason;
        let step = if done {
            Step::Accepted(now)
        } else {
            *failures += 1;
            Step::Failed(
                *failures,
                now + Duration::from_secs(u64::from(*failures).min(60)),
            )
        };
        member.departure = Some(Departure { reason, step });
        self.list_due = self.list_due.min(now);
    }

    /// Plans and begins what the plan says, checking it against what must always hold.
    fn decide(&mut self) {
        let decided = plan(
            &self.spec,
            &self.seen,
            self.memory.clone(),
            self.now,
            &self.config,
        );
        self.plans += 1;
        let broken = check::violations(&self.spec, &self.seen, &decided, &self.config);
        assert_eq!(broken, Vec::<String>::new(), "{decided:#?}");
        assert!(
            decided.wake_at.is_none_or(|at| at > self.now),
            "a busy loop: {decided:#?}"
        );
        self.outgrows_nothing(&decided);
        self.memory = decided.memory.clone();
        self.wake_at = decided.wake_at;
        self.converged = decided.converged;
        for action in decided.actions {
            self.act(action);
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
            "not idempotent: {:?}",
            again.actions
        );
        let twice = again.actions.iter().find(|action| match action {
            Action::Check { id } => self.seen.get(id).is_some_and(|one| one.health.in_flight()),
            Action::Provision(_) | Action::Destroy { .. } | Action::Adopt { .. } => false,
        });
        assert!(twice.is_none(), "asked twice: {twice:?}");
    }

    /// What there is, and what creations may still bring, never exceeds size and surge through a
    /// creation of the controller.
    fn outgrows_nothing(&self, decided: &Plan) {
        let creates = decided
            .actions
            .iter()
            .filter(|one| matches!(one, Action::Provision(_)));
        let creates = creates.count();
        if creates == 0 {
            return;
        }
        let ours = self.instances.values().filter(|one| !one.by_hand).count();
        let coming = self
            .events
            .values()
            .filter(|event| matches!(event, Event::Appear(_)))
            .count();
        let size = usize::try_from(self.spec.size.count()).unwrap();
        let there = ours + coming;
        match self.kind {
            Kind::Cattle => {
                assert!(
                    there + creates <= size,
                    "{there} and {creates} more exceed {size}"
                );
            }
            Kind::Pets => self.doubles_nobody(decided),
        }
    }

    fn doubles_nobody(&self, decided: &Plan) {
        let coming = self.events.values().filter_map(|event| match event {
            Event::Appear(tags) => Some(tags),
            _ => None,
        });
        let ours = self
            .instances
            .values()
            .filter(|one| !one.by_hand)
            .map(|one| &one.tags);
        let held: BTreeSet<&String> = ours
            .chain(coming)
            .filter_map(|tags| tags.get(tags::LOGICAL_ID))
            .collect();
        for action in &decided.actions {
            if let Action::Provision(one) = action {
                let id = &one.tags[tags::LOGICAL_ID];
                assert!(!held.contains(id), "`{id}` is made a second time");
            }
        }
    }

    fn act(&mut self, action: Action) {
        let epoch = self.epoch;
        let now = self.now;
        let pause = u64::from(self.chance()) * 10 + 1;
        match action {
            Action::Provision(provision) => self.create(provision, pause),
            Action::Destroy { id, reason, .. } => {
                assert!(!self.strangers.contains(&id), "a stranger is destroyed");
                let member = self.seen.get_mut(&id).expect("a member");
                member.departure = Some(Departure {
                    reason,
                    step: Step::InFlight(now),
                });
                let done = !self.fault(40);
                if done {
                    // Slow ones stay listed for a while; now and then for longer than is waited.
                    let slow = u64::from(self.chance()).pow(2) * 2;
                    self.later(pause + slow, Event::Disappear(id.clone()));
                }
                self.later(pause, Event::Destroyed { epoch, id, done });
            }
            Action::Adopt { id, labels } => {
                assert!(!self.strangers.contains(&id), "a stranger is adopted");
                self.seen.get_mut(&id).expect("a member").adopting = true;
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
            Action::Check { id } => {
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

    /// Ends all faults and waits until the group is as specified.
    pub(crate) fn converge(&mut self) {
        self.end_faults();
        let before = self.plans;
        let deadline = self.now + Duration::from_secs(3 * 3600);
        // What the engine believes may be from before the last thing that happened.
        self.run(self.now + Duration::from_secs(20));
        while !(self.converged && self.events_are_checks()) {
            assert!(self.now < deadline, "does not converge: {}", self.report());
            assert!(
                self.plans < before + 20_000,
                "too many steps: {}",
                self.report()
            );
            self.run(self.now + Duration::from_secs(20));
        }
        self.is_as_specified();
    }

    fn end_faults(&mut self) {
        self.tape = Vec::new().into_iter();
        for one in self.instances.values_mut() {
            one.health = Health::Healthy;
        }
    }

    fn events_are_checks(&self) -> bool {
        let routine = |event: &Event| matches!(event, Event::Checked { .. } | Event::Listed { .. });
        self.events.values().all(routine)
    }

    fn report(&self) -> String {
        let decided = plan(
            &self.spec,
            &self.seen,
            self.memory.clone(),
            self.now,
            &self.config,
        );
        format!(
            "at {}: {:#?}\n{:#?}\n{:#?}",
            self.now, decided, self.seen, self.spec.size
        )
    }

    fn is_as_specified(&self) {
        let members: Vec<&Instance> = self
            .instances
            .iter()
            .filter(|(id, _)| !self.strangers.contains(*id))
            .map(|(_, one)| one)
            .collect();
        let hash = self.spec.hash.to_string();
        for one in &members {
            let current = tags::config_hash(&one.tags) == Some(&hash);
            assert!(
                current || self.is_own(&one.tags),
                "an outdated member is left: {:?}",
                one.tags
            );
        }
        match &self.spec.size {
            Size::Cattle(size) => {
                let least = usize::from(members.iter().any(|one| self.is_own(&one.tags)));
                assert_eq!(members.len(), usize::try_from(*size).unwrap().max(least));
            }
            Size::Pets(ids) => {
                let held = members
                    .iter()
                    .filter_map(|one| one.tags.get(tags::LOGICAL_ID));
                let held: Vec<&str> = {
                    let mut held: Vec<&str> = held.map(String::as_str).collect();
                    held.sort_unstable();
                    held
                };
                let mut ids: Vec<&str> = ids.iter().map(LogicalId::as_str).collect();
                ids.sort_unstable();
                assert_eq!(held, ids);
            }
        }
        let there = self
            .strangers
            .iter()
            .all(|id| self.instances.contains_key(id));
        assert!(there, "a stranger is gone");
        assert!(self.memory.intents.is_empty() && self.memory.roll.is_none());
    }

    /// Lets half an hour pass in which nothing but routine happens.
    pub(crate) fn stays_quiet(&mut self) {
        let (memory, plans) = (self.memory.clone(), self.plans);
        let ids: Vec<InstanceId> = self.instances.keys().cloned().collect();
        self.run(self.now + Duration::from_secs(1800));
        assert!(self.converged && self.memory == memory, "{}", self.report());
        assert_eq!(ids, self.instances.keys().cloned().collect::<Vec<_>>());
        let per_minute = (self.plans - plans) / 30;
        assert!(
            per_minute < 200,
            "{per_minute} plans a minute while nothing happens"
        );
    }

    /// Destroys the group and waits until nothing is left of it.
    pub(crate) fn destroy_group(&mut self) {
        self.memory.phase = Phase::Destroying;
        self.decide();
        self.end_faults();
        self.run(self.now + Duration::from_secs(20));
        let deadline = self.now + Duration::from_secs(3600);
        while !(self.converged && self.events_are_checks() && self.seen.is_empty()) {
            assert!(self.now < deadline, "is not destroyed: {}", self.report());
            self.run(self.now + Duration::from_secs(20));
        }
        let left: BTreeSet<InstanceId> = self.instances.keys().cloned().collect();
        assert_eq!(left, self.strangers);
    }
}
