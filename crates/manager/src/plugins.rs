//! Finds plugins: those of this process first, then those behind sockets.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use async_trait::async_trait;
use infrakit_rpc::kind::{FlavorClient, InstanceClient};
use infrakit_rpc::{Directory, Limits, connect};
use infrakit_spi::flavor::Flavor;
use infrakit_spi::instance::Instance;
use infrakit_spi::{Error, PluginName, Plugins, Result, version};
use tokio::sync::watch;

/// Plugins of this process by the names of their sockets, then by subtype; `.` is the plugin
/// without one.
pub struct Local {
    tables: RwLock<Tables>,
    complete: watch::Sender<bool>,
}

impl Default for Local {
    fn default() -> Self {
        Self {
            tables: RwLock::default(),
            complete: watch::Sender::new(false),
        }
    }
}

#[derive(Default)]
struct Tables {
    instances: BTreeMap<String, BTreeMap<String, Arc<dyn Instance>>>,
    flavors: BTreeMap<String, BTreeMap<String, Arc<dyn Flavor>>>,
}

impl Local {
    /// Adds an instance plugin.
    pub fn add_instance(&self, socket: &str, subtype: &str, plugin: Arc<dyn Instance>) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables
            .instances
            .entry(socket.to_owned())
            .or_default()
            .insert(subtype.to_owned(), plugin);
    }

    /// Adds a flavor plugin.
    pub fn add_flavor(&self, socket: &str, subtype: &str, plugin: Arc<dyn Flavor>) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables
            .flavors
            .entry(socket.to_owned())
            .or_default()
            .insert(subtype.to_owned(), plugin);
    }
}

impl Local {
    /// Says that every plugin of this process was added. Until then look-ups wait, so that a
    /// controller that is up first does not take the others for missing.
    pub fn complete(&self) {
        self.complete.send_replace(true);
    }

    fn tables(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn completed(&self) {
        // The sender lives as long as this table; it cannot be gone.
        let _ = self
            .complete
            .subscribe()
            .wait_for(|complete| *complete)
            .await;
    }
}

/// Looks a subtype up as a server would route it.
fn find<T: ?Sized>(
    tables: &BTreeMap<String, BTreeMap<String, Arc<T>>>,
    name: &PluginName,
) -> Option<Result<Arc<T>>> {
    let subtypes = tables.get(name.lookup())?;
    let subtype = if name.subtype().is_empty() {
        "."
    } else {
        name.subtype()
    };
    let found = subtypes.get(subtype).map(Arc::clone);
    Some(found.ok_or_else(|| Error::refused(format!("no-plugin:{}", name.subtype()))))
}

/// Finds plugins of this process without sockets or JSON, and any others through the directory.
pub struct LocalFirst {
    local: Arc<Local>,
    directory: Directory,
    limits: Limits,
}

impl LocalFirst {
    /// Creates the finder. `limits` hold for calls of plugins behind sockets, but for creations and
    /// destructions: the group controller has its own patience with these, and counts one that it
    /// gives up as in doubt.
    #[must_use]
    pub fn new(local: Arc<Local>, directory: Directory, limits: Limits) -> Self {
        let limits = Limits {
            effect: Some(Duration::MAX),
            ..limits
        };
        Self {
            local,
            directory,
            limits,
        }
    }
}

#[async_trait]
impl Plugins for LocalFirst {
    async fn instance(&self, name: &PluginName) -> Result<Arc<dyn Instance>> {
        self.local.completed().await;
        // A plugin of this process of another kind says so itself, behind its socket.
        let local = find(&self.local.tables().instances, name);
        match local {
            Some(found) => found,
            None => {
                let client = connect(&self.directory, name, version::INSTANCE, self.limits).await?;
                let instance = InstanceClient::new(client, name.subtype());
                Ok(Arc::new(instance.listening().await))
            }
        }
    }

    async fn flavor(&self, name: &PluginName) -> Result<Arc<dyn Flavor>> {
        self.local.completed().await;
        // A plugin of this process of another kind says so itself, behind its socket.
        let local = find(&self.local.tables().flavors, name);
        match local {
            Some(found) => found,
            None => {
                let client = connect(&self.directory, name, version::FLAVOR, self.limits).await?;
                Ok(Arc::new(FlavorClient::new(client, name.subtype())))
            }
        }
    }
}
