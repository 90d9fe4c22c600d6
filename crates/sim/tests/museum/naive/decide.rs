//! What the naive controller makes of a list.

use infrakit_plan::{Drain, Size, Timestamp};
use infrakit_sim::controller::{Ask, Creation};
use infrakit_spi::flavor::Health;
use infrakit_spi::{GroupId, InstanceId, LogicalId, Tags, tags};

use super::{Group, Habit, Member, Naive, Open};

impl Naive {
    /// Decides for a group, right after its list came.
    pub(super) fn decide(&mut self, id: &GroupId, now: Timestamp) {
        let blind = self.has(Habit::BlindRetry);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.doubtful.retain(|(_, until)| *until > now);
        if blind {
            let patience = std::time::Duration::from_secs(15);
            group.begun.retain(|_, begun| *begun + patience > now);
        }
        if group.destroying {
            self.destroy_all(id);
            return;
        }
        let group = &self.groups[id];
        let under_way = group.begun.len() + group.doubtful.len();
        match group.spec.size.clone() {
            Size::Cattle(size) => self.scale(id, size, under_way, now),
            Size::Pets(ids) => self.name(id, &ids, under_way, now),
        }
        self.heal(id);
        self.roll(id);
        self.check(id);
    }

    fn scale(&mut self, id: &GroupId, size: u64, under_way: usize, now: Timestamp) {
        let group = &self.groups[id];
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let there = group.members.len() + under_way;
        for _ in there..size {
            self.create(id, None, now);
        }
        let group = &self.groups[id];
        let staying = group.members.iter().filter(|(_, one)| !one.leaving);
        let ids: Vec<InstanceId> = staying.map(|(id, _)| id.clone()).collect();
        for victim in ids.iter().take(ids.len().saturating_sub(size)) {
            self.destroy(id, victim, "too many");
        }
    }

    fn name(&mut self, id: &GroupId, ids: &[LogicalId], under_way: usize, now: Timestamp) {
        if under_way > 0 {
            return;
        }
        let group = &self.groups[id];
        let held = |name: &LogicalId| {
            let mut members = group.members.values();
            members.any(|one| one.description.logical_id.as_ref() == Some(name))
        };
        let missing: Vec<LogicalId> = ids.iter().filter(|name| !held(name)).cloned().collect();
        for name in missing {
            self.create(id, Some(name), now);
        }
    }

    fn heal(&mut self, id: &GroupId) {
        let threshold = if self.has(Habit::HealsAtOnce) { 1 } else { 30 };
        let group = &self.groups[id];
        if !self.has(Habit::HealsAtOnce) && !group.is_whole() {
            return;
        }
        let sick = group
            .members
            .iter()
            .filter(|(_, one)| one.bad >= threshold && !one.leaving);
        let mut sick: Vec<InstanceId> = sick.map(|(id, _)| id.clone()).collect();
        if !self.has(Habit::HealsAtOnce) {
            // One at a time, and never most of them.
            let few = sick.len() * 2 < self.groups[id].members.len().max(2);
            sick.truncate(usize::from(few));
        }
        for victim in sick {
            self.destroy(id, &victim, "unhealthy");
        }
    }

    fn roll(&mut self, id: &GroupId) {
        let group = &self.groups[id];
        let outdated = group
            .members
            .iter()
            .filter(|(_, one)| !one.leaving && !group.matches(one));
        let mut outdated: Vec<InstanceId> = outdated.map(|(id, _)| id.clone()).collect();
        if !self.has(Habit::RollsAllAtOnce) {
            let current = group.members.values().filter(|one| group.matches(one));
            let proved = current.into_iter().all(|one| one.health == Health::Healthy);
            outdated.truncate(usize::from(group.is_whole() && proved));
        }
        for victim in outdated {
            self.destroy(id, &victim, "outdated");
        }
    }

    fn check(&mut self, id: &GroupId) {
        let group = &self.groups[id];
        let plugin = group.spec.instance.plugin.clone();
        let members: Vec<InstanceId> = group.members.keys().cloned().collect();
        for member in members {
            let ask = Ask::Check {
                group: id.clone(),
                plugin: plugin.clone(),
                id: member.clone(),
            };
            self.ask(Open::Check(id.clone(), member), ask);
        }
    }

    fn destroy_all(&mut self, id: &GroupId) {
        let group = &self.groups[id];
        if group.members.is_empty() && group.begun.is_empty() && group.doubtful.is_empty() {
            self.groups.remove(id);
            self.write(infrakit_store::Change::delete(format!("naive/{id}")));
            return;
        }
        let members: Vec<InstanceId> = group.members.keys().cloned().collect();
        for member in members {
            self.destroy(id, &member, "the group is destroyed");
        }
    }

    fn create(&mut self, id: &GroupId, logical_id: Option<LogicalId>, now: Timestamp) {
        let group = &self.groups[id];
        self.token += 1;
        let token = format!("naive-{}-{}", now.0, self.token);
        let mut labels = Tags::from([
            (tags::GROUP.to_owned(), id.to_string()),
            (tags::CONFIG_HASH.to_owned(), group.spec.hash.to_string()),
            (tags::TOKEN.to_owned(), token.clone()),
        ]);
        if let Some(name) = &logical_id {
            labels.insert(tags::LOGICAL_ID.to_owned(), name.to_string());
        }
        let creation = Creation {
            group: id.clone(),
            plugin: group.spec.instance.plugin.clone(),
            logical_id,
            tags: labels,
            properties: group.spec.instance.properties.clone(),
        };
        let ticket = self.ask(Open::Create(id.clone(), token), Ask::Create(creation));
        if let Some(group) = self.groups.get_mut(id) {
            group.begun.insert(ticket, now);
        }
    }

    pub(super) fn destroy(&mut self, group: &GroupId, id: &InstanceId, why: &str) {
        let Some(known) = self.groups.get_mut(group) else {
            return;
        };
        let plugin = known.spec.instance.plugin.clone();
        match known.members.get_mut(id) {
            Some(member) if !member.leaving => member.leaving = true,
            _ => return,
        }
        let ask = Ask::Destroy {
            group: group.clone(),
            plugin,
            id: id.clone(),
            drain: Drain::Try,
            why: why.to_owned(),
        };
        self.ask(Open::Destroy(group.clone(), id.clone()), ask);
    }
}

impl Group {
    fn matches(&self, member: &Member) -> bool {
        let tags = member.description.tags.as_ref();
        tags.and_then(infrakit_spi::tags::config_hash) == Some(self.spec.hash.as_str())
    }

    /// Returns whether all members are there and none is on its way.
    fn is_whole(&self) -> bool {
        let quiet = self.begun.is_empty() && self.doubtful.is_empty();
        let leaving = self.members.values().any(|one| one.leaving);
        quiet && !leaving && self.members.len() as u64 == self.spec.size.count()
    }
}
