//! Rest: idle time that need not be lived through, the way to rest, and the judgement over it.

use std::collections::BTreeSet;

use infrakit_spi::GroupId;

use super::{Happening, Maker, SECOND, Truth, World, time};
use crate::controller::Operation;
use crate::invariants;
use crate::scenario::Deed;

impl World {
    /// Skips the time until something happens, if until then nothing but routine would.
    ///
    /// The condition is that every group is as specified, that nothing is under way, that no fault
    /// can strike, and that three polls have gone by in which nothing changed. Then each further
    /// poll would find what the last one found. The controller's next wake-up is put off by as much
    /// as is skipped, so that it comes in the same rhythm.
    pub(super) fn skip_until(&mut self, end: u64) {
        let [life] = self.lives.as_slice() else {
            return;
        };
        let quiet = 3 * time::nanos(self.traits.poll_interval);
        let (Some(wake), true) = (life.wake, self.skips) else {
            return;
        };
        let next = self.queue.peek().unwrap_or(end).min(end);
        let idle = life.busy == 0 && life.looking == 0 && self.now >= self.stirred + quiet;
        // Once flavors answer again somebody may turn out to be ill.
        let dark = self.now < self.dark.0;
        if !idle || next <= wake || dark || !self.dice.is_calm() {
            return;
        }
        let deeds = |happening: &Happening| matches!(happening, Happening::Deed(_));
        let mut groups = self.ledger.groups.iter();
        let converged = groups.all(|group| life.controller.converged(group).is_none_or(|yes| yes));
        // What is being destroyed is waited for.
        let mut going = self.ledger.destroying.iter();
        let known = going.any(|group| life.controller.converged(group).is_some());
        let mut providers = self.park.providers();
        let settled = providers.all(|(_, provider)| provider.is_settled(self.now));
        if !converged || known || !settled || !self.queue.iter().all(deeds) {
            return;
        }
        self.counts.skipped += next - self.now;
        let wake = next + (wake - self.now);
        let now = next;
        if let Some(life) = self.lives.first_mut() {
            life.wake = Some(wake);
            let clock = life.clock(now);
            life.controller.idle_until(clock);
        }
        self.now = now;
        self.trace.murmur(now, format_args!("(idle until now)"));
    }

    /// Ends all faults: from now on everybody behaves, and every instance is well.
    pub fn calm(&mut self) {
        self.stir();
        self.note(format_args!("--- faults end"));
        self.dice.calm();
        self.end_incidents();
        self.queue
            .retain(|happening| !matches!(happening, Happening::Deed(_)));
        let sick: Vec<_> = self
            .park
            .machines()
            .filter(|(_, one)| one.truth != Truth::Well)
            .map(|(plugin, one)| (plugin.clone(), one.id.clone()))
            .collect();
        for (plugin, id) in sick {
            self.turn(&plugin, &id, Truth::Well);
        }
    }

    /// Takes it from configurations that they make their members sick, for good. Members of such a one that
    /// are well when faults end have it known to be good, and a rollout that misses its deadline, as one
    /// may whose provider is slow, goes back to it.
    pub fn cure(&mut self) {
        self.cured = true;
    }

    /// Lets time pass until every group is as specified; it is a breach if that takes longer than
    /// `bound`.
    pub fn arrive(&mut self, bound: u64) {
        let deadline = self.now + bound;
        while self.breaches.is_empty() {
            self.run_for(20 * SECOND);
            let groups: Vec<GroupId> = self.ledger.groups.iter().cloned().collect();
            for group in groups {
                self.urge(&group);
            }
            let Err(reason) = self.arrived() else {
                return;
            };
            if self.now > deadline {
                self.breach("arrives", reason);
                return;
            }
            // A hold may have outlived the group in which it was set.
            let groups = self.ledger.groups.iter();
            let held = groups.filter(|group| self.ledger.told.perhaps_held(group).next().is_some());
            for group in held.cloned().collect::<Vec<_>>() {
                self.perform(&Deed::ReleaseAll(group));
            }
        }
    }

    /// Lets time pass until every group is as specified, without anybody's help.
    pub fn arrive_alone(&mut self, bound: u64, promise: &'static str) {
        let deadline = self.now + bound;
        while self.breaches.is_empty() {
            self.run_for(20 * SECOND);
            let Err(reason) = self.arrived() else {
                return;
            };
            if self.now > deadline {
                let groups = self.ledger.groups.iter();
                let why: Vec<String> = self.leader().map_or_else(Vec::new, |leader| {
                    groups
                        .map(|group| leader.controller().explain(group))
                        .collect()
                });
                self.note(format_args!("why: {}", why.join("\n")));
                if !self.waits_for_somebody() {
                    self.breach(promise, reason);
                }
                return;
            }
        }
    }

    /// Returns whether somebody has to take notice of members that have come to light, made from
    /// another configuration.
    fn waits_for_somebody(&self) -> bool {
        let leader = self.leader().map(|life| life.number);
        let sight = leader.and_then(|number| self.ledger.sight(number));
        self.ledger.groups.iter().any(|group| {
            let promise = sight.and_then(|sight| sight.promises.get(group));
            let mut all = self.park.of(group.as_str());
            promise.is_some_and(|promise| {
                all.any(|(_, one)| {
                    let hidden = one.unseen.is_some() || one.passed_over;
                    hidden && !promise.matches(one.hash())
                })
            })
        })
    }

    /// Returns whether the controller says that a group is as specified, and nothing of it is on
    /// its way.
    #[must_use]
    pub fn is_quiet(&self, group: &GroupId) -> bool {
        let leader = self.leader();
        let converged = leader.and_then(|life| life.controller().converged(group));
        let coming = self.coming.get(group).map_or(0, Vec::len);
        converged == Some(true) && coming == 0
    }

    /// Does what a person does who wants a rollout to go on: approves its stages, resumes it.
    pub fn urge(&mut self, group: &GroupId) {
        if self.is_quiet(group) {
            return;
        }
        for operation in [Operation::Approve, Operation::Resume] {
            self.ask_of_the_leader(group, operation);
        }
    }

    /// Lets so many polls pass, in which nothing may be created or destroyed, and then judges the
    /// world at rest. What comes to light only now of a group that was destroyed is to go, whenever
    /// that is.
    pub fn stay_silent(&mut self, polls: u64) {
        let skips = std::mem::replace(&mut self.skips, false);
        let before = (self.counts.creates, self.counts.destroys);
        let ended = self.ledger.ended;
        self.run_for(polls * time::nanos(self.traits.poll_interval));
        self.skips = skips;
        let late = self.ledger.ended - ended;
        let after = (self.counts.creates, self.counts.destroys - late);
        if before != after && self.breaches.is_empty() {
            let (creates, destroys) = (after.0 - before.0, after.1 - before.1);
            let what = format!("{creates} creations and {destroys} destructions after arrival");
            self.breach("stays silent", what);
        }
        self.judge_rest();
    }

    fn judge_rest(&mut self) {
        let Some(life) = self.leader().map(|life| life.number) else {
            return;
        };
        let Some(scene) = self.scene(life, 0) else {
            return;
        };
        let mut broken = Vec::new();
        for group in &self.ledger.groups {
            for one in invariants::ALL {
                if let Some(what) = one.rest(&scene, group) {
                    broken.push((one.name(), what));
                }
            }
        }
        for (name, what) in broken {
            self.breach(name, what);
        }
    }

    /// Returns whether every group is as specified, both by the controller's word and in truth.
    ///
    /// # Errors
    /// Returns what is not.
    pub fn arrived(&self) -> Result<(), String> {
        let leader = self.leader().ok_or("no controller is there")?;
        let controller = leader.controller();
        let open = &self.ledger.told.open;
        let destroying = self.ledger.destroying.iter();
        for group in destroying.filter(|group| !open.contains(*group)) {
            if self
                .coming
                .get(group)
                .is_some_and(|coming| !coming.is_empty())
            {
                return Err(format!("a member of `{group}` is yet to come, and to go"));
            }
            if controller.converged(group).is_some() {
                return Err(format!("`{group}` is still being destroyed"));
            }
            let mut left = self.park.of(group.as_str()).filter(|(home, one)| {
                let place = ((*home).clone(), one.id.clone());
                self.ledger.is_home(group, home) && !self.ledger.given_up.contains(&place)
            });
            if let Some((_, left)) = left.next() {
                return Err(format!("`{}` is left of `{group}`", left.id));
            }
        }
        let known = self.ledger.sight(leader.number);
        let known = known.map(|sight| &sight.promises);
        for group in &self.ledger.groups {
            let there = known.is_some_and(|known| known.contains_key(group));
            if !there && open.contains(group) {
                continue;
            }
            self.is_as_specified(group, leader.number)?;
            if controller.converged(group) != Some(true) {
                let why = controller.explain(group);
                return Err(format!(
                    "`{group}` does not say that it is converged: {why}"
                ));
            }
        }
        Ok(())
    }

    fn is_as_specified(&self, group: &GroupId, life: u32) -> Result<(), String> {
        let sight = self.ledger.sight(life).ok_or("nobody watches")?;
        let promise = sight
            .promises
            .get(group)
            .ok_or_else(|| format!("`{group}` is not known"))?;
        if self
            .coming
            .get(group)
            .is_some_and(|coming| !coming.is_empty())
        {
            return Err(format!("a member of `{group}` is yet to come"));
        }
        let own = self.traits.own.as_ref();
        let (mut names, mut owned) = (BTreeSet::new(), 0);
        let mut count = 0;
        for (plugin, one) in self.park.of(group.as_str()) {
            let is_own = own.is_some() && one.logical_id.as_ref() == own;
            // The controller's own machine stays where it is, also where the group was moving from when it
            // was given up and taken up anew.
            let stays = is_own && self.ledger.may_be_home(group, plugin);
            if !stays && !self.ledger.is_home(group, plugin) {
                continue;
            }
            // Where a group has moved from nobody looks for what was out of sight, or made by hand since.
            let known = sight
                .members
                .contains_key(&(plugin.clone(), one.id.clone()));
            let by_hand = one.maker == Maker::Hand && !known;
            if (one.unseen.is_some() || by_hand) && *plugin != promise.plugin {
                continue;
            }
            // A pet without a name is nobody's.
            if promise.ids.is_some() && one.identity().is_none() {
                continue;
            }
            owned += u64::from(is_own);
            if !is_own && !promise.matches(one.hash()) {
                return Err(format!(
                    "`{}` on `{plugin}` of `{group}` is outdated",
                    one.id
                ));
            }
            if let (Some(_), Some(name)) = (&promise.ids, one.identity())
                && !names.insert(name.to_owned())
            {
                return Err(format!("`{name}` of `{group}` is there twice"));
            }
            if self.now < one.running {
                return Err(format!("`{}` of `{group}` is being made", one.id));
            }
            count += 1;
        }
        if let Some(ids) = &promise.ids
            && names != *ids
        {
            return Err(format!("`{group}` has {names:?}, it should have {ids:?}"));
        }
        // The controller's own machine stays, even where nobody is to.
        if count == promise.size.max(owned) {
            return Ok(());
        }
        Err(format!("`{group}` has {count} members of {}", promise.size))
    }
}
