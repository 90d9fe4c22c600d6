//! What the naive controller makes of a list: who is to come, who is to go, who is asked.

use std::time::Duration;

use infrakit_plan::{Drain, Size, Timestamp};
use infrakit_sim::controller::{Ask, Creation};
use infrakit_spi::{GroupId, InstanceId, LogicalId, Tags, tags};

use super::group::{Group, Member};
use super::{Habit, Naive, Open};

impl Naive {
    /// Decides for a group, right after its list came.
    pub(super) fn decide(&mut self, id: &GroupId, now: Timestamp) {
        let blind = self.has(Habit::BlindRetry);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.doubtful.retain(|(_, until)| *until > now);
        if blind {
            let patience = Duration::from_secs(15);
            group.begun.retain(|_, begun| *begun + patience > now);
        }
        if group.locked {
            return;
        }
        if group.destroying {
            self.destroy_all(id);
            return;
        }
        if self.has(Habit::LabelsFirst) && self.label_first(id) {
            return;
        }
        self.judge_roll(id, now);
        match self.groups[id].spec.size.clone() {
            Size::Cattle(_) => self.scale(id, now),
            Size::Pets(ids) => self.name(id, &ids, now),
        }
        self.heal(id);
        self.roll(id);
        self.check(id);
        self.unlock(id);
    }

    fn unlock(&mut self, id: &GroupId) {
        let group = &self.groups[id];
        if self.has(Habit::LocksTheGroup) && group.is_whole(group.size()) && group.outdated() == 0 {
            let lock = format!("naive-lock/{id}");
            self.write(infrakit_store::Change::delete(lock));
        }
    }

    fn label_first(&mut self, id: &GroupId) -> bool {
        let group = &self.groups[id];
        let plugin = group.spec.instance.plugin.clone();
        let hash = group.spec.hash.to_string();
        let members = group.members.iter();
        let bare = members.filter(|(_, one)| one.hash() == Some(tags::BOOTSTRAP));
        let bare: Vec<InstanceId> = bare.map(|(id, _)| id.clone()).collect();
        for member in &bare {
            let labels = Tags::from([(tags::CONFIG_HASH.to_owned(), hash.clone())]);
            let ask = Ask::Label {
                group: id.clone(),
                plugin: plugin.clone(),
                id: member.clone(),
                labels,
            };
            self.ask(Open::Other, ask);
        }
        !bare.is_empty()
    }

    /// Returns how many members there are to be now, a surge included.
    pub(super) fn target(&self, group: &Group) -> usize {
        let size = group.size();
        let surges = group.spec.surge(size as u64) > 0
            && group.outdated() > 0
            && !self.has(Habit::DestroysFirst);
        size + usize::from(surges)
    }

    fn scale(&mut self, id: &GroupId, now: Timestamp) {
        let group = &self.groups[id];
        let target = self.target(group);
        let mut there = group.members.len() + group.under_way();
        if self.has(Habit::WaitsForTheBatch) {
            let most = if group.begun.is_empty() { 5 } else { 0 };
            for _ in there..target.min(there + most) {
                self.create(id, None, now);
            }
            there = target;
        }
        for _ in there..target {
            self.create(id, None, now);
        }
        let group = &self.groups[id];
        let staying = group.members.iter().filter(|(_, one)| !one.leaving);
        let mut staying: Vec<(&InstanceId, &Member)> = staying.collect();
        let surplus = staying.len().saturating_sub(target);
        if !self.has(Habit::LowestIdFirst) {
            let worth = |one: &Member| {
                (
                    one.bad == 0,
                    group.matches(one),
                    std::cmp::Reverse(one.since),
                )
            };
            staying.sort_by_key(|(_, one)| worth(one));
        }
        let free = staying
            .into_iter()
            .filter(|(id, one)| !group.held.contains(*id) && !self.spares(one));
        let victims: Vec<InstanceId> = free.map(|(id, _)| id.clone()).take(surplus).collect();
        for victim in victims {
            self.destroy(id, &victim, "too many");
        }
    }

    fn name(&mut self, id: &GroupId, ids: &[LogicalId], now: Timestamp) {
        let group = &self.groups[id];
        let known = |one: &Member| {
            one.identity()
                .is_none_or(|own| ids.iter().any(|id| id.as_str() == own))
        };
        let mut members: Vec<(&InstanceId, &Member)> = group.members.iter().collect();
        members.sort_by_key(|(_, one)| one.since);
        let (mut surplus, mut nameless, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for (member, one) in members {
            match one.identity() {
                None => nameless.push(member.clone()),
                Some(_) if !known(one) && !self.has(Habit::NamesForEver) => {
                    surplus.push(member.clone());
                }
                Some(own) if names.contains(&own) && !self.has(Habit::ToleratesDuplicates) => {
                    surplus.push(member.clone());
                }
                Some(own) => names.push(own),
            }
        }
        let free = ids.iter().filter(|id| !names.contains(&id.as_str()));
        let mut free: Vec<LogicalId> = free.cloned().collect();
        let majority = names.len() * 2 > ids.len() || !group.was_whole;
        let (whole, busy) = (free.is_empty(), group.under_way() > 0);
        let leaving = group.members.values().any(|one| one.leaving) || !surplus.is_empty();
        for member in surplus {
            self.destroy(id, &member, "nobody's name");
        }
        for member in nameless {
            if self.has(Habit::DestroysNameless) || self.has(Habit::ShowsTheWorst) {
                self.destroy(id, &member, "it has no name");
            } else if let Some(name) = free.pop() {
                self.christen(id, member, name.as_str());
            }
        }
        if let Some(group) = self.groups.get_mut(id) {
            group.was_whole |= whole;
        }
        if busy || leaving || (self.has(Habit::WaitsForAMajority) && !majority) {
            return;
        }
        let fixed = self.has(Habit::NamesForEver) && self.groups[id].was_whole;
        for name in free.into_iter().filter(|_| !fixed) {
            self.create(id, Some(name), now);
        }
    }

    fn christen(&mut self, id: &GroupId, member: InstanceId, name: &str) {
        let plugin = self.groups[id].spec.instance.plugin.clone();
        let labels = Tags::from([(tags::LOGICAL_ID.to_owned(), name.to_owned())]);
        let ask = Ask::Label {
            group: id.clone(),
            plugin,
            id: member,
            labels,
        };
        self.ask(Open::Other, ask);
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
        if group.members.is_empty() && group.under_way() == 0 {
            self.groups.remove(id);
            self.write(infrakit_store::Change::delete(format!("naive/{id}")));
            return;
        }
        let members: Vec<InstanceId> = group.members.keys().cloned().collect();
        for member in members {
            self.destroy(id, &member, "the group is destroyed");
        }
    }

    /// Returns whether a creation has to wait.
    fn has_to_wait(&mut self, id: &GroupId, now: Timestamp) -> bool {
        let group = &self.groups[id];
        let minute = Duration::from_secs(60);
        self.made.retain(|at| *at + minute > now);
        let governed = self
            .creates_per_minute
            .is_some_and(|most| self.made.len() >= most as usize);
        let governed = governed && !self.has(Habit::NoGovernor);
        group.stopped || now < group.retry.max(self.pause).max(self.ready) || governed
    }

    fn create(&mut self, id: &GroupId, logical_id: Option<LogicalId>, now: Timestamp) {
        if self.has_to_wait(id, now) {
            return;
        }
        let group = &self.groups[id];
        let made_of = self.made_of(group);
        let (hash, instance) = (made_of.hash.to_string(), made_of.instance.clone());
        let sequence = if self.has(Habit::NumbersBySize) {
            group.size()
        } else {
            group.members.len() + group.under_way()
        };
        let sequence = sequence as u64;
        self.token += 1;
        self.made.push(now);
        let token = format!("naive-{}-{}", now.0, self.token);
        let mut labels = Tags::from([
            (tags::GROUP.to_owned(), id.to_string()),
            (tags::CONFIG_HASH.to_owned(), hash),
            (tags::TOKEN.to_owned(), token.clone()),
        ]);
        if let Some(name) = &logical_id {
            labels.insert(tags::LOGICAL_ID.to_owned(), name.to_string());
        }
        let creation = Creation {
            group: id.clone(),
            plugin: instance.plugin,
            logical_id,
            tags: labels,
            properties: instance.properties,
            sequence,
        };
        let ticket = self.ask(Open::Create(id.clone(), token), Ask::Create(creation));
        if let Some(group) = self.groups.get_mut(id) {
            group.begun.insert(ticket, now);
        }
    }

    pub(super) fn destroy(&mut self, group: &GroupId, id: &InstanceId, why: &str) {
        let new = self.has(Habit::DrainsAsTheNew);
        let Some(known) = self.groups.get_mut(group) else {
            return;
        };
        let plugin = known.spec.instance.plugin.clone();
        let member = known.members.get_mut(id).filter(|one| !one.leaving);
        let Some(member) = member else { return };
        member.leaving = true;
        let own = member.hash().unwrap_or_default().to_owned();
        let hash = if new {
            known.spec.hash.to_string()
        } else {
            own
        };
        known.said = format!("`{id}` goes: {why}");
        let ask = Ask::Destroy {
            group: group.clone(),
            plugin,
            id: id.clone(),
            drain: Drain::Try,
            why: format!("{why}; drained as {hash}"),
        };
        self.ask(Open::Destroy(group.clone(), id.clone()), ask);
    }
}
