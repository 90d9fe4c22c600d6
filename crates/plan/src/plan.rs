//! The planner: what a group needs next, in one pass from top to bottom.

use std::sync::Arc;

use infrakit_spi::flavor::Health;
use infrakit_spi::tags;

use crate::action::{Action, Drain, Plan, Reason, WaitingOn};
use crate::draft::Draft;
use crate::memory::{Memory, Phase};
use crate::observed::{Key, Member, Observed, Step};
use crate::{Config, Size, Spec, Timestamp};
use crate::{checks, heal, replace, rollout, scale};

/// Decides what a group needs next.
///
/// Nothing is decided before a complete list was seen. Of everything the plan proposes, the
/// members that it takes out of service together never exceed the group's budget, and members plus
/// creations plus departures never exceed its size and surge.
///
/// Where `seen` was [aimed](Observed::aim) at this very spec, a plan costs what has changed; where
/// it was not, it is sorted first.
///
/// ```
/// use infrakit_plan::{Action, Config, Listed, Memory, Observed, Spec, Timestamp, WaitingOn, plan};
/// use infrakit_spi::{Any, instance::Locality};
///
/// let text = r#"{"Instance": {"Plugin": "file"}, "Allocation": {"Size": 2}}"#;
/// let spec = Spec::parse(Some(&Any::parse(text)?))?;
/// let memory = Memory { group: "web".into(), nonce: "k3f9".to_owned(), ..Memory::default() };
/// let (config, now) = (Config::default(), Timestamp(1));
///
/// // Nothing is known yet, so nothing is done, and the plan says what it waits for.
/// let mut seen = Observed::default();
/// let blind = plan(&spec, &seen, memory.clone(), now, &config);
/// assert!(blind.actions.is_empty());
/// assert_eq!(blind.waiting, [WaitingOn::Observation]);
///
/// // A complete list shows no instance: both members are missing.
/// let plugin = &spec.instance.plugin;
/// let circumstances = Listed { plugin, started: now, now, locality: Locality::InProcess };
/// seen.apply(&memory.group, [], circumstances, (&memory.nonce, &config));
/// let first = plan(&spec, &seen, memory, now, &config);
/// assert!(matches!(first.actions[..], [Action::Provision(_), Action::Provision(_)]));
///
/// // The memory of that plan knows what was begun, so that it is not begun again.
/// let second = plan(&spec, &seen, first.memory, now, &config);
/// assert!(second.actions.is_empty());
/// assert_eq!(second.waiting, [WaitingOn::Creations { count: 2 }]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn plan(spec: &Spec, seen: &Observed, memory: Memory, now: Timestamp, config: &Config) -> Plan {
    if !seen.is_aimed(spec, memory.naming) {
        let mut aimed = seen.clone();
        aimed.aim(&Arc::new(spec.clone()), memory.naming);
        return decide(Draft::new(spec, &aimed, memory, now, config));
    }
    decide(Draft::new(spec, seen, memory, now, config))
}

fn decide(mut draft: Draft<'_>) -> Plan {
    if draft.seen.listed().is_none() {
        draft.wait(WaitingOn::Observation);
        return draft.finish();
    }
    draft.settle_intents();
    draft.forget_the_gone();
    if draft.memory.phase == Phase::Destroying {
        draft.destroy_everything();
        return draft.finish();
    }
    draft.resume_decided();
    draft.destroy_requested();
    draft.retry_departures();
    rollout::note_roll(&mut draft);
    let illness = heal::diagnose(&mut draft);
    rollout::limit(&mut draft, &illness);
    match &draft.spec.size {
        Size::Cattle(_) => scale::cattle(&mut draft),
        Size::Pets(ids) => scale::pets(&mut draft, ids),
    }
    heal::heal(&mut draft, &illness);
    replace::roll(&mut draft, &illness);
    if matches!(draft.spec.size, Size::Cattle(_)) {
        // What goes makes room.
        scale::grow(&mut draft);
    }
    draft.adopt();
    replace::drain_self(&mut draft);
    checks::check(&mut draft, &illness);
    draft.note_waiting();
    draft.finish()
}

impl<'a> Draft<'a> {
    fn forget_the_gone(&mut self) {
        let seen = self.seen;
        let memory = &mut self.memory;
        memory.doomed.retain(|id| seen.get(id).is_some());
        memory.held.retain(|id| seen.get(id).is_some());
        memory.drained.retain(|id| seen.get(id).is_some());
        memory.repairs.0.retain(|id, _| seen.get(id).is_some());
        memory
            .decided
            .retain(|id, decided| seen.get_on(&decided.plugin, id).is_some());
    }

    /// Forgets former homes that are empty, and that nothing can come to any more.
    pub(crate) fn forget_homes(&mut self) {
        let (seen, memory) = (self.seen, &mut self.memory);
        let intents = &memory.intents;
        let former = memory.roll.as_ref().and_then(|roll| roll.former.as_ref());
        memory.homes.retain(|home| {
            let used = former.is_some_and(|former| former.plugin == *home)
                || intents.values().any(|intent| intent.plugin == *home);
            used || seen.population(home) > 0 || seen.listed_on(home).is_none()
        });
    }

    /// Destroys all members; the one that the controller runs on goes when nothing else is left to
    /// do, creations without an outcome included: nobody could clean up after it.
    fn destroy_everything(&mut self) {
        self.memory.roll = None;
        let staying: Vec<(&Key, &Member)> = self
            .seen
            .entries()
            .filter(|(_, member)| member.stays())
            .collect();
        let (own, others): (Vec<_>, Vec<_>) = staying
            .into_iter()
            .partition(|(_, member)| self.is_self(member));
        let last = if others.is_empty() && self.tally.leaving == 0 && self.pending() == 0 {
            own
        } else {
            Vec::new()
        };
        for entry in others.into_iter().chain(last) {
            self.destroy(entry, Reason::GroupDestroyed, Drain::Try);
        }
        self.retry_departures();
        self.note_waiting();
    }

    /// Goes on with what a former life of the controller decided: its calls may have been lost, and
    /// other members must not go instead.
    ///
    /// What has no reason any more is not done again. It may still come of the call that was made
    /// then, so that the member is counted on only when a list shows it after a while.
    fn resume_decided(&mut self) {
        let decided: Vec<_> = self
            .memory
            .decided
            .iter()
            .filter_map(|(id, decided)| {
                let entry = self.seen.entry_on(&decided.plugin, id)?;
                entry.1.stays().then(|| (entry, decided.clone()))
            })
            .collect();
        for (entry @ (_, member), decided) in decided {
            if self.is_justified(member, decided.reason) {
                let reason = self.present_reason(member, decided.reason);
                let drain = replace::drain(self.spec, reason);
                self.destroy(entry, reason, drain);
                continue;
            }
            let settled = decided.since + self.config.settle;
            let listed = self.seen.listed_on(&decided.plugin);
            if listed.is_some_and(|listed| listed >= settled) {
                self.memory.decided.remove(&member.id);
            } else {
                self.let_go(entry);
                self.wake(settled.max(self.now + std::time::Duration::from_millis(1)));
            }
        }
    }

    /// Returns whether a reason to destroy a member that was given before still holds.
    fn is_justified(&self, member: &Member, reason: Reason) -> bool {
        match reason {
            Reason::Outdated => self.outdated(member) && self.memory.aborted.is_none(),
            Reason::Unlisted => match &member.logical_id {
                Some(id) => self.index.contested.contains(id),
                None => self.memory.naming,
            },
            Reason::Duplicate => {
                let id = member.logical_id.as_ref();
                id.is_some_and(|id| self.index.contested.contains(id))
            }
            Reason::Surplus => match self.spec.size {
                Size::Cattle(size) => self.index.staying as u64 > size,
                Size::Pets(_) => false,
            },
            Reason::GroupDestroyed => false,
            // What the former life knew of its health is lost; it has to show itself anew.
            Reason::Unhealthy => member.health.last() == Health::Unhealthy,
            Reason::Requested => true,
        }
    }

    fn destroy_requested(&mut self) {
        if self.memory.doomed.is_empty() {
            return;
        }
        let doomed: Vec<(&Key, &Member)> = self
            .memory
            .doomed
            .iter()
            .filter_map(|id| self.seen.entry(id))
            .filter(|(_, member)| member.stays())
            .collect();
        for entry in doomed {
            if self.taken.contains(entry.0) {
                continue;
            }
            if !self.can_spare(entry.1) {
                self.wait(WaitingOn::Budget {
                    available: self.tally.serving,
                    needed: self.needed() + 1,
                });
                continue;
            }
            self.destroy(entry, Reason::Requested, Drain::Try);
        }
    }

    /// Tries failed destructions again, and those that were accepted and came to nothing.
    fn retry_departures(&mut self) {
        for (_, member) in self.members(&self.index.leaving).collect::<Vec<_>>() {
            let Some(departure) = member.departure else {
                continue;
            };
            let due = match departure.step {
                Step::InFlight(_) => continue,
                Step::Failed(_, retry_at) => retry_at,
                Step::Accepted(at) => at + self.config.settle.saturating_mul(4),
            };
            if due > self.now {
                self.wake(due);
            } else if self.may_destroy() {
                let reason = self.present_reason(member, departure.reason);
                let drain = replace::drain(self.spec, reason);
                self.actions.push(Action::Destroy {
                    id: member.id.clone(),
                    plugin: member.plugin.clone(),
                    reason,
                    drain,
                });
            }
        }
    }

    /// Returns why a member that has been decided to go is to go now. A rolling update insists on
    /// draining; an operator's wish, or sickness that came meanwhile, must not be held up by that.
    fn present_reason(&self, member: &Member, decided: Reason) -> Reason {
        if self.memory.phase == Phase::Destroying {
            Reason::GroupDestroyed
        } else if self.memory.doomed.contains(&member.id) {
            Reason::Requested
        } else if decided == Reason::Outdated && heal::is_suspect(self, member) {
            Reason::Unhealthy
        } else {
            decided
        }
    }

    /// Adopts instances that were made by hand and ask for it. A list has to confirm it.
    fn adopt(&mut self) {
        let asking: Vec<_> = self.members(&self.index.asking).collect();
        if asking.iter().any(|(_, member)| member.is_being_labelled()) {
            self.wait(WaitingOn::Observation);
        }
        for (_, member) in asking {
            if member.is_being_labelled() {
                continue;
            }
            let mut labels = self.labels(&self.spec.hash);
            // The request may stand under the key of another release; both must say the same.
            for key in [tags::CONFIG_HASH, tags::CONFIG_SHA] {
                let tags = member.description.tags.as_ref();
                if tags.is_some_and(|tags| tags.contains_key(key)) {
                    labels.insert(key.to_owned(), self.spec.hash.as_str().to_owned());
                }
            }
            self.actions.push(Action::Adopt {
                id: member.id.clone(),
                plugin: member.plugin.clone(),
                labels,
            });
        }
    }

    fn note_waiting(&mut self) {
        let pending = self.pending();
        if pending > 0 {
            self.wait(WaitingOn::Creations { count: pending });
        }
        let leaving = self.tally.leaving;
        if leaving > 0 {
            self.wait(WaitingOn::Departures { count: leaving });
        }
        if self.memory.phase == Phase::Destroying {
            return;
        }
        if let Some(own) = self.own()
            && (self.outdated(own) || self.is_too_many(own))
        {
            let id = own.id.clone();
            self.wait(WaitingOn::SelfMember { id });
        }
        if self.memory.held.is_empty() {
            return;
        }
        let outdated = self.index.outdated.iter().map(|(_, key)| key);
        let held: Vec<&Member> = self
            .members(outdated)
            .map(|(_, member)| member)
            .filter(|member| self.memory.held.contains(&member.id))
            .collect();
        if let Some(first) = held.first() {
            let (id, count) = (first.id.clone(), held.len());
            self.wait(WaitingOn::Held { id, count });
        }
    }

    /// Returns the member that the controller runs on, if it stays.
    pub(crate) fn own(&self) -> Option<&'a Member> {
        let id = self.config.self_logical_id.as_ref()?;
        let holders = self.index.holders.get(id)?;
        let mut own = self.members(holders).map(|(_, member)| member);
        own.find(|member| member.stays() && self.is_self(member))
    }

    /// Returns whether a member that stays would have to go, were it not the controller's own.
    fn is_too_many(&self, own: &Member) -> bool {
        match &self.spec.size {
            Size::Cattle(size) => self.tally.staying as u64 > *size + self.surge_in_use() as u64,
            Size::Pets(ids) => own.logical_id.as_ref().is_some_and(|id| !ids.contains(id)),
        }
    }

    /// Returns how many staying members the operator wants gone.
    pub(crate) fn doomed(&self) -> usize {
        let doomed = self.memory.doomed.iter();
        doomed
            .filter_map(|id| self.seen.entry(id))
            .filter(|(key, member)| member.stays() && !self.taken.contains(key))
            .count()
    }

    /// Returns how many members may be there beyond the size at the moment: no more than there are
    /// to be replaced.
    pub(crate) fn surge_in_use(&self) -> usize {
        let most = self.budget.surge;
        let rolled = if self.memory.roll.is_some() {
            self.replaceable().take(most).count()
        } else {
            0
        };
        most.min(rolled + self.doomed())
    }
}
