//! Which new members have proved themselves, and which still have to.

use infrakit_spi::flavor::Health;

use crate::action::WaitingOn;
use crate::diagnosis::sickness::is_sick;
use crate::draft::Draft;
use crate::observation::{Key, Member};

/// Returns whether a member may serve for all that is known. One that served and that the last list
/// lacks may be there all the same, until it is believed to be gone. Where a member was asked and no
/// verdict comes for as long as members have to come up, none is to be expected: it must not keep the
/// group as it is for ever.
pub(crate) fn may_serve(draft: &Draft<'_>, member: &Member) -> bool {
    if member.missed {
        return member.health.last_known() == Some(Health::Healthy);
    }
    let patient = member.created + draft.spec.health.grace_period;
    member.is_silent() && (member.health.asked().is_none() || draft.now < patient)
}

/// Returns the members of the configuration in force that have yet to prove themselves and may:
/// neither sick ones nor the controller's own, for which nothing waits.
pub(crate) fn on_trial<'a>(draft: &Draft<'a>) -> Vec<&'a Member> {
    draft
        .members(&draft.index.unproved)
        .map(|(_, member)| member)
        .filter(|member| !draft.is_self(member) && !is_sick(draft, member))
        .collect()
}

pub(crate) fn wait_for_proof(draft: &mut Draft<'_>, unproved: &[&Member]) {
    if let Some(first) = unproved.first() {
        draft.wait(WaitingOn::Health {
            id: first.id.clone(),
            count: unproved.len(),
        });
    }
}

/// Members of the configuration in force that have proved themselves. The controller's own need
/// not: whatever it shows, it stays.
pub(crate) fn proved(draft: &Draft<'_>) -> usize {
    let index = draft.index;
    index.working - index.outdated.len() - unproved(draft).count()
}

/// Members of the configuration in force that have yet to prove themselves.
pub(crate) fn unproved<'a>(draft: &Draft<'a>) -> impl Iterator<Item = &'a Key> {
    draft
        .members(&draft.index.unproved)
        .filter(|(_, member)| !draft.is_self(member))
        .map(|(key, _)| key)
}

/// Returns whether a member that is wanted has shown that the configuration in force works.
pub(crate) fn is_ready(draft: &Draft<'_>) -> bool {
    draft.ledger.wanted > 0 && proved(draft) > 0
}
