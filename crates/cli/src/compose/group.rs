//! The kind `group`: the group controller without a manager before it.

use std::sync::Arc;

use infrakit_engine::GroupMetadata;
use infrakit_rpc::{Fixed, Plugin};
use infrakit_spi::group::Group;
use infrakit_spi::metadata::Metadata;

use super::kind::{Building, Built, Controller, Kind, Request};
use crate::error::Result;

/// The kind.
pub(super) const KIND: Kind = Kind {
    name: "group",
    about: "keeps groups of instances as they are specified",
    build: |request| -> Building<'_> { Box::pin(build(request)) },
};

/// Makes the plugin.
async fn build(request: &Request<'_>) -> Result<Built> {
    let controller = Controller::of(request).await?;
    let group: Arc<dyn Group> = Arc::new(controller.engine.clone());
    let metadata: Arc<dyn Metadata> = Arc::new(GroupMetadata(controller.engine.clone()));
    let plugin = Plugin::new()
        .group(Fixed::single(group))
        .metadata(Fixed::single(metadata));
    Ok(built(plugin, &controller))
}

/// Serves `plugin`, and sees the controller's work to its end.
pub(super) fn built(plugin: Plugin, controller: &Controller) -> Built {
    let task = controller.take_task();
    Built {
        plugin,
        work: task.map(
            |task| -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
                Box::pin(async move {
                    if let Err(error) = task.await {
                        tracing::error!(%error, "the group controller has failed");
                    }
                })
            },
        ),
    }
}
