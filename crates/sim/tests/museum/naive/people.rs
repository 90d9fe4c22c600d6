//! What people ask of the naive controller.

use std::collections::BTreeSet;

use infrakit_plan::{Size, Spec, Timestamp};
use infrakit_sim::controller::{Foreseen, Operation};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::{Any, GroupId, InstanceId};
use infrakit_store::Change;

use super::group::Group;
use super::{Habit, Naive};

impl Naive {
    pub(super) fn obey(
        &mut self,
        id: &GroupId,
        operation: &Operation,
        now: Timestamp,
    ) -> Result<(), String> {
        match operation {
            Operation::Commit { properties } => {
                let properties = Any::parse(properties).map_err(|error| error.to_string())?;
                if self.has(Habit::TakesAnything) && Spec::parse(Some(&properties)).is_err() {
                    return Ok(());
                }
                self.commit(id, Some(properties), now)?;
            }
            Operation::SetSize(0) if self.has(Habit::RefusesNobody) => {
                return Err("the size cannot be 0".to_owned());
            }
            Operation::SetSize(size) => {
                let size = u64::try_from(*size).map_err(|_| "size cannot be negative")?;
                self.resize(id, |_| size, now)?;
            }
            Operation::DestroyMembers(ids) => self.destroy_members(id, ids, now)?,
            Operation::Destroy => self.end(id)?,
            Operation::Free => {
                self.groups.remove(id).ok_or("no such group")?;
                self.write(Change::delete(format!("naive/{id}")));
            }
            Operation::Rollback(_) => self.go_back(id, now)?,
            Operation::Pause
            | Operation::Resume
            | Operation::Approve
            | Operation::Abort
            | Operation::Hold(_)
            | Operation::Release(_) => self.steer(id, operation)?,
        }
        Ok(())
    }

    fn steer(&mut self, id: &GroupId, operation: &Operation) -> Result<(), String> {
        let (pauses, holds) = (
            !self.has(Habit::IgnoresPauses),
            !self.has(Habit::IgnoresHolds),
        );
        let all = self.has(Habit::OneApprovalForAll);
        let group = self.groups.get_mut(id).ok_or("no such group")?;
        match operation {
            Operation::Pause => group.paused = pauses,
            Operation::Resume => group.paused = false,
            Operation::Approve if all => group.stage = usize::MAX,
            Operation::Approve => group.stage = group.stage.saturating_add(1),
            Operation::Abort => group.frozen = true,
            Operation::Hold(member) if holds => {
                group.held.insert(member.clone());
            }
            Operation::Release(member) => {
                group.held.remove(member);
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn put_in_force(&mut self, raw: GroupSpec, now: Timestamp) -> Result<(), String> {
        let spec = Spec::parse(raw.properties.as_ref()).map_err(|error| error.to_string())?;
        let by_text = self.has(Habit::HashesText);
        let Some(group) = self.groups.get_mut(&raw.id) else {
            let id = raw.id.clone();
            let group = Group {
                by_text,
                ..Group::new(raw, spec, now)
            };
            self.groups.insert(id, group);
            return Ok(());
        };
        if group.spec.instance.plugin != spec.instance.plugin {
            if !self.habits.contains(&Habit::ForgetsTheFormerPlugin) {
                return Err("the plugin cannot change".to_owned());
            }
            group.members.clear();
            group.listed = false;
        }
        if self.habits.contains(&Habit::LosesGrowth) {
            let grows = spec.size.count() > group.spec.size.count();
            match group.kept {
                Some(_) => group.lost = true,
                None if grows && spec.hash != group.spec.hash => {
                    group.kept = Some(group.spec.size.count());
                }
                None => {}
            }
        }
        let rolling = group.members.values().any(|one| one.leaving);
        if self.habits.contains(&Habit::TwoUpdaters) {
            group
                .members
                .values_mut()
                .for_each(|one| one.leaving = false);
        }
        group.frozen = (rolling && self.habits.contains(&Habit::SecondUpdateDies)) || group.fresh;
        group.fresh = false;
        group.text = raw
            .properties
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        if spec.hash != group.spec.hash {
            group.former = Some((group.raw.clone(), group.spec.clone()));
            (group.stage, group.back) = (0, false);
        }
        (group.stopped, group.failures, group.since) = (false, 0, now);
        (group.raw, group.spec) = (raw, spec);
        Ok(())
    }

    pub(super) fn commit(
        &mut self,
        id: &GroupId,
        properties: Option<Any>,
        now: Timestamp,
    ) -> Result<(), String> {
        let raw = GroupSpec {
            id: id.clone(),
            properties,
        };
        self.put_in_force(raw.clone(), now)?;
        let change = Change::put_value(format!("naive/{id}"), &raw);
        self.write(change.map_err(|error| error.to_string())?);
        if self.has(Habit::LocksTheGroup) {
            let lock = Change::put_value(format!("naive-lock/{id}"), &raw);
            self.write(lock.map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    fn resize(
        &mut self,
        id: &GroupId,
        by: impl Fn(u64) -> u64,
        now: Timestamp,
    ) -> Result<(), String> {
        let known = self.groups.get(id).ok_or("no such group")?;
        let mut spec = known.spec.with_size(by(known.spec.size.count()));
        if self.has(Habit::NoCeiling) {
            spec.max_instances = None;
        }
        if self.has(Habit::ForgetsTheSize) {
            let raw = GroupSpec {
                id: id.clone(),
                properties: Some(spec.canonical()),
            };
            return self.put_in_force(raw, now);
        }
        self.commit(id, Some(spec.canonical()), now)
    }

    fn destroy_members(
        &mut self,
        id: &GroupId,
        ids: &[InstanceId],
        now: Timestamp,
    ) -> Result<(), String> {
        let known = self.groups.get(id).ok_or("no such group")?;
        let members = ids.iter().filter(|id| known.members.contains_key(*id));
        let members: Vec<InstanceId> = members.cloned().collect();
        if members.len() < ids.len() && !self.has(Habit::CountsStrangers) {
            return Err("not a member".to_owned());
        }
        let count = ids.len() as u64;
        self.resize(id, |size| size.saturating_sub(count), now)?;
        for member in members {
            self.destroy(id, &member, "requested");
        }
        Ok(())
    }

    fn end(&mut self, id: &GroupId) -> Result<(), String> {
        let forgets = self.has(Habit::ForgetsFirst);
        let known = self.groups.get_mut(id).ok_or("no such group")?;
        known.destroying = true;
        if forgets {
            let members: Vec<InstanceId> = known.members.keys().cloned().collect();
            for member in members {
                self.destroy(id, &member, "the group is destroyed");
            }
            self.groups.remove(id);
            self.write(Change::delete(format!("naive/{id}")));
        }
        Ok(())
    }

    /// Commits what was in force before.
    pub(super) fn go_back(&mut self, id: &GroupId, now: Timestamp) -> Result<(), String> {
        if self.has(Habit::NoRollback) {
            return Err("not known".to_owned());
        }
        let all = self.has(Habit::RollbackReplacesAll);
        let group = self.groups.get_mut(id).ok_or("no such group")?;
        let (former, _) = group
            .former
            .clone()
            .ok_or("there is nothing to go back to")?;
        let condemned: BTreeSet<InstanceId> = group.members.keys().cloned().collect();
        if self.has(Habit::RollsBackToTheNew) {
            return Ok(());
        }
        self.commit(id, former.properties, now)?;
        if let Some(group) = self.groups.get_mut(id) {
            group.back = true;
            if all {
                group.condemned = condemned;
            }
        }
        Ok(())
    }

    pub(super) fn outlook(&self, id: &GroupId, properties: &str) -> Option<Foreseen> {
        let spec = Spec::parse(Some(&Any::parse(properties).ok()?)).ok()?;
        let mut foreseen = Foreseen::default();
        let group = self.groups.get(id)?;
        let named = matches!(
            (&group.spec.size, &spec.size),
            (Size::Cattle(_), Size::Pets(_))
        );
        let worst = named && self.has(Habit::ShowsTheWorst);
        if !self.has(Habit::ShowsNoNames) {
            let members = group.members.iter();
            let go = members.filter(|(_, one)| worst || one.hash() != Some(spec.hash.as_str()));
            foreseen.go.extend(go.map(|(id, _)| id.clone()));
            foreseen.come = foreseen.go.len() as u64;
        }
        Some(foreseen)
    }
}
