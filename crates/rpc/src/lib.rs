//! JSON-RPC 2.0 over HTTP/1.1 on unix sockets and TCP: how plugins find, greet, call and serve
//! each other.
//!
//! What travels is described by `infrakit-spi`; this crate knows how it travels, and decides
//! nothing about groups or instances.
//!
//! ```
//! # use std::sync::Arc;
//! # use infrakit_rpc::{Directory, Fixed, Limits, Plugin, bind, connect};
//! # use infrakit_rpc::kind::ResourceClient;
//! # use infrakit_spi::{group::Commit, resource::{Resource, ResourceSpec}, version};
//! # async fn demo(resource: Arc<dyn Resource>) -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = Directory::new("plugins");
//! // One process serves a plugin under a name…
//! let plugin = Arc::new(Plugin::new().resource(Fixed::single(resource)));
//! let serving = tokio::spawn(bind(directory.path(), "cloud")?.serve(plugin, std::future::pending()));
//! // …and another finds and calls it.
//! let limits = Limits::default();
//! let client = connect(&directory, &"cloud".into(), version::RESOURCE, limits).await?;
//! let sentence = ResourceClient::new(client).describe(&ResourceSpec::default()).await?;
//! # Ok(())
//! # }
//! ```

pub mod client;
pub mod discovery;
mod fingerprint;
pub mod handshake;
mod info;
pub mod kind;
pub mod listen;
mod method;
pub mod server;
mod socket;
mod sse;

pub use client::{Client, Limits};
pub use discovery::{Address, Directory};
pub use handshake::{Hello, connect};
pub use listen::{Bound, ListenError, bind, bind_tcp};
pub use server::{Fixed, Listener, Objects, Plugin, serve};
pub use sse::{Subscription, selects};
