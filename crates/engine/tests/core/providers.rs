//! Providers with a bucket of their own: what they let through is used, and how much that is gets learned.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt as _;
use infrakit_engine::core::{Call, Core, CreationAnswer, Effect, Event, ListAnswer, NotWritten};
use infrakit_plan::{Config, Spec, Timestamp};
use infrakit_spi::Error;
use infrakit_spi::behaviour::Operation;
use infrakit_spi::instance::{Description, Listing, Locality};
use infrakit_store::{MemStore, Store as _};

use crate::bench::{GROUP, cattle};
use crate::rates::{declaring, limit, named};

/// A provider with a bucket of its own, whose creations take their time.
struct Provider {
    core: Core,
    store: MemStore,
    now: Timestamp,
    takes: Duration,
    per_second: f64,
    burst: f64,
    saved: f64,
    counted: Timestamp,
    /// What it says when it refuses: for how long it wants to be left alone.
    retry_after: Option<Duration>,
    /// Creations that it was asked for: when, by which group, and whether it took them.
    asked: Vec<(Timestamp, String, bool)>,
    /// When each call is answered.
    due: BTreeMap<(Timestamp, u64), Event>,
    there: Vec<Description>,
    throttled: Vec<Timestamp>,
    serial: u64,
}

impl Provider {
    fn new(per_second: f64, takes: Duration) -> Self {
        let now = Timestamp(1_000_000_000_000_000_000);
        Self {
            core: Core::new(Config::default()),
            store: MemStore::default(),
            now,
            takes,
            per_second,
            burst: per_second,
            saved: per_second,
            counted: now,
            retry_after: None,
            asked: Vec::new(),
            due: BTreeMap::new(),
            there: Vec::new(),
            throttled: Vec::new(),
            serial: 0,
        }
    }

    fn answer(&mut self, after: Duration, event: Event) {
        self.serial += 1;
        self.due.insert((self.now + after, self.serial), event);
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::List {
                plugin, started, ..
            } => {
                let answer = ListAnswer {
                    plugin,
                    started,
                    locality: Locality::Remote,
                    outcome: Ok(Listing::Changed(self.there.clone(), None)),
                };
                self.answer(Duration::from_millis(50), Event::Listed(answer));
            }
            Effect::Journal {
                batch,
                changes,
                durability,
            } => {
                let written = self.store.commit(changes, durability);
                let written = written.now_or_never().unwrap();
                let outcome = written.map(drop).map_err(|error| NotWritten::of(&error));
                let event = Event::Journaled { batch, outcome };
                self.answer(Duration::from_millis(3), event);
            }
            Effect::Call(Call::Provision {
                target,
                number,
                provision,
                ..
            }) => {
                let passed = self.now.since(self.counted).as_secs_f64();
                self.saved = (self.saved + passed * self.per_second).min(self.burst);
                self.counted = self.now;
                let group = target.group.to_string();
                self.asked.push((self.now, group, self.saved >= 1.0));
                let (after, outcome) = if self.saved < 1.0 {
                    self.throttled.push(self.now);
                    let mut error = Error::refused("RequestLimitExceeded");
                    if let Some(pause) = self.retry_after {
                        error = error.with_retry_after(pause);
                    }
                    (Duration::from_millis(20), Err(error))
                } else {
                    self.saved -= 1.0;
                    let description = Description {
                        id: format!("{}-{number}", target.group).into(),
                        tags: Some(provision.tags),
                        ..Description::default()
                    };
                    self.there.push(description.clone());
                    (self.takes, Ok(Box::new(description)))
                };
                let answer = CreationAnswer {
                    target,
                    number,
                    plugin: "file".into(),
                    begun: self.now,
                    outcome,
                };
                self.answer(after, Event::Provisioned(answer));
            }
            Effect::Call(Call::Check { subject, .. }) => {
                let outcome = Ok(infrakit_spi::flavor::Health::Healthy);
                let event = Event::Checked { subject, outcome };
                self.answer(Duration::from_millis(1), event);
            }
            Effect::Call(call) => panic!("nothing else is to be done: {call:?}"),
        }
    }

    /// Runs until so many are there and answered, or the time is up; returns how long it took.
    fn run(&mut self, count: usize, most: Duration) -> Duration {
        let begun = self.now;
        loop {
            self.core.plan(self.now);
            self.core.look(self.now);
            for effect in self.core.take_effects() {
                self.carry_out(effect);
            }
            let open = self.due.values();
            let open = open.filter(|event| matches!(event, Event::Provisioned(_)));
            let took = self.now.since(begun);
            if (self.there.len() >= count && open.count() == 0) || took > most {
                return took;
            }
            let answered = self.due.keys().next().map(|(at, _)| *at);
            let wake = self.core.wake_at();
            let next = answered.into_iter().chain(wake).min().unwrap();
            self.now = next.max(Timestamp(self.now.0 + 1_000));
            while let Some(entry) = self.due.first_entry()
                && entry.key().0 <= self.now
            {
                let event = entry.remove();
                self.core.handle(event, self.now);
            }
        }
    }
}

#[test]
fn a_provider_that_declares_its_limit_is_used_to_the_full_and_never_throttles() {
    let takes = Duration::from_secs(15);
    let mut provider = Provider::new(40.0, takes);
    let raw = cattle(2_000, "1");
    let spec = Spec::parse(raw.properties.as_ref()).unwrap();
    let now = provider.now;
    provider.core.handle(
        declaring(vec![limit(Operation::Create, 40.0, 40.0)]),
        provider.now,
    );
    provider.core.commit(raw, spec, "nonce", now).unwrap();
    let took = provider.run(2_000, Duration::from_secs(200)).as_secs_f64();
    assert_eq!(provider.there.len(), 2_000);
    assert!(
        provider.throttled.is_empty(),
        "{:?}",
        provider.throttled.len()
    );
    let least = (2_000.0 - 40.0) / 40.0 + takes.as_secs_f64();
    assert!(took < least * 1.03, "{took} s, {least} s are possible");
    assert!(provider.core.describe(&GROUP.into()).is_ok());
}

#[test]
fn a_provider_that_declares_nothing_is_found_out_within_a_minute() {
    let mut provider = Provider::new(20.0, Duration::from_secs(1));
    let raw = cattle(4_000, "1");
    let spec = Spec::parse(raw.properties.as_ref()).unwrap();
    let now = provider.now;
    provider.core.commit(raw, spec, "nonce", now).unwrap();
    provider.run(4_000, Duration::from_secs(240));
    let minute = now + Duration::from_secs(60);
    let late = provider.throttled.iter().filter(|at| **at > minute);
    assert!(late.count() <= 40, "of {}", provider.throttled.len());
    assert!(provider.there.len() > 2_000, "{}", provider.there.len());
}

fn run_two_groups(hint: Option<u64>) -> (Provider, f64) {
    let mut provider = Provider::new(2.0, Duration::from_secs(5));
    (provider.burst, provider.saved) = (5.0, 5.0);
    provider.retry_after = hint.map(Duration::from_secs);
    for id in ["aa", "zz"] {
        let raw = named(id, cattle(40, "1"));
        let spec = Spec::parse(raw.properties.as_ref()).unwrap();
        let now = provider.now;
        provider.core.commit(raw, spec, "nonce", now).unwrap();
    }
    let took = provider.run(80, Duration::from_secs(600));
    assert_eq!(provider.there.len(), 80);
    (provider, took.as_secs_f64())
}

/// It takes five at once and two a second, and refuses what is beyond that within moments. What is asked
/// before anything is known cannot be helped.
#[test]
fn a_provider_that_takes_little_is_found_out_by_its_first_refusals_and_groups_take_turns() {
    for hint in [None, Some(8)] {
        let (provider, took) = run_two_groups(hint);
        let begun = provider.asked[0].0;
        let later = provider.asked.iter().filter(|(at, ..)| *at > begun);
        let refused = later.filter(|(.., taken)| !taken).count();
        assert!(refused <= 8, "{refused} of {:?}", provider.throttled.len());
        let least = (80.0 - 5.0) / 2.0 + 5.0;
        let pauses = hint.map_or(0.0, |hint| f64::from(hint as u32) * 4.0);
        assert!(
            took < least * 1.3 + pauses,
            "{took} s, {least} s are possible"
        );
        // All of the first ones are of one group, before there was a line.
        let taken = provider.asked.iter().filter(|(.., taken)| *taken);
        let turns: Vec<&str> = taken.map(|(_, group, _)| group.as_str()).collect();
        for some in turns[5..65].chunks(10) {
            let first = some.iter().filter(|group| **group == "aa").count();
            assert!((3..=7).contains(&first), "{hint:?}: {turns:?}");
        }
    }
}
