//! Fetches what templates ask for: `http`, `https`, and HTTP over unix sockets.
//!
//! [`Client`] blocks, keeps nothing between two fetches but idle connections, and costs nothing
//! before the first one: the certificates of the system are read when `https` is first spoken.
//! Redirects are few, never lead from `https` to `http`, and headers do not follow them to another
//! server.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use infrakit_fetch::Client;
//! use infrakit_template::{Access, Source};
//!
//! let access = Access::none().with_fetch(Arc::new(Client::new()));
//! let source = Source::load("https://example.com/group.tmpl", &access)?;
//! # Ok::<(), infrakit_template::LoadError>(())
//! ```

mod client;
mod roots;
mod send;
mod unix;

pub use client::Client;
pub use send::{Answer, Sending};
