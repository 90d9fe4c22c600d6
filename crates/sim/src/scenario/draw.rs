//! Draws a scenario from a seed.

use std::time::Duration;

use infrakit_plan::Spec;
use infrakit_spi::instance::Locality;
use infrakit_spi::{Any, GroupId, PluginName};

use super::{Deed, Rest, Scenario};
use crate::controller::Operation;
use crate::faults::{CATALOGUE, FORMER, Kind};
use crate::rng::Rng;
use crate::world::{MILLIS, MINUTE, Park, Provider, SECOND, Traits, Truth};

/// How much is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One group, an hour, a handful of events.
    Small,
    /// A few groups, five days: most of the time nothing happens, and is skipped.
    Days,
}

/// A group as the one who draws remembers it.
struct Plot {
    id: GroupId,
    plugin: &'static str,
    size: u64,
    pets: bool,
    note: u64,
    updating: &'static str,
    health: &'static str,
    /// Whether the controller's own machine is one of it.
    owned: bool,
    /// Whether a hand may be over one of its members.
    held: bool,
    /// Whether it is under management.
    lives: bool,
}

/// What is added behind the allocation; the empty one is the most usual.
const UPDATING: [&str; 16] = [
    "",
    r#","Updating":{"Count":2}"#,
    r#","Updating":{"Duration":"20s"}"#,
    r#","Updating":{"SkipBeforeInstanceDestroy":"drain"}"#,
    r#","Updating":{"MaxSurge":1}"#,
    r#","Updating":{"MaxSurge":"50%"}"#,
    r#","Updating":{"MaxSurge":2,"MaxUnavailable":1}"#,
    r#","Updating":{"MaxSurge":2,"MaxUnavailable":2,"Order":"destroy-first"}"#,
    r#","Updating":{"MaxUnavailable":2}"#,
    r#","Updating":{"MaxUnavailable":"40%","Count":2}"#,
    r#","Updating":{"MaxSurge":1,"Batch":2}"#,
    r#","Updating":{"Stages":[{"Until":1,"Bake":"30s"},{"Until":"50%","Bake":"1m"}]}"#,
    r#","Updating":{"Stages":[{"Until":1,"Bake":"1m","Approve":true}],"MaxSurge":1}"#,
    r#","Updating":{"ProgressDeadline":"10m","OnFailure":"rollback"}"#,
    r#","Updating":{"FailureThreshold":2,"OnFailure":"continue","MaxSurge":2}"#,
    r#","Updating":{"Windows":[{"Cron":"*/20 * * * *","Duration":"8m"}]}"#,
];

const HEALTH: [&str; 6] = [
    "",
    r#","Health":{"GracePeriod":"30s","Threshold":2}"#,
    r#","Health":{"GracePeriod":"60s","Threshold":5,"Interval":"5s"}"#,
    r#","Health":{"Threshold":3,"Window":5,"MaxUnhealthy":"50%"}"#,
    r#","Health":{"GracePeriod":"40s","Repair":["reboot"],"RepairWait":"1m"}"#,
    r#","Health":{"MaxUnhealthy":1}"#,
];

impl Plot {
    fn draw(rng: &mut Rng, number: u64) -> Self {
        Self {
            id: GroupId::new(format!("g{number}")),
            plugin: if rng.chance(700) { "a" } else { "b" },
            size: rng.between(0, 7),
            pets: rng.chance(300),
            note: 1,
            updating: if rng.chance(500) {
                ""
            } else {
                rng.pick::<&str>(&UPDATING)
            },
            health: if rng.chance(500) {
                ""
            } else {
                rng.pick::<&str>(&HEALTH)
            },
            owned: false,
            held: false,
            lives: true,
        }
    }

    /// Properties of the group; how it rolls is left out where that does not go with its size.
    fn properties(&self, kind: &str) -> String {
        let whole = self.written(kind, self.updating);
        let sound = Any::parse(&whole).is_ok_and(|any| Spec::parse(Some(&any)).is_ok());
        if sound { whole } else { self.written(kind, "") }
    }

    fn written(&self, kind: &str, updating: &str) -> String {
        let allocation = if self.pets {
            let ids: Vec<String> = (0..self.size.clamp(1, 5))
                .map(|number| format!("pet-{number}"))
                .collect();
            format!(r#"{{"LogicalIDs":{ids:?}}}"#)
        } else {
            format!(r#"{{"Size":{}}}"#, self.size)
        };
        let Self {
            plugin,
            note,
            health,
            ..
        } = self;
        format!(
            r#"{{"Instance":{{"Plugin":"{plugin}","Properties":{{"Note":"v{note}{kind}"}}}},"Flavor":{{"Plugin":"f"}},"Allocation":{allocation}{updating}{health}}}"#
        )
    }

    fn commit(&self, kind: &str) -> Deed {
        let properties = self.properties(kind);
        Deed::Operate(self.id.clone(), Operation::Commit { properties })
    }
}

impl Scenario {
    /// Draws the scenario of a seed.
    #[must_use]
    pub fn draw(seed: u64, extent: Extent) -> Self {
        let rng = &mut Rng::new(seed, 2);
        let (groups, span, incidents) = match extent {
            Extent::Small => (1, 60 * MINUTE, rng.between(2, 6)),
            Extent::Days => (rng.between(1, 3), 5 * 24 * 60 * MINUTE, rng.between(4, 12)),
        };
        let settle = rng.between(15, 60) * SECOND;
        let own = rng.chance(100).then(|| "controller".into());
        let traits = Traits {
            own: own.clone(),
            creates_per_minute: rng.chance(100).then_some(20),
            destroys_per_minute: rng.chance(100).then_some(20),
            poll_interval: Duration::from_secs(*rng.pick(&[5, 10, 10, 30])),
            settle: Duration::from_nanos(settle),
            ..Traits::default()
        };
        let mut park = Park::default();
        for name in ["a", "b"] {
            park.add(name, provider(rng, settle));
        }
        let mut plots: Vec<Plot> = (0..groups).map(|number| Plot::draw(rng, number)).collect();
        let mut deeds: Vec<(u64, Deed)> =
            plots.iter().map(|plot| (SECOND, plot.commit(""))).collect();
        if own.is_some()
            && let Some(plot) = plots.iter_mut().find(|plot| !plot.pets)
        {
            plot.owned = true;
            let deed = Deed::OwnMachine(plot.id.clone(), plot.plugin.into());
            deeds.insert(0, (0, deed));
        }
        let mut moments: Vec<u64> = (0..incidents)
            .map(|_| rng.between(MINUTE, span - 20 * MINUTE))
            .collect();
        moments.sort_unstable();
        for at in moments {
            if rng.chance(600) {
                episode(rng, &mut plots, at, &mut deeds);
            } else {
                something(rng, &mut plots, at, &mut deeds);
            }
        }
        let finals = plots.iter_mut().map(|plot| {
            // Another configuration, so that no pause of a former rollout is in the way.
            plot.note += 1;
            let end = Deed::Operate(plot.id.clone(), Operation::Destroy);
            let last = if plot.lives { plot.commit("") } else { end };
            (plot.id.clone(), last)
        });
        Self {
            seed,
            finals: finals.collect(),
            traits,
            park,
            deeds,
            span,
            rest: Rest::default(),
            spared: Vec::new(),
            forced: Vec::new(),
        }
    }
}

/// A plugin whose delays are such that the settle time of the controller covers them: no policy
/// can know of a creation that comes true after it was given up for good.
fn provider(rng: &mut Rng, settle: u64) -> Provider {
    let quarter = settle / 4 / MILLIS * MILLIS;
    let creation = rng.between(100, quarter / MILLIS) * MILLIS;
    let mut provider = Provider::default();
    if rng.chance(250) {
        provider.locality = Locality::InProcess;
    }
    provider.fingerprints = rng.chance(700);
    provider.creation = (creation / 10, creation);
    // Shorter than any grace period.
    provider.boot = (0, rng.between(0, 25) * SECOND);
    provider.lag = quarter.min(4 * SECOND);
    provider.patience = quarter;
    provider.late = quarter;
    provider
}

/// A time in which several kinds of faults strike, and in which things happen.
fn episode(rng: &mut Rng, plots: &mut [Plot], at: u64, deeds: &mut Vec<(u64, Deed)>) {
    let kinds = rng.between(1, 5);
    let rates: Vec<(Kind, u16)> = (0..kinds)
        .map(|_| {
            let fault = rng.pick(&CATALOGUE[..FORMER]);
            let rate = rng.between(u64::from(fault.most / 10), u64::from(fault.most));
            (fault.kind, u16::try_from(rate).unwrap_or(u16::MAX))
        })
        .collect();
    let lasts = rng.between(30, 900) * SECOND;
    let ends = rates.iter().map(|(kind, _)| (*kind, 0)).collect();
    deeds.push((at, Deed::Rates(rates)));
    deeds.push((at + lasts, Deed::Rates(ends)));
    let mut moment = at;
    for _ in 0..rng.between(1, 5) {
        moment += rng.between(0, lasts / 4 / MILLIS) * MILLIS;
        something(rng, plots, moment, deeds);
    }
}

/// Something that happens to one of the groups; what makes it sick is cured after a while.
fn something(rng: &mut Rng, plots: &mut [Plot], at: u64, deeds: &mut Vec<(u64, Deed)>) {
    let plot = usize::try_from(rng.below(plots.len() as u64)).unwrap_or_default();
    let plot = &mut plots[plot];
    let deed = incident(rng, plot);
    let bad = match &deed {
        Deed::Operate(_, Operation::Commit { properties }) => {
            let bad = ["-sick", "-refused", "Approve"];
            bad.iter().any(|word| properties.contains(word))
        }
        Deed::Operate(_, Operation::Pause | Operation::Abort | Operation::Rollback(_))
        | Deed::HoldOne(..)
        | Deed::HandMade(..)
        | Deed::Turn(..)
        | Deed::TurnMany(..) => true,
        _ => false,
    };
    deeds.push((at, deed));
    if bad {
        let cured = at + rng.between(30, 1200) * SECOND;
        plot.note += 1;
        deeds.push((cured, plot.commit("")));
        let all = Deed::TurnMany(plot.id.clone(), Truth::Well, 1000);
        deeds.push((cured, all));
        // Nor does a person leave a rollout where it is for days.
        let later = cured + rng.between(30, 600) * SECOND;
        deeds.push((later, Deed::ReleaseAll(plot.id.clone())));
        let approve = Deed::Operate(plot.id.clone(), Operation::Approve);
        deeds.push((later + SECOND, approve));
        let resume = Deed::Operate(plot.id.clone(), Operation::Resume);
        deeds.push((later + 2 * SECOND, resume));
    }
}

/// Something that a person does to a group, or that happens to it.
fn incident(rng: &mut Rng, plot: &mut Plot) -> Deed {
    let group = plot.id.clone();
    if !plot.lives {
        plot.lives = true;
        return plot.commit("");
    }
    match rng.below(30) {
        0..=2 => {
            plot.note += 1;
            plot.commit("")
        }
        3 => {
            plot.note += 1;
            plot.commit("-sick")
        }
        4 => {
            plot.note += 1;
            plot.commit("-refused")
        }
        5 | 6 if !plot.pets => {
            plot.size = rng.between(0, 8);
            let size = i64::try_from(plot.size).unwrap_or_default();
            Deed::Operate(group, Operation::SetSize(size))
        }
        7 if !plot.pets => {
            // Growing and rolling at once.
            plot.size = rng.between(0, 8);
            plot.note += 1;
            plot.commit("")
        }
        8 if !plot.pets && plot.size > 0 => {
            plot.size -= 1;
            Deed::DestroyOne(group, rng.draw())
        }
        9 => {
            plot.lives = rng.chance(300);
            if plot.lives {
                Deed::Nudge(PluginName::from(plot.plugin))
            } else if rng.chance(500) {
                Deed::Operate(group, Operation::Free)
            } else {
                Deed::Operate(group, Operation::Destroy)
            }
        }
        10 => Deed::Turn(rng.draw(), Truth::Sick),
        11 => Deed::TurnMany(group, Truth::Sick, rng.between(200, 1000)),
        12 => Deed::TurnMany(group, Truth::Well, 1000),
        13 => Deed::Stranger(PluginName::from(plot.plugin)),
        14 => {
            let hash = if rng.chance(500) {
                "bootstrap"
            } else {
                "strange"
            };
            Deed::HandMade(group, PluginName::from(plot.plugin), hash.to_owned())
        }
        15 => Deed::Crash(rng.between(1, 120) * SECOND),
        16 => Deed::Operate(group, Operation::Pause),
        17 => Deed::Operate(group, Operation::Resume),
        18 => Deed::Operate(group, Operation::Approve),
        19 => Deed::Operate(group, Operation::Abort),
        20 | 21 => Deed::Operate(group, Operation::Rollback(None)),
        22 => {
            plot.held = true;
            Deed::HoldOne(group, rng.draw())
        }
        23 => {
            plot.held = false;
            Deed::ReleaseAll(group)
        }
        24 => {
            // The whole group moves to the other plugin.
            plot.plugin = if plot.plugin == "a" { "b" } else { "a" };
            plot.commit("")
        }
        // The controller's own machine has a name of its own, which is none of the group's.
        25 if !plot.owned && !plot.held => {
            // Like members get names, or lose them.
            plot.pets = !plot.pets;
            plot.size = plot.size.clamp(1, 5);
            plot.commit("")
        }
        26 if plot.pets => {
            plot.size = rng.between(1, 5);
            plot.commit("")
        }
        27 => Deed::Turn(rng.draw(), Truth::Hung),
        _ => Deed::Die(rng.draw()),
    }
}
