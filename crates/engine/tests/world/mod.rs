//! A world in memory: an instance plugin, a flavor that likes everybody, and a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use infrakit_engine::{Engine, Options};
use infrakit_spi::behaviour::{Behaviour, Seconds};
use infrakit_spi::flavor::{Allocation, Flavor, Health, Index};
use infrakit_spi::group::{Group as _, GroupSpec};
use infrakit_spi::instance::{Context, Description, Detail, Instance, InstanceSpec, Locality};
use infrakit_spi::{Any, Error, InstanceId, PluginName, Plugins, Result, Tags, tags};
use infrakit_store::MemStore;
use tokio_util::sync::CancellationToken;

use crate::machine::Machine;

/// A group of `size` members of configuration `note`.
pub(crate) fn cattle(id: &str, size: u64, note: &str) -> GroupSpec {
    let properties = format!(
        r#"{{"Allocation":{{"Size":{size}}},"Instance":{{"Plugin":"fake","Properties":{{"Note":"{note}"}}}},"Flavor":{{"Plugin":"fine"}}}}"#
    );
    GroupSpec {
        id: id.into(),
        properties: Some(Any::parse(&properties).unwrap()),
    }
}

#[derive(Default)]
struct State {
    instances: BTreeMap<InstanceId, Tags>,
    begun: usize,
    most: usize,
    delay: Duration,
    lose: bool,
    refuse: Option<String>,
    /// How often the plugin does not answer yet when it is asked how it behaves.
    mute: usize,
}

#[derive(Clone)]
struct Fake {
    state: Arc<Mutex<State>>,
    hangs: bool,
}

pub(crate) struct World {
    state: Arc<Mutex<State>>,
    store: Arc<MemStore>,
    stop: Mutex<CancellationToken>,
    machine: Mutex<Machine>,
}

impl World {
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

    /// Starts an engine on this world and its store.
    pub(crate) async fn engine(&self) -> Engine {
        let stop = CancellationToken::new();
        *self.stop.lock().unwrap() = stop.clone();
        let plugins = Arc::new(Self {
            state: Arc::clone(&self.state),
            store: Arc::clone(&self.store),
            stop: Mutex::default(),
            machine: Mutex::new(*self.machine.lock().unwrap()),
        });
        let store = Arc::clone(&self.store);
        let options = Options {
            clocks: Arc::new(*self.machine.lock().unwrap()),
            ..Options::default()
        };
        let started = Engine::start(options, plugins, store, stop);
        let started = started.await.unwrap();
        assert!(started.unreadable.is_empty());
        started.engine
    }

    /// Ends the engine between two of its steps, as a kill would.
    pub(crate) fn crash(&self) {
        self.stop.lock().unwrap().cancel();
    }

    pub(crate) fn delay(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    pub(crate) fn lose_answers(&self, lose: bool) {
        self.state.lock().unwrap().lose = lose;
    }

    pub(crate) fn refuse(&self, message: Option<&str>) {
        self.state.lock().unwrap().refuse = message.map(str::to_owned);
    }

    pub(crate) fn mute(&self, questions: usize) {
        self.state.lock().unwrap().mute = questions;
    }

    pub(crate) fn plant(&self, id: &str, tags: &[(&str, &str)]) {
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.state
            .lock()
            .unwrap()
            .instances
            .insert(id.into(), tags.collect());
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.state.lock().unwrap().instances.contains_key(id)
    }

    pub(crate) fn begun(&self) -> usize {
        self.state.lock().unwrap().begun
    }

    pub(crate) fn most(&self) -> usize {
        self.state.lock().unwrap().most
    }

    fn members(&self, group: &str) -> Vec<(InstanceId, Tags)> {
        let state = self.state.lock().unwrap();
        let owned = |tags: &Tags| tags.get(tags::GROUP).is_some_and(|owner| owner == group);
        let members = state.instances.iter().filter(|(_, tags)| owned(tags));
        members
            .map(|(id, tags)| (id.clone(), tags.clone()))
            .collect()
    }

    pub(crate) fn count(&self, group: &str) -> usize {
        self.members(group).len()
    }

    pub(crate) fn any(&self, group: &str) -> InstanceId {
        self.members(group).remove(0).0
    }

    pub(crate) fn kill_one(&self, group: &str) {
        let id = self.any(group);
        self.state.lock().unwrap().instances.remove(&id);
    }

    pub(crate) fn hashes(&self, group: &str) -> BTreeSet<String> {
        let hash = |tags: &Tags| tags::config_hash(tags).unwrap_or_default().to_owned();
        self.members(group)
            .iter()
            .map(|(_, tags)| hash(tags))
            .collect()
    }

    /// Waits until the group is converged at `size`, both by its own word and in truth.
    pub(crate) async fn converged(&self, engine: &Engine, group: &str, size: usize) {
        for _ in 0..1200 {
            let described = engine.describe(&group.into()).await.unwrap();
            if described.converged && self.count(group) == size {
                assert_eq!(described.instances.unwrap().len(), size);
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!(
            "group {group} has {} members and did not converge to {size}",
            self.count(group)
        );
    }
}

#[async_trait]
impl Plugins for World {
    async fn instance(&self, name: &PluginName) -> Result<Arc<dyn Instance>> {
        let state = Arc::clone(&self.state);
        Ok(Arc::new(Fake {
            state,
            hangs: name.as_str() == "hanging",
        }))
    }

    async fn flavor(&self, _: &PluginName) -> Result<Arc<dyn Flavor>> {
        Ok(Arc::new(Fine))
    }
}

#[async_trait]
impl Instance for Fake {
    async fn validate(&self, _: Option<&Any>) -> Result<()> {
        Ok(())
    }

    async fn provision(&self, spec: &InstanceSpec) -> Result<InstanceId> {
        let (delay, refuse, lose, number) = {
            let mut state = self.state.lock().unwrap();
            state.begun += 1;
            (state.delay, state.refuse.clone(), state.lose, state.begun)
        };
        tokio::time::sleep(delay).await;
        if let Some(message) = refuse {
            return Err(Error::refused(message));
        }
        let mut state = self.state.lock().unwrap();
        let id = InstanceId::new(format!("i-{number:05}"));
        state
            .instances
            .insert(id.clone(), spec.tags.clone().unwrap_or_default());
        state.most = state.most.max(state.instances.len());
        if lose {
            Err(Error::unknown("connection lost"))
        } else {
            Ok(id)
        }
    }

    async fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        let tags = state
            .instances
            .get_mut(id)
            .ok_or_else(|| Error::refused("not found"))?;
        tags.extend(labels.clone());
        Ok(())
    }

    async fn destroy(&self, id: &InstanceId, _: &Context) -> Result<()> {
        let mut state = self.state.lock().unwrap();
        state
            .instances
            .remove(id)
            .map(drop)
            .ok_or_else(|| Error::refused("not found"))
    }

    async fn describe(&self, filter: &Tags, _: Detail) -> Result<Vec<Description>> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let state = self.state.lock().unwrap();
        let matching = state
            .instances
            .iter()
            .filter(|(_, own)| tags::matches(Some(own), filter));
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
        if let Some(left) = state.mute.checked_sub(1) {
            state.mute = left;
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

struct Fine;

#[async_trait]
impl Flavor for Fine {
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

    async fn healthy(&self, _: Option<&Any>, _: &Description) -> Result<Health> {
        Ok(Health::Healthy)
    }

    async fn drain(&self, _: Option<&Any>, _: &Description) -> Result<()> {
        Ok(())
    }
}
