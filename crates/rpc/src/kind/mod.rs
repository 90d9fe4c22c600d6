//! One file per kind of plugin: the client that implements its trait, and the methods that serve it.

pub mod changes;
pub mod controller;
pub mod events;
pub mod flavor;
pub mod group;
pub mod instance;
pub mod l4;
mod list;
pub mod metadata;
mod pages;
pub mod resource;
pub(crate) mod rollout;
pub mod stack;
pub mod updatable;

use infrakit_spi::version::{self, Interface};

pub use changes::ChangeEvents;
pub use controller::ControllerClient;
pub use events::EventsClient;
pub use flavor::FlavorClient;
pub use group::GroupClient;
pub use instance::InstanceClient;
pub use l4::L4Client;
pub use metadata::MetadataClient;
pub use resource::ResourceClient;
pub use stack::StackClient;
pub use updatable::{ReadOnly, UpdatableClient};

use crate::info::Method;
use crate::server::Plugin;

/// Returns the methods of an interface with example parameters and results.
pub(crate) fn methods(plugin: &Plugin, interface: Interface) -> Vec<Method> {
    match interface {
        version::CONTROLLER => controller::methods(),
        version::EVENT => events::methods(),
        version::FLAVOR => flavor::methods(),
        version::GROUP => group::methods(),
        version::INSTANCE => {
            let only = plugin
                .instance
                .as_ref()
                .and_then(|objects| objects.single());
            instance::methods(only.and_then(|instance| instance.example()).as_ref())
        }
        version::L4 => l4::methods(),
        version::METADATA => metadata::methods(),
        version::RESOURCE => resource::methods(),
        version::STACK => stack::methods(),
        version::UPDATABLE => updatable::methods(),
        _ => Vec::new(),
    }
}
