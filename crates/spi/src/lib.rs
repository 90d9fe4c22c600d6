//! What an InfraKit plugin is: the data it exchanges and one async trait per kind of plugin.
//!
//! The structs here *are* the wire structs: what they serialise to is what travels between
//! processes, field for field. Nothing here knows about sockets, files or clocks.

mod any;
pub mod behaviour;
pub mod controller;
pub mod document;
mod duration;
mod error;
pub mod event;
pub mod flavor;
pub mod group;
pub mod hash;
pub mod instance;
pub mod l4;
mod lifecycle;
pub mod metadata;
mod name;
mod plugins;
pub mod resource;
pub mod rollout;
pub mod stack;
pub mod tags;
pub mod version;
mod wire;
mod words;

pub use any::{Any, compact};
pub use duration::{GoDuration, ParseDurationError};
pub use error::{Delivery, Error, FailureClass, Result};
pub use name::{GroupId, InstanceId, InvalidName, LogicalId, PluginName};
pub use plugins::Plugins;
pub use tags::Tags;
pub use wire::{FieldKey, Omit, decode, suggest};

#[doc(hidden)]
pub use serde as __serde;
