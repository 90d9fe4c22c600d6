//! The engine as others see it: a group plugin.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use infrakit_plan::{InvalidSpec, Spec, Timestamp};
use infrakit_spi::group::{Commit, Group, GroupDescription, GroupSpec};
use infrakit_spi::rollout::Rollouts;
use infrakit_spi::{Delivery, Error, GroupId, InstanceId, Plugins, Result};
use infrakit_store::{Durability, Store, StoreError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::core::{Accepted, Claim, Core, Overrides, Refused};
use crate::options::Options;
use crate::serial_queue::SerialQueues;
use crate::shell::{Clock, Input, Resolver, Setup, Shell};
use crate::shown::Shown;

/// A group whose records in the store cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("group `{group}` cannot be taken up from the store: {reason}")]
pub struct Unreadable {
    /// The group.
    pub group: GroupId,
    /// Why.
    pub reason: String,
}

/// An engine that cannot start, because it cannot take the lead of the groups in its store.
#[derive(Debug, thiserror::Error)]
#[error("failed to take the lead of the groups in the store")]
pub struct StartError {
    #[from]
    source: StoreError,
}

/// An engine that was started.
pub struct Started {
    /// The engine.
    pub engine: Engine,
    /// Its task, which ends with it.
    pub task: JoinHandle<()>,
    /// Groups that are left alone, since their records cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// How the core destroys members by name: within the budget, or at once.
type Destruction =
    fn(&mut Core, &GroupId, &[InstanceId], Timestamp) -> std::result::Result<Option<u64>, Refused>;

/// A running engine. Copies share it; it ends when its token is cancelled.
#[derive(Clone)]
pub struct Engine {
    inputs: mpsc::UnboundedSender<Input>,
    resolver: Arc<Resolver>,
    ids: watch::Receiver<Arc<[GroupId]>>,
    /// Changes of one group, one after the other.
    pub(crate) queues: SerialQueues,
    /// Previews that commits can be bound to.
    pub(crate) shown: Shown,
    patience: Duration,
}

impl Engine {
    /// Takes the lead of the groups in the store, and keeps them as specified until `stop` is
    /// cancelled or another controller takes the lead.
    ///
    /// # Errors
    /// Fails when the lead cannot be taken: somebody else takes it at this very moment, or the
    /// store cannot be written.
    pub async fn start(
        options: Options,
        plugins: Arc<dyn Plugins>,
        store: Arc<dyn Store>,
        stop: CancellationToken,
    ) -> std::result::Result<Started, StartError> {
        let (inputs, received) = mpsc::unbounded_channel();
        let resolver = Arc::new(Resolver::new(plugins));
        let (ids, known) = watch::channel(Arc::from([]));
        let claim = Claim::next(store.as_ref(), &nonce());
        let mut clock = Clock::start(options.clocks, store.as_ref());
        let mut changes = claim.changes();
        changes.extend(clock.note());
        let revision = store.commit(changes, Durability::Synced).await?;
        let mut core = Core::new(options.config)
            .governed(options.limits)
            .overridden(options.overrides)
            .with_calls_at_once(options.max_parallel);
        core.lead(claim.won(revision));
        let setup = Setup {
            ids,
            store,
            clock,
            resolver: Arc::clone(&resolver),
            slow: options.slow,
            stop,
        };
        let mut shell = Shell::new(core, setup, inputs.clone());
        let unreadable = shell.restore();
        let unreadable = unreadable
            .into_iter()
            .map(|(group, reason)| Unreadable { group, reason })
            .collect();
        let task = tokio::spawn(shell.run(received));
        let engine = Self {
            inputs,
            resolver,
            ids: known,
            queues: SerialQueues::default(),
            shown: Shown::default(),
            patience: options.patience,
        };
        Ok(Started {
            engine,
            task,
            unreadable,
        })
    }

    /// Returns the ids of the groups, in order, without waiting.
    #[must_use]
    pub fn groups(&self) -> Arc<[GroupId]> {
        self.ids.borrow().clone()
    }

    /// Returns the specs in force as they were committed, by group.
    ///
    /// # Errors
    /// Fails when the engine has stopped.
    pub async fn committed_specs(&self) -> Result<Vec<GroupSpec>> {
        self.ask(|shell, _| shell.core.committed_specs()).await
    }

    /// Takes in what the operator says of plugins from now on.
    ///
    /// # Errors
    /// Fails when the engine has stopped.
    pub async fn override_plugins(&self, overrides: Overrides) -> Result<()> {
        self.ask(move |shell, now| shell.core.override_plugins(overrides, now))
            .await
    }

    /// Asks the core something, between two events.
    pub(crate) async fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Shell, Timestamp) -> R + Send + 'static,
    ) -> Result<R> {
        let (teller, answer) = oneshot::channel();
        let ask = Input::Ask(Box::new(move |shell, now| {
            let _ = teller.send(question(shell, now));
        }));
        self.inputs.send(ask).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }

    /// Makes a change of a group and waits until the store has it.
    ///
    /// Once begun it goes on although nobody waits for it any more, so that the next change of the
    /// group finds it done.
    pub(crate) async fn change(
        &self,
        id: &GroupId,
        change: impl FnOnce(&mut Core, Timestamp) -> std::result::Result<Accepted, Refused>
        + Send
        + 'static,
    ) -> Result<String> {
        let (engine, id) = (self.clone(), id.clone());
        let changing = tokio::spawn(async move {
            let _place = engine.queues.enter(&id).await;
            engine.change_next(&id, change).await
        });
        changing.await.map_err(|_| stopped())?
    }

    /// Makes a change of a group whose queue was entered, once no change that the core began itself
    /// is on its way to the store.
    pub(crate) async fn change_next(
        &self,
        id: &GroupId,
        change: impl FnOnce(&mut Core, Timestamp) -> std::result::Result<Accepted, Refused>
        + Send
        + 'static,
    ) -> Result<String> {
        let (teller, answer) = oneshot::channel();
        let begin = Box::new(move |shell: &mut Shell, now: Timestamp| {
            let begun = change(&mut shell.core, now).map(|accepted| {
                let (teller, told) = oneshot::channel();
                match accepted.batch {
                    Some(batch) => shell.tell(batch, teller),
                    None => drop(teller.send(Ok(()))),
                }
                (accepted.details, told)
            });
            let _ = teller.send(begun);
        });
        let id = id.clone();
        self.ask(move |shell, now| shell.when_free(&id, begin, now))
            .await?;
        let asked = answer.await.map_err(|_| stopped())?;
        let (details, told) = asked.map_err(refused)?;
        match told.await {
            Ok(Ok(())) => Ok(details),
            Ok(Err(error)) => Err(Error::refused(format!("nothing was changed: {error}"))),
            Err(_) => Err(stopped()),
        }
    }

    async fn doom(
        &self,
        id: &GroupId,
        instances: &[InstanceId],
        destroy: Destruction,
    ) -> Result<()> {
        self.refresh(id).await?;
        let (group, doomed) = (id.clone(), instances.to_vec());
        self.change(id, move |core, now| {
            let batch = destroy(core, &group, &doomed, now)?;
            Ok(Accepted {
                details: String::new(),
                batch,
            })
        })
        .await?;
        let (group, doomed) = (id.clone(), instances.to_vec());
        self.unless_frozen(id, move |core| !core.has_any(&group, &doomed))
            .await
    }

    /// Waits a while for what was written down and goes on by itself; nobody waits for a thaw.
    async fn unless_frozen(
        &self,
        id: &GroupId,
        done: impl Fn(&Core) -> bool + Send + 'static,
    ) -> Result<()> {
        let group = id.clone();
        self.wait(move |core| (core.is_frozen(&group) || done(core)).then_some(()))
            .await
            .map(drop)
    }

    /// Waits until `ready` says something of the core; `None` when it takes too long.
    async fn wait<R: Send + 'static>(
        &self,
        mut ready: impl FnMut(&Core) -> Option<R> + Send + 'static,
    ) -> Result<Option<R>> {
        let (teller, told) = oneshot::channel();
        let mut teller = Some(teller);
        self.ask(move |shell, _| {
            shell.wait(Box::new(move |core| {
                if teller.as_ref().is_none_or(oneshot::Sender::is_closed) {
                    return true;
                }
                let Some(answer) = ready(core) else {
                    return false;
                };
                if let Some(teller) = teller.take() {
                    let _ = teller.send(answer);
                }
                true
            }));
        })
        .await?;
        match tokio::time::timeout(self.patience, told).await {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(_)) => Err(stopped()),
            Err(_) => Ok(None),
        }
    }

    /// Looks at a group's instances anew, and waits for it.
    pub(crate) async fn refresh(&self, id: &GroupId) -> Result<()> {
        let group = id.clone();
        let asked = self
            .ask(move |shell, now| {
                let known = shell.core.knows(&group);
                shell.core.refresh(&group, now);
                known.then_some(now)
            })
            .await?;
        let Some(since) = asked else {
            return Err(refused(Refused::NotWatched(id.clone())));
        };
        let group = id.clone();
        let looked = self
            .wait(move |core| {
                if !core.knows(&group) {
                    return Some(Err(Refused::NotWatched(group.clone()).to_string()));
                }
                if core.listed_at(&group).is_some_and(|at| at >= since) {
                    return Some(Ok(()));
                }
                let (at, message) = core.unlisted(&group)?;
                (at >= since).then(|| Err(message.to_owned()))
            })
            .await?;
        match looked {
            Some(Ok(())) => Ok(()),
            Some(Err(message)) => Err(Error::refused(message)),
            None => Err(Error::refused(format!(
                "the instances of group '{id}' cannot be listed in time"
            ))),
        }
    }

    /// Checks a spec: its own schema, then with the plugins that it names.
    pub(crate) async fn validate(&self, spec: &GroupSpec) -> Result<Spec> {
        if spec.id.as_str().is_empty() {
            return Err(Error::refused("Group ID must not be blank"));
        }
        spec.id
            .check()
            .map_err(|error| Error::refused(error.to_string()))?;
        let parsed = Spec::parse(spec.properties.as_ref()).map_err(invalid)?;
        for name in [&parsed.flavor.plugin, &parsed.instance.plugin] {
            // A blank one is not found, as in the original.
            if !name.as_str().is_empty() {
                let checked = name.check();
                checked.map_err(|error| Error::refused(error.to_string()))?;
            }
        }
        // A plugin that is there and refuses the subtype has said what is wrong.
        let missing = |kind: &str, name: &infrakit_spi::PluginName, error: Error| {
            if error.delivery() == infrakit_spi::Delivery::Refused {
                return error;
            }
            Error::refused(format!("Failed to find {kind} plugin '{name}':{error}"))
        };
        let name = &parsed.flavor.plugin;
        let flavor = self
            .resolver
            .flavor(name)
            .await
            .map_err(|error| missing("Flavor", name, error))?;
        self.answer(
            name,
            flavor.validate(parsed.flavor.properties.as_ref(), &parsed.allocation()),
        )
        .await?;
        let name = &parsed.instance.plugin;
        let instance = self
            .resolver
            .instance(name)
            .await
            .map_err(|error| missing("Instance", name, error))?;
        self.answer(name, instance.validate(parsed.instance.properties.as_ref()))
            .await?;
        Ok(parsed)
    }

    /// Waits for a plugin's answer as long as a request may take; forgets one that is not there.
    async fn answer<T>(
        &self,
        name: &infrakit_spi::PluginName,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let Ok(outcome) = tokio::time::timeout(self.patience, work).await else {
            self.resolver.forget(name);
            return Err(Error::unknown(format!(
                "plugin `{name}` did not answer in time"
            )));
        };
        outcome.map_err(|error| {
            // What a plugin says is passed on in its own words; that it says nothing needs a name.
            let message = || format!("plugin `{name}` does not answer: {}", error.message());
            let named = match error.delivery() {
                Delivery::Refused => return error,
                Delivery::Unknown => Error::unknown(message()),
                Delivery::NotDelivered => Error::not_delivered(message()),
            };
            self.resolver.forget(name);
            named
        })
    }
}

pub(crate) fn stopped() -> Error {
    Error::not_delivered("the group controller is stopping")
}

pub(crate) fn refused(error: Refused) -> Error {
    Error::refused(error.to_string())
}

fn invalid(error: InvalidSpec) -> Error {
    Error::refused(error.to_string())
}

#[async_trait]
impl Group for Engine {
    async fn commit(&self, spec: &GroupSpec, mode: Commit) -> Result<String> {
        let parsed = self.looked_at(spec).await?;
        let raw = spec.clone();
        match mode {
            Commit::Pretend => {
                let explained = self
                    .ask(move |shell, _| shell.core.explain(&raw.id, &parsed))
                    .await?;
                explained.map_err(refused)
            }
            Commit::Enforce => {
                let nonce = nonce();
                self.change(&spec.id, move |core, now| {
                    core.commit(raw, parsed, &nonce, now)
                })
                .await
            }
        }
    }

    async fn free(&self, id: &GroupId) -> Result<()> {
        let group = id.clone();
        self.change(id, move |core, now| core.free(&group, now).map(accepted))
            .await
            .map(drop)
    }

    async fn describe(&self, id: &GroupId) -> Result<GroupDescription> {
        self.refresh(id).await?;
        let id = id.clone();
        self.ask(move |shell, _| shell.core.describe(&id))
            .await?
            .map_err(refused)
    }

    async fn describe_with_conditions(&self, id: &GroupId) -> Result<GroupDescription> {
        self.describe_whole(id).await
    }

    async fn destroy(&self, id: &GroupId) -> Result<()> {
        let group = id.clone();
        self.change(id, move |core, _| core.destroy(&group).map(accepted))
            .await?;
        // Usually it is done at once, and as with the original nobody is there when the answer comes; if
        // not, it goes on, and survives a restart. Creations may take minutes: nobody waits for those.
        let group = id.clone();
        self.unless_frozen(id, move |core| !core.knows(&group))
            .await
    }

    async fn inspect(&self) -> Result<Vec<GroupSpec>> {
        self.ask(|shell, _| shell.core.inspect()).await
    }

    async fn destroy_instances(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.doom(id, instances, Core::destroy_instances).await
    }

    async fn destroy_instances_now(&self, id: &GroupId, instances: &[InstanceId]) -> Result<()> {
        self.doom(id, instances, Core::destroy_instances_now).await
    }

    async fn size(&self, id: &GroupId) -> Result<u64> {
        let id = id.clone();
        self.ask(move |shell, _| shell.core.size(&id))
            .await?
            .map_err(refused)
    }

    async fn set_size(&self, id: &GroupId, size: i64) -> Result<()> {
        let group = id.clone();
        self.change(id, move |core, now| core.set_size(&group, size, now))
            .await
            .map(drop)
    }

    fn rollouts(&self) -> Option<&dyn Rollouts> {
        Some(self)
    }
}

fn accepted(batch: u64) -> Accepted {
    Accepted {
        details: String::new(),
        batch: Some(batch),
    }
}

/// Draws the name of a group record: 40 random bits from the standard library's hash keys, which
/// the system seeds anew for each process, in base 32.
pub(crate) fn nonce() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    hasher.write_u128(wall.unwrap_or_default().as_nanos());
    let mut bits = hasher.finish();
    (0..8)
        .map(|_| {
            let digit = DIGITS[(bits & 31) as usize];
            bits >>= 5;
            char::from(digit)
        })
        .collect()
}
