//! Calls that wait for better times, and what a test makes of them.

use std::time::Duration;

use infrakit_engine::core::{Call, Core, CreationAnswer, Effect, Event, Subject, Target};
use infrakit_plan::{Spec, Timestamp};
use infrakit_spi::group::GroupSpec;
use infrakit_spi::instance::Description;
use infrakit_spi::{Error, PluginName, Tags};

use super::{Bench, Fate, GROUP};

/// A creation that was kept, and of which nothing comes before the test says so.
pub(crate) struct KeptCreation {
    target: Target,
    number: u64,
    plugin: PluginName,
    begun: Timestamp,
    tags: Tags,
}

impl Bench {
    /// Has the calls that were kept answered, and nothing planned yet.
    pub(crate) fn release_unsettled(&mut self) {
        self.fate = Fate::Done;
        for call in std::mem::take(&mut self.kept) {
            self.call(call);
        }
    }

    /// Commits, and sleeps while the first plan for it is being written.
    pub(crate) fn commit_and_sleep(&mut self, raw: GroupSpec, asleep: Duration) {
        let spec = Spec::parse(raw.properties.as_ref()).unwrap();
        self.core.commit(raw, spec, "nonce", self.now).unwrap();
        for asleep in [Duration::ZERO, asleep] {
            self.core.plan(self.now);
            let effects = self.core.take_effects();
            self.now = self.now + asleep;
            for effect in effects {
                self.carry_out(effect);
            }
        }
    }

    /// Has the kept call at this position be the first.
    pub(crate) fn put_first(&mut self, position: usize) {
        self.kept.swap(0, position);
    }

    /// Lets time pass until a destruction is decided, and takes it back: somebody asks for a change
    /// before it is written down.
    pub(crate) fn take_back_a_destruction(&mut self, change: impl Fn(&mut Core, Timestamp)) {
        self.while_a_destruction_is_written(change);
        assert_eq!(self.kept(), 0, "it is taken back");
        self.fate = Fate::Done;
    }

    /// Lets time pass until a destruction is decided, and has something happen before it is written down.
    pub(crate) fn while_a_destruction_is_written(&mut self, change: impl Fn(&mut Core, Timestamp)) {
        for _ in 0..10_000 {
            self.now = self.now + Duration::from_millis(100);
            self.core.plan(self.now);
            self.core.look(self.now);
            let effects = self.core.take_effects();
            let decided = effects.iter().any(|effect| match effect {
                Effect::Journal { changes, .. } => {
                    let mut keys = changes.iter().map(infrakit_store::Change::key);
                    keys.any(|key| key.as_str().starts_with("departures/"))
                }
                Effect::List { .. } | Effect::Call(_) => false,
            });
            if decided {
                change(&mut self.core, self.now);
                self.fate = Fate::Kept;
            }
            for effect in effects {
                self.carry_out(effect);
            }
            if decided {
                let effects = self.core.take_effects();
                effects
                    .into_iter()
                    .for_each(|effect| self.carry_out(effect));
                return;
            }
        }
        panic!("nobody is to go: {}", self.why());
    }

    /// Carries out what was decided; nothing more is decided meanwhile.
    pub(crate) fn act(&mut self) {
        for effect in self.core.take_effects() {
            self.carry_out(effect);
        }
    }

    /// Takes the one call that was kept, a creation that has just begun.
    pub(crate) fn take_creation(&mut self) -> KeptCreation {
        let kept = self.take_kept();
        let [
            Call::Provision {
                target,
                number,
                spec,
                provision,
            },
        ] = &kept[..]
        else {
            panic!("{kept:?}");
        };
        KeptCreation {
            target: target.clone(),
            number: *number,
            plugin: spec.instance.plugin.clone(),
            begun: self.now,
            tags: provision.tags.clone(),
        }
    }

    /// Takes the one call that was kept, a destruction.
    pub(crate) fn take_destruction(&mut self) -> Subject {
        let kept = self.take_kept();
        let [Call::Destroy { subject, .. }] = &kept[..] else {
            panic!("{kept:?}");
        };
        subject.clone()
    }

    /// Asks for the destruction of a member, and keeps the call.
    pub(crate) fn ask_to_go(&mut self, id: &str) -> Subject {
        self.fate = Fate::Kept;
        let core = &mut self.core;
        core.destroy_instances_now(&GROUP.into(), &[id.into()], self.now)
            .unwrap();
        self.settle();
        self.take_destruction()
    }

    /// Has a creation come true; its answer is still to come.
    pub(crate) fn make(&mut self, creation: &KeptCreation, id: &str) -> Description {
        self.plant(creation.plugin.as_str(), id, creation.tags.clone())
    }

    /// The answer of a creation, to be given in the midst of other things.
    pub(crate) fn answer_of(
        creation: &KeptCreation,
        made: Description,
    ) -> impl Fn(&mut Core, Timestamp) {
        let target = creation.target.clone();
        let (number, begun) = (creation.number, creation.begun);
        let plugin = creation.plugin.clone();
        move |core, now| {
            let answer = CreationAnswer {
                target: target.clone(),
                number,
                plugin: plugin.clone(),
                begun,
                outcome: Ok(Box::new(made.clone())),
            };
            core.handle(Event::Provisioned(answer), now);
        }
    }

    /// Answers a creation.
    pub(crate) fn answer(&mut self, creation: KeptCreation, outcome: Result<Description, Error>) {
        let KeptCreation {
            target,
            number,
            plugin,
            begun,
            ..
        } = creation;
        let answer = CreationAnswer {
            target,
            number,
            plugin,
            begun,
            outcome: outcome.map(Box::new),
        };
        self.core.handle(Event::Provisioned(answer), self.now);
    }
}

/// The instance plugin that a call goes to.
pub(super) fn plugin_of(call: &Call) -> Option<&PluginName> {
    match call {
        Call::Provision { spec, .. } => Some(&spec.instance.plugin),
        Call::Destroy { subject, .. }
        | Call::Drain { subject, .. }
        | Call::Repair { subject, .. }
        | Call::Label { subject, .. } => Some(&subject.plugin),
        Call::Check { .. } => None,
    }
}
