//! The group controller of this process: one engine on one store, whoever serves it.

use std::sync::Arc;
use std::time::Duration;

use infrakit_engine::core::Limits as EngineLimits;
use infrakit_engine::{Engine, Options as EngineOptions};
use infrakit_manager::LocalFirst;
use infrakit_plan::Config;
use infrakit_rpc::{Directory, Limits};
use infrakit_spi::{GoDuration, LogicalId, tags};
use infrakit_store::{FileStore, Store};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::kind::{Controller, Request, merged};
use crate::error::{CommandError, Result, chain};
use crate::overrides::OverridesFile;

/// Options of the kind `group`, by the original's names; those from `ConfigTag` on are our own.
#[derive(Serialize, Deserialize)]
struct Options {
    #[serde(rename = "Self")]
    own: Option<LogicalId>,
    #[serde(rename = "PollInterval")]
    poll_interval: GoDuration,
    #[serde(rename = "MaxParallelNum")]
    max_parallel: usize,
    /// Metadata is always as of the last look; accepted for the sake of old launch rules.
    #[serde(rename = "PollIntervalGroupSpec")]
    spec_interval: Option<GoDuration>,
    /// As above.
    #[serde(rename = "PollIntervalGroupDetail")]
    detail_interval: Option<GoDuration>,
    /// Key of the tag that carries the config hash.
    #[serde(rename = "ConfigTag")]
    config_tag: String,
    /// Creations a minute that each instance plugin gets; 0 is no limit.
    #[serde(rename = "CreatesPerMinute")]
    creates: u64,
    /// Destructions a minute that each instance plugin gets; 0 is no limit.
    #[serde(rename = "DestroysPerMinute")]
    destroys: u64,
    /// Instances that any one group may have; 0 is no limit.
    #[serde(rename = "MaxInstances")]
    max_instances: u64,
}

impl Options {
    fn limits(&self) -> EngineLimits {
        let a_minute = |number: u64| {
            let most = u32::try_from(number).unwrap_or(u32::MAX);
            (most > 0).then_some(most)
        };
        EngineLimits {
            creates_per_minute: a_minute(self.creates),
            destroys_per_minute: a_minute(self.destroys),
        }
    }
}

/// How often it is looked whether the operator says something else of plugins: who edits a file
/// and asks at once what came of it sees it, and the look costs some microseconds.
const FOLLOW: Duration = Duration::from_secs(1);

/// Tells the engine what the operator says of plugins whenever that changes.
async fn follow(mut overrides: OverridesFile, engine: Engine) {
    loop {
        tokio::time::sleep(FOLLOW).await;
        if let Some(read) = overrides.read()
            && engine.override_plugins(read).await.is_err()
        {
            return;
        }
    }
}

impl Controller {
    /// Returns the controller of this process, started with the options of whoever asks first.
    pub(super) async fn of(request: &Request<'_>) -> Result<Arc<Self>> {
        request
            .controller
            .get_or_try_init(|| Self::start(request))
            .await
            .map(Arc::clone)
    }

    async fn start(request: &Request<'_>) -> Result<Arc<Self>> {
        let settings = request.settings;
        let defaults = Options {
            own: settings.group_self()?.map(LogicalId::new),
            poll_interval: GoDuration(settings.group_poll_interval()?),
            max_parallel: usize::try_from(settings.group_max_parallel()?).unwrap_or(usize::MAX),
            spec_interval: None,
            detail_interval: None,
            config_tag: tags::CONFIG_HASH.to_owned(),
            creates: settings.group_creates()?,
            destroys: settings.group_destroys()?,
            max_instances: settings.group_max_instances()?,
        };
        let options = merged("group", &defaults, request.options)?;
        let hash_tag = [tags::CONFIG_HASH, tags::CONFIG_SHA]
            .into_iter()
            .find(|tag| *tag == options.config_tag)
            .ok_or_else(|| {
                CommandError::config(format!("`{}` cannot carry the hash", options.config_tag))
                    .hint(format!("use {} or {}", tags::CONFIG_HASH, tags::CONFIG_SHA))
            })?;
        // A look every few milliseconds would do nothing else.
        let poll_interval = options.poll_interval.0.max(Duration::from_millis(10));
        let limits = options.limits();
        let config = Config {
            max_instances: (options.max_instances > 0).then_some(options.max_instances),
            self_logical_id: options.own,
            poll_interval,
            hash_tag,
            settle: settings.client_timeout()?,
            ..Config::default()
        };
        // Whoever asked is told before it gives up, with a fifth of its time to spare for the way.
        let patience = config.settle.mul_f64(0.8);
        let mut overrides = OverridesFile::new(settings.overrides_file()?);
        let engine_options = EngineOptions {
            config,
            overrides: overrides.read().unwrap_or_default(),
            limits,
            max_parallel: options.max_parallel,
            patience,
            ..EngineOptions::default()
        };
        let store = FileStore::open(&settings.store_dir()?)
            .map_err(|error| CommandError::config(chain(&error)))?;
        let store: Arc<dyn Store> = Arc::new(store);
        let limits = Limits {
            deadline: settings.client_timeout()?,
            ..Limits::default()
        };
        let directory = Directory::new(request.directory);
        let plugins = Arc::new(LocalFirst::new(
            Arc::clone(request.local),
            directory,
            limits,
        ));
        let stop = request.stop.clone();
        let started = Engine::start(engine_options, plugins, Arc::clone(&store), stop)
            .await
            .map_err(|error| CommandError::config(chain(&error)))?;
        for error in started.unreadable {
            tracing::error!("{error}; it is left alone");
        }
        let stop = request.stop.clone();
        let following = follow(overrides, started.engine.clone());
        tokio::spawn(stop.run_until_cancelled_owned(following));
        Ok(Arc::new(Self {
            engine: started.engine,
            store,
            task: std::sync::Mutex::new(Some(started.task)),
        }))
    }

    /// Takes charge of the engine's task; only the first caller gets it.
    pub(super) fn take_task(&self) -> Option<JoinHandle<()>> {
        self.task
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
    }
}
