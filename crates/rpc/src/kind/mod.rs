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
