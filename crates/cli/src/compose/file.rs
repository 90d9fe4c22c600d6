//! The kind `file`.

use std::path::PathBuf;
use std::sync::Arc;

use infrakit_plugin_file::FilePlugin;
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::instance::Instance;
use serde::{Deserialize, Serialize};

use super::kind::{Built, ONLY, Request, merged};
use crate::error::{CommandError, Result, chain};

/// Options of the kind.
#[derive(Serialize, Deserialize)]
struct Options {
    /// Directory of the instances.
    #[serde(rename = "Dir")]
    dir: PathBuf,
}

/// Makes the plugin.
pub(super) async fn build(request: &Request<'_>) -> Result<Built> {
    let defaults = Options {
        dir: request.settings.instance_file_dir(),
    };
    let options = merged("file", &defaults, request.options)?;
    let plugin =
        FilePlugin::new(options.dir).map_err(|error| CommandError::config(chain(&error)))?;
    let instance: Arc<dyn Instance> = Arc::new(plugin);
    request
        .local
        .add_instance(request.name.lookup(), ONLY, Arc::clone(&instance));
    // Word for word what the original's plugin says of itself: peers may know it by this.
    Ok(Plugin::new()
        .vendor(
            "infrakit-instance-file",
            "0.3.0",
            "https://github.com/docker/infrakit",
        )
        .instance(Fixed::single(instance))
        .into())
}
