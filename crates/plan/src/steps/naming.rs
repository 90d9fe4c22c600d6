//! Like members are given identities, after a change from a size to logical ids.

use infrakit_spi::flavor::Health;
use infrakit_spi::{LogicalId, Tags, tags};

use crate::Timestamp;
use crate::action::{Action, Drain};
use crate::draft::Draft;
use crate::ledger::errand::Errand;
use crate::observation::{Key, Labelling, Member};
use crate::waiting::WaitingOn;

/// Gives free identities to members that have none, after a change from a size to logical ids.
/// Returns the identities that are still free.
///
/// A member that its plugin will not label makes way, within the budget; so does one too many.
pub(crate) fn name_the_nameless<'a>(
    draft: &mut Draft<'a>,
    mut free: Vec<(usize, &'a LogicalId)>,
) -> Vec<(usize, &'a LogicalId)> {
    if !draft.memory.naming {
        return free;
    }
    let underway = draft
        .seen
        .members()
        .any(|member| member.is_being_labelled());
    if underway {
        draft.wait(WaitingOn::Observation);
    }
    let mut nameless: Vec<(&Key, &Member)> = draft.members(&draft.index.nameless).collect();
    if nameless.iter().any(|(_, member)| member.label_failures > 0) {
        draft.wait(WaitingOn::Observation);
    }
    // Those that make way have no name until they are gone, those included that a former life let go.
    let goes = draft.departing().any(|member| member.identity().is_none());
    if nameless.is_empty() && !goes && !underway && draft.pending() == 0 {
        draft.memory.naming = false;
        return free;
    }
    // Those that a person is to look at first are not the group's yet.
    nameless.retain(|(key, _)| !draft.strangers.contains(key));
    // Those that cannot go are named first, then the best ones, so that the others are those that
    // would go anyway.
    nameless.sort_by_key(|(_, member)| {
        (
            !draft.is_untouchable(member),
            draft.outdated(member),
            member.health.last() == Health::Unhealthy,
        )
    });
    free.reverse();
    let mut rest = Vec::new();
    for entry @ (_, member) in nameless {
        match Nameable::of(draft, member) {
            Nameable::Never => rest.push(entry),
            // Its place is kept until then.
            Nameable::Later(at) => {
                if free.pop().is_none() {
                    rest.push(entry);
                }
                draft.wake(at);
                draft.wait(WaitingOn::Observation);
            }
            Nameable::Now => match free.pop() {
                None => rest.push(entry),
                // Its place is kept until its plugin takes more labels.
                Some(_) if !draft.may_label(member) => {}
                Some((_, id)) => draft.actions.push(Action::Adopt {
                    id: member.id.clone(),
                    plugin: member.plugin.clone(),
                    labels: Tags::from([(tags::LOGICAL_ID.to_owned(), id.as_str().to_owned())]),
                }),
            },
        }
    }
    rest.retain(|(_, member)| !draft.is_untouchable(member));
    for entry in rest {
        if draft.destroy(entry, Errand::Nameless, Drain::Try).is_err() {
            break;
        }
    }
    free.reverse();
    free
}

/// Attempts to label a member before it counts as one that its plugin will not label, and is replaced by
/// one that is made with its identity. They come a poll interval apart at least, so that a lock or a limit
/// by the minute does not cost a member.
const ATTEMPTS: u32 = 5;

/// Whether a member can be given an identity by labelling it.
enum Nameable {
    Now,
    Later(Timestamp),
    Never,
}

impl Nameable {
    fn of(draft: &Draft<'_>, member: &Member) -> Self {
        match member.labelling {
            Labelling::Nothing if !member.asks_for_adoption() => Self::Now,
            Labelling::Failed(_) if member.label_failures >= ATTEMPTS => Self::Never,
            Labelling::Failed(retry_at) if retry_at > draft.now => Self::Later(retry_at),
            Labelling::Failed(..) => Self::Now,
            // The adoption comes first; a list has to confirm it.
            Labelling::Nothing | Labelling::UnderWay(_) => {
                Self::Later(draft.now + draft.config.poll_interval)
            }
        }
    }
}
