//! How far a rollout is, which revisions there were, and how the group is.

use infrakit_plan::{
    ConditionKind as Kind, Direction, PausedBy, Phase, RollResult, Timestamp, WaitingOn,
};
use infrakit_spi::GroupId;
use infrakit_spi::rollout::{
    Condition, ConditionKind, Outcome, RevisionRecord, RolloutState, RolloutStatus,
};

use crate::core::state::census::Census;
use crate::core::{Core, Group, Refused};

impl Core {
    /// Returns a group that is asked about.
    pub(in crate::core) fn known(&self, id: &GroupId) -> Result<&Group, Refused> {
        let group = self.groups.get(id);
        group.ok_or_else(|| Refused::NotWatched(id.clone()))
    }

    /// Returns how far the rollout of a group is.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn rollout_status(&self, id: &GroupId) -> Result<RolloutStatus, Refused> {
        let wall = self.on_wall();
        let group = self.known(id)?;
        let memory = &group.memory;
        let Census {
            total,
            updated,
            ready,
        } = Census::of(group);
        let state = group.rollout_state();
        let roll = memory.roll.as_ref();
        let forward = roll.filter(|roll| roll.direction == Direction::Forward);
        let stages = group.spec.updating.stages.len();
        let stages = forward.map_or(0, |_| stages);
        let stage = forward.map_or(0, |roll| (roll.stage + 1).min(stages));
        let pause = roll.and_then(|roll| roll.paused.as_ref());
        let waiting = group.waiting.iter();
        let waiting = waiting.filter(|(on, _)| !matches!(on, WaitingOn::Paused { .. }));
        Ok(RolloutStatus {
            group: id.clone(),
            revision: group.revision,
            from: group.came_from().unwrap_or_default(),
            state,
            stage: stage as u64,
            stages: stages as u64,
            updated: updated as u64,
            ready: ready as u64,
            total: total as u64,
            outdated: (total - updated) as u64,
            failed: roll.map_or(0, |roll| roll.failed),
            since: wall.moment(group.stands_since(state)),
            paused_by: pause.map_or_else(String::new, |pause| name(&pause.by).to_owned()),
            message: group.remark(state),
            waiting: waiting.map(|(on, _)| wall.said(on)).collect(),
            held: memory.held.iter().cloned().collect(),
            converged: group.is_as_specified(),
        })
    }

    /// Returns the revisions of a group that are kept, the oldest first.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn history(&self, id: &GroupId) -> Result<Vec<RevisionRecord>, Refused> {
        let wall = self.on_wall();
        let group = self.known(id)?;
        let revisions = group.revisions.iter();
        let record = |(revision, committed): (&u64, &crate::core::state::group::Committed)| {
            let (outcome, message) = group.outcome(*revision);
            let known = group.memory.outcomes.get(revision);
            RevisionRecord {
                revision: *revision,
                hash: committed.spec.hash.to_string(),
                committed: wall.moment(committed.at),
                outcome,
                good: known.is_some_and(|known| known.result == RollResult::Completed),
                in_force: *revision == group.revision,
                message,
            }
        };
        Ok(revisions.map(record).collect())
    }

    /// Returns the conditions of a group, as its last plan saw them.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn conditions(&self, id: &GroupId, now: Timestamp) -> Result<Vec<Condition>, Refused> {
        let wall = self.on_wall();
        let group = self.known(id)?;
        let conditions = group.memory.conditions.iter();
        let told = conditions.map(|(kind, condition)| Condition {
            kind: match kind {
                Kind::Available => ConditionKind::Available,
                Kind::UpToDate => ConditionKind::UpToDate,
                Kind::RollingOut => ConditionKind::RollingOut,
                Kind::Scaling => ConditionKind::Scaling,
                Kind::Healing => ConditionKind::Healing,
                Kind::Paused => ConditionKind::Paused,
                Kind::Frozen => ConditionKind::Frozen,
                Kind::Degraded => ConditionKind::Degraded,
            },
            status: condition.holds,
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            since: wall.moment(condition.since),
        });
        let mut told: Vec<Condition> = told.collect();
        let trouble = group.degraded_by(self.config.poll_interval, now);
        let degraded = told
            .iter_mut()
            .find(|one| one.kind == ConditionKind::Degraded && !one.status);
        if let (Some(trouble), Some(degraded)) = (trouble, degraded) {
            degraded.status = true;
            degraded.reason = trouble.reason;
            degraded.message = trouble.message;
            if let Some(since) = trouble.since {
                degraded.since = wall.moment(since);
            }
        }
        Ok(told)
    }
}

/// Names who paused a rollout.
fn name(by: &PausedBy) -> &'static str {
    match by {
        PausedBy::Operator => "the operator",
        PausedBy::Failures { .. } => "failures",
        PausedBy::Deadline => "the progress deadline",
        PausedBy::Configuration { .. } => "a configuration error",
        PausedBy::Changed { .. } => "a change since it was shown",
        PausedBy::Rollback => "a rollback that failed, too",
    }
}

impl Group {
    /// Returns whether the group is as specified. Nothing is done about a member that is one too many
    /// and held, and yet it is one too many.
    pub(in crate::core) fn is_as_specified(&self) -> bool {
        let mut waiting = self.waiting.iter().map(|(on, _)| on);
        let too_large = waiting.any(|on| match on {
            WaitingOn::Held { surplus, .. } => *surplus > 0,
            _ => false,
        });
        self.converged && !too_large
    }

    /// Returns whether the rollout to the spec in force was ended by somebody.
    pub(in crate::core) fn is_aborted(&self) -> bool {
        self.memory.aborted.as_ref() == Some(&self.spec.hash)
    }

    fn rollout_state(&self) -> RolloutState {
        if self.memory.phase == Phase::Destroying {
            return RolloutState::None;
        }
        if self.is_aborted() {
            return RolloutState::Aborted;
        }
        let Some(roll) = &self.memory.roll else {
            return match self.memory.outcomes.get(&self.revision) {
                Some(outcome) if outcome.result == RollResult::Completed => RolloutState::Completed,
                // All members are new; what is still to be done is what came with the rollout.
                Some(_) | None if self.is_finishing() => match self.left() {
                    // What it was rolled back from is gone already, and the others are being made.
                    Some(RollResult::RolledBack) => RolloutState::RollingBack,
                    Some(_) | None => RolloutState::Rolling,
                },
                Some(_) | None => RolloutState::None,
            };
        };
        if roll.paused.is_some() {
            return RolloutState::Paused;
        }
        if self.converged {
            // Nobody is there who could show anything; it goes on when somebody is.
            return RolloutState::None;
        }
        if roll.direction == Direction::Back {
            return RolloutState::RollingBack;
        }
        let waits = self.waiting.iter().find_map(|(on, _)| match on {
            WaitingOn::Window { .. } => Some(RolloutState::AwaitingWindow),
            WaitingOn::Approval { .. } => Some(RolloutState::AwaitingApproval),
            WaitingOn::Bake { .. } => Some(RolloutState::Baking),
            _ => None,
        });
        waits.unwrap_or(RolloutState::Rolling)
    }

    /// Returns whether the configuration in force came in place of another one, and was not seen to
    /// work with all members yet.
    fn is_finishing(&self) -> bool {
        let mut latest = self.revisions.range(..=self.revision).rev();
        for (revision, committed) in latest.by_ref() {
            if committed.spec.hash != self.spec.hash {
                return !self.converged;
            }
            let outcome = self.memory.outcomes.get(revision);
            if outcome.is_some_and(|outcome| outcome.result == RollResult::Completed) {
                return false;
            }
        }
        false
    }

    /// Returns what became of the configuration before this one.
    fn left(&self) -> Option<RollResult> {
        let mut older = self.revisions.range(..self.revision).rev();
        let left = older.find(|(_, committed)| committed.spec.hash != self.spec.hash);
        let outcome = self.memory.outcomes.get(left?.0)?;
        Some(outcome.result)
    }

    /// Returns the revision that outdated members have, as far as it is known.
    fn came_from(&self) -> Option<u64> {
        let roll = self.memory.roll.as_ref();
        if let Some(former) = roll.and_then(|roll| roll.former.as_ref()) {
            return Some(former.revision);
        }
        let mut older = self.revisions.range(..self.revision).rev();
        let former = older.find(|(_, committed)| committed.spec.hash != self.spec.hash);
        former.map(|(revision, _)| *revision)
    }

    /// Returns since when the rollout stands where it does.
    fn stands_since(&self, state: RolloutState) -> Timestamp {
        let committed = self.revisions.get(&self.revision);
        let committed = committed.map_or_else(Timestamp::default, |committed| committed.at);
        let outcome = self.memory.outcomes.get(&self.revision);
        let outcome = outcome.map_or(committed, |outcome| outcome.at);
        let Some(roll) = &self.memory.roll else {
            return match state {
                RolloutState::Completed | RolloutState::Aborted => outcome,
                _ => committed,
            };
        };
        if let Some(pause) = &roll.paused {
            return pause.since;
        }
        let waits = self.waiting.iter().find(|(on, _)| match state {
            RolloutState::AwaitingWindow => matches!(on, WaitingOn::Window { .. }),
            RolloutState::AwaitingApproval => matches!(on, WaitingOn::Approval { .. }),
            RolloutState::Baking => matches!(on, WaitingOn::Bake { .. }),
            _ => false,
        });
        waits.map_or(roll.begun, |(on, since)| self.began(on, *since))
    }

    /// Returns what there is to say about where the rollout stands.
    fn remark(&self, state: RolloutState) -> String {
        let memory = &self.memory;
        let outcome = |revision| memory.outcomes.get(&revision);
        match state {
            RolloutState::Paused => self.paused_by_failure().unwrap_or_default(),
            RolloutState::Aborted => match outcome(self.revision) {
                Some(outcome) if outcome.result == RollResult::Aborted => outcome.note.clone(),
                Some(_) | None => String::new(),
            },
            RolloutState::RollingBack | RolloutState::Completed => {
                let left = self.revision.saturating_sub(1);
                match outcome(left) {
                    Some(outcome) if outcome.result == RollResult::RolledBack => {
                        format!("revision {left} was rolled back: {}", outcome.note)
                    }
                    Some(_) | None => String::new(),
                }
            }
            RolloutState::None if memory.roll.is_some() => format!(
                "no member is there to show whether revision {} works; its rollout goes on when the group has one",
                self.revision
            ),
            RolloutState::None
            | RolloutState::Rolling
            | RolloutState::Baking
            | RolloutState::AwaitingApproval
            | RolloutState::AwaitingWindow
            | RolloutState::Failed => String::new(),
        }
    }

    /// Says what paused the rollout, unless somebody did.
    pub(in crate::core) fn paused_by_failure(&self) -> Option<String> {
        let pause = self.memory.roll.as_ref()?.paused.as_ref()?;
        if pause.by == PausedBy::Operator {
            return None;
        }
        let by = pause.by.to_string();
        let last = self.memory.creation.last();
        if last.is_empty() || by.contains(last) {
            return Some(by);
        }
        Some(format!("{by}; the last creation failed with: {last}"))
    }

    /// Returns what became of a revision.
    fn outcome(&self, revision: u64) -> (Outcome, String) {
        let in_force = revision == self.revision;
        let known = self.memory.outcomes.get(&revision);
        let asked = self.revisions.get(&revision);
        let asked = asked.map(|committed| committed.note.as_str());
        let came = known.map(|known| known.note.as_str());
        let notes = asked.into_iter().chain(came);
        let notes: Vec<&str> = notes.filter(|note| !note.is_empty()).collect();
        let note = notes.join("; ");
        let hash = |revision| {
            let committed = self.revisions.get(&revision);
            committed.map(|committed| &committed.spec.hash)
        };
        let outcome = match known.map(|known| known.result) {
            Some(RollResult::Superseded) => Outcome::Superseded,
            Some(RollResult::RolledBack) => Outcome::RolledBack,
            Some(RollResult::Aborted) => Outcome::Aborted,
            _ if in_force && self.is_aborted() => Outcome::Aborted,
            Some(RollResult::Completed) if in_force && hash(revision) == hash(revision - 1) => {
                Outcome::Current
            }
            Some(RollResult::Completed) => Outcome::Completed,
            None if !in_force => Outcome::Superseded,
            None => match self.paused_by_failure() {
                Some(why) => return (Outcome::Failed, format!("paused by {why}")),
                None => Outcome::Pending,
            },
        };
        (outcome, note)
    }
}
