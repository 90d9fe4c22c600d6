//! A small controller that does what the original did: it lists, it counts, it acts.
//!
//! It is fair as long as it has no [`Habit`]: it counts what it has begun, destroys nothing on a
//! list that failed, heals one member at a time, keeps its specs in the store. Each habit takes one
//! of those virtues away.

mod decide;
mod group;
mod habit;
mod people;
mod roll;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_plan::Timestamp;
use infrakit_sim::controller::{Answer, Ask, Controller, Foreseen, Operation, Ticket};
use infrakit_sim::world::Traits;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Description, Listing};
use infrakit_spi::{
    Delivery, Error, FailureClass, GroupId, InstanceId, LogicalId, PluginName, Tags, tags,
};
use infrakit_store::{Change, Durability, Revision, Store};

use group::{Group, Member};
pub(crate) use habit::Habit;

/// How many groups the habit [`Habit::TakesUpFew`] takes up.
const FEW: usize = 45;

enum Open {
    List(GroupId),
    Create(GroupId, String),
    Destroy(GroupId, InstanceId),
    Check(GroupId, InstanceId),
    Other,
}

/// The naive controller.
pub(crate) struct Naive {
    habits: BTreeSet<Habit>,
    poll: Duration,
    settle: Duration,
    own: Option<LogicalId>,
    creates_per_minute: Option<u32>,
    groups: BTreeMap<GroupId, Group>,
    open: BTreeMap<Ticket, Open>,
    next: Ticket,
    token: u64,
    due: Timestamp,
    /// When this life may create for the first time.
    ready: Timestamp,
    /// When creations were begun, of late.
    made: Vec<Timestamp>,
    /// Until when all groups wait.
    pause: Timestamp,
    asks: Vec<(Ticket, Ask)>,
}

impl Naive {
    pub(crate) fn new(traits: &Traits, habits: impl IntoIterator<Item = Habit>) -> Self {
        Self {
            habits: habits.into_iter().collect(),
            poll: traits.poll_interval,
            settle: traits.settle,
            own: traits.own.clone(),
            creates_per_minute: traits.creates_per_minute,
            groups: BTreeMap::new(),
            open: BTreeMap::new(),
            next: 0,
            token: 0,
            due: Timestamp::default(),
            ready: Timestamp::default(),
            made: Vec::new(),
            pause: Timestamp::default(),
            asks: Vec::new(),
        }
    }

    fn has(&self, habit: Habit) -> bool {
        self.habits.contains(&habit)
    }

    fn ask(&mut self, open: Open, ask: Ask) -> Ticket {
        self.next += 1;
        self.open.insert(self.next, open);
        self.asks.push((self.next, ask));
        self.next
    }

    fn write(&mut self, change: Change) {
        let ask = Ask::Write {
            changes: vec![change],
            durability: Durability::Synced,
        };
        self.ask(Open::Other, ask);
    }

    fn list(&mut self, id: &GroupId) {
        let everybody = self.has(Habit::ListsEverybody);
        if let Some(group) = self.groups.get(id) {
            let plugin = group.spec.instance.plugin.clone();
            let filter = Tags::from([(tags::GROUP.to_owned(), id.to_string())]);
            let ask = Ask::List {
                plugin,
                filter: if everybody { Tags::new() } else { filter },
                seen: None,
            };
            self.ask(Open::List(id.clone()), ask);
        }
    }

    fn take_in(&mut self, id: &GroupId, list: Vec<Description>, now: Timestamp) {
        let patience = if self.has(Habit::BelievesStaleLists) {
            Duration::ZERO
        } else {
            self.settle
        };
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.listed = true;
        let mut former = std::mem::take(&mut group.members);
        let shown: BTreeSet<InstanceId> = list.iter().map(|one| one.id.clone()).collect();
        group.ignored.retain(|id| shown.contains(id));
        for description in list {
            let tags = description.tags.as_ref();
            let token = tags.and_then(|tags| tags.get(tags::TOKEN));
            group.doubtful.retain(|(own, _)| Some(own) != token);
            if group.ignored.contains(&description.id) {
                continue;
            }
            let member = match former.remove(&description.id) {
                Some(member) => Member {
                    description: description.clone(),
                    ..member
                },
                None => Member::new(description.clone(), &group.text, now),
            };
            group.members.insert(description.id.clone(), member);
        }
        let young = former
            .into_iter()
            .filter(|(_, member)| !member.leaving && member.since + patience > now);
        group.members.extend(young);
    }

    fn created(
        &mut self,
        ticket: Ticket,
        place: (GroupId, String),
        answer: Answer,
        now: Timestamp,
    ) {
        let settle = self.settle;
        let blind = self.has(Habit::BlindRetry);
        let Some(group) = self.groups.get_mut(&place.0) else {
            return;
        };
        group.begun.remove(&ticket);
        match answer {
            Answer::Created(Ok(made)) => {
                let member = Member::new((*made).clone(), &group.text, now);
                group.members.insert(made.id, member);
                group.failures = 0;
            }
            Answer::Created(Err(error)) if error.delivery() == Delivery::Unknown && blind => {}
            Answer::Created(Err(error)) if error.delivery() == Delivery::Unknown => {
                group.doubtful.push((place.1, now + settle));
            }
            Answer::Created(Err(error)) => self.failed(&place.0, &error, now),
            _ => {}
        }
    }

    fn failed(&mut self, id: &GroupId, error: &Error, now: Timestamp) {
        let loops = self.has(Habit::NoBackoff) || self.has(Habit::LoopsOnConfigErrors);
        let stops = self.has(Habit::StopsAtAnyError)
            || (error.class() == FailureClass::Configuration && !loops);
        let waits = !self.has(Habit::NoBackoff);
        let all = self.has(Habit::OneBackoff);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.said = error.to_string();
        group.failures += 1;
        group.stopped |= stops;
        if waits {
            let pause = Duration::from_secs(5 << group.failures.min(6));
            group.retry = now + pause;
            if all {
                self.pause = now + pause;
            }
        }
    }

    fn destroyed(&mut self, id: &GroupId, member: &InstanceId, answer: &Answer) {
        let (at_once, gives_up) = (self.has(Habit::GoneWhenAccepted), self.has(Habit::GivesUp));
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        match answer {
            Answer::Done(Ok(())) if at_once => {
                group.members.remove(member);
                group.ignored.insert(member.clone());
            }
            Answer::Done(Err(_)) => {
                if let Some(member) = group.members.get_mut(member) {
                    member.leaving = false;
                }
                group.frozen |= gives_up;
            }
            _ => {}
        }
    }

    fn not_listed(&mut self, id: &GroupId, now: Timestamp) {
        if self.has(Habit::TrustsFailedLists) {
            if let Some(group) = self.groups.get_mut(id) {
                group.members.clear();
            }
            self.take_in(id, Vec::new(), now);
            self.decide(id, now);
        }
        if self.has(Habit::GivesUp)
            && let Some(group) = self.groups.get_mut(id)
        {
            group.frozen = true;
        }
    }
}

impl Controller for Naive {
    fn start(&mut self, store: &dyn Store, _claimed: Revision, now: Timestamp) {
        if self.has(Habit::ForgetsAll) {
            return;
        }
        let few = if self.has(Habit::TakesUpFew) {
            FEW
        } else {
            usize::MAX
        };
        let records = store.scan("naive/");
        if !records.is_empty() && !self.has(Habit::NoJournal) {
            self.ready = now + self.settle + self.settle;
        }
        for (_, record) in records.into_iter().take(few) {
            let raw = record.value.decode::<GroupSpec>();
            let raw = raw.expect("what was stored is sound");
            let id = raw.id.clone();
            let taken = self.put_in_force(raw, now);
            assert!(matches!(taken, Ok(())), "what was stored is sound");
            let first = self.has(Habit::FirstCommitIsTheTruth);
            let canary = self.has(Habit::ForgetsTheCanary);
            let locked = !store.scan(&format!("naive-lock/{id}")).is_empty();
            if let Some(group) = self.groups.get_mut(&id) {
                (group.fresh, group.frozen) = (first, first);
                group.locked = locked;
                group.stage = if canary { usize::MAX } else { 0 };
            }
        }
    }

    fn operate(
        &mut self,
        group: &GroupId,
        operation: &Operation,
        _nonce: &str,
        now: Timestamp,
    ) -> Result<String, String> {
        // Not before the store has it.
        self.due = now + Duration::from_millis(100);
        self.obey(group, operation, now).map(|()| String::new())
    }

    fn hear(&mut self, ticket: Ticket, answer: Answer, now: Timestamp) {
        match (self.open.remove(&ticket), answer) {
            (Some(Open::List(id)), Answer::Listed(Ok(Listing::Changed(list, _)))) => {
                self.take_in(&id, list, now);
                self.decide(&id, now);
            }
            (Some(Open::List(id)), Answer::Listed(Err(_))) => self.not_listed(&id, now),
            (Some(Open::Create(id, token)), answer) => {
                self.created(ticket, (id, token), answer, now);
            }
            (Some(Open::Destroy(group, id)), answer) => self.destroyed(&group, &id, &answer),
            (Some(Open::Check(group, id)), Answer::Checked(verdict)) => {
                let group = self.groups.get_mut(&group);
                if let Some(member) = group.and_then(|group| group.members.get_mut(&id)) {
                    member.judged(verdict.unwrap_or_default());
                }
            }
            _ => {}
        }
    }

    fn nudge(&mut self, _plugin: &PluginName, now: Timestamp) {
        self.due = now;
    }

    fn step(&mut self, now: Timestamp) -> Vec<(Ticket, Ask)> {
        if self.due <= now {
            self.due = now + self.poll;
            let ids: Vec<GroupId> = self.groups.keys().cloned().collect();
            for id in ids {
                self.list(&id);
            }
        }
        if self.has(Habit::OneAtATime) {
            let under_way = self.open.len() > self.asks.len();
            let next = usize::from(!under_way && !self.asks.is_empty());
            return self.asks.drain(..next).collect();
        }
        std::mem::take(&mut self.asks)
    }

    fn wake_at(&self) -> Option<Timestamp> {
        Some(self.due)
    }

    fn converged(&self, group: &GroupId) -> Option<bool> {
        let group = self.groups.get(group)?;
        let quiet = group.begun.is_empty() && group.doubtful.is_empty();
        if self.has(Habit::SaysConverged) {
            return Some(quiet);
        }
        let current = group
            .members
            .values()
            .all(|one| group.matches(one) || self.is_own(one));
        let named = group.members.values();
        let named = named.filter(|one| {
            one.identity().is_some() && one.identity() == self.own.as_ref().map(LogicalId::as_str)
        });
        let size = group.spec.size.count().max(named.count() as u64);
        let staying = group.members.values().filter(|member| !member.leaving);
        Some(group.listed && quiet && current && staying.count() as u64 == size)
    }

    fn members(&self, group: &GroupId) -> Vec<InstanceId> {
        let group = self.groups.get(group);
        group.map_or_else(Vec::new, |group| group.members.keys().cloned().collect())
    }

    fn specs(&self) -> Vec<GroupSpec> {
        let groups = self.groups.values();
        groups.map(|group| group.raw.clone()).collect()
    }

    fn foresee(&self, group: &GroupId, properties: &str, _now: Timestamp) -> Option<Foreseen> {
        self.outlook(group, properties)
    }

    fn explain(&self, group: &GroupId) -> String {
        let group = self
            .groups
            .get(group)
            .filter(|_| !self.has(Habit::SaysNothing));
        group.map_or_else(String::new, |group| group.said.clone())
    }
}
