//! Members from elsewhere that turn up in mid-rollout: made by hand, or by another controller, from another
//! configuration. A person looks at them before the rollout goes on.
//!
//! Until then they stay, be they sick, too many, or of a name that another one has, and nobody goes in their
//! place: whoever made them may take them away again, and the group's own members are what is left then.
//! Only who is asked to destroy one by name does so.

use std::collections::BTreeSet;

use infrakit_spi::InstanceId;

use crate::Timestamp;
use crate::draft::Draft;
use crate::observation::{Key, Member};
use crate::rollout::{Pause, Roll};
use crate::waiting::PausedBy;

/// Lets a rollout go on that paused for members from elsewhere, as soon as they are gone: the group is then
/// as it was shown. Those on their way out are not gone yet; a plan that asks them to go would otherwise
/// have the next one begin what it did not.
pub(crate) fn forget_strangers(draft: &mut Draft<'_>) {
    let (index, now) = (draft.index, draft.now);
    let Some(roll) = &mut draft.memory.roll else {
        return;
    };
    let pause = roll.paused.as_ref().map(|pause| &pause.by);
    if !matches!(pause, Some(PausedBy::Changed { .. })) || roll.strangers.is_empty() {
        return;
    }
    let foreign = index.foreign_since(Timestamp::default());
    let mut there = foreign.chain(&index.leaving);
    if there.any(|key| roll.strangers.contains(&key.id)) {
        return;
    }
    (roll.paused, roll.progress) = (None, now);
    for gone in std::mem::take(&mut roll.strangers) {
        roll.shown.remove(&gone);
    }
}

/// Notes the members from elsewhere that nobody was shown yet, or that the rollout is paused for, before anybody
/// goes. Nobody is wanted where the size is none.
pub(crate) fn note_strangers(draft: &mut Draft<'_>) {
    let aborted = draft.memory.aborted.as_ref() == Some(&draft.spec.hash);
    let Some(roll) = &draft.memory.roll else {
        return;
    };
    // The first releases kept no beginning.
    let unbegun = roll.blind || roll.begun == Timestamp::default();
    if draft.ledger.wanted == 0 || aborted || unbegun {
        return;
    }
    draft.strangers = strangers(draft, roll);
    draft.ledger.note_strangers(draft.strangers.len());
}

/// Returns the members from elsewhere that nobody was shown yet, or that the rollout is paused for. Whoever holds
/// one of these to look at it has not said that the group needs one less.
fn strangers<'a>(draft: &Draft<'a>, roll: &Roll) -> BTreeSet<&'a Key> {
    let mut strangers: BTreeSet<&Key> = unknown(draft, roll).map(|(key, _)| key).collect();
    // In a group that others have made all may be from elsewhere: they are gone through only while some are
    // waited for.
    if !roll.strangers.is_empty() {
        let foreign = draft.members(draft.index.foreign_since(Timestamp::default()));
        let waited_for = foreign.filter(|(key, _)| roll.strangers.contains(&key.id));
        strangers.extend(waited_for.map(|(key, _)| key));
    }
    strangers
}

/// Returns the members from elsewhere that came since the rollout began and that nobody was shown.
fn unknown<'a>(draft: &Draft<'a>, roll: &Roll) -> impl Iterator<Item = (&'a Key, &'a Member)> {
    let foreign = draft.members(draft.index.foreign_since(roll.begun));
    foreign.filter(|(key, _)| !roll.shown.contains(&key.id))
}

/// Pauses a rollout when outdated members turn up that nobody was shown.
pub(super) fn pause_for_strangers(draft: &Draft<'_>, roll: &mut Roll) {
    let index = draft.index;
    let all = || index.foreign_since(Timestamp::default());
    if std::mem::take(&mut roll.blind) {
        roll.shown.extend(all().map(|key| key.id.clone()));
    }
    if roll.paused.is_some() {
        return;
    }
    // One that is held already waits for nobody.
    let strangers = unknown(draft, roll).filter(|(_, member)| !draft.is_untouchable(member));
    let strangers: BTreeSet<InstanceId> = strangers.map(|(key, _)| key.id.clone()).collect();
    let Some(first) = strangers.first() else {
        return;
    };
    let what = format!("`{first}` has come, made from another configuration");
    roll.strangers = strangers;
    // Whoever lets the rollout go on has taken notice of all that are there now.
    roll.shown = all().map(|key| key.id.clone()).collect();
    roll.paused = Some(Pause {
        by: PausedBy::Changed { what },
        since: draft.now,
    });
}
