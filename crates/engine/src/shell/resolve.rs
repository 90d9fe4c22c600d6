//! Finds plugins once, keeps them, and passes on their signs of change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use infrakit_spi::flavor::Flavor;
use infrakit_spi::instance::{Instance, Locality};
use infrakit_spi::{Delivery, Error, PluginName, Plugins, Result};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::core::Event;
use crate::shell::input::Input;

/// Plugins that were found, by name.
pub(crate) struct Resolver {
    plugins: Arc<dyn Plugins>,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    instances: BTreeMap<PluginName, Arc<dyn Instance>>,
    flavors: BTreeMap<PluginName, Arc<dyn Flavor>>,
    watched: BTreeSet<PluginName>,
    /// When a plugin in another process is asked again how its provider behaves.
    asked: BTreeMap<PluginName, Asked>,
}

/// A question that was put to a plugin.
#[derive(Clone, Copy)]
struct Asked {
    again: Instant,
    /// How long it is until then.
    pause: Duration,
}

/// How long a plugin has to say how its provider behaves. It knows, and need not ask anybody.
const DECLARING: Duration = Duration::from_secs(5);

/// Pause before a plugin is asked again how its provider behaves. One that was started anew between two
/// lists may declare something else, and nothing tells of that; and each time a list waits for the answer.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Pause before a plugin is asked again that did not answer, doubled each time up to that. Until it has
/// told, what was begun before a restart is waited for as long as a call may take at the slowest
/// providers; a machine that is busy with that restart misses a question easily.
const ASK_SOON: Duration = Duration::from_secs(1);

impl Resolver {
    pub(crate) fn new(plugins: Arc<dyn Plugins>) -> Self {
        Self {
            plugins,
            found: Mutex::default(),
        }
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Found> {
        // Nothing under the lock can panic half-way; a poisoned table is still a whole one.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an instance plugin, found earlier or now.
    pub(crate) async fn instance(&self, name: &PluginName) -> Result<Arc<dyn Instance>> {
        if let Some(instance) = self.found().instances.get(name) {
            return Ok(Arc::clone(instance));
        }
        let instance = self.plugins.instance(name).await?;
        self.found()
            .instances
            .insert(name.clone(), Arc::clone(&instance));
        Ok(instance)
    }

    /// Returns a flavor plugin, found earlier or now.
    pub(crate) async fn flavor(&self, name: &PluginName) -> Result<Arc<dyn Flavor>> {
        if let Some(flavor) = self.found().flavors.get(name) {
            return Ok(Arc::clone(flavor));
        }
        let flavor = self.plugins.flavor(name).await?;
        self.found()
            .flavors
            .insert(name.clone(), Arc::clone(&flavor));
        Ok(flavor)
    }

    /// Forgets a plugin that does not answer, so that it is looked for anew.
    pub(crate) fn forget(&self, name: &PluginName) {
        let mut found = self.found();
        found.instances.remove(name);
        found.flavors.remove(name);
        found.asked.remove(name);
    }

    /// Asks a plugin how its provider behaves, unless it was asked a short while ago. To be called before
    /// each list, so that it is known before anything is decided. One in this process is asked each time,
    /// which costs nothing: what it simulates may have been switched.
    ///
    /// What was known stays in force where no answer comes.
    pub(crate) async fn ask<S>(
        &self,
        name: &PluginName,
        instance: &dyn Instance,
        inputs: &mpsc::UnboundedSender<Input<S>>,
    ) {
        let remote = instance.locality() == Locality::Remote;
        let last = self.found().asked.get(name).copied();
        if last.is_some_and(|last| Instant::now() < last.again) {
            return;
        }
        let pause = last.map_or(ASK_SOON, |last| (last.pause * 2).min(ASK_AGAIN));
        if remote {
            self.note_asked(name, pause);
        }
        let asked = tokio::time::timeout(DECLARING, instance.behaviour()).await;
        let asked = asked.unwrap_or_else(|_| Err(Error::unknown("no answer")));
        let behaviour = match asked {
            Ok(declared) => Ok(Box::new(declared.unwrap_or_default())),
            Err(error) if error.delivery() == Delivery::Refused => Err(error.to_string()),
            Err(error) => {
                tracing::debug!(plugin = %name, %error, "it does not say how its provider behaves");
                return;
            }
        };
        if remote {
            self.note_asked(name, ASK_AGAIN);
        }
        let plugin = name.clone();
        // The loop may have ended; then nobody needs to know.
        let _ = inputs.send(Input::Event(Event::Behaves { plugin, behaviour }));
    }

    fn note_asked(&self, name: &PluginName, pause: Duration) {
        let again = Instant::now() + pause;
        let asked = Asked { again, pause };
        self.found().asked.insert(name.clone(), asked);
    }

    /// Passes on the plugin's signs of change, as long as there are any. To be called before each
    /// list: where they have ended, they are listened for anew.
    pub(crate) fn watch<S: 'static>(
        self: &Arc<Self>,
        name: &PluginName,
        instance: &dyn Instance,
        inputs: &mpsc::UnboundedSender<Input<S>>,
    ) {
        if self.found().watched.contains(name) {
            return;
        }
        let Some(mut changes) = instance.changes() else {
            return;
        };
        self.found().watched.insert(name.clone());
        let remote = instance.locality() == Locality::Remote;
        let inputs = inputs.downgrade();
        let resolver = Arc::downgrade(self);
        let plugin = name.clone();
        let tell = move |event| {
            let inputs = inputs.upgrade();
            inputs.is_some_and(|inputs| inputs.send(Input::Event(event)).is_ok())
        };
        tokio::spawn(async move {
            let watched = |watched| Event::Watched {
                plugin: plugin.clone(),
                watched,
            };
            let mut heard = false;
            while changes.next().await.is_some() {
                if remote && !heard && !tell(watched(true)) {
                    return;
                }
                heard = true;
                let plugin = plugin.clone();
                if !tell(Event::Changed { plugin }) {
                    return;
                }
            }
            if let Some(resolver) = resolver.upgrade() {
                resolver.found().watched.remove(&plugin);
            }
            if remote && heard {
                // The loop may have ended; then nobody needs to know.
                tell(watched(false));
            }
        });
    }
}
