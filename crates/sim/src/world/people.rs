//! What people do, and what happens by itself.

use infrakit_spi::{GroupId, InstanceId, LogicalId, PluginName, Tags, tags};

use super::{Birth, Maker, Truth, World};
use crate::controller::{Foreseen, Operation};
use crate::scenario::Deed;

impl World {
    /// Lets something happen at a moment to come.
    pub fn schedule(&mut self, at: u64, deed: Deed) {
        let index = self.deeds.len();
        self.deeds.push(deed);
        self.queue.push(at, super::Happening::Deed(index));
    }

    pub(super) fn ask_of_the_leader(
        &mut self,
        group: &GroupId,
        operation: Operation,
    ) -> Option<Result<String, String>> {
        self.stir();
        self.note(format_args!("somebody asks of `{group}`: {operation:?}"));
        let now = self.now;
        let nonce = format!("n{}", self.rng.draw() % 100_000);
        let life = self.lives.iter_mut().find(|life| !life.deposed)?;
        let number = life.number;
        let clock = life.clock(now);
        let reply = life.controller.operate(group, &operation, &nonce, clock);
        match &reply {
            Ok(details) => {
                self.note(format_args!("granted: {details}"));
                let operated = (group, &operation);
                self.ledger.operated(number, operated, &self.park);
            }
            Err(refusal) => self.note(format_args!("refused: {refusal}")),
        }
        self.asking = reply.is_ok().then(|| (group.clone(), operation));
        self.step(number);
        // What leads to no change is as it was asked to be.
        if let Some((group, operation)) = self.asking.take() {
            if self.lives.iter().all(|life| life.number != number) {
                self.ledger.told.unsure(&group, &operation);
                return Some(reply);
            }
            self.ledger.told.acknowledged(&group, &operation);
            self.note_reason(&group, &operation);
        }
        Some(reply)
    }

    /// Notes for how many creations there is reason after a change.
    pub(super) fn note_reason(&mut self, group: &GroupId, operation: &Operation) {
        let members = match operation {
            Operation::Commit { .. } | Operation::SetSize(_) | Operation::Rollback(_) => {
                let leader = self.leader().map(|life| life.number);
                let sight = leader.and_then(|number| self.ledger.sight(number));
                sight
                    .and_then(|sight| sight.promises.get(group))
                    .map_or(0, |promise| promise.size + promise.surge)
            }
            Operation::DestroyMembers(ids) => ids.len() as u64,
            _ => 0,
        };
        self.ledger.pace.reason(group, members, self.now);
    }

    /// Lets something happen now.
    pub fn perform(&mut self, deed: &Deed) {
        self.stir();
        match deed {
            Deed::Operate(group, operation) => {
                self.ask_of_the_leader(group, operation.clone());
            }
            Deed::DestroyOne(group, pick) => {
                if let Some(id) = self.pick_member(group, *pick) {
                    self.ask_of_the_leader(group, Operation::DestroyMembers(vec![id]));
                }
            }
            Deed::HoldOne(group, pick) => {
                if let Some(id) = self.pick_member(group, *pick) {
                    self.ask_of_the_leader(group, Operation::Hold(id));
                }
            }
            Deed::ReleaseAll(group) => {
                // Whoever does not know where his hands are takes them away everywhere.
                let leader = self.leader();
                let members = leader.map(|life| life.controller().members(group));
                let mut ids = members.unwrap_or_default();
                let held = self.ledger.told.perhaps_held(group);
                ids.extend(
                    held.filter(|id| !ids.contains(id))
                        .cloned()
                        .collect::<Vec<_>>(),
                );
                for id in ids {
                    self.operate(group, Operation::Release(id));
                }
            }
            Deed::Die(pick) => {
                if let Some((plugin, id)) = self.pick_machine(*pick) {
                    self.note(format_args!("somebody deletes `{id}`"));
                    self.vanish(&plugin, &id);
                }
            }
            Deed::Turn(pick, truth) => {
                if let Some((plugin, id)) = self.pick_machine(*pick) {
                    self.turn(&plugin, &id, *truth);
                }
            }
            Deed::TurnMany(group, truth, of_thousand) => {
                let members: Vec<(PluginName, InstanceId)> = self
                    .park
                    .of(group.as_str())
                    .map(|(plugin, one)| (plugin.clone(), one.id.clone()))
                    .collect();
                for (plugin, id) in members {
                    if self.rng.chance(*of_thousand) {
                        self.turn(&plugin, &id, *truth);
                    }
                }
            }
            Deed::Stranger(plugin) => {
                self.by_hand(plugin, None, Tags::new());
            }
            Deed::HandMade(group, plugin, hash) => {
                let labels = Self::hand_made(group, &[(tags::CONFIG_HASH, hash.as_str())]);
                self.by_hand(plugin, None, labels);
            }
            Deed::OwnMachine(group, plugin) => {
                let own = self.traits.own.clone();
                let labels = Self::hand_made(group, &[(tags::CONFIG_HASH, tags::BOOTSTRAP)]);
                self.by_hand(plugin, own, labels);
            }
            Deed::Crash(restart_after) => self.crash(*restart_after),
            Deed::TakeOver(learns_after) => self.take_over(*learns_after),
            Deed::Rates(rates) => {
                for (kind, rate) in rates {
                    self.dice.set(*kind, *rate);
                }
            }
            Deed::Nudge(plugin) => self.nudge(plugin),
            Deed::Incident(incident) => self.befall(incident),
        }
    }

    /// Returns what the controller in office says that a commit would do.
    pub fn foresee(&mut self, group: &GroupId, properties: &str) -> Option<Foreseen> {
        let now = self.now;
        let life = self.lives.iter_mut().find(|life| !life.deposed)?;
        let clock = life.clock(now);
        life.controller.foresee(group, properties, clock)
    }

    /// Begins to count what is done for a group.
    pub fn begin_account(&mut self, group: &GroupId) {
        self.ledger.begin_account(group);
    }

    /// Lets a plugin say that its list may have changed.
    pub fn nudge(&mut self, plugin: &PluginName) {
        let world_now = self.now;
        let numbers: Vec<u32> = self.lives.iter().map(|life| life.number).collect();
        for number in numbers {
            if let Some(life) = self.lives.iter_mut().find(|life| life.number == number) {
                let now = life.clock(world_now);
                life.controller.nudge(plugin, now);
            }
            self.step(number);
        }
    }

    /// Changes how an instance really is.
    pub fn turn(&mut self, plugin: &PluginName, id: &InstanceId, truth: Truth) {
        let now = self.now;
        // What neither a flavor nor a state tells nobody can be held to.
        let told = self.nature(plugin).is_some_and(|nature| nature.declared);
        let told = told && matches!(truth, Truth::Well | Truth::Stopped | Truth::Broken);
        if let Some(machine) = self.park.machine_mut(plugin, id)
            && (!machine.plain || told)
        {
            if truth != Truth::Well {
                machine.ceases_to_serve(now);
            }
            if truth == Truth::Well {
                machine.ill_since = None;
                if matches!(machine.truth, Truth::Stopped | Truth::Broken) {
                    machine.recovered = now;
                }
            } else {
                machine.ill_since.get_or_insert(now);
            }
            machine.truth = truth;
            machine.ever_ill |= truth != Truth::Well;
            self.stir();
            self.note(format_args!("`{id}` turns {truth:?}"));
        }
    }

    /// Lets somebody make an instance by hand. Returns its id.
    pub fn by_hand(
        &mut self,
        plugin: &PluginName,
        logical_id: Option<LogicalId>,
        labels: Tags,
    ) -> InstanceId {
        self.stir();
        let now = self.now;
        // The flavor of its group looks at it as at any other.
        let group = labels.get(tags::GROUP);
        let plain = group.is_some_and(|group| self.park.of(group).any(|(_, one)| one.plain));
        let birth = Birth {
            logical_id,
            tags: labels,
            plain,
            truth: Truth::Well,
            maker: Maker::Hand,
            ..Birth::default()
        };
        let id = match self.park.get_mut(plugin) {
            Some(provider) => {
                let id = provider.name();
                provider.give_birth(id.clone(), birth, now);
                id
            }
            None => InstanceId::default(),
        };
        self.note(format_args!("somebody makes `{id}` on `{plugin}`"));
        id
    }

    /// Returns one of the members that the controller in office knows.
    #[must_use]
    pub fn pick_member(&self, group: &GroupId, pick: u64) -> Option<InstanceId> {
        let members = self.leader()?.controller().members(group);
        let index = usize::try_from(pick.checked_rem(members.len() as u64)?).ok()?;
        members.get(index).cloned()
    }

    /// Returns one of the instances that belong to a group, never one that a controller runs on.
    #[must_use]
    pub fn pick_machine(&self, pick: u64) -> Option<(PluginName, InstanceId)> {
        let own = self.traits.own.as_ref();
        let members: Vec<(&PluginName, &InstanceId)> = self
            .park
            .machines()
            .filter(|(_, one)| one.group().is_some())
            .filter(|(_, one)| own.is_none() || one.logical_id.as_ref() != own)
            .map(|(plugin, one)| (plugin, &one.id))
            .collect();
        let index = usize::try_from(pick.checked_rem(members.len() as u64)?).ok()?;
        members
            .get(index)
            .map(|(plugin, id)| ((*plugin).clone(), (*id).clone()))
    }
}
