//! What people do where it is hardest to follow: groups that are given up in the middle of a move, and
//! members that go from one group while another one grows.

use super::Deed;
use super::draft::{Draft, log_uniform};
use crate::controller::Operation;
use crate::faults::Kind;
use crate::rng::Rng;
use crate::world::{MILLIS, MINUTE, SECOND};

/// A group moves to another plugin, is freed before it has arrived, and is committed anew: to go on, to go
/// back, or as another configuration.
pub(super) fn give_up_in_mid_move(rng: &mut Rng, draft: &mut Draft) {
    let plot = usize::try_from(rng.below(draft.plots.len() as u64)).unwrap_or_default();
    let at = rng.between(60_000, (draft.span - 20 * MINUTE) / MILLIS) * MILLIS;
    let freed = at + log_uniform(rng, 600_000) * MILLIS;
    let again = freed + log_uniform(rng, 300_000) * MILLIS;
    let (way, dies, by_itself) = (rng.below(10), rng.chance(300), rng.chance(700));
    let dies_at = at + rng.between(0, (again - at) / MILLIS) * MILLIS;
    let there = draft.natures.len() > 1;
    if !there || !by_itself || !draft.plots[plot].lives {
        return;
    }
    let group = draft.plots[plot].id.clone();
    let from = draft.plots[plot].plugin;
    let to = (from + 1) % draft.natures.len();
    let size = draft.plots[plot].size;
    draft.plots[plot].size = draft.bounded(to, draft.bounded(from, size));
    draft.plots[plot].plugin = to;
    draft.plots[plot].note += 1;
    let moves = draft.commit(plot, "");
    match way {
        0..=4 => {}
        5 | 6 => draft.plots[plot].plugin = from,
        _ => draft.plots[plot].note += 1,
    }
    let anew = draft.commit(plot, "");
    draft.deeds.extend([
        (at, moves),
        (freed, Deed::Operate(group, Operation::Free)),
        (again, anew),
    ]);
    if dies {
        draft
            .deeds
            .push((dies_at, Deed::Crash(rng.between(1, 30) * SECOND)));
    }
}

/// Members of one group go while another one on the same plugin gets more, again and again: the ids of
/// those are given to these, where they are given again. Answers are lost meanwhile, and lists go back.
pub(super) fn hand_on(rng: &mut Rng, draft: &mut Draft) {
    let begins = rng.between(120_000, draft.span / 2 / MILLIS) * MILLIS;
    let kinds = [
        Kind::DestroyUnanswered,
        Kind::DestroyLost,
        Kind::ListGoesBack,
        Kind::CreateUnanswered,
        Kind::CrashAfter,
        Kind::AnswerTwice,
    ];
    let rates: Vec<(Kind, u16)> = (0..rng.between(0, 3))
        .map(|_| {
            (
                *rng.pick(&kinds),
                u16::try_from(rng.between(20, 300)).unwrap_or_default(),
            )
        })
        .map(|(kind, rate)| match kind {
            Kind::CrashAfter => (kind, rate / 10),
            _ => (kind, rate),
        })
        .collect();
    let ends: Vec<(Kind, u16)> = rates.iter().map(|(kind, _)| (*kind, 0)).collect();
    let mut at = begins;
    for _ in 0..rng.between(2, 6) {
        at += rng.between(1_000, 300_000) * MILLIS;
        let plot = usize::try_from(rng.below(draft.plots.len() as u64)).unwrap_or_default();
        let other = (plot + 1) % draft.plots.len();
        let after = rng.between(0, 60_000) * MILLIS;
        if !draft.plots[plot].lives || !draft.plots[other].lives {
            continue;
        }
        let count = draft.plots[plot].size / 2;
        for (one, at, size) in [
            (plot, at, draft.plots[plot].size - count),
            (other, at + after, draft.plots[other].size + count),
        ] {
            draft.plots[one].size = draft.bounded(draft.plots[one].plugin, size);
            let deed = draft.commit(one, "");
            draft.deeds.push((at, deed));
        }
    }
    draft.deeds.push((begins, Deed::Rates(rates)));
    draft.deeds.push((at + MINUTE, Deed::Rates(ends)));
}
