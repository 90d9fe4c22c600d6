//! What happens in a world of real providers: to groups, to providers, to controllers.

use infrakit_spi::GroupId;

use super::draft::{Draft, log_uniform};
use super::{Deed, Incident, Observer};
use crate::controller::Operation;
use crate::faults::{CATALOGUE, Kind};
use crate::rng::Rng;
use crate::world::{MILLIS, MINUTE, SECOND, Truth};

/// Faults that strike in the real world: not those that stand for what its providers do by
/// themselves, and no verdicts that lie at random.
const STRIKING: [Kind; 27] = [
    Kind::CreateLost,
    Kind::CreateUnanswered,
    Kind::CreateTwice,
    Kind::CreateRefused,
    Kind::CreateQuota,
    Kind::StillBorn,
    Kind::DestroyLost,
    Kind::DestroyUnanswered,
    Kind::DestroyFails,
    Kind::DestroyForgotten,
    Kind::DrainSlow,
    Kind::DrainFails,
    Kind::LabelFails,
    Kind::ListFails,
    Kind::ListTorn,
    Kind::ListSlow,
    Kind::ListGoesBack,
    Kind::CheckLost,
    Kind::AnswerTwice,
    Kind::CrashBefore,
    Kind::CrashAfter,
    Kind::WriteFails,
    Kind::WriteSlow,
    Kind::Takeover,
    Kind::PrepareFails,
    Kind::ForeignId,
    Kind::LabelIgnored,
];

/// A time in which several kinds of faults strike, and in which something happens.
pub(super) fn strike(rng: &mut Rng, draft: &mut Draft, at: u64) {
    let rates: Vec<(Kind, u16)> = (0..rng.between(1, 4))
        .map(|_| {
            let kind = *rng.pick(&STRIKING);
            let most = u64::from(CATALOGUE[kind as usize].most);
            let rate = rng.between(most / 10, most);
            (kind, u16::try_from(rate).unwrap_or(u16::MAX))
        })
        .collect();
    let lasts = rng.between(30, 900) * SECOND;
    let ends = rates.iter().map(|(kind, _)| (*kind, 0)).collect();
    draft.deeds.push((at, Deed::Rates(rates)));
    draft.deeds.push((at + lasts, Deed::Rates(ends)));
    let mut moment = at;
    for _ in 0..rng.between(1, 3) {
        moment += rng.between(0, lasts / 4 / MILLIS) * MILLIS;
        befall(rng, draft, moment);
    }
}

/// Something happens.
pub(super) fn befall(rng: &mut Rng, draft: &mut Draft, at: u64) {
    let plot = usize::try_from(rng.below(draft.plots.len() as u64)).unwrap_or_default();
    if !draft.plots[plot].lives {
        draft.plots[plot].lives = true;
        let deed = draft.commit(plot, "");
        draft.deeds.push((at, deed));
        return;
    }
    let group = draft.plots[plot].id.clone();
    match rng.below(if draft.attended { 34 } else { 26 }) {
        0..=4 => change(rng, draft, plot, at),
        5..=8 => give_up(rng, draft, plot, at),
        9..=11 => draft
            .deeds
            .push((at, Deed::Crash(rng.between(1, 120) * SECOND))),
        12 => draft
            .deeds
            .push((at, Deed::TakeOver(rng.between(1, 60_000) * MILLIS))),
        13..=15 => lose(rng, draft, plot, at),
        16..=17 => ail(rng, draft, &group, at),
        18..=25 => {
            let incident = incident(rng, draft, plot);
            draft.deeds.push((at, Deed::Incident(incident)));
        }
        _ => somebody(rng, draft, plot, at),
    }
}

/// Another size, configuration, plugin or set of names.
fn change(rng: &mut Rng, draft: &mut Draft, plot: usize, at: u64) {
    let former = draft.plots[plot].size;
    let other = draft.bounded(
        draft.plots[plot].plugin,
        log_uniform(rng, (4 * former).clamp(4, 60)),
    );
    match rng.below(6) {
        0 | 1 => draft.plots[plot].note += 1,
        2 => draft.plots[plot].size = if rng.chance(150) { 0 } else { other },
        3 => {
            // A size by mistake, corrected before long.
            draft.plots[plot].size = (former + 1) * 10;
            let mistake = draft.commit(plot, "");
            draft.plots[plot].size = former;
            let correction = draft.commit(plot, "");
            draft.deeds.push((at, mistake));
            draft
                .deeds
                .push((at + rng.between(100, 5_000) * MILLIS, correction));
            return;
        }
        4 if draft.plots[plot].pets.is_some() => {
            let size = draft.plots[plot].size.clamp(1, 12);
            let first = draft.plots[plot].pets.unwrap_or_default();
            draft.plots[plot].pets = Some(first + rng.between(1, size));
        }
        _ => {
            let plugins = draft.natures.len() as u64;
            let plugin = usize::try_from(rng.below(plugins)).unwrap_or_default();
            draft.plots[plot].size = draft.bounded(plugin, former);
            draft.plots[plot].plugin = plugin;
            draft.plots[plot].note += 1;
        }
    }
    let deed = draft.commit(plot, "");
    draft.deeds.push((at, deed));
}

/// The group is freed or destroyed, and perhaps taken up again.
fn give_up(rng: &mut Rng, draft: &mut Draft, plot: usize, at: u64) {
    let group = draft.plots[plot].id.clone();
    let way = if rng.chance(500) {
        Operation::Free
    } else {
        Operation::Destroy
    };
    draft.deeds.push((at, Deed::Operate(group.clone(), way)));
    let again = at + rng.between(200, 120_000) * MILLIS;
    match rng.below(4) {
        0 => draft.plots[plot].lives = false,
        1 => {
            // Taken up with nobody in it, and destroyed for good.
            let size = std::mem::take(&mut draft.plots[plot].size);
            let deed = draft.commit(plot, "");
            draft.plots[plot].size = size;
            draft.deeds.push((again, deed));
            let end = Deed::Operate(group, Operation::Destroy);
            draft.deeds.push((again + SECOND, end));
            draft.plots[plot].lives = false;
        }
        _ => {
            let deed = draft.commit(plot, "");
            draft.deeds.push((again, deed));
        }
    }
}

/// Members are deleted behind everybody's back, or by name.
fn lose(rng: &mut Rng, draft: &mut Draft, plot: usize, at: u64) {
    let group = draft.plots[plot].id.clone();
    if rng.chance(250) && draft.plots[plot].pets.is_none() && draft.plots[plot].size > 0 {
        draft.plots[plot].size -= 1;
        draft.deeds.push((at, Deed::DestroyOne(group, rng.draw())));
        return;
    }
    let count = log_uniform(rng, 16);
    for _ in 0..count {
        let moment = at + rng.between(0, 20_000) * MILLIS;
        draft.deeds.push((moment, Deed::Die(rng.draw())));
    }
}

/// Members fall sick, and get well after a while.
fn ail(rng: &mut Rng, draft: &mut Draft, group: &GroupId, at: u64) {
    let deed = match rng.below(3) {
        0 => Deed::Turn(rng.draw(), Truth::Sick),
        1 => Deed::Turn(rng.draw(), Truth::Hung),
        _ => Deed::TurnMany(group.clone(), Truth::Sick, rng.between(200, 1000)),
    };
    draft.deeds.push((at, deed));
    if rng.chance(500) {
        let cured = at + rng.between(30, 1200) * SECOND;
        let all = Deed::TurnMany(group.clone(), Truth::Well, 1000);
        draft.deeds.push((cured, all));
    }
}

fn incident(rng: &mut Rng, draft: &Draft, plot: usize) -> Incident {
    let plugin = draft.plugin(plot);
    let nature = &draft.natures[draft.plots[plot].plugin];
    let zone = rng.below(nature.zones);
    match rng.below(12) {
        0 | 1 => Incident::Amnesia(plugin, log_uniform(rng, 30_000) * 10 * MILLIS),
        2 | 3 => Incident::Zone(plugin, zone, rng.between(20, 3_600) * SECOND),
        4 => Incident::Outage(plugin, rng.between(10, 3_600) * SECOND),
        5 | 6 => Incident::Dark(
            if rng.chance(500) {
                Observer::Silent
            } else {
                Observer::Wrong
            },
            rng.between(30, 900) * SECOND,
        ),
        7 | 8 => Incident::Slander(rng.draw(), rng.between(5, 600) * SECOND),
        9 | 10 => Incident::Suspension(log_uniform(rng, 600) * SECOND),
        _ => Incident::Wipe(plugin, zone),
    }
}

/// Some illness shows in what a provider says of a machine's state; and now and then it cannot tell.
pub(super) fn show_in_states(rng: &mut Rng, draft: &mut Draft) {
    for (_, deed) in &mut draft.deeds {
        if let Deed::Turn(_, truth) | Deed::TurnMany(_, truth, _) = deed
            && *truth != Truth::Well
            && rng.chance(350)
        {
            *truth = if rng.chance(600) {
                Truth::Stopped
            } else {
                Truth::Broken
            };
        }
    }
    if rng.chance(150) {
        let plot = usize::try_from(rng.below(draft.plots.len() as u64)).unwrap_or_default();
        let at = rng.between(1_200, draft.span / MILLIS) * MILLIS;
        let haze = Incident::Haze(draft.plugin(plot), rng.between(30, 1_800) * SECOND);
        draft.deeds.push((at, Deed::Incident(haze)));
    }
}

/// A change is taken back while the controller that began with it is gone, and with it its calls.
pub(super) fn take_back(rng: &mut Rng, draft: &mut Draft) {
    let plot = usize::try_from(rng.below(draft.plots.len() as u64)).unwrap_or_default();
    let at = draft.span - rng.between(60_000, 480_000) * MILLIS;
    let (dies, stays_away) = (rng.between(500, 20_000), rng.between(1, 10));
    if !rng.chance(200) || !draft.plots[plot].lives {
        return;
    }
    let former = draft.commit(plot, "");
    draft.plots[plot].note += 1;
    let change = draft.commit(plot, "");
    let lost = |rate| Deed::Rates(vec![(Kind::DestroyLost, rate)]);
    let dies = at + dies * MILLIS;
    let back = dies + (stays_away + 1) * SECOND;
    draft.deeds.extend([
        (at, lost(900)),
        (at, change),
        (dies, Deed::Crash(stays_away * SECOND)),
        (back, former),
        (back, lost(0)),
    ]);
}

/// Members die while lists now and then go back to what was before.
pub(super) fn relapse(rng: &mut Rng, draft: &mut Draft) {
    let at = draft.span - rng.between(600_000, 1_800_000) * MILLIS;
    let (rate, count) = (rng.between(100, 500), rng.between(2, 6));
    let deaths: Vec<(u64, u64)> = (0..count)
        .map(|_| (rng.between(1, 200) * SECOND, rng.draw()))
        .collect();
    let named = draft
        .plots
        .iter()
        .find(|plot| plot.pets.is_some() && plot.lives);
    // Of named members those that somebody asked to go are made again.
    let named = named.map(|plot| plot.id.clone());
    if !rng.chance(if named.is_some() { 500 } else { 200 }) {
        return;
    }
    let goes_back = |rate| Deed::Rates(vec![(Kind::ListGoesBack, rate)]);
    let rate = u16::try_from(rate).unwrap_or(u16::MAX);
    draft.deeds.push((at, goes_back(rate)));
    let deaths = deaths.into_iter().map(|(after, pick)| {
        let death = match &named {
            Some(group) if pick.is_multiple_of(2) => Deed::DestroyOne(group.clone(), pick >> 1),
            Some(_) | None => Deed::Die(pick),
        };
        (at + after, death)
    });
    draft.deeds.extend(deaths);
    draft.deeds.push((at + 4 * MINUTE, goes_back(0)));
}

/// Somebody who is there to help does something to the group.
fn somebody(rng: &mut Rng, draft: &mut Draft, plot: usize, at: u64) {
    let group = draft.plots[plot].id.clone();
    let later = at + rng.between(30, 1200) * SECOND;
    let ask = |operation: Operation| Deed::Operate(group.clone(), operation);
    match rng.below(10) {
        0 | 1 => {
            draft.plots[plot].note += 1;
            let kind = if rng.chance(500) { "-sick" } else { "-refused" };
            let bad = draft.commit(plot, kind);
            draft.plots[plot].note += 1;
            let good = draft.commit(plot, "");
            draft.deeds.push((at, bad));
            draft.deeds.push((later, good));
        }
        2 => draft.deeds.push((at, ask(Operation::Pause))),
        3 => draft.deeds.push((at, ask(Operation::Abort))),
        4 => draft.deeds.push((at, ask(Operation::Rollback(None)))),
        5 => draft
            .deeds
            .push((at, Deed::HoldOne(group.clone(), rng.draw()))),
        6 => draft.deeds.push((at, Deed::Stranger(draft.plugin(plot)))),
        7 => {
            let hash = if rng.chance(500) {
                "bootstrap"
            } else {
                "strange"
            };
            let deed = Deed::HandMade(group.clone(), draft.plugin(plot), hash.to_owned());
            draft.deeds.push((at, deed));
        }
        8 => {
            // Paused in the middle of a rollout, scaled, and let go on.
            draft.plots[plot].note += 1;
            let commit = draft.commit(plot, "");
            draft.deeds.push((at, commit));
            draft.deeds.push((
                at + rng.between(500, 60_000) * MILLIS,
                ask(Operation::Pause),
            ));
            if draft.plots[plot].pets.is_none() {
                let size = draft.bounded(draft.plots[plot].plugin, log_uniform(rng, 12));
                draft.plots[plot].size = size;
                let size = i64::try_from(size).unwrap_or_default();
                draft
                    .deeds
                    .push((at + 2 * MINUTE, ask(Operation::SetSize(size))));
            }
        }
        _ => draft.deeds.push((at, ask(Operation::Approve))),
    }
    draft.deeds.push((later, ask(Operation::Approve)));
    draft.deeds.push((later + SECOND, ask(Operation::Resume)));
}
