//! A world in memory: an instance plugin whose answers may be lost or refused, versions that can be bad
//! (they do not start, or they do and are sick), and a store.

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

/// A plugin that never lists anything.
pub(crate) const HANGING: &str = "hanging";

/// A group `g` of `size` members of a version, with more properties.
pub(crate) fn group(size: u64, version: &str, more: &str) -> GroupSpec {
    on(("g", "fake"), size, version, more)
}

/// A group on a plugin.
pub(crate) fn on((id, plugin): (&str, &str), size: u64, version: &str, more: &str) -> GroupSpec {
    let properties = format!(
        r#"{{"Allocation":{{"Size":{size}}},"Instance":{{"Plugin":"{plugin}","Properties":{{"Version":"{version}"}}}},"Flavor":{{"Plugin":"fine"}}{more}}}"#
    );
    GroupSpec {
        id: id.into(),
        properties: Some(Any::parse(&properties).unwrap()),
    }
}

/// Stages, the first of which is one member that somebody has to approve of.
pub(crate) const CANARY: &str = r#","Updating":{"Stages":[{"Until":1,"Approve":true}]}"#;

#[derive(Default)]
pub(crate) struct State {
    instances: BTreeMap<InstanceId, Tags>,
    begun: usize,
    /// How many instances there were at most.
    most: usize,
    /// Whether the answers of creations are lost.
    pub(crate) lose: bool,
    /// Why nothing is created.
    pub(crate) refuse: Option<String>,
    /// How often the plugin does not answer yet when it is asked how it behaves.
    pub(crate) unanswered: usize,
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
    machine: Mutex<Machine>,
}

struct Fake {
    state: Arc<Mutex<State>>,
    hangs: bool,
}

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
            machine: Mutex::new(Machine::booted()),
        }
    }

    /// Sets the clock on the wall ahead.
    pub(crate) fn set_ahead(&self, ahead: Duration) {
        self.machine.lock().unwrap().ahead = ahead;
    }

    /// Boots the machine anew: nobody knows how long that took.
    pub(crate) fn boot(&self) {
        self.machine.lock().unwrap().boot = "second";
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Starts an engine on this world and its store; the one before is killed.
    pub(crate) async fn engine(&self) -> Engine {
        self.crash();
        self.rival().await
    }

    /// Ends the engine between two of its steps, as a kill would.
    pub(crate) fn crash(&self) {
        self.stop.lock().unwrap().cancel();
    }

    /// Starts an engine beside the one before.
    pub(crate) async fn rival(&self) -> Engine {
        let stop = CancellationToken::new();
        *self.stop.lock().unwrap() = stop.clone();
        let plugins = Arc::new(Found(Arc::clone(&self.state)));
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let options = Options {
            clocks: Arc::new(*self.machine.lock().unwrap()),
            ..Options::default()
        };
        let started = Engine::start(options, plugins, store, stop);
        let started = started.await.unwrap();
        assert!(started.unreadable.is_empty());
        started.engine
    }

    /// Commits a group and waits until it is converged at that size.
    pub(crate) async fn arrive(&self, engine: &Engine, size: u64, version: &str) {
        let spec = group(size, version, "");
        engine.commit(&spec, Commit::Enforce).await.unwrap();
        self.converged(engine, usize::try_from(size).unwrap()).await;
    }

    /// Waits until the group is converged at `size`, both by its own word and in truth.
    pub(crate) async fn converged(&self, engine: &Engine, size: usize) {
        for _ in 0..1200 {
            let described = engine.describe(&"g".into()).await.unwrap();
            if described.converged && self.members().len() == size {
                assert_eq!(described.instances.unwrap().len(), size);
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("{:?} did not converge to {size}", self.members());
    }

    /// Versions of the members of the group, by id; empty where nobody made them.
    pub(crate) fn members(&self) -> BTreeMap<InstanceId, String> {
        let tag = |tags: &Tags, name: &str| tags.get(name).cloned().unwrap_or_default();
        let state = self.state();
        let members = state.instances.iter();
        let members = members.filter(|(_, tags)| tag(tags, tags::GROUP) == "g");
        members
            .map(|(id, tags)| (id.clone(), tag(tags, VERSION)))
            .collect()
    }

    /// Any member.
    pub(crate) fn any(&self) -> InstanceId {
        self.members().pop_first().unwrap().0
    }

    /// The config hashes of the members.
    pub(crate) fn hashes(&self) -> BTreeSet<String> {
        let members = self.members();
        let state = self.state();
        let tags = members.keys().map(|id| &state.instances[id]);
        tags.map(|tags| tags::config_hash(tags).unwrap_or_default().to_owned())
            .collect()
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.state().instances.contains_key(&InstanceId::from(id))
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

    /// The most instances that there were at once.
    pub(crate) fn most(&self) -> usize {
        self.state().most
    }

    /// Has an instance vanish.
    pub(crate) fn kill(&self, id: &str) {
        self.state().instances.remove(&InstanceId::from(id));
    }

    /// Puts a member of a version there that nobody made.
    pub(crate) fn plant(&self, id: &str, version: &str) {
        let tags = [
            (tags::GROUP, "g"),
            (tags::CONFIG_HASH, "x"),
            (VERSION, version),
        ];
        self.plant_tagged(id, &tags);
    }

    /// Puts an instance there that nobody made.
    pub(crate) fn plant_tagged(&self, id: &str, tags: &[(&str, &str)]) {
        let tags = tags.iter();
        let tags = tags.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.state().instances.insert(id.into(), tags.collect());
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
    async fn instance(&self, name: &PluginName) -> Result<Arc<dyn Instance>> {
        Ok(Arc::new(Fake {
            state: Arc::clone(&self.0),
            hangs: name.as_str() == HANGING,
        }))
    }

    async fn flavor(&self, _: &PluginName) -> Result<Arc<dyn Flavor>> {
        let state = Arc::clone(&self.0);
        Ok(Arc::new(Fake {
            state,
            hangs: false,
        }))
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
        let (delay, refusal, lose, number) = {
            let mut state = self.state.lock().unwrap();
            state.begun += 1;
            let broken = state.broken.get(&version);
            let broken = broken.map(|(class, why)| Error::refused(why).with_class(*class));
            let refusal = broken.or_else(|| state.refuse.as_ref().map(Error::refused));
            (state.delay, refusal, state.lose, state.begun)
        };
        tokio::time::sleep(delay).await;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let id = InstanceId::new(format!("i-{number:03}"));
        let mut tags = spec.tags.clone().unwrap_or_default();
        tags.insert(VERSION.to_owned(), version);
        let mut state = self.state.lock().unwrap();
        state.instances.insert(id.clone(), tags);
        state.most = state.most.max(state.instances.len());
        if lose {
            return Err(Error::unknown("connection lost"));
        }
        Ok(id)
    }

    async fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        let tags = state.instances.get_mut(id);
        let tags = tags.ok_or_else(|| Error::refused("not found"))?;
        tags.extend(labels.clone());
        Ok(())
    }

    async fn destroy(&self, id: &InstanceId, _: &Context) -> Result<()> {
        let gone = self.state.lock().unwrap().instances.remove(id);
        gone.map(drop).ok_or_else(|| Error::refused("not found"))
    }

    async fn describe(&self, filter: &Tags, _: Detail) -> Result<Vec<Description>> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let state = self.state.lock().unwrap();
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
        let mut state = self.state.lock().unwrap();
        if let Some(left) = state.unanswered.checked_sub(1) {
            state.unanswered = left;
            return Err(Error::unknown("no answer in time"));
        }
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
        let state = self.state.lock().unwrap();
        let tags = state.instances.get(&member.id);
        let version = tags.and_then(|tags| tags.get(VERSION));
        let version = version.map_or("", String::as_str);
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
