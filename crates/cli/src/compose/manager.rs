//! The kind `manager`: leadership, stored specs, and the names that the original serves.

use std::sync::Arc;

use infrakit_manager::{ManagedGroups, Manager, Status, Vars};
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::metadata::Updatable;
use infrakit_spi::stack::Stack;

use super::kind::{Building, Built, Controller, Kind, Request};
use crate::error::{CommandError, Result};

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "manager",
    about: "stores specs and leads: what is committed survives a restart",
    build: |request| -> Building<'_> { Box::pin(build(request)) },
};

/// Makes the plugin.
async fn build(request: &Request<'_>) -> Result<Built> {
    let backend = request.settings.manager_backend()?;
    if backend != "file" {
        return Err(
            CommandError::config(format!("there is no manager backend `{backend}` yet"))
                .hint("unset INFRAKIT_MANAGER_BACKEND for the one that keeps its records in files"),
        );
    }
    let controller = Controller::of(request).await?;
    let stack = request.name.lookup();
    let engine = &controller.engine;
    let groups = ManagedGroups::new(engine.clone(), stack);
    let vars = Vars::new(Arc::clone(&controller.store), "vars");
    let updatable: [(String, Arc<dyn Updatable>); 2] = [
        ("status".to_owned(), Arc::new(Status)),
        ("vars".to_owned(), Arc::new(vars)),
    ];
    let manager: Arc<dyn Stack> = Arc::new(Manager::new(engine.clone(), stack));
    let plugin = Plugin::new()
        .group(groups.clone())
        .controller(groups)
        .updatable(Fixed::new(updatable))
        .stack(Fixed::single(manager));
    Ok(super::group::built(plugin, &controller))
}
