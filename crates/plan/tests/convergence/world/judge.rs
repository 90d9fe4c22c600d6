//! What must hold of the world: at each plan, and once it has settled.

use std::collections::BTreeSet;
use std::time::Duration;

use infrakit_plan::{Action, Phase, Plan, Size, plan};
use infrakit_spi::flavor::Health;
use infrakit_spi::{InstanceId, LogicalId, tags};

use super::{Event, Instance, Kind, World};

impl World {
    /// What there is, and what creations may still bring, never exceeds size and surge through a
    /// creation of the controller.
    pub(super) fn outgrows_nothing(&self, decided: &Plan) {
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
        let size = usize::try_from(self.spec.size.count()).expect("sizes are small here");
        let size = size + super::specs::budget(self.kind, self.budget).1;
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

    /// Ends all faults and waits until the group is as specified.
    pub(crate) fn converge(&mut self) {
        self.end_faults();
        let before = self.plans;
        let deadline = self.now + Duration::from_secs(3 * 3600);
        // What the engine believes may be from before the last thing that happened; lists may lag
        // behind creations by the visibility, and come once a poll interval.
        self.run(self.now + Duration::from_secs(60));
        // A destruction of a former life may come to pass very late; a list has to show it.
        let mut calm = 0;
        while calm < 3 {
            let settled = self.converged && self.events_are_checks();
            calm = if settled { calm + 1 } else { 0 };
            assert!(self.now < deadline, "does not converge: {}", self.report());
            assert!(
                self.plans < before + 20_000,
                "too many steps: {}",
                self.report()
            );
            // The operator takes notice of what made a rollout pause, and lets it go on.
            if let Some(roll) = &mut self.memory.roll
                && roll.paused.is_some()
            {
                roll.resume(self.now);
            }
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

    pub(super) fn report(&self) -> String {
        let decided = plan(
            &self.spec,
            &self.seen,
            self.memory.clone(),
            self.now,
            &self.config,
        );
        let members: Vec<String> = self
            .seen
            .members()
            .map(|one| {
                format!(
                    "{} {:?} current={} {:?} {:?}",
                    one.id,
                    one.logical_id,
                    one.matches(&self.spec.hash),
                    one.health.last(),
                    one.departure
                )
            })
            .collect();
        format!(
            "at {}: {:?}\nwaiting: {:?}\nroll: {:?}\nintents: {:?}\nmembers: {members:#?}\n{:?}",
            self.now,
            decided.actions,
            decided.waiting,
            decided.memory.roll,
            decided.memory.intents,
            self.spec.size
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
                assert_eq!(
                    members.len(),
                    usize::try_from(*size)
                        .expect("sizes are small here")
                        .max(least)
                );
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
        // Where nobody has the configuration in force, its rollout has shown nothing yet.
        let mut seen = self.seen.members();
        let nobody = !seen.any(|member| member.matches(&self.spec.hash));
        let over = self.memory.roll.is_none() || nobody;
        assert!(self.memory.intents.is_empty() && over);
    }

    /// Lets half an hour pass in which nothing but routine happens.
    pub(crate) fn stays_quiet(&mut self) {
        let (mut memory, plans) = (self.memory.clone(), self.plans);
        let ids: Vec<InstanceId> = self.instances.keys().cloned().collect();
        self.run(self.now + Duration::from_secs(1800));
        // What is said of the group, and that its revision is good, may still come.
        memory.conditions = self.memory.conditions.clone();
        memory.outcomes = self.memory.outcomes.clone();
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
