//! Which new members have proved themselves, and which still have to.

use crate::diagnosis::sickness::is_sick;
use crate::draft::Draft;
use crate::observation::Member;
use crate::waiting::WaitingOn;

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
    index.working - index.outdated.len() - unproved(draft)
}

/// Returns how many members of the configuration in force have yet to prove themselves. It is asked in
/// each plan, and does not walk through them.
pub(crate) fn unproved(draft: &Draft<'_>) -> usize {
    let unproved = &draft.index.unproved;
    let own = draft.config.self_logical_id.as_ref();
    let own = own.and_then(|id| draft.index.holders.get(id));
    let own = draft.members(own.into_iter().flatten());
    let own = own.filter(|(key, member)| unproved.contains(*key) && draft.is_self(member));
    draft.left_of(unproved) - own.count()
}

/// Returns whether a member that is wanted has shown that the configuration in force works.
pub(crate) fn is_ready(draft: &Draft<'_>) -> bool {
    draft.ledger.wanted > 0 && proved(draft) > 0
}
