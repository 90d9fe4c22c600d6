//! JSON-RPC 2.0 over HTTP/1.1 on unix sockets and TCP: how plugins find, greet, call and serve
//! each other.
//!
//! What travels is described by `infrakit-spi`; this crate knows how it travels, and decides
//! nothing about groups or instances.

pub mod client;
pub mod discovery;
mod fingerprint;
pub mod handshake;
mod info;
pub mod kind;
pub mod listen;
pub mod server;
mod socket;
mod sse;

pub use client::{Client, Limits};
pub use discovery::{Address, Directory};
pub use handshake::{Hello, connect};
pub use listen::{Bound, ListenError, bind, bind_tcp};
pub use server::{Fixed, Listener, Objects, Plugin, serve};
pub use sse::{Subscription, selects};
