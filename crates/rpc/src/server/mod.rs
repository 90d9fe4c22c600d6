//! Serving a plugin: its objects, the methods on them, and the socket it answers on.

pub(crate) mod call;
mod closing;
mod envelope;
mod http;
pub(crate) mod objects;
mod patience;
mod plugin;
mod serve;

pub use objects::{Fixed, Objects};
pub use plugin::{Plugin, Vendor};
pub use serve::{Listener, serve};
