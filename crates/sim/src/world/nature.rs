//! How providers of each class behave, from measurements and incidents of real ones.
//!
//! Nothing here is taken from what the engine assumes. Times are drawn lognormal through the 50th and
//! the 99th percentile and are cut at the longest that was seen; rates are per call.

use infrakit_spi::behaviour::{
    AbsentProof, AnswerMeans, Behaviour, Completeness, IdempotencyKind, Limit, Meaning, Operation,
    Reuse, Seconds,
};

use super::{MILLIS, MINUTE, SECOND};
use crate::rng::Rng;

/// A class of providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Processes and micro machines of this host.
    FastLocal,
    /// Docker, Incus.
    ContainerEngine,
    /// Nova, vSphere, Proxmox, libvirt.
    Hypervisor,
    /// EC2, GCE, Azure, DigitalOcean, Hetzner.
    PublicCloud,
    /// MAAS, Ironic, Equinix.
    BareMetal,
}

/// A stage of a machine's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It does not run yet.
    ComingUp,
    /// It runs.
    Up,
    /// It is going away, or is gone and still listed.
    Going,
    /// It is there and does not run.
    Stopped,
    /// It is there and will never work.
    Broken,
    /// The provider cannot tell.
    Unknown,
}

impl Stage {
    /// Every stage, in the order of a life.
    pub(super) const ALL: [Self; 6] = [
        Self::ComingUp,
        Self::Up,
        Self::Going,
        Self::Stopped,
        Self::Broken,
        Self::Unknown,
    ];

    fn meaning(self) -> Meaning {
        match self {
            Self::ComingUp => Meaning::Creating,
            Self::Up => Meaning::Up,
            Self::Going => Meaning::Leaving,
            Self::Stopped => Meaning::Stopped,
            Self::Broken => Meaning::Broken,
            Self::Unknown => Meaning::Unknown,
        }
    }
}

/// A time that is drawn anew each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Half of all are shorter.
    pub half: u64,
    /// 99 of 100 are shorter.
    pub most: u64,
    /// None is longer.
    pub longest: u64,
}

/// A time in milliseconds: 50th percentile, 99th, longest.
const fn spread(half: u64, most: u64, longest: u64) -> Spread {
    Spread {
        half: half * MILLIS,
        most: most * MILLIS,
        longest: longest * MILLIS,
    }
}

/// Steps of a hundredth of a standard deviation between the 50th and the 99th percentile.
const NINETY_NINE: f64 = 2.326;

impl Spread {
    /// Draws a time.
    ///
    /// Only operations are used that give the same on every machine: square roots, and no powers.
    #[must_use]
    pub fn draw(&self, rng: &mut Rng) -> u64 {
        if self.half == 0 || self.most <= self.half {
            return self.half.min(self.longest);
        }
        // Twelve uniform numbers together are all but normal.
        let sum: u64 = (0..12).map(|_| rng.below(1_000_000)).sum();
        let deviation = sum as f64 / 1_000_000.0 - 6.0;
        let ratio = self.most as f64 / self.half as f64;
        let factor = power(ratio, deviation / NINETY_NINE);
        ((self.half as f64 * factor) as u64).min(self.longest)
    }
}

/// `base` to the power of `exponent`, to a part in a thousand of the exponent.
fn power(base: f64, exponent: f64) -> f64 {
    let (size, mut result) = (exponent.abs(), 1.0);
    for _ in 0..size as u64 {
        result *= base;
    }
    let (mut rest, mut root) = (size.fract(), base);
    for _ in 0..10 {
        root = root.sqrt();
        rest *= 2.0;
        if rest >= 1.0 {
            rest -= 1.0;
            result *= root;
        }
    }
    if exponent < 0.0 { 1.0 / result } else { result }
}

/// A bucket of calls that is refilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Calls that may come at once.
    pub size: u64,
    /// Time after which one more may come.
    pub each: u64,
}

/// How a provider behaves.
#[derive(Clone, Debug)]
pub struct Nature {
    /// Its class.
    pub class: Class,
    /// Until a call is answered.
    pub api: Spread,
    /// From a request until the instance runs.
    pub running: Spread,
    /// From then until it does its work.
    pub healthy: Spread,
    /// Until lists show what has changed.
    pub lag: Spread,
    /// From a destruction that was accepted until the instance is gone.
    pub destroy: Spread,
    /// How long the dead are listed, as going away.
    pub tombstone: u64,
    /// What is there when a creation is answered.
    pub answer: AnswerMeans,
    /// Whether ids come again.
    pub reuse: Reuse,
    /// Zones, hosts or racks.
    pub zones: u64,
    /// Creations that it takes; the others are refused quickly.
    pub creates: Option<Bucket>,
    /// Destructions that it takes.
    pub destroys: Option<Bucket>,
    /// Creations of 10,000 that come true and whose answer is lost.
    pub unanswered: u64,
    /// Creations of 10,000 that are accepted and fail then.
    pub stillborn: u64,
    /// Destructions of 10,000 that are refused.
    pub refused: u64,
    /// Whether its plugin says all this.
    pub declared: bool,
    /// Whether a creation that is asked for again is answered with what the first one made.
    pub once: bool,
    /// Whether its lists say which zones they cover where they do not cover all.
    pub covers: bool,
    /// Whether the id that became free last is the first to be given again, to whichever group.
    pub recycles: bool,
    /// Whether it answers a creation before the instance exists.
    pub promises: bool,
    /// Whether it agrees to destroy what it has only promised, and makes it all the same.
    pub agrees: bool,
}

impl Nature {
    /// Returns how providers of a class behave.
    #[must_use]
    pub fn of(class: Class) -> Self {
        let nature = Self {
            class,
            api: spread(12, 60, 1_000),
            running: spread(125, 300, 2_000),
            healthy: spread(100, 1_000, 10_000),
            lag: spread(0, 0, 0),
            destroy: spread(100, 1_000, 5_000),
            tombstone: 0,
            answer: AnswerMeans::Running,
            reuse: Reuse::Never,
            zones: 1,
            creates: None,
            destroys: None,
            unanswered: 5,
            stillborn: 10,
            refused: 0,
            declared: true,
            once: false,
            covers: false,
            recycles: false,
            promises: false,
            agrees: false,
        };
        match class {
            Class::FastLocal => nature,
            Class::ContainerEngine => Self {
                api: spread(100, 2_000, 120_000),
                running: spread(600, 3_000, 120_000),
                healthy: spread(1_000, 30_000, 600_000),
                lag: spread(0, 100, 5_000),
                destroy: spread(500, 12_000, 60_000),
                unanswered: 10,
                stillborn: 20,
                refused: 20,
                ..nature
            },
            Class::Hypervisor => Self {
                api: spread(500, 5_000, 60_000),
                running: spread(20_000, 80_000, 2_900_000),
                healthy: spread(30_000, 300_000, 1_800_000),
                lag: spread(0, 2_000, 15_000),
                destroy: spread(3_000, 16_000, 300_000),
                answer: AnswerMeans::Exists,
                zones: 3,
                unanswered: 100,
                stillborn: 200,
                refused: 100,
                ..nature
            },
            Class::PublicCloud => Self {
                api: spread(1_500, 8_000, 60_000),
                running: spread(8_000, 60_000, 1_200_000),
                healthy: spread(25_000, 240_000, 1_800_000),
                lag: spread(2_000, 30_000, 1_100_000),
                destroy: spread(40_000, 300_000, 14_400_000),
                tombstone: 60 * MINUTE,
                answer: AnswerMeans::Accepted,
                zones: 3,
                creates: Some(Bucket {
                    size: 5,
                    each: SECOND / 2,
                }),
                destroys: Some(Bucket {
                    size: 100,
                    each: SECOND / 5,
                }),
                unanswered: 20,
                stillborn: 30,
                refused: 30,
                ..nature
            },
            Class::BareMetal => Self {
                api: spread(1_000, 10_000, 60_000),
                running: spread(640_000, 1_320_000, 2_400_000),
                healthy: spread(180_000, 900_000, 1_800_000),
                lag: spread(1_000, 20_000, 120_000),
                destroy: spread(300_000, 3_600_000, 86_400_000),
                answer: AnswerMeans::Accepted,
                reuse: Reuse::Always,
                zones: 4,
                unanswered: 100,
                stillborn: 500,
                refused: 100,
                ..nature
            },
        }
    }

    /// Returns how a provider of a class drawn at random behaves: within the table, with the shapes
    /// of its members mixed.
    #[must_use]
    pub fn draw(rng: &mut Rng) -> Self {
        let class = match rng.below(20) {
            0..=3 => Class::FastLocal,
            4..=8 => Class::ContainerEngine,
            9..=12 => Class::Hypervisor,
            13..=17 => Class::PublicCloud,
            _ => Class::BareMetal,
        };
        let mut nature = Self::of(class);
        // Plugins of the original block until the instance runs, or answer as soon as it exists.
        if rng.chance(400) {
            nature.answer = AnswerMeans::Running;
        }
        if matches!(class, Class::Hypervisor) && rng.chance(300) {
            nature.reuse = Reuse::AfterDelete;
        }
        if matches!(class, Class::PublicCloud) && rng.chance(500) {
            nature.tombstone = 0;
        }
        // Of a thousand draws one is as long as the longest; a history has a few dozen.
        nature.destroy.longest = nature.destroy.longest.min(20 * MINUTE);
        nature.declared = rng.chance(600);
        nature
    }

    /// Draws what only some providers of a class do.
    #[must_use]
    pub fn with_habits(self, rng: &mut Rng) -> Self {
        let (once, covers) = (rng.chance(300), rng.chance(300));
        Self {
            once: once && self.declared,
            covers: covers && self.declared && self.zones > 1,
            ..self
        }
    }

    /// Draws what providers do at the edge of what they may.
    #[must_use]
    pub fn at_the_edge(self, rng: &mut Rng) -> Self {
        let (recycles, always) = (rng.chance(600), rng.chance(400));
        let (promises, agrees) = (rng.chance(500), rng.chance(300));
        let mut nature = Self {
            recycles,
            promises,
            agrees,
            ..self
        };
        if recycles && nature.reuse == Reuse::Never {
            nature.reuse = if always {
                Reuse::Always
            } else {
                Reuse::AfterDelete
            };
        }
        if promises {
            nature.answer = AnswerMeans::Accepted;
        }
        nature
    }

    /// Returns the longest time until something that was done shows in lists.
    #[must_use]
    pub fn longest_lag(&self) -> u64 {
        self.lag.longest
    }

    /// Returns the longest time from a creation until the instance does its work.
    #[must_use]
    pub fn longest_birth(&self) -> u64 {
        self.running.longest + self.healthy.longest
    }

    /// Returns what the provider calls each stage of a machine's life: in words that all share, or in
    /// those of MAAS and Nova.
    #[must_use]
    pub(super) fn words(&self) -> [&'static str; Stage::ALL.len()] {
        match self.class {
            Class::FastLocal | Class::ContainerEngine | Class::PublicCloud => [
                "pending",
                "running",
                "terminating",
                "stopped",
                "error",
                "unknown",
            ],
            Class::Hypervisor => ["BUILD", "ACTIVE", "DELETED", "SHUTOFF", "ERROR", "UNKNOWN"],
            Class::BareMetal => [
                "Deploying",
                "Deployed",
                "Releasing",
                "Off",
                "Failed deployment",
                "Missing",
            ],
        }
    }

    /// Returns what its plugin declares: the truth, or nothing.
    #[must_use]
    pub fn declaration(&self) -> Behaviour {
        let mut behaviour = Behaviour::default();
        if !self.declared {
            return behaviour;
        }
        let seconds = |nanos: u64| Some(Seconds(nanos as f64 / SECOND as f64));
        behaviour.idempotency.kind = if self.once {
            IdempotencyKind::Token
        } else {
            IdempotencyKind::None
        };
        behaviour.token_readable = Some(true);
        behaviour.create.answer_means = self.answer;
        behaviour.create.running_p50 = seconds(self.running.half);
        behaviour.create.running_p99 = seconds(self.running.most);
        behaviour.create.give_up = seconds(self.running.longest);
        behaviour.visibility_window.list = seconds(self.lag.longest);
        behaviour.visibility_window.tag = seconds(self.lag.longest);
        behaviour.list.lag = seconds(self.lag.longest);
        behaviour.list.relapse = seconds(self.lag.longest);
        behaviour.list.complete = match self.class {
            Class::FastLocal | Class::ContainerEngine => Completeness::Yes,
            _ if self.zones > 1 => Completeness::PerDomain,
            _ => Completeness::Unknown,
        };
        behaviour.absent_proof = AbsentProof::BothTwice;
        behaviour.tombstone = seconds(self.tombstone);
        behaviour.id.reused = self.reuse;
        behaviour.destroy.asynchronous = Some(true);
        behaviour.destroy.p99 = seconds(self.destroy.most.min(self.destroy.longest));
        behaviour.destroy.stuck = seconds(self.destroy.longest);
        behaviour.domain_of = Some("zone".to_owned());
        for (stage, word) in Stage::ALL.into_iter().zip(self.words()) {
            behaviour.states.insert(word.to_owned(), stage.meaning());
        }
        for (op, bucket) in [
            (Operation::Create, self.creates),
            (Operation::Destroy, self.destroys),
        ] {
            if let Some(bucket) = bucket {
                behaviour.limits.push(Limit {
                    op,
                    bucket: bucket.size as f64,
                    refill_per_s: SECOND as f64 / bucket.each as f64,
                    ..Limit::default()
                });
            }
        }
        behaviour
    }
}

/// How full a bucket is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fill {
    /// Calls that were let through and are not refilled yet, in nanoseconds of refilling.
    owed: u64,
    at: u64,
}

impl Fill {
    /// Takes a call out of a bucket. Returns how long to wait where there is none.
    ///
    /// # Errors
    /// Returns after how long there is one.
    pub fn take(&mut self, bucket: Bucket, now: u64) -> Result<(), u64> {
        self.owed = self.owed.saturating_sub(now.saturating_sub(self.at));
        self.at = now;
        let full = bucket.size * bucket.each;
        if self.owed + bucket.each > full {
            return Err(self.owed + bucket.each - full);
        }
        self.owed += bucket.each;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_through_their_percentiles() {
        let rng = &mut Rng::new(1, 1);
        let cloud = Nature::of(Class::PublicCloud).running;
        let mut drawn: Vec<u64> = (0..20_000).map(|_| cloud.draw(rng)).collect();
        drawn.sort_unstable();
        let near = |own: u64, want: u64| own.abs_diff(want) < want / 10;
        assert!(near(drawn[10_000], cloud.half), "{}", drawn[10_000]);
        assert!(near(drawn[19_800], cloud.most), "{}", drawn[19_800]);
        assert!(drawn[19_999] <= cloud.longest);
    }

    #[test]
    fn declarations_can_be_meant() {
        for class in [
            Class::FastLocal,
            Class::ContainerEngine,
            Class::Hypervisor,
            Class::PublicCloud,
            Class::BareMetal,
        ] {
            assert_eq!(Nature::of(class).declaration().check(), Ok(()), "{class:?}");
        }
        let rng = &mut Rng::new(2, 1);
        for _ in 0..200 {
            assert_eq!(Nature::draw(rng).declaration().check(), Ok(()));
        }
    }

    #[test]
    fn a_bucket_lets_through_what_is_in_it() {
        let bucket = Bucket { size: 2, each: 10 };
        let mut fill = Fill::default();
        assert_eq!(
            [0, 0, 0].map(|now| fill.take(bucket, now).is_ok()),
            [true, true, false]
        );
        assert_eq!(fill.take(bucket, 4), Err(6));
        assert_eq!(fill.take(bucket, 10), Ok(()));
    }
}
