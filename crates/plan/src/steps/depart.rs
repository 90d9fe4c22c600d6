//! Members that were decided to go: by operators, by a former life, or with the whole group.

use std::collections::{BTreeMap, BTreeSet};

use infrakit_spi::PluginName;
use infrakit_spi::flavor::Health;
use infrakit_spi::instance::Lifecycle;

use crate::action::{Action, Drain};
use crate::diagnosis::domains;
use crate::diagnosis::sickness::{is_sick, is_suspect};
use crate::draft::Draft;
use crate::guards::Guard;
use crate::ledger::errand::{Errand, Refusal};
use crate::memory::Phase;
use crate::observation::{Departure, Key, Member, Step};
use crate::reason::Reason;
use crate::steps::roll::drain;
use crate::waiting::WaitingOn;
use crate::{Size, Timestamp};

impl<'a> Draft<'a> {
    /// Destroys all members; the one that the controller runs on goes when nothing else is left to
    /// do, creations without an outcome included: nobody could clean up after it.
    pub(crate) fn destroy_everything(&mut self) {
        self.memory.roll = None;
        self.await_decided();
        let staying: Vec<(&Key, &Member)> = self
            .seen
            .entries()
            .filter(|(key, member)| member.stays() && !self.taken.contains(key))
            .collect();
        let (own, others): (Vec<_>, Vec<_>) = staying
            .into_iter()
            .partition(|(_, member)| self.is_self(member));
        let tally = self.ledger.tally();
        let last = if others.is_empty() && tally.leaving + tally.coming == 0 {
            own
        } else {
            Vec::new()
        };
        let mut closed = BTreeSet::new();
        for entry in others.into_iter().chain(last) {
            let plugin = &entry.1.plugin;
            if closed.contains(plugin) {
                continue;
            }
            // Those on other plugins need not wait for one that takes no calls.
            if let Err(Refusal::Call(..)) = self.destroy(entry, Errand::Everybody, Drain::Try) {
                closed.insert(plugin);
            }
        }
        self.retry_departures();
        if self.seen.may_have_others() {
            // Nobody would ever destroy them once the group is gone.
            self.wait(WaitingOn::Observation);
        }
        self.note_waiting();
    }

    /// Counts those among the leaving whom a former life decided to destroy, as long as no list proves that
    /// they are there: the first one of a life may be from before they went, and their ids be those of
    /// others since. Their calls may have been carried out as late as that life ended, whenever it was
    /// decided: a drain takes its time, and what fails is tried again. A plugin that gives no id twice may
    /// be asked at once.
    fn await_decided(&mut self) {
        let decided: Vec<_> = self
            .memory
            .decided
            .iter()
            .filter(|((plugin, _), _)| self.config.behaviour(plugin).reuses_ids())
            .filter_map(|((plugin, id), decided)| {
                let entry = self.seen.entry_on(plugin, id)?;
                let shown = self.seen.has_shown_since(entry.1, decided.since);
                (entry.1.stays() && !shown).then_some((entry, decided.since))
            })
            .collect();
        for (entry, since) in decided {
            let proof = self.seen.proof_of_life(&entry.1.plugin, since);
            if proof > self.now {
                self.wake(proof);
            }
            self.let_go(entry);
        }
    }

    /// Goes on with what a former life of the controller decided: its calls may have been lost, and
    /// other members must not go instead.
    ///
    /// What has no reason any more is not done again. It may still come of the call that was made
    /// then, so that the member is counted on only when a list shows it after a while.
    pub(crate) fn resume_decided(&mut self) {
        self.await_decided();
        let decided: Vec<_> = self
            .memory
            .decided
            .iter()
            .filter_map(|((plugin, id), decided)| {
                let entry = self.seen.entry_on(plugin, id)?;
                let due = entry.1.stays() && !self.taken.contains(entry.0);
                due.then(|| (entry, decided.clone()))
            })
            .collect();
        for (entry @ (_, member), decided) in decided {
            let reason = self.present_reason(member, decided.reason);
            // One that was ill for all that a former life knew is asked before it goes for that.
            let unheard = reason == Reason::Unhealthy && !is_known_ill(member);
            let justified =
                self.is_justified(member, decided.reason) || self.is_justified(member, reason);
            if justified && !unheard {
                let drain = drain(self.spec, reason);
                match self.destroy(entry, self.resumed(member, reason), drain) {
                    Ok(()) => continue,
                    // It waits for its call.
                    Err(Refusal::Call(..)) => {
                        self.let_go_for_now(entry);
                        continue;
                    }
                    // Others are missing since; it is as if it had no reason any more.
                    Err(_) => {}
                }
            }
            if self.came_to_nothing(member, decided.since) {
                let key = (member.plugin.clone(), member.id.clone());
                self.memory.decided.remove(&key);
            } else if unheard {
                self.book(entry);
            } else {
                self.let_go_for_now(entry);
            }
        }
    }

    /// Counts a member among those that leave that a former life asked to go, and looks at it as at others:
    /// it may stay after all.
    fn let_go_for_now(&mut self, entry: (&'a Key, &'a Member)) {
        self.let_go(entry);
        self.asked_before.insert(entry.0);
    }

    fn resumed(&self, member: &Member, reason: Reason) -> Errand {
        if self.memory.is_urgent(member) {
            Errand::RequestedNow
        } else {
            Errand::Resumed(reason)
        }
    }

    /// Returns whether a destruction that may have been accepted at `taken` has come to nothing, as a
    /// list shows: one in which the plugin says that the member works, once a call could not take
    /// effect any more; where it says nothing, once destructions of its provider hang.
    fn came_to_nothing(&mut self, member: &Member, taken: Timestamp) -> bool {
        let behaviour = self.config.behaviour(&member.plugin);
        let patience = match member.description.state {
            Lifecycle::Terminating | Lifecycle::Gone => return false,
            Lifecycle::Running if !member.missed => {
                self.config.settle + self.config.lag(&member.plugin).longest()
            }
            _ => behaviour.destruction_stuck(),
        };
        let until = taken + patience;
        if until > self.now {
            self.wake(until);
        }
        let listed = self.seen.listed_on(&member.plugin);
        listed.is_some_and(|listed| listed >= until)
    }

    /// Returns whether a reason to destroy a member that was given before still holds.
    fn is_justified(&self, member: &Member, reason: Reason) -> bool {
        if !Guard::Justification.stands() {
            return true;
        }
        let memory = &self.memory;
        match reason {
            Reason::Outdated => {
                let roll = memory.roll.as_ref();
                let paused = roll.is_some_and(|roll| roll.paused.is_some());
                self.outdated(member) && memory.aborted.is_none() && !paused
            }
            Reason::Unlisted | Reason::Duplicate => match &member.logical_id {
                Some(_) => self.is_one_too_many(member),
                // One for whom a name is free is given that.
                None => reason == Reason::Unlisted && memory.naming && !self.has_free_name(),
            },
            Reason::Surplus => match self.spec.size {
                Size::Cattle(size) => {
                    let others = self
                        .ledger
                        .tally()
                        .own()
                        .saturating_sub(usize::from(member.stays()));
                    // Those that the last list lacks may be gone: nobody that it shows is too many beside
                    // them.
                    let missed = if member.missed { 0 } else { self.index.missed };
                    others.saturating_sub(missed) as u64 >= size
                }
                Size::Pets(_) => false,
            },
            Reason::GroupDestroyed => memory.phase == Phase::Destroying,
            // Nor does anybody go for its health while too many are said to be ill, of all or of its domain.
            Reason::Unhealthy => {
                let health = member.health.last_known();
                let broken = memory.breaker.is_some() || domains::is_broken(self, member);
                health == Some(Health::Unhealthy) && !broken
            }
            Reason::Requested => true,
        }
    }

    /// Returns whether the identity of a named member is not wanted, or another one has it and stays.
    fn is_one_too_many(&self, member: &Member) -> bool {
        let (Size::Pets(_), Some(id)) = (&self.spec.size, &member.logical_id) else {
            return false;
        };
        let holders = self.index.holders.get(id).into_iter().flatten();
        // Should one from elsewhere go, nobody else has the name.
        let mut others = self
            .members(holders)
            .filter(|(key, _)| !self.strangers.contains(key))
            .map(|(_, other)| other)
            .filter(|other| (&other.id, &other.plugin) != (&member.id, &member.plugin));
        !self.is_wanted(id) || others.any(Member::stays)
    }

    /// Returns whether a name is wanted that nobody has, or is made for.
    fn has_free_name(&self) -> bool {
        let Size::Pets(ids) = &self.spec.size else {
            return false;
        };
        let intents = self.memory.intents.values();
        let made: BTreeSet<_> = intents.filter_map(|one| one.logical_id.as_ref()).collect();
        let mut ids = ids.iter();
        ids.any(|id| !self.index.holders.contains_key(id) && !made.contains(id))
    }

    pub(crate) fn destroy_requested(&mut self) {
        if self.memory.doomed.is_empty() {
            return;
        }
        let doomed: Vec<(&Key, &Member)> = self
            .memory
            .doomed
            .iter()
            .filter_map(|id| self.meant(id))
            .filter(|(_, member)| member.stays())
            .collect();
        for entry in doomed {
            if self.taken.contains(entry.0) {
                continue;
            }
            let errand = if self.memory.is_urgent(entry.1) {
                Errand::RequestedNow
            } else {
                Errand::Requested
            };
            // Another one may not serve, and can go.
            let _ = self.destroy(entry, errand, Drain::Try);
        }
    }

    /// Tries failed destructions again, and those that were accepted and came to nothing, as long as
    /// there is a reason and enough others serve. Otherwise the members are counted on again.
    ///
    /// What may have been carried out is only asked for again when a list has shown the member since:
    /// its id may be that of a stranger by now, unless its plugin gives none twice.
    ///
    /// It comes after all that lets others go, and after what may pause the rollout: whoever is not
    /// to go any more is known in the same plan.
    pub(crate) fn retry_departures(&mut self) {
        for entry in self.members(&self.index.leaving).collect::<Vec<_>>() {
            let member = entry.1;
            let Some((departure, mut due, shown)) = self.next_try(member) else {
                continue;
            };
            let reason = self.present_reason(member, departure.reason);
            if !self.still_goes(entry, (departure.reason, reason)) {
                let nothing = departure
                    .taken
                    .is_none_or(|at| self.came_to_nothing(member, at));
                if nothing {
                    self.spare(member);
                }
                continue;
            }
            if member.description.state.is_leaving() {
                // Its plugin is at it. Whether that hangs, or it is one of the dead, a later list tells.
                let stuck = self.config.behaviour(&member.plugin).destruction_stuck();
                let since = departure.taken.unwrap_or(departure.since);
                due = due.max(since.max(member.terminating.unwrap_or(since)) + stuck);
                let listed = self.seen.listed_on(&member.plugin);
                if due <= self.now && listed.is_none_or(|listed| listed < due) {
                    continue;
                }
            }
            if due > self.now {
                self.wake(due);
                continue;
            }
            if !shown || self.seen.may_reach_another(member, reason) {
                continue;
            }
            match self.ledger.destroy_again(member) {
                Ok(right) => {
                    let drain = drain(self.spec, reason);
                    self.actions.push(Action::Destroy {
                        id: member.id.clone(),
                        plugin: member.plugin.clone(),
                        reason,
                        drain,
                        blamed: false,
                        right,
                    });
                }
                Err(refusal) => self.refused(refusal),
            }
        }
    }

    /// Returns how many destructions of each plugin are due to be tried again because there are too many
    /// members, as far as is known before others are let go. It matters only where calls are limited.
    pub(crate) fn surplus_to_retry(&self) -> BTreeMap<PluginName, usize> {
        let mut due = BTreeMap::new();
        if self.config.allowance.is_unmetered() {
            return due;
        }
        for (key, member) in self.members(&self.index.leaving) {
            let Some((departure, at, shown)) = self.next_try(member) else {
                continue;
            };
            let waits = at > self.now
                || !shown
                || member.description.state.is_leaving()
                || self.seen.may_reach_another(member, departure.reason);
            if waits || departure.reason != Reason::Surplus {
                continue;
            }
            let (stake, errand) = (self.stake(key, member), Errand::Resumed(Reason::Surplus));
            if self.is_justified(member, Reason::Surplus)
                && self.ledger.may_still_go(stake, errand).is_ok()
            {
                *due.entry(member.plugin.clone()).or_insert(0) += 1;
            }
        }
        due
    }

    /// Returns when a member's destruction is asked for again, where none is under way, and whether a
    /// list has shown the member as late as that takes.
    fn next_try(&self, member: &Member) -> Option<(Departure, Timestamp, bool)> {
        let departure = member.departure?;
        let (due, shown) = match departure.step {
            Step::InFlight(_) => return None,
            Step::Failed(_, retry_at) => {
                let taken = departure.taken;
                let behaviour = self.config.behaviour(&member.plugin);
                let shown = !behaviour.reuses_ids()
                    || taken.is_none_or(|taken| self.seen.has_shown_since(member, taken));
                (retry_at, shown)
            }
            Step::Accepted(at) => {
                let late = self.seen.proof_of_life(&member.plugin, at);
                let due = late.max(at + self.config.settle.saturating_mul(4));
                (due, self.seen.has_shown(member, due))
            }
        };
        Some((departure, due, shown))
    }

    /// Returns whether a member whose destruction has not happened is to go as before.
    fn still_goes(
        &mut self,
        (key, member): (&Key, &Member),
        (decided, present): (Reason, Reason),
    ) -> bool {
        if self.memory.phase == Phase::Destroying {
            return true;
        }
        if !self.is_justified(member, decided) && !self.is_justified(member, present) {
            return false;
        }
        let stake = self.stake(key, member);
        let errand = self.resumed(member, present);
        match self.ledger.may_still_go(stake, errand) {
            Ok(()) => true,
            Err(refusal) => {
                self.refused(refusal);
                false
            }
        }
    }

    fn spare(&mut self, member: &Member) {
        let key = (member.plugin.clone(), member.id.clone());
        self.memory.decided.remove(&key);
        self.actions.push(Action::Spare {
            id: member.id.clone(),
            plugin: member.plugin.clone(),
        });
    }

    /// Returns why a member that has been decided to go is to go now. A rolling update insists on
    /// draining; an operator's wish, or sickness that came meanwhile, must not be held up by that. One
    /// that its configuration is no reason for any more has to be as sick as any other that goes.
    fn present_reason(&self, member: &Member, decided: Reason) -> Reason {
        if self.memory.phase == Phase::Destroying {
            Reason::GroupDestroyed
        } else if self.memory.is_doomed(member) {
            Reason::Requested
        } else if decided == Reason::Outdated
            && is_suspect(self, member)
            && (self.is_justified(member, decided) || is_sick(self, member))
        {
            Reason::Unhealthy
        } else {
            decided
        }
    }
}

/// Returns whether somebody has said in this life that a member is not well, its flavor or its plugin,
/// and not long ago.
fn is_known_ill(member: &Member) -> bool {
    let health = &member.health;
    member.is_down() || health.asked().is_some() && !health.is_outlived()
}
