//! Draws a scenario in a world of providers as they really are.

use std::time::Duration;

use infrakit_plan::Spec;
use infrakit_spi::behaviour::Reuse;
use infrakit_spi::instance::Locality;
use infrakit_spi::{Any, GroupId, PluginName};

use super::befall::{befall, relapse, show_in_states, strike, take_back};
use super::{Deed, Rest, Scenario};
use crate::controller::Operation;
use crate::rng::Rng;
use crate::world::{Class, MILLIS, MINUTE, Nature, Park, Provider, SECOND, Traits};

/// How large a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A few groups, most of them small, and an hour.
    Usual,
    /// Up to twenty groups of up to 300 members on up to six plugins.
    Large,
}

/// A group as the one who draws remembers it.
pub(super) struct Plot {
    pub(super) id: GroupId,
    pub(super) plugin: usize,
    pub(super) size: u64,
    /// The number of the first name, in a group of named members.
    pub(super) pets: Option<u64>,
    pub(super) note: u64,
    updating: &'static str,
    health: &'static str,
    /// Whether its flavor looks at nothing.
    plain: bool,
    /// Whether it is under management.
    pub(super) lives: bool,
}

/// A world that is being drawn.
pub(super) struct Draft {
    pub(super) natures: Vec<Nature>,
    pub(super) plots: Vec<Plot>,
    pub(super) deeds: Vec<(u64, Deed)>,
    /// Whether people are there to help: to approve, to resume, to cure.
    pub(super) attended: bool,
    pub(super) span: u64,
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

/// Returns a number from 1 to `most` of which the order of magnitude is drawn evenly.
pub(super) fn log_uniform(rng: &mut Rng, most: u64) -> u64 {
    let power = rng.below(u64::from(most.ilog2()) + 1);
    let first = 1 << power;
    rng.between(first, (2 * first - 1).min(most))
}

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

impl Draft {
    /// A group on slow providers is small: nobody rolls hundreds of machines one after the other
    /// that take half an hour each.
    pub(super) fn bounded(&self, plugin: usize, size: u64) -> u64 {
        match self.natures[plugin].class {
            Class::BareMetal => size.min(4),
            Class::Hypervisor | Class::PublicCloud => size.min(120),
            Class::FastLocal | Class::ContainerEngine => size,
        }
    }

    pub(super) fn plugin(&self, plot: usize) -> PluginName {
        name(self.plots[plot].plugin).into()
    }

    pub(super) fn commit(&self, plot: usize, kind: &str) -> Deed {
        let properties = self.properties(plot, kind);
        Deed::Operate(
            self.plots[plot].id.clone(),
            Operation::Commit { properties },
        )
    }

    /// Properties of a group; how it rolls is left out where that does not go with its size.
    fn properties(&self, plot: usize, kind: &str) -> String {
        let whole = self.written(plot, kind, self.plots[plot].updating);
        let sound = Any::parse(&whole).is_ok_and(|any| Spec::parse(Some(&any)).is_ok());
        if sound {
            whole
        } else {
            self.written(plot, kind, "")
        }
    }

    fn written(&self, plot: usize, kind: &str, updating: &str) -> String {
        let Plot {
            plugin,
            size,
            pets,
            note,
            health,
            plain,
            ..
        } = &self.plots[plot];
        let kind = match kind {
            // Nobody would find that out.
            "-sick" if *plain => " plain-refused".to_owned(),
            _ if *plain => format!(" plain{kind}"),
            _ => kind.to_owned(),
        };
        let allocation = if let Some(first) = pets {
            let ids: Vec<String> = (*first..first + size.clamp(&1, &12))
                .map(|number| format!("pet-{number}"))
                .collect();
            format!(r#"{{"LogicalIDs":{ids:?}}}"#)
        } else {
            format!(r#"{{"Size":{size}}}"#)
        };
        // Large groups are not rolled one by one.
        let updating = if updating.is_empty() && *size > 20 {
            r#","Updating":{"MaxUnavailable":"20%"}"#
        } else {
            updating
        };
        let grace = self.natures[*plugin].longest_birth() / SECOND + 60;
        let plugin = name(*plugin);
        format!(
            r#"{{"Instance":{{"Plugin":"{plugin}","Properties":{{"Note":"v{note}{kind}"}}}},"Flavor":{{"Plugin":"f"}},"Allocation":{allocation}{updating},"Health":{{"GracePeriod":"{grace}s"{health}}}}}"#
        )
    }
}

fn name(plugin: usize) -> &'static str {
    ["a", "b", "c", "d", "e", "f"][plugin % 6]
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
        };
        // Drawn apart, so that what a seed stood for stays nearly the same.
        let habits = &mut Rng::new(seed, 7);
        let natures = (0..plugins).map(|_| Nature::draw(rng).with_habits(habits));
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
    let sizes = draft.plots.iter().map(|plot| plot.size.min(20)).max();
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
        nature.reuse = Reuse::Never;
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
