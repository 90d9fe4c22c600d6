//! How the naive controller heals and rolls.

use infrakit_plan::{OnFailure, Spec, Timestamp};
use infrakit_sim::controller::Ask;
use infrakit_spi::flavor::Health;
use infrakit_spi::{GroupId, InstanceId};

use super::group::{Group, Member};
use super::{Habit, Naive, Open};

/// Bad verdicts in a row after which a member is sick; five minutes of them.
const SICK: u32 = 30;

impl Naive {
    pub(super) fn is_own(&self, member: &Member) -> bool {
        let own = self.own.as_ref().map(|own| own.as_str());
        own.is_some() && member.identity() == own
    }

    /// Returns whether a member is what the controller runs on, and to stay.
    pub(super) fn spares(&self, member: &Member) -> bool {
        self.is_own(member) && !self.has(Habit::KillsItself)
    }

    /// Ends a rollout that has failed.
    pub(super) fn judge_roll(&mut self, id: &GroupId, now: Timestamp) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if group.kept.is_some() && group.outdated() == 0 && !group.lost {
            group.kept = None;
        }
        let updating = &group.spec.updating;
        let current: Vec<&Member> = group
            .members
            .values()
            .filter(|one| group.matches(one))
            .collect();
        let proved = current.iter().all(|one| one.health == Health::Healthy);
        let late = updating
            .progress_deadline
            .is_some_and(|deadline| now > group.since + deadline && !proved);
        let failed = current.iter().filter(|one| one.bad >= 3).count() as u64;
        let most = updating
            .failure_threshold
            .map(|most| most.floor(group.spec.size.count()).max(1));
        let failing = most.is_some_and(|most| failed >= most);
        let stopped = group.stopped && updating.on_failure == OnFailure::Rollback;
        if group.back || self.has(Habit::WaitsForEver) || !(late || failing || stopped) {
            return;
        }
        if self.groups[id].spec.updating.on_failure == OnFailure::Rollback {
            // Where there is nothing to go back to, it stays as it is.
            let _ = self.go_back(id, now);
        } else if let Some(group) = self.groups.get_mut(id) {
            group.frozen = true;
        }
    }

    /// Returns how many members may have the configuration in force.
    fn limit(&self, group: &Group) -> usize {
        let stages = &group.spec.updating.stages;
        let ignores = self.has(Habit::IgnoresStages);
        if ignores || (group.back && !self.has(Habit::RollbackInStages)) {
            return usize::MAX;
        }
        let stage = stages.get(group.stage);
        let reaches = stage.map(|stage| stage.reaches(group.spec.size.count()));
        reaches.map_or(usize::MAX, |most| {
            usize::try_from(most).unwrap_or(usize::MAX)
        })
    }

    fn current(group: &Group) -> usize {
        group.members.len() - group.outdated()
    }

    /// Returns what the next member is to be made of.
    pub(super) fn made_of<'a>(&self, group: &'a Group) -> &'a Spec {
        let full = Self::current(group) + group.under_way() >= self.limit(group);
        match &group.former {
            Some((_, former)) if full && !self.has(Habit::ReplacesFromTheNew) => former,
            _ => &group.spec,
        }
    }

    pub(super) fn heal(&mut self, id: &GroupId) {
        if self.has(Habit::NeverHeals) || self.has(Habit::WaitsForTheBroken) {
            return;
        }
        let hasty = self.has(Habit::HealsAtOnce);
        let threshold = match (hasty, self.has(Habit::NoGrace)) {
            (true, _) => 1,
            (false, true) => 3,
            (false, false) => SICK,
        };
        let group = &self.groups[id];
        let reckless = hasty || self.has(Habit::NoBreaker) || self.has(Habit::NoGrace);
        let whole = group.is_whole(self.target(group)) || self.has(Habit::BudgetPerReason);
        if !reckless && !whole {
            return;
        }
        let sick = group.members.iter().filter(|(id, one)| {
            one.bad >= threshold && !one.leaving && !group.held.contains(*id) && !self.spares(one)
        });
        let mut sick: Vec<InstanceId> = sick.map(|(id, _)| id.clone()).collect();
        let size = group.members.len();
        if !reckless {
            // One at a time, and never most of them.
            let few = if self.has(Habit::TwentyPercent) {
                sick.len() * 5 <= size
            } else {
                sick.len() * 2 < size.max(2)
            };
            sick.truncate(usize::from(few));
        }
        for victim in sick {
            if !self.repair(id, &victim) {
                self.destroy(id, &victim, "unhealthy");
            }
        }
    }

    /// Tries to repair a member. Returns whether that is all for now.
    fn repair(&mut self, id: &GroupId, victim: &InstanceId) -> bool {
        let (again, deletes) = (
            self.has(Habit::RebootsForEver),
            self.has(Habit::DeletesAfterRepair),
        );
        let Some(group) = self.groups.get_mut(id) else {
            return false;
        };
        let step = group.spec.health.repair.first().cloned();
        let plugin = group.spec.instance.plugin.clone();
        let (Some(step), Some(member)) = (step, group.members.get_mut(victim)) else {
            return false;
        };
        if member.repaired && !again {
            return false;
        }
        (member.repaired, member.bad) = (true, 0);
        let ask = Ask::Repair {
            group: id.clone(),
            plugin,
            id: victim.clone(),
            step,
        };
        self.ask(Open::Other, ask);
        !deletes
    }

    pub(super) fn roll(&mut self, id: &GroupId) {
        let group = &self.groups[id];
        if group.frozen || group.paused {
            return;
        }
        let outdated = group.members.iter().filter(|(id, one)| {
            !one.leaving && !group.matches(one) && !group.held.contains(*id) && !self.spares(one)
        });
        let mut outdated: Vec<(&InstanceId, &Member)> = outdated.collect();
        outdated.sort_by_key(|(_, one)| one.bad == 0);
        let mut outdated: Vec<InstanceId> = outdated.iter().map(|(id, _)| (*id).clone()).collect();
        let reckless =
            self.has(Habit::RollsAllAtOnce) || (group.back && self.has(Habit::RollbackAllAtOnce));
        if !reckless {
            let room = self.limit(group).saturating_sub(Self::current(group));
            outdated.truncate(self.slots(group).min(room));
        }
        for victim in outdated {
            self.destroy(id, &victim, "outdated");
        }
    }

    /// Returns how many members may be taken out now.
    fn slots(&self, group: &Group) -> usize {
        let mut all = group.members.values();
        let proved = |one: &Member| one.health == Health::Healthy || self.is_own(one);
        let settled = if self.has(Habit::WaitsForTheBroken) {
            all.all(proved)
        } else {
            all.all(|one| !group.matches(one) || proved(one))
        };
        if !settled {
            return 0;
        }
        let (size, target) = (group.size(), self.target(group));
        if target > size {
            return usize::from(group.is_whole(target));
        }
        let allowed = group.spec.unavailable(size as u64);
        let mut allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
        allowed += usize::from(self.has(Habit::RoundsUp));
        allowed = allowed.max(usize::from(self.has(Habit::DestroysFirst)));
        let own = group
            .members
            .values()
            .filter(|one| one.leaving && !group.matches(one) && one.bad == 0);
        if self.has(Habit::BudgetPerReason) {
            return allowed.saturating_sub(own.count());
        }
        let serving = group.members.values().filter(|one| {
            let outdated = one.health == Health::Unknown && !group.matches(one);
            !one.leaving && (one.health == Health::Healthy || outdated)
        });
        let out = size.saturating_sub(serving.count());
        allowed
            .saturating_sub(out)
            .max(self.takes_the_broken(group))
    }

    /// One who does not serve costs nothing.
    fn takes_the_broken(&self, group: &Group) -> usize {
        let quiet = group.is_whole(self.target(group));
        let mut broken = group
            .members
            .iter()
            .filter(|(id, one)| !group.matches(one) && one.bad > 0 && !group.held.contains(*id));
        usize::from(quiet && broken.next().is_some())
    }
}
