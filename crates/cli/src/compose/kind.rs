//! What a kind of plugin is, and what whoever makes one knows.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use infrakit_engine::Engine;
use infrakit_manager::Local;
use infrakit_rpc::Plugin;
use infrakit_spi::{PluginName, suggest};
use infrakit_store::Store;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::error::{CommandError, Result};
use crate::settings::Settings;

/// The subtype of a plugin without types.
pub(super) const ONLY: &str = ".";

/// A kind of plugin that can be started.
pub(crate) struct Kind {
    /// Its name, as in `plugin start NAME`.
    pub(crate) name: &'static str,
    /// One line about it.
    pub(crate) about: &'static str,
    /// Makes one.
    pub(super) build: for<'a> fn(&'a Request<'a>) -> Building<'a>,
}

/// A plugin being made.
pub(super) type Building<'a> = Pin<Box<dyn Future<Output = Result<Built>> + 'a>>;

/// What is known to whoever makes a plugin.
pub(crate) struct Request<'a> {
    /// The environment.
    pub(crate) settings: &'a Settings,
    /// Name under which the plugin will be found.
    pub(crate) name: &'a PluginName,
    /// Options of the launch rule or of flags; they win over the environment, field by field.
    pub(crate) options: Option<&'a Value>,
    /// Directory of the sockets.
    pub(crate) directory: &'a Path,
    /// The plugins of this process, for controllers to call without a socket.
    pub(crate) local: &'a Arc<Local>,
    /// The group controller of this process, once somebody needed it.
    pub(super) controller: &'a OnceCell<Arc<Controller>>,
    /// Cancelled when the process is to end; background work stops then.
    pub(crate) stop: &'a CancellationToken,
}

/// A plugin that was made.
pub(crate) struct Built {
    /// What is served.
    pub(crate) plugin: Plugin,
    /// Background work that must have ended before the process does.
    pub(crate) work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl From<Plugin> for Built {
    fn from(plugin: Plugin) -> Self {
        Self { plugin, work: None }
    }
}

/// A running group controller.
pub(crate) struct Controller {
    /// Keeps the groups.
    pub(super) engine: Engine,
    /// Keeps what must survive.
    pub(super) store: Arc<dyn Store>,
    /// The engine's task, until somebody takes charge of it.
    pub(super) task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

/// Decodes `options` over `defaults`: fields that are named win, the others stay.
pub(crate) fn merged<T>(kind: &str, defaults: &T, options: Option<&Value>) -> Result<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let wrong = |error: serde_json::Error| {
        CommandError::config(format!("the options of `{kind}` are wrong: {error}"))
    };
    let mut value = serde_json::to_value(defaults).map_err(wrong)?;
    match (options, &mut value) {
        (None, _) => {}
        (Some(Value::Object(given)), Value::Object(known)) => {
            for (key, value) in given {
                let Some(name) = known
                    .keys()
                    .find(|name| name.eq_ignore_ascii_case(key))
                    .cloned()
                else {
                    let names: Vec<&str> = known.keys().map(String::as_str).collect();
                    let hint = suggest(key, names.iter().copied()).map_or_else(
                        || format!("options are {}", names.join(", ")),
                        |found| format!("did you mean `{found}`?"),
                    );
                    return Err(
                        CommandError::config(format!("`{kind}` has no option `{key}`")).hint(hint),
                    );
                };
                known.insert(name, value.clone());
            }
        }
        (Some(_), _) => {
            return Err(CommandError::config(format!(
                "the options of `{kind}` are not an object"
            )));
        }
    }
    serde_json::from_value(value).map_err(wrong)
}
