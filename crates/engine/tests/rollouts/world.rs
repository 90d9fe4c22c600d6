//! A world in memory in which versions can be bad: they do not start, or they do and are sick.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use infrakit_engine::{Engine, Options};
use infrakit_spi::behaviour::{Behaviour, Seconds};
use infrakit_spi::flavor::{Allocation, Flavor, Health, Index};
use infrakit_spi::group::{Commit, Group as _, GroupSpec};
use infrakit_spi::instance::{Context, Description, Detail, Instance, InstanceSpec, Locality};
use infrakit_spi::rollout::{Command, RolloutState, RolloutStatus, Rollouts as _};
use infrakit_spi::{Any, Error, FailureClass, InstanceId, PluginName, Plugins, Result, Tags, tags};
use infrakit_store::{Change, Durability, Key, MemStore, Revision, Store, StoreError, Versioned};
use tokio_util::sync::CancellationToken;

use crate::machine::Machine;

/// Tag that shows which version an instance was made from.
const VERSION: &str = "version";

/// A group `g` of `size` members of a version, with more properties.
pub(crate) fn group(size: u64, version: &str, more: &str) -> GroupSpec {
    let properties = format!(
        r#"{{"Allocation":{{"Size":{size}}},"Instance":{{"Plugin":"fake","Properties":{{"Version":"{version}"}}}},"Flavor":{{"Plugin":"fine"}}{more}}}"#
    );
    GroupSpec {
        id: "g".into(),
        properties: Some(Any::parse(&properties).unwrap()),
    }
}

/// Stages, the first of which is one member that somebody has to approve of.
pub(crate) const CANARY: &str = r#","Updating":{"Stages":[{"Until":1,"Approve":true}]}"#;

#[derive(Default)]
pub(crate) struct State {
    instances: BTreeMap<InstanceId, Tags>,
    begun: usize,
    /// How long a creation takes.
    pub(crate) delay: Duration,
    /// Versions whose members are sick.
    pub(crate) sick: BTreeSet<String>,
    /// Versions of whose members nothing is known.
    pub(crate) mute: BTreeSet<String>,
    /// Members that are sick.
    pub(crate) ill: BTreeSet<InstanceId>,
    /// Versions that cannot be made, and why.
    pub(crate) broken: BTreeMap<String, (FailureClass, String)>,
    /// Why nothing can be listed.
    pub(crate) hidden: Option<String>,
}

pub(crate) struct World {
    state: Arc<Mutex<State>>,
    store: Arc<Slow>,
    stop: Mutex<CancellationToken>,
    machine: Machine,
}

struct Fake(Arc<Mutex<State>>);

/// A store in memory that takes its time to say that something is written.
#[derive(Default)]
struct Slow {
    store: MemStore,
    delay: Mutex<Duration>,
}

#[async_trait]
impl Store for Slow {
    fn get(&self, key: &Key) -> Option<Versioned> {
        self.store.get(key)
    }

    fn scan(&self, prefix: &str) -> Vec<(Key, Versioned)> {
        self.store.scan(prefix)
    }

    async fn commit(
        &self,
        changes: Vec<Change>,
        durability: Durability,
    ) -> std::result::Result<Revision, StoreError> {
        let outcome = self.store.commit(changes, durability).await;
        let delay = *self.delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        outcome
    }
}

impl World {
    /// Lets the store take so long for each write.
    pub(crate) fn slow_store(&self, delay: Duration) {
        *self.store.delay.lock().unwrap() = delay;
    }

    pub(crate) fn new() -> Self {
        Self {
            state: Arc::default(),
            store: Arc::default(),
            stop: Mutex::default(),
            machine: Machine::booted(),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Starts an engine on this world and its store; the one before is killed.
    pub(crate) async fn engine(&self) -> Engine {
        let stop = CancellationToken::new();
        std::mem::replace(&mut *self.stop.lock().unwrap(), stop.clone()).cancel();
        let plugins = Arc::new(Found(Arc::clone(&self.state)));
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let options = Options {
            clocks: Arc::new(self.machine),
            ..Options::default()
        };
        let started = Engine::start(options, plugins, store, stop);
        let started = started.await.unwrap();
        assert!(started.unreadable.is_empty());
        started.engine
    }

    /// Versions of the members, by id.
    pub(crate) fn members(&self) -> BTreeMap<InstanceId, String> {
        let state = self.state();
        let members = state.instances.iter();
        members
            .map(|(id, tags)| (id.clone(), tags[VERSION].clone()))
            .collect()
    }

    pub(crate) fn count(&self, version: &str) -> usize {
        let members = self.members();
        members.values().filter(|own| *own == version).count()
    }

    pub(crate) fn ids(&self, version: &str) -> BTreeSet<InstanceId> {
        let members = self.members().into_iter();
        members
            .filter(|(_, own)| own == version)
            .map(|(id, _)| id)
            .collect()
    }

    /// Creations that were asked for so far.
    pub(crate) fn begun(&self) -> usize {
        self.state().begun
    }

    /// Has an instance vanish.
    pub(crate) fn kill(&self, id: &str) {
        self.state().instances.remove(&InstanceId::from(id));
    }

    /// Puts an instance there that nobody made.
    pub(crate) fn plant(&self, id: &str, version: &str) {
        let tags = [
            (tags::GROUP, "g"),
            (tags::CONFIG_HASH, "x"),
            (VERSION, version),
        ];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.state().instances.insert(id.into(), tags.into());
    }
}

/// Commits a group and waits until it is as specified, and was seen to work.
pub(crate) async fn settle(engine: &Engine, spec: &GroupSpec) {
    engine.commit(spec, Commit::Enforce).await.unwrap();
    reaches(engine, RolloutState::Completed).await;
    settled(engine).await;
}

/// Waits until the group is as specified.
pub(crate) async fn settled(engine: &Engine) {
    for _ in 0..2400 {
        let described = engine.describe(&"g".into()).await.unwrap();
        if described.converged {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("it did not settle: {:?}", status(engine).await);
}

pub(crate) async fn status(engine: &Engine) -> RolloutStatus {
    engine.status(&"g".into()).await.unwrap()
}

/// Waits until the rollout stands there.
pub(crate) async fn reaches(engine: &Engine, state: RolloutState) -> RolloutStatus {
    for _ in 0..2400 {
        let status = status(engine).await;
        if status.state == state {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("it is not {state}: {:?}", status(engine).await);
}

/// Waits until `why` says something in its first line, and returns all of it.
pub(crate) async fn waits_for(engine: &Engine, text: &str) -> Vec<String> {
    let mut last = Vec::new();
    for _ in 0..2400 {
        last = engine.why(&"g".into(), None).await.unwrap().lines;
        assert!((1..=3).contains(&last.len()), "{last:?}");
        if last[0].contains(text) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("nothing waits for {text:?}: {last:?}");
}

/// Gives a command that must be taken.
pub(crate) async fn steer(engine: &Engine, command: Command) -> String {
    engine.command(&"g".into(), &command).await.unwrap()
}

/// Gives a command that must be refused, and returns why it is.
pub(crate) async fn refused(engine: &Engine, command: Command) -> String {
    let answer = engine.command(&"g".into(), &command).await;
    answer.unwrap_err().message().to_owned()
}

struct Found(Arc<Mutex<State>>);

#[async_trait]
impl Plugins for Found {
    async fn instance(&self, _: &PluginName) -> Result<Arc<dyn Instance>> {
        Ok(Arc::new(Fake(Arc::clone(&self.0))))
    }

    async fn flavor(&self, _: &PluginName) -> Result<Arc<dyn Flavor>> {
        Ok(Arc::new(Fake(Arc::clone(&self.0))))
    }
}

#[async_trait]
impl Instance for Fake {
    async fn validate(&self, _: Option<&Any>) -> Result<()> {
        Ok(())
    }

    async fn provision(&self, spec: &InstanceSpec) -> Result<InstanceId> {
        let properties = spec.properties.as_ref().unwrap().as_str();
        let version = properties.split('"').nth(3).unwrap().to_owned();
        let (delay, broken, number) = {
            let mut state = self.0.lock().unwrap();
            state.begun += 1;
            let broken = state.broken.get(&version).cloned();
            (state.delay, broken, state.begun)
        };
        tokio::time::sleep(delay).await;
        if let Some((class, message)) = broken {
            return Err(Error::refused(message).with_class(class));
        }
        let id = InstanceId::new(format!("i-{number:03}"));
        let mut tags = spec.tags.clone().unwrap_or_default();
        tags.insert(VERSION.to_owned(), version);
        self.0.lock().unwrap().instances.insert(id.clone(), tags);
        Ok(id)
    }

    async fn label(&self, _: &InstanceId, _: &Tags) -> Result<()> {
        Err(Error::refused("nothing is labelled here"))
    }

    async fn destroy(&self, id: &InstanceId, _: &Context) -> Result<()> {
        let gone = self.0.lock().unwrap().instances.remove(id);
        gone.map(drop).ok_or_else(|| Error::refused("not found"))
    }

    async fn describe(&self, filter: &Tags, _: Detail) -> Result<Vec<Description>> {
        let state = self.0.lock().unwrap();
        if let Some(message) = &state.hidden {
            return Err(Error::refused(message));
        }
        let matching = state.instances.iter();
        let matching = matching.filter(|(_, own)| tags::matches(Some(own), filter));
        Ok(matching
            .map(|(id, tags)| Description {
                id: id.clone(),
                tags: Some(tags.clone()),
                ..Description::default()
            })
            .collect())
    }

    async fn behaviour(&self) -> Result<Option<Behaviour>> {
        let mut behaviour = Behaviour::default();
        behaviour.create.give_up = Some(Seconds(15.0));
        Ok(Some(behaviour))
    }

    fn locality(&self) -> Locality {
        Locality::Remote
    }
}

#[async_trait]
impl Flavor for Fake {
    async fn validate(&self, _: Option<&Any>, _: &Allocation) -> Result<()> {
        Ok(())
    }

    async fn prepare(
        &self,
        _: Option<&Any>,
        spec: InstanceSpec,
        _: &Allocation,
        _: &Index,
    ) -> Result<InstanceSpec> {
        Ok(spec)
    }

    async fn healthy(&self, _: Option<&Any>, member: &Description) -> Result<Health> {
        let state = self.0.lock().unwrap();
        let tags = state.instances.get(&member.id);
        let version = tags.map_or("", |tags| &tags[VERSION]);
        Ok(if state.mute.contains(version) {
            Health::Unknown
        } else if state.sick.contains(version) || state.ill.contains(&member.id) {
            Health::Unhealthy
        } else {
            Health::Healthy
        })
    }

    async fn drain(&self, _: Option<&Any>, _: &Description) -> Result<()> {
        Ok(())
    }
}
