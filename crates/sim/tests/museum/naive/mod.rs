//! A small controller that does what the original did: it lists, it counts, it acts.
//!
//! It is fair as long as it has no [`Habit`]: it counts what it has begun, destroys nothing on a
//! list that failed, heals one member at a time, keeps its specs in the store. Each habit takes one
//! of those virtues away.

mod decide;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use infrakit_plan::{Spec, Timestamp};
use infrakit_sim::controller::{Answer, Ask, Controller, Operation, Ticket};
use infrakit_sim::world::Traits;
use infrakit_spi::flavor::Health;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Description, Listing};
use infrakit_spi::{Any, Delivery, GroupId, InstanceId, PluginName, Tags, tags};
use infrakit_store::{Change, Durability, Revision, Store};

/// A weakness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Habit {
    /// Takes a creation that is not answered in 15 s for a failed one, and begins another (A6).
    BlindRetry,
    /// Takes a list that did not come for an empty one.
    TrustsFailedLists,
    /// Destroys whoever got one bad verdict (D2).
    HealsAtOnce,
    /// Takes the new plugin's list for the whole group when the plugin changes (A3).
    ForgetsTheFormerPlugin,
    /// Rolls everybody at once.
    RollsAllAtOnce,
    /// Keeps nothing over a restart (A16).
    ForgetsAll,
    /// Lowers the size by the number of ids named, whoever they are (A13).
    CountsStrangers,
    /// Says that all is well when nothing is under way (A7).
    SaysConverged,
}

/// A group, as the naive controller sees it.
struct Group {
    raw: GroupSpec,
    spec: Spec,
    members: BTreeMap<InstanceId, Member>,
    listed: bool,
    /// Creations that are not answered, and since when.
    begun: BTreeMap<Ticket, Timestamp>,
    /// Creations whose answer was lost, and until when they count.
    doubtful: Vec<(String, Timestamp)>,
    destroying: bool,
}

struct Member {
    description: Description,
    leaving: bool,
    bad: u32,
    health: Health,
}

impl Member {
    fn new(description: Description) -> Self {
        Self {
            description,
            leaving: false,
            bad: 0,
            health: Health::Unknown,
        }
    }
}

enum Open {
    List(GroupId),
    Create(GroupId, String),
    Destroy(GroupId, InstanceId),
    Check(GroupId, InstanceId),
    Write,
}

/// The naive controller.
pub(crate) struct Naive {
    habits: BTreeSet<Habit>,
    poll: Duration,
    settle: Duration,
    groups: BTreeMap<GroupId, Group>,
    open: BTreeMap<Ticket, Open>,
    next: Ticket,
    token: u64,
    due: Timestamp,
    asks: Vec<(Ticket, Ask)>,
}

impl Naive {
    pub(crate) fn new(traits: &Traits, habits: impl IntoIterator<Item = Habit>) -> Self {
        Self {
            habits: habits.into_iter().collect(),
            poll: traits.poll_interval,
            settle: traits.settle,
            groups: BTreeMap::new(),
            open: BTreeMap::new(),
            next: 0,
            token: 0,
            due: Timestamp::default(),
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

    fn put_in_force(&mut self, raw: GroupSpec) -> Result<(), String> {
        let spec = Spec::parse(raw.properties.as_ref()).map_err(|error| error.to_string())?;
        match self.groups.get_mut(&raw.id) {
            Some(group) => {
                if group.spec.instance.plugin != spec.instance.plugin {
                    if !self.habits.contains(&Habit::ForgetsTheFormerPlugin) {
                        return Err("the plugin cannot change".to_owned());
                    }
                    group.members.clear();
                    group.listed = false;
                }
                (group.raw, group.spec) = (raw, spec);
            }
            None => {
                let group = Group {
                    raw: raw.clone(),
                    spec,
                    members: BTreeMap::new(),
                    listed: false,
                    begun: BTreeMap::new(),
                    doubtful: Vec::new(),
                    destroying: false,
                };
                self.groups.insert(raw.id, group);
            }
        }
        Ok(())
    }

    fn commit(&mut self, group: &GroupId, properties: Option<Any>) -> Result<(), String> {
        let raw = GroupSpec {
            id: group.clone(),
            properties,
        };
        self.put_in_force(raw.clone())?;
        let change = Change::put_value(format!("naive/{group}"), &raw);
        self.write(change.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn write(&mut self, change: Change) {
        let ask = Ask::Write {
            changes: vec![change],
            durability: Durability::Synced,
        };
        self.ask(Open::Write, ask);
    }

    fn resize(&mut self, group: &GroupId, by: impl Fn(u64) -> u64) -> Result<(), String> {
        let known = self.groups.get(group).ok_or("no such group")?;
        let spec = known.spec.with_size(by(known.spec.size.count()));
        self.commit(group, Some(spec.canonical()))
    }

    fn list(&mut self, id: &GroupId) {
        if let Some(group) = self.groups.get(id) {
            let plugin = group.spec.instance.plugin.clone();
            let filter = Tags::from([(tags::GROUP.to_owned(), id.to_string())]);
            let ask = Ask::List {
                plugin,
                filter,
                seen: None,
            };
            self.ask(Open::List(id.clone()), ask);
        }
    }

    fn take_in(&mut self, id: &GroupId, list: Vec<Description>) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.listed = true;
        let mut former = std::mem::take(&mut group.members);
        for description in list {
            let token = description
                .tags
                .as_ref()
                .and_then(|tags| tags.get(tags::TOKEN));
            group.doubtful.retain(|(own, _)| Some(own) != token);
            let member = former.remove(&description.id);
            let member = member.unwrap_or_else(|| Member::new(description.clone()));
            group.members.insert(description.id.clone(), member);
        }
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
                let member = Member::new((*made).clone());
                group.members.insert(made.id, member);
            }
            Answer::Created(Err(error)) if error.delivery() == Delivery::Unknown && !blind => {
                group.doubtful.push((place.1, now + settle));
            }
            _ => {}
        }
    }
}

impl Controller for Naive {
    fn start(&mut self, store: &dyn Store, _claimed: Revision, _now: Timestamp) {
        if self.has(Habit::ForgetsAll) {
            return;
        }
        for (_, record) in store.scan("naive/") {
            let raw = record.value.decode::<GroupSpec>();
            let taken = raw.map(|raw| self.put_in_force(raw));
            assert!(matches!(taken, Ok(Ok(()))), "what was stored is sound");
        }
    }

    fn operate(
        &mut self,
        group: &GroupId,
        operation: &Operation,
        _nonce: &str,
        now: Timestamp,
    ) -> Result<String, String> {
        self.due = now;
        match operation {
            Operation::Commit { properties } => {
                let properties = Any::parse(properties).map_err(|error| error.to_string())?;
                self.commit(group, Some(properties))?;
            }
            Operation::SetSize(size) => {
                let size = u64::try_from(*size).map_err(|_| "size cannot be negative")?;
                self.resize(group, |_| size)?;
            }
            Operation::DestroyMembers(ids) => {
                let known = self.groups.get(group).ok_or("no such group")?;
                let members = ids.iter().filter(|id| known.members.contains_key(*id));
                let members: Vec<InstanceId> = members.cloned().collect();
                if members.len() < ids.len() && !self.has(Habit::CountsStrangers) {
                    return Err("not a member".to_owned());
                }
                let count = ids.len() as u64;
                self.resize(group, |size| size.saturating_sub(count))?;
                for id in members {
                    self.destroy(group, &id, "requested");
                }
            }
            Operation::Destroy => {
                let known = self.groups.get_mut(group).ok_or("no such group")?;
                known.destroying = true;
            }
            Operation::Free => {
                self.groups.remove(group).ok_or("no such group")?;
                self.write(Change::delete(format!("naive/{group}")));
            }
            Operation::Pause
            | Operation::Resume
            | Operation::Approve
            | Operation::Abort
            | Operation::Rollback(_)
            | Operation::Hold(_)
            | Operation::Release(_) => return Err("not known".to_owned()),
        }
        Ok(String::new())
    }

    fn hear(&mut self, ticket: Ticket, answer: Answer, now: Timestamp) {
        match (self.open.remove(&ticket), answer) {
            (Some(Open::List(id)), Answer::Listed(Ok(Listing::Changed(list, _)))) => {
                self.take_in(&id, list);
                self.decide(&id, now);
            }
            (Some(Open::List(id)), Answer::Listed(Err(_)))
                if self.has(Habit::TrustsFailedLists) =>
            {
                self.take_in(&id, Vec::new());
                self.decide(&id, now);
            }
            (Some(Open::Create(id, token)), answer) => {
                self.created(ticket, (id, token), answer, now);
            }
            (Some(Open::Destroy(group, id)), Answer::Done(Err(_))) => {
                let group = self.groups.get_mut(&group);
                if let Some(member) = group.and_then(|group| group.members.get_mut(&id)) {
                    member.leaving = false;
                }
            }
            (Some(Open::Check(group, id)), Answer::Checked(verdict)) => {
                let group = self.groups.get_mut(&group);
                if let Some(member) = group.and_then(|group| group.members.get_mut(&id)) {
                    member.health = verdict.unwrap_or_default();
                    let sick = member.health == Health::Unhealthy;
                    member.bad = if sick { member.bad + 1 } else { 0 };
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
        std::mem::take(&mut self.asks)
    }

    fn wake_at(&self) -> Option<Timestamp> {
        Some(self.due)
    }

    fn converged(&self, group: &GroupId) -> Option<bool> {
        let group = self.groups.get(group)?;
        let members = group.members.values().filter(|member| !member.leaving);
        let quiet = group.begun.is_empty() && group.doubtful.is_empty();
        if self.has(Habit::SaysConverged) {
            return Some(quiet);
        }
        Some(group.listed && quiet && members.count() as u64 == group.spec.size.count())
    }

    fn members(&self, group: &GroupId) -> Vec<InstanceId> {
        let group = self.groups.get(group);
        group.map_or_else(Vec::new, |group| group.members.keys().cloned().collect())
    }

    fn specs(&self) -> Vec<GroupSpec> {
        self.groups
            .values()
            .map(|group| group.raw.clone())
            .collect()
    }
}
