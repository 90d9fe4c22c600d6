//! What the core costs by itself, with a world that answers at once and for nothing.
//!
//! `cargo run --release -p infrakit-engine --example core_cost`

#![expect(clippy::print_stdout, reason = "its output is its purpose")]
#![expect(clippy::unwrap_used, reason = "it is run by hand")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use infrakit_engine::core::{Call, Core, CreationAnswer, Effect, Event, ListAnswer};
use infrakit_plan::{Config, Spec, Timestamp};
use infrakit_spi::flavor::Health;
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::{Description, Fingerprint, Listing, Locality};
use infrakit_spi::{Any, InstanceId};

/// Answers that come together, as from a socket that is read when there is time.
const BURST: usize = 128;

struct World {
    core: Core,
    now: Timestamp,
    instances: Vec<Description>,
    calls: VecDeque<Call>,
    creations: usize,
    written: usize,
}

fn main() {
    many_groups();
    one_large_group();
}

fn many_groups() {
    let mut world = World::new();
    let begun = Instant::now();
    for group in 0..1_000 {
        world.commit(&format!("group-{group:04}"), 100);
    }
    world.run();
    let took = begun.elapsed();
    let each = world.creations as f64 / took.as_secs_f64();
    println!(
        "1,000 groups of 100: {} creations in {took:.2?}, {each:.0} a second, {} entries journaled",
        world.creations, world.written
    );
    // The first lists show what was made.
    world.rest(Duration::from_secs(60));
    let begun = Instant::now();
    world.rest(Duration::from_secs(600));
    println!("a minute at rest: {:.2?}", begun.elapsed() / 10);
}

fn one_large_group() {
    let mut world = World::new();
    world.commit("large", 10_000);
    world.run();
    world.rest(Duration::from_secs(3_600));
    let mut spent = Duration::ZERO;
    let rounds = 1_000;
    for round in 0..rounds {
        let id = world.instances[round * 7].id.clone();
        world.now = world.now + Duration::from_millis(10);
        let target = world.target("large");
        let begun = Instant::now();
        let subject = infrakit_engine::core::Subject {
            target,
            plugin: "plugin".into(),
            id,
            birth: infrakit_plan::Birth::default(),
            before: u64::MAX,
        };
        let outcome = Ok(Health::Unknown);
        world
            .core
            .handle(Event::Checked { subject, outcome }, world.now);
        world.core.plan(world.now);
        spent += begun.elapsed();
        world.run();
    }
    println!(
        "a verdict and a plan in a group of 10,000: {:.1?}",
        spent / u32::try_from(rounds).unwrap()
    );
}

impl World {
    fn new() -> Self {
        Self {
            core: Core::new(Config::default()),
            now: Timestamp(1_000_000_000_000_000_000),
            instances: Vec::new(),
            calls: VecDeque::new(),
            creations: 0,
            written: 0,
        }
    }

    fn target(&self, group: &str) -> infrakit_engine::core::Target {
        infrakit_engine::core::Target {
            group: group.into(),
            nonce: "nonce".into(),
        }
    }

    fn commit(&mut self, group: &str, size: u64) {
        let text = format!(
            r#"{{"Allocation":{{"Size":{size}}},"Instance":{{"Plugin":"plugin","Properties":{{"Note":"1"}}}},"Flavor":{{"Plugin":"fine"}}}}"#
        );
        let properties = Some(Any::parse(&text).unwrap());
        let spec = Spec::parse(properties.as_ref()).unwrap();
        let raw = GroupSpec {
            id: group.into(),
            properties,
        };
        self.core.commit(raw, spec, "nonce", self.now).unwrap();
        self.step();
    }

    fn run(&mut self) {
        loop {
            self.step();
            for _ in 0..BURST {
                if let Some(call) = self.calls.pop_front() {
                    self.call(call);
                }
            }
            if self.calls.is_empty() && !self.core.is_dirty() {
                return;
            }
        }
    }

    /// Lets time pass.
    fn rest(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.core.wake_at()
            && at < end
        {
            self.now = self.now.max(at);
            self.run();
        }
        self.now = self.now.max(end);
    }

    fn step(&mut self) {
        self.now = Timestamp(self.now.0 + 1_000);
        self.core.plan(self.now);
        self.core.look(self.now);
        for effect in self.core.take_effects() {
            match effect {
                Effect::List {
                    plugin,
                    started,
                    seen,
                    ..
                } => {
                    let state = Fingerprint([0, self.instances.len() as u64]);
                    let listing = if seen == Some(state) {
                        Listing::Unchanged
                    } else {
                        Listing::Changed(self.instances.clone(), Some(state))
                    };
                    let answer = ListAnswer {
                        plugin,
                        started,
                        locality: Locality::Remote,
                        outcome: Ok(listing),
                    };
                    self.core.handle(Event::Listed(answer), self.now);
                }
                Effect::Journal { batch, .. } => {
                    self.written += 1;
                    let outcome = Ok(());
                    let event = Event::Journaled { batch, outcome };
                    self.core.handle(event, self.now);
                }
                Effect::Call(call) => self.calls.push_back(call),
            }
        }
    }

    fn call(&mut self, call: Call) {
        let event = match call {
            Call::Provision {
                target,
                number,
                spec,
                provision,
            } => {
                self.creations += 1;
                let description = Description {
                    id: InstanceId::new(format!("i-{:06}", self.creations)),
                    tags: Some(provision.tags),
                    ..Description::default()
                };
                self.instances.push(description.clone());
                Event::Provisioned(CreationAnswer {
                    target,
                    number,
                    plugin: spec.instance.plugin.clone(),
                    begun: self.now,
                    outcome: Ok(Box::new(description)),
                })
            }
            Call::Check { subject, .. } => {
                let outcome = Ok(Health::Healthy);
                Event::Checked { subject, outcome }
            }
            other => panic!("not asked for here: {other:?}"),
        };
        self.core.handle(event, self.now);
    }
}
