//! Draws a scenario in a world of providers as they really are.

use std::time::Duration;

use infrakit_spi::GroupId;
use infrakit_spi::behaviour::Reuse;
use infrakit_spi::instance::Locality;

use super::befall::{befall, relapse, show_in_states, strike, take_back};
use super::draft::{Draft, Plot, log_uniform, name};
use super::edge::{give_up_in_mid_move, hand_on};
use super::{Deed, Rest, Scenario};
use crate::controller::Operation;
use crate::rng::Rng;
use crate::world::{Class, MILLIS, MINUTE, Nature, Park, Provider, SECOND, Traits};

/// How large a world is, and how far what is in it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A few groups, most of them small, and an hour.
    Usual,
    /// Up to twenty groups of up to 300 members on up to six plugins.
    Large,
    /// As the usual one, with more groups on the same plugins, on providers at the edge of what they may:
    /// ids are given again to other groups, and creations answered before anything exists. People give
    /// groups up in the middle of a move and take them up again.
    Edge,
}

/// Ways to roll that need nobody.
const ALONE: [&str; 9] = [
    "",
    "",
    r#","Updating":{"Count":2}"#,
    r#","Updating":{"MaxSurge":1}"#,
    r#","Updating":{"MaxSurge":"50%"}"#,
    r#","Updating":{"MaxSurge":2,"MaxUnavailable":1}"#,
    r#","Updating":{"MaxUnavailable":2}"#,
    r#","Updating":{"MaxUnavailable":"40%"}"#,
    r#","Updating":{"SkipBeforeInstanceDestroy":"drain"}"#,
];

/// Ways to roll that wait for somebody now and then.
const ATTENDED: [&str; 5] = [
    r#","Updating":{"Stages":[{"Until":1,"Bake":"30s"},{"Until":"50%","Bake":"1m"}]}"#,
    r#","Updating":{"Stages":[{"Until":1,"Approve":true}],"MaxSurge":1}"#,
    r#","Updating":{"ProgressDeadline":"30m","OnFailure":"rollback"}"#,
    r#","Updating":{"FailureThreshold":2,"OnFailure":"continue","MaxSurge":2}"#,
    r#","Updating":{"Windows":[{"Cron":"*/20 * * * *","Duration":"8m"}]}"#,
];

/// What is said of health beside the grace period, which has to be that of the provider.
const HEALTH: [&str; 4] = [
    "",
    r#","Threshold":5,"Interval":"5s""#,
    r#","Threshold":3,"Window":5,"MaxUnhealthy":"50%""#,
    r#","Repair":["reboot"],"RepairWait":"1m""#,
];

impl Plot {
    fn draw(rng: &mut Rng, number: u64, draft: &Draft, most: u64) -> Self {
        let plugin = usize::try_from(rng.below(draft.natures.len() as u64)).unwrap_or_default();
        let attended = draft.attended && rng.chance(300);
        Self {
            id: GroupId::new(format!("g{number}")),
            plugin,
            size: draft.bounded(plugin, log_uniform(rng, most)),
            pets: rng.chance(300).then_some(0),
            note: 1,
            updating: if attended {
                rng.pick::<&str>(&ATTENDED)
            } else {
                rng.pick::<&str>(&ALONE)
            },
            health: rng.pick::<&str>(&HEALTH),
            plain: false,
            lives: true,
        }
    }
}

impl Scenario {
    /// Draws the scenario of a seed in a world of real providers.
    #[must_use]
    pub fn draw_real(seed: u64, scale: Scale) -> Self {
        let rng = &mut Rng::new(seed, 3);
        let (plugins, groups, most) = match scale {
            Scale::Usual => {
                let most = if rng.chance(880) { 10 } else { 60 };
                (rng.between(1, 2), *rng.pick(&[1, 1, 1, 2, 3]), most)
            }
            Scale::Large => (rng.between(2, 6), rng.between(4, 20), 300),
            Scale::Edge => (rng.between(1, 2), rng.between(2, 4), 10),
        };
        // Drawn apart, so that what a seed stood for stays nearly the same.
        let habits = &mut Rng::new(seed, 7);
        let edge = &mut Rng::new(seed, 8);
        let natures = (0..plugins).map(|_| {
            let nature = Nature::draw(rng).with_habits(habits);
            match scale {
                Scale::Usual | Scale::Large => nature,
                Scale::Edge => nature.at_the_edge(edge),
            }
        });
        let mut draft = Draft {
            natures: natures.collect(),
            plots: Vec::new(),
            deeds: Vec::new(),
            attended: rng.chance(500),
            span: 60 * MINUTE,
        };
        for number in 0..groups {
            let plain = habits.chance(150);
            let plot = Plot::draw(rng, number, &draft, most);
            draft.plots.push(Plot { plain, ..plot });
            let deed = draft.commit(draft.plots.len() - 1, "");
            draft.deeds.push((SECOND, deed));
        }
        let traits = Traits {
            creates_per_minute: rng.chance(150).then_some(12),
            destroys_per_minute: rng.chance(100).then_some(20),
            poll_interval: Duration::from_secs(*rng.pick(&[5, 10, 10, 30])),
            ..Traits::default()
        };
        let mut park = Park::default();
        for (number, nature) in draft.natures.iter().enumerate() {
            park.add(name(number), provider(rng, nature));
        }
        let incidents = rng.between(2, 6) * if scale == Scale::Large { 3 } else { 1 };
        for at in moments(rng, &draft, incidents) {
            if rng.chance(350) {
                strike(rng, &mut draft, at);
            } else {
                befall(rng, &mut draft, at);
            }
        }
        show_in_states(habits, &mut draft);
        take_back(habits, &mut draft);
        relapse(habits, &mut draft);
        if scale == Scale::Edge {
            give_up_in_mid_move(edge, &mut draft);
            hand_on(edge, &mut draft);
        }
        draft.deeds.sort_by_key(|(at, _)| *at);
        let finals = (0..draft.plots.len()).map(|plot| {
            draft.plots[plot].note += 1;
            let id = draft.plots[plot].id.clone();
            let end = Deed::Operate(id.clone(), Operation::Destroy);
            let last = if draft.plots[plot].lives {
                draft.commit(plot, "")
            } else {
                end
            };
            (id, last)
        });
        let finals = finals.collect();
        Self {
            seed,
            finals,
            traits,
            park,
            span: draft.span,
            rest: Rest {
                bound: bound(&draft),
                alone: !draft.attended,
                again: true,
                foresees: false,
            },
            deeds: draft.deeds,
            spared: Vec::new(),
            forced: Vec::new(),
        }
    }
}

/// Half of what happens comes while the first members are being made, half at any time.
fn moments(rng: &mut Rng, draft: &Draft, count: u64) -> Vec<u64> {
    let slowest = draft.natures.iter().map(|nature| nature.running.most).max();
    let early = slowest.unwrap_or_default().clamp(2 * SECOND, 30 * MINUTE);
    let mut moments: Vec<u64> = (0..count)
        .map(|_| {
            let until = if rng.chance(500) { early } else { draft.span };
            rng.between(1_200, until / MILLIS) * MILLIS
        })
        .collect();
    moments.sort_unstable();
    moments
}

/// The longest that a world at rest may take: each group replaced one by one, twice.
fn bound(draft: &Draft) -> u64 {
    let slowest =
        |of: &dyn Fn(&Nature) -> u64| draft.natures.iter().map(of).max().unwrap_or_default();
    let each = slowest(&|nature| {
        // Where the dead are listed nobody knows sooner that one is gone.
        let ends = if nature.tombstone > 0 {
            nature.destroy.longest
        } else {
            nature.destroy.most
        };
        nature.running.most + nature.healthy.most + ends + nature.lag.most
    });
    let once = slowest(&|nature| {
        nature.longest_birth() + nature.destroy.longest + 2 * nature.longest_lag()
    });
    let sizes = draft.plots.iter().map(|plot| plot.size).max();
    180 * MINUTE + 4 * once + 2 * (sizes.unwrap_or_default() + 1) * each
}

fn provider(rng: &mut Rng, nature: &Nature) -> Provider {
    let local = match nature.class {
        Class::FastLocal => 500,
        _ => 150,
    };
    let mut nature = nature.clone();
    if !nature.declared {
        // What the engine cannot know it cannot keep to: where nothing is declared, providers stay
        // within what clients of the original plugins wait for.
        nature.running.longest = nature.running.longest.min(9 * MINUTE);
        nature.lag.longest = nature.lag.longest.min(10 * SECOND);
        nature.tombstone = 0;
        if !nature.recycles {
            nature.reuse = Reuse::Never;
        }
        if nature.promises {
            nature.lag.longest = nature.lag.longest.min(4 * SECOND);
        }
    }
    let mut provider = Provider::default();
    if rng.chance(local) {
        provider.locality = Locality::InProcess;
    }
    provider.fingerprints = rng.chance(700);
    provider.lag = if nature.declared {
        nature.lag.longest.min(nature.lag.most)
    } else {
        4 * SECOND
    };
    provider.nature = Some(nature);
    provider
}
