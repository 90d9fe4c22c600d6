//! What destructions answer, and members that are gone by that.

use std::time::Duration;

use infrakit_plan::{Departure, Step, Timestamp};
use infrakit_spi::{Delivery, Error, FailureClass};

use crate::core::state::history::Kind;
use crate::core::steps::ids::is_it;
use crate::core::steps::lists::learn;
use crate::core::{Core, Subject};

impl Core {
    pub(in crate::core) fn destroyed(
        &mut self,
        subject: &Subject,
        outcome: Result<(), Error>,
        now: Timestamp,
    ) {
        let Subject {
            target, plugin, id, ..
        } = subject;
        let poll_interval = self.config.poll_interval;
        let behaviour = self.config.behaviour(plugin);
        let done = outcome.is_ok() && !behaviour.destroys_later();
        let reuses_ids = behaviour.reuses_ids();
        if let Some(observer) = self.observers.get_mut(plugin) {
            observer.acted(now);
        }
        let Some(group) = self.living(target) else {
            return;
        };
        group
            .history
            .ended((plugin, id), Kind::Destroy, outcome.as_ref().map(drop));
        // It may have gone since, and another one have its id.
        let member = is_it(group, subject).then(|| group.seen.get_on(plugin, id));
        let there = member.flatten().and_then(|member| member.departure);
        // Believed to be gone, it may be back: what became of its call is known then.
        let unseen = || group.seen.unseen_departure((plugin, id), &subject.birth);
        let Some(decided) = there.or_else(unseen) else {
            self.touch(&target.group);
            return;
        };
        if done {
            return self.gone_by_answer(subject, now);
        }
        let open = match &outcome {
            Ok(()) => true,
            Err(error) => error.delivery() == Delivery::Unknown,
        };
        if reuses_ids && outcome.as_ref().is_err_and(may_know_nobody) {
            group.seen.doubt_id(plugin, id, now);
        }
        let taken = if open { Some(now) } else { decided.taken };
        let said = outcome.as_ref().err().map(|error| error.message().into());
        let step = match outcome {
            Ok(()) => Step::Accepted(now),
            Err(error) => {
                let attempts = group.note_failed_destruction(plugin, id);
                // From two seconds on, as creations after their second failure, up to a minute with the
                // usual interval: a lock is gone within seconds, a protection stays.
                let pause = Duration::from_secs(1).saturating_mul(1 << attempts.min(9));
                tracing::warn!(group = %target.group, instance = %id, attempts, %error, "cannot destroy a member");
                Step::Failed(attempts, now + pause.min(poll_interval * 6))
            }
        };
        let departure = Departure {
            step,
            taken,
            ..decided
        };
        if there.is_none() {
            group.seen.note_unseen((plugin, id), departure);
        } else if let Some(mut member) = group.seen.get_mut_on(plugin, id) {
            member.departure = Some(departure);
            member.destruction_error = said;
        }
        self.refresh_on(&target.group, plugin, now);
        self.touch(&target.group);
    }

    /// Takes in that a member is gone, as its plugin answered, which declares that it answers when it
    /// is done. A list is looked at all the same: until one lacks it, the decision stays on record, for
    /// another life of the controller.
    pub(in crate::core) fn gone_by_answer(&mut self, subject: &Subject, now: Timestamp) {
        let Subject {
            target, plugin, id, ..
        } = subject;
        let Some(group) = self.living(target) else {
            return;
        };
        let seen = group.seen.destroyed(plugin, id, now);
        learn(group, &seen, now);
        self.behaviours.departures(plugin, &seen.departed);
        self.refresh_on(&target.group, plugin, now);
        self.touch(&target.group);
    }
}

/// Returns whether a plugin may have refused to destroy a member because it is not there any more: most say
/// so in words of their own. Another one may have its id a moment later. What a flavor refuses says nothing of
/// that.
fn may_know_nobody(error: &Error) -> bool {
    let busy = matches!(
        error.class(),
        FailureClass::Unavailable | FailureClass::Quota
    );
    error.delivery() == Delivery::Refused
        && !busy
        && !error.is_throttled()
        && !error.is_of_another()
}
