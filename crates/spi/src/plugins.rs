//! How a controller finds the plugins that a spec names.

use std::sync::Arc;

use async_trait::async_trait;

use crate::flavor::Flavor;
use crate::instance::Instance;
use crate::{PluginName, Result};

/// Finds plugins by name, in this process or elsewhere.
///
/// A look-up says whether the plugin answers now; what it returns may be kept and stays usable
/// when the plugin is restarted.
#[async_trait]
pub trait Plugins: Send + Sync {
    /// Finds an instance plugin.
    ///
    /// # Errors
    /// `plugin not found:<name>`, or why the plugin does not answer or is none for instances.
    async fn instance(&self, name: &PluginName) -> Result<Arc<dyn Instance>>;

    /// Finds a flavor plugin.
    ///
    /// # Errors
    /// `plugin not found:<name>`, or why the plugin does not answer or is none for flavors.
    async fn flavor(&self, name: &PluginName) -> Result<Arc<dyn Flavor>>;
}
