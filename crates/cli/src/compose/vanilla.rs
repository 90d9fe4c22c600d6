//! The kind `vanilla`.

use std::sync::Arc;

use infrakit_fetch::Client;
use infrakit_plugin_vanilla::{Vanilla, VanillaOptions};
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::flavor::Flavor;

use super::kind::{Built, ONLY, Request};
use crate::error::Result;

/// Makes the plugin.
pub(super) async fn build(request: &Request<'_>) -> Result<Built> {
    let mut options = VanillaOptions::default();
    options.access = options.access.with_fetch(Arc::new(Client::new()));
    let flavor: Arc<dyn Flavor> = Arc::new(Vanilla::new(options));
    request
        .local
        .add_flavor(request.name.lookup(), ONLY, Arc::clone(&flavor));
    Ok(Plugin::new()
        .flavor(Fixed::single(flavor))
        .functions(infrakit_template::functions_json())
        .into())
}
