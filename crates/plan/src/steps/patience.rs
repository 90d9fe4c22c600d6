//! For how long something may be waited for before the group counts as degraded.
//!
//! Nothing waits in silence: whatever does not end by itself soon is said once it has lasted longer
//! than it does when all is well. What a person or a window ends is no fault, however long it lasts.

use std::time::Duration;

use infrakit_spi::PluginName;
use infrakit_spi::behaviour::{AnswerMeans, Behaviour, Seconds, Visibility};

use crate::draft::Draft;
use crate::observation::Step;
use crate::waiting::WaitingOn;
use crate::{Timestamp, Wait};

const MINUTE: Duration = Duration::from_secs(60);

/// Lists come every poll interval, and tags show in them within a minute at the providers that we
/// know of; five minutes beyond the lag that a provider declares are none any more. A creation or a
/// destruction that has ended shows in as long.
const OBSERVATION: Duration = MINUTE.saturating_mul(5);
/// A drain is given up after ten minutes, as any call.
const DRAIN: Duration = MINUTE.saturating_mul(10);
/// Beyond the grace period, and the time for which a new member has to be healthy: a member that
/// neither comes up nor is found sick is nobody's success. Cluster API gives a node ten minutes to come
/// up, too.
const PROOF: Duration = MINUTE.saturating_mul(10);
/// A budget is short while others are on their way, which is said by itself; beyond that nobody
/// brings back those that are missing. Half an hour is what Karpenter tolerates of a node that is not
/// ready; what comes back by itself has done so by then.
const BUDGET: Duration = MINUTE.saturating_mul(30);
/// Limits refill every minute, or every hour where providers count by that. Who waits for one for
/// longer has a limit that does not suit the group.
const LIMITS: Duration = MINUTE.saturating_mul(60);
/// A suspect is asked every half second. Even thirty verdicts that each take the fifteen seconds of a
/// call are there after seven and a half minutes; ten mean that nobody answers.
const CONFIRMATION: Duration = MINUTE.saturating_mul(10);
/// Beyond the time that a repair has to help: the step itself is a call, which may take ten minutes.
const REPAIR: Duration = MINUTE.saturating_mul(10);

impl Wait {
    /// Returns for how long it may last where it is up to this plugin.
    fn deadline(self, draft: &Draft<'_>, plugin: &PluginName) -> Duration {
        let (health, updating) = (&draft.spec.health, &draft.spec.updating);
        let behaviour = draft.config.behaviour(plugin);
        match self {
            Self::Observation => {
                let homes = draft.seen.homes();
                let behind = homes.map(|home| behind(draft.config.behaviour(home)));
                behind.max().unwrap_or_default() + OBSERVATION
            }
            Self::Creations => behaviour.creation_limit() + OBSERVATION,
            Self::Departures => {
                let dead = behaviour.destruction_stuck() + behaviour.dead_are_listed();
                DRAIN + dead + OBSERVATION
            }
            Self::Health => {
                health.grace_period + updating.duration + boots_within(behaviour) + PROOF
            }
            Self::Budget => BUDGET,
            Self::Governor | Self::Slots => LIMITS,
            Self::Confirmation => CONFIRMATION,
            Self::Repair => health.repair_wait + REPAIR,
        }
    }

    /// Returns since when that is under way of what is waited for which will have lasted too long
    /// first, and how long it may last. Others may have come and gone meanwhile: that many things
    /// take long together is no standstill.
    fn first_due(
        self,
        draft: &Draft<'_>,
        noted: Option<Timestamp>,
    ) -> Option<(Timestamp, Duration)> {
        let first = match self {
            Self::Creations => {
                let intents = draft.memory.intents.values();
                self.first_of(draft, intents.map(|intent| (intent.begun, &intent.plugin)))
            }
            Self::Departures => {
                let leaving = draft.members(&draft.index.leaving);
                let waits = |on: &WaitingOn| matches!(on, WaitingOn::Frozen { .. });
                let frozen = draft.waiting.iter().any(waits);
                // What has failed waits for whoever lets the group go on.
                let (resting, going): (Vec<_>, Vec<_>) = leaving
                    .filter_map(|(_, member)| Some((member.departure?, &member.plugin)))
                    .partition(|(gone, _)| frozen && matches!(gone.step, Step::Failed(..)));
                if going.is_empty() && !resting.is_empty() {
                    return None;
                }
                let going = going.into_iter();
                self.first_of(draft, going.map(|(gone, plugin)| (gone.since, plugin)))
            }
            Self::Health => {
                let unproved = draft.members(&draft.index.unproved);
                // In a list that lags a member may be older than the wait for it.
                let begun = noted.unwrap_or_default();
                let since = unproved.map(|(_, member)| (member.created.max(begun), &member.plugin));
                self.first_of(draft, since)
            }
            Self::Observation
            | Self::Budget
            | Self::Governor
            | Self::Slots
            | Self::Confirmation
            | Self::Repair => None,
        };
        first.or_else(|| Some((noted?, self.deadline(draft, &draft.spec.instance.plugin))))
    }

    fn first_of<'a>(
        self,
        draft: &Draft<'_>,
        all: impl Iterator<Item = (Timestamp, &'a PluginName)>,
    ) -> Option<(Timestamp, Duration)> {
        // Thousands may be under way on one plugin, whose deadline is the same for all.
        let mut known: Option<(&PluginName, Duration)> = None;
        let due = all.map(|(since, plugin)| {
            let deadline = match known {
                Some((same, deadline)) if same == plugin => deadline,
                Some(_) | None => self.deadline(draft, plugin),
            };
            known = Some((plugin, deadline));
            (since, deadline)
        });
        due.min_by_key(|(since, deadline)| *since + *deadline)
    }
}

/// Returns by how much lists may be behind, as far as a plugin says so.
fn behind(behaviour: &Behaviour) -> Duration {
    let Visibility { list, tag, .. } = behaviour.visibility_window;
    let declared = [list, tag, behaviour.list.lag].into_iter().flatten();
    declared.map(Seconds::duration).max().unwrap_or_default()
}

/// Returns how long a new member usually takes until it runs, beyond the answer to its creation.
fn boots_within(behaviour: &Behaviour) -> Duration {
    match behaviour.create.answer_means {
        AnswerMeans::Running => Duration::ZERO,
        AnswerMeans::Accepted | AnswerMeans::Exists | AnswerMeans::Undeclared => {
            behaviour.creation_usually().unwrap_or_default()
        }
    }
}

/// Notes since when what is waited for.
pub(crate) fn note_waits(draft: &mut Draft<'_>) {
    let known = std::mem::take(&mut draft.memory.waits);
    let now = draft.now;
    let waits = draft.waiting.iter().filter_map(Wait::of);
    let waits = waits.map(|wait| (wait, known.get(&wait).map_or(now, |since| *since.min(&now))));
    // Before there is a list nobody knows whether what a former life waited for has come.
    let unknown = draft.seen.listed().is_none();
    let former = known.iter().filter(|_| unknown);
    draft.memory.waits = former.map(|(wait, at)| (*wait, *at)).chain(waits).collect();
}

/// Returns what has been waited for for too long, if anything: the reason in one word, and in a
/// sentence. Notes when the next deadline passes.
pub(crate) fn overdue(draft: &mut Draft<'_>) -> Option<(&'static str, String)> {
    let (mut found, mut next): (Option<(&str, String)>, Option<Timestamp>) = (None, None);
    for on in &draft.waiting {
        let Some(wait) = Wait::of(on) else { continue };
        let noted = draft.memory.waits.get(&wait).copied();
        let Some((since, deadline)) = wait.first_due(draft, noted) else {
            continue;
        };
        let at = since + deadline;
        if at > draft.now {
            next = Some(next.map_or(at, |next| next.min(at)));
        } else if found.is_none() {
            let minutes = deadline.as_secs() / 60;
            let text = format!("{on}, for longer than {minutes} minutes");
            found = Some((wait.reason(), text));
        }
    }
    draft.overdue_at = next;
    found
}
