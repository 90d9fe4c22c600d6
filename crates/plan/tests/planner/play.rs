//! Plays plans forward: whatever they say is done at once and succeeds, while time stands still.

use std::collections::BTreeSet;

use infrakit_plan::{Action, Labelling, Lag, Member, Origin, Plan, Reason, Spec, Step};
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Description;
use infrakit_spi::{InstanceId, LogicalId, tags};

use crate::bench::{Bench, NONCE};

/// What happened while plans were played.
#[derive(Debug, Default)]
pub(crate) struct Played {
    /// Members that were destroyed, in this order, and why.
    pub(crate) gone: Vec<(String, Reason)>,
    /// Members that were created, in this order.
    pub(crate) come: Vec<String>,
    /// Repairs that were asked for.
    pub(crate) repaired: Vec<(String, String)>,
    /// Most members that there were at once.
    pub(crate) most: usize,
    /// Fewest members found healthy at once, after any plan.
    pub(crate) least_healthy: usize,
    /// The last plan.
    pub(crate) last: Option<Plan>,
}

impl Played {
    pub(crate) fn last(&self) -> &Plan {
        self.last.as_ref().expect("at least one plan was made")
    }
}

impl Bench {
    /// Puts another spec in force, as a commit does: the rollout begins anew if members were made
    /// from another configuration.
    pub(crate) fn commit(&mut self, spec: Spec) {
        if self.spec.hash != spec.hash {
            let former = infrakit_plan::Former {
                revision: self.memory.revision,
                hash: self.spec.hash.clone(),
                plugin: self.spec.instance.plugin.clone(),
            };
            self.memory.roll = Some(infrakit_plan::Roll {
                former: Some(former),
                ..infrakit_plan::Roll::begin(&self.seen, self.now)
            });
            if self.spec.instance.plugin != spec.instance.plugin {
                self.memory.homes.insert(self.spec.instance.plugin.clone());
            }
        }
        self.memory.revision += 1;
        self.memory.aborted = None;
        self.memory.creation.forgive();
        self.spec = spec;
    }

    /// Plays until a plan changes nothing any more. Members named in `ill`, and those whose hash is
    /// in it, are found unhealthy.
    pub(crate) fn play(&mut self, ill: &[&str]) -> Played {
        let played = self.play_plans(5_000, ill);
        let idle = played.last().actions.is_empty();
        assert!(idle, "it never comes to rest: {:?}", played.last());
        played
    }

    /// The same for no more than so many plans.
    pub(crate) fn play_plans(&mut self, plans: usize, ill: &[&str]) -> Played {
        let mut played = Played {
            least_healthy: usize::MAX,
            ..Played::default()
        };
        for _ in 0..plans {
            let plan = self.preview();
            self.memory = plan.memory.clone();
            let idle = plan.actions.is_empty();
            for action in &plan.actions {
                self.perform(action, ill, &mut played);
            }
            played.most = played.most.max(self.list.len());
            let healthy = |member: &&Member| {
                member.health.last() == Health::Healthy && member.departure.is_none()
            };
            let healthy = self.seen.members().filter(healthy).count();
            played.least_healthy = played.least_healthy.min(healthy);
            self.finish_departures();
            let waits = plan.waiting.clone();
            played.last = Some(plan);
            if idle {
                assert!(waits.len() < 10, "{waits:?}");
                return played;
            }
        }
        played
    }

    fn perform(&mut self, action: &Action, ill: &[&str], played: &mut Played) {
        let now = self.now;
        match action {
            Action::Provision(one) => {
                let number = one.token.number();
                let description = Description {
                    id: format!("m{number}").into(),
                    logical_id: one.logical_id.clone(),
                    tags: Some(one.tags.clone()),
                    ..Description::default()
                };
                played.come.push(description.id.to_string());
                let intent = self.memory.intents.remove(&number).expect("an intent");
                self.list.push(description.clone());
                let origin = Origin::Provisioned(now);
                let member = Member::new(description, &intent.plugin, origin, NONCE, now);
                self.homes.insert(member.id.clone(), intent.plugin);
                self.seen.provisioned(member);
            }
            Action::Destroy { id, reason, .. } => {
                played.gone.push((id.to_string(), *reason));
                self.depart(id.as_str(), *reason, Step::InFlight(now));
            }
            Action::Check { id, .. } => {
                let member = self.member(id.as_str());
                let hash = member.hash.as_ref().map_or("", |hash| hash.as_str());
                let sick = ill.contains(&id.as_str()) || ill.contains(&hash);
                drop(member);
                self.verdict(
                    id.as_str(),
                    if sick {
                        Health::Unhealthy
                    } else {
                        Health::Healthy
                    },
                );
            }
            Action::Adopt { id, labels, .. } => {
                let one = self.list.iter_mut().find(|one| one.id == *id);
                let one = one.expect("a member of the bench");
                let tags = one.tags.get_or_insert_default();
                tags.extend(labels.clone());
                if let Some(name) = labels.get(tags::LOGICAL_ID) {
                    one.logical_id = Some(LogicalId::from(name.as_str()));
                }
                self.member(id.as_str()).labelling = Labelling::UnderWay(None);
                self.look();
            }
            Action::Repair { id, step, .. } => {
                played.repaired.push((id.to_string(), step.clone()));
                let repair = self.memory.repairs.0.get_mut(id);
                repair.expect("it was noted").in_flight = false;
            }
            Action::Spare { id, .. } => self.member(id.as_str()).departure = None,
            Action::Drain { .. } | Action::Revert { .. } => {}
        }
    }

    /// Lets destroyed members go, and looks what there is.
    fn finish_departures(&mut self) {
        let leaving = self.seen.members().filter(|one| one.departure.is_some());
        let gone: BTreeSet<InstanceId> = leaving.map(|member| member.id.clone()).collect();
        self.list.retain(|one| !gone.contains(&one.id));
        self.now = self.now + std::time::Duration::from_nanos(1);
        // Where time stands still no list can be behind.
        self.look_behind(self.now, Lag::NONE);
    }

    /// Finds every member healthy.
    pub(crate) fn all_are_well(&mut self) {
        for id in self
            .list
            .iter()
            .map(|one| one.id.clone())
            .collect::<Vec<_>>()
        {
            self.verdict(id.as_str(), Health::Healthy);
        }
    }
}
