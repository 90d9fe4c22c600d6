//! The flavor itself: the four calls, and what they share.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use infrakit_spi::flavor::{Allocation, Flavor, Health, Index};
use infrakit_spi::instance::{Description, InstanceSpec};
use infrakit_spi::{Any, Error, Result};
use infrakit_template::{Access, Engine, FileAccess, Source, UnsetVar, Vars};

use crate::check::Prober;
use crate::drain::drain;
use crate::monitor::{Bounds, Monitor};
use crate::prepare::prepare;
use crate::properties::{Init, Properties};

/// Decoded properties that are kept. There is one per group that is asked about.
const MOST_DECODED: usize = 256;
/// Longest text of properties that are kept, in bytes.
const LONGEST_KEPT: usize = 64 * 1024;

/// What whoever runs the flavor decides.
#[derive(Clone, Debug)]
pub struct VanillaOptions {
    /// Health checks that run at the same time, over all instances. At least 1.
    pub checks_at_once: usize,
    /// How long an instance is checked on when nobody asks for its health.
    pub keep_checking: Duration,
    /// What init script templates may reach.
    pub access: Access,
}

impl Default for VanillaOptions {
    /// 64 checks at once, 5 minutes, any file, no environment.
    fn default() -> Self {
        Self {
            checks_at_once: 64,
            keep_checking: Duration::from_secs(300),
            access: Access::none().with_files(FileAccess::Anywhere),
        }
    }
}

/// The vanilla flavor. Dropping it ends its health checks and kills their commands.
pub struct Vanilla {
    access: Access,
    monitor: Monitor,
    decoded: Mutex<HashMap<Box<str>, Arc<Properties>>>,
}

impl Vanilla {
    /// Returns a flavor with these options.
    #[must_use]
    pub fn new(options: VanillaOptions) -> Self {
        let bounds = Bounds {
            at_once: options.checks_at_once,
            keep: options.keep_checking,
        };
        Self {
            access: options.access,
            monitor: Monitor::new(Box::new(Prober), bounds),
            decoded: Mutex::default(),
        }
    }

    /// Decodes properties, or returns what the same text was decoded to before: health is asked
    /// for each member of a group, every few seconds.
    fn properties(&self, raw: Option<&Any>) -> Result<Arc<Properties>> {
        let text = raw.map_or("", Any::as_str);
        let decoded = || self.decoded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = decoded().get(text) {
            return Ok(Arc::clone(known));
        }
        let properties = Arc::new(Properties::decode(raw).map_err(Error::refused)?);
        if text.len() > LONGEST_KEPT {
            return Ok(properties);
        }
        let mut decoded = decoded();
        if decoded.len() >= MOST_DECODED {
            decoded.clear();
        }
        decoded.insert(text.into(), Arc::clone(&properties));
        Ok(properties)
    }

    /// Renders the init script's template, where there is one.
    async fn script(&self, properties: &Properties) -> Result<Option<String>> {
        let Init::Template(url) = &properties.init else {
            return Ok(None);
        };
        let (url, access) = (url.clone(), self.access.clone());
        // Reading a file and rendering may take a while, and other calls wait on this thread.
        tokio::task::spawn_blocking(move || render(&url, &access))
            .await
            .map_err(|error| Error::refused(format!("failed to render the template: {error}")))?
            .map(Some)
            .map_err(|error| Error::refused(format!("InitScriptTemplateURL: {error}")))
    }
}

fn render(url: &str, access: &Access) -> std::result::Result<String, String> {
    let source = Source::load(url, access).map_err(|error| error.to_string())?;
    // A variable that is not set may be set by whoever renders the script later.
    let engine = Engine::new()
        .with_access(access)
        .with_unset_var(UnsetVar::Keep);
    let nothing = serde_json::Value::Null;
    engine
        .render_source(&source, &nothing, &Vars::new())
        .map_err(|error| error.to_string())
}

impl Default for Vanilla {
    fn default() -> Self {
        Self::new(VanillaOptions::default())
    }
}

impl fmt::Debug for Vanilla {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vanilla").finish_non_exhaustive()
    }
}

#[async_trait]
impl Flavor for Vanilla {
    async fn validate(&self, properties: Option<&Any>, _allocation: &Allocation) -> Result<()> {
        let properties = self.properties(properties)?;
        self.script(&properties).await.map(drop)
    }

    async fn prepare(
        &self,
        properties: Option<&Any>,
        spec: InstanceSpec,
        _allocation: &Allocation,
        _index: &Index,
    ) -> Result<InstanceSpec> {
        let properties = self.properties(properties)?;
        let script = self.script(&properties).await?;
        Ok(prepare(&properties, script.as_deref(), spec))
    }

    async fn healthy(&self, properties: Option<&Any>, instance: &Description) -> Result<Health> {
        let properties = self.properties(properties)?;
        Ok(properties
            .health_check
            .as_ref()
            .map_or(Health::Healthy, |check| {
                self.monitor.verdict(check, instance)
            }))
    }

    async fn drain(&self, properties: Option<&Any>, instance: &Description) -> Result<()> {
        match &self.properties(properties)?.drain {
            Some(command) => drain(command, instance).await.map_err(Error::refused),
            None => Ok(()),
        }
    }
}
