//! Members that were decided to go: by operators, by a former life, or with the whole group.

use infrakit_spi::flavor::Health;

use crate::Size;
use crate::action::{Action, Drain, Reason};
use crate::diagnosis::sickness::is_suspect;
use crate::draft::Draft;
use crate::guards::Guard;
use crate::ledger::errand::{Errand, Refusal};
use crate::memory::Phase;
use crate::observation::{Key, Member, Step};
use crate::steps::roll::drain;

impl Draft<'_> {
    /// Destroys all members; the one that the controller runs on goes when nothing else is left to
    /// do, creations without an outcome included: nobody could clean up after it.
    pub(crate) fn destroy_everything(&mut self) {
        self.memory.roll = None;
        let staying: Vec<(&Key, &Member)> = self
            .seen
            .entries()
            .filter(|(_, member)| member.stays())
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
        for entry in others.into_iter().chain(last) {
            if self.destroy(entry, Errand::Everybody, Drain::Try).is_err() {
                break;
            }
        }
        self.retry_departures();
        self.note_waiting();
    }

    /// Goes on with what a former life of the controller decided: its calls may have been lost, and
    /// other members must not go instead.
    ///
    /// What has no reason any more is not done again. It may still come of the call that was made
    /// then, so that the member is counted on only when a list shows it after a while.
    pub(crate) fn resume_decided(&mut self) {
        let decided: Vec<_> = self
            .memory
            .decided
            .iter()
            .filter_map(|((plugin, id), decided)| {
                let entry = self.seen.entry_on(plugin, id)?;
                entry.1.stays().then(|| (entry, decided.clone()))
            })
            .collect();
        for (entry @ (_, member), decided) in decided {
            if self.is_justified(member, decided.reason) {
                let reason = self.present_reason(member, decided.reason);
                let errand = if self.memory.urgent.contains(&member.id) {
                    Errand::RequestedNow
                } else {
                    Errand::Resumed(reason)
                };
                let drain = drain(self.spec, reason);
                match self.destroy(entry, errand, drain) {
                    Ok(()) => continue,
                    // It waits for its call.
                    Err(Refusal::Call(..)) => {
                        self.let_go(entry);
                        continue;
                    }
                    // Others are missing since; it is as if it had no reason any more.
                    Err(_) => {}
                }
            }
            let settled = decided.since + self.config.settle;
            let listed = self.seen.listed_on(&decided.plugin);
            if listed.is_some_and(|listed| listed >= settled) {
                let key = (member.plugin.clone(), member.id.clone());
                self.memory.decided.remove(&key);
            } else {
                self.let_go(entry);
                self.wake(settled.max(self.now + std::time::Duration::from_millis(1)));
            }
        }
    }

    /// Returns whether a reason to destroy a member that was given before still holds.
    fn is_justified(&self, member: &Member, reason: Reason) -> bool {
        if !Guard::Justification.stands() {
            return true;
        }
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
            let errand = if self.memory.urgent.contains(&entry.1.id) {
                Errand::RequestedNow
            } else {
                Errand::Requested
            };
            // Another one may not serve, and can go.
            let _ = self.destroy(entry, errand, Drain::Try);
        }
    }

    /// Tries failed destructions again, and those that were accepted and came to nothing.
    pub(crate) fn retry_departures(&mut self) {
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
                continue;
            }
            match self.ledger.destroy_again(member) {
                Ok(right) => {
                    let reason = self.present_reason(member, departure.reason);
                    let drain = drain(self.spec, reason);
                    self.actions.push(Action::Destroy {
                        id: member.id.clone(),
                        plugin: member.plugin.clone(),
                        reason,
                        drain,
                        right,
                    });
                }
                Err(refusal) => self.refused(refusal),
            }
        }
    }

    /// Returns why a member that has been decided to go is to go now. A rolling update insists on
    /// draining; an operator's wish, or sickness that came meanwhile, must not be held up by that.
    fn present_reason(&self, member: &Member, decided: Reason) -> Reason {
        if self.memory.phase == Phase::Destroying {
            Reason::GroupDestroyed
        } else if self.memory.is_doomed(member) {
            Reason::Requested
        } else if decided == Reason::Outdated && is_suspect(self, member) {
            Reason::Unhealthy
        } else {
            decided
        }
    }
}
