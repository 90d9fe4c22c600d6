//! Reads files of repositories that are signed with [The Update Framework], and refuses what their
//! owners did not sign, or no longer stand for.
//!
//! A repository is a folder with `metadata/` and `targets/`. Whoever uses one has its root metadata
//! from somewhere else, and keeps a directory in which versions that were seen are remembered.
//! This crate reads no network itself: its caller brings a [`Fetch`].
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use infrakit_trust::{FetchError, Repository, Url};
//!
//! let root = std::fs::read("root.json")?;
//! let base = Url::parse("file:///srv/playbooks/")?;
//! let read = |url: &Url| {
//!     let path = url.to_file_path().map_err(|()| FetchError::NotFound)?;
//!     std::fs::read(path).map_err(|error| FetchError::Failed(error.to_string()))
//! };
//! let repository = Repository::open(&root, &base, Path::new("kept"), Arc::new(read))?;
//! let index = repository.read("index.yml")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [The Update Framework]: https://theupdateframework.io

mod error;
mod fetch;
mod repository;

pub use error::TrustError;
pub use fetch::{Fetch, FetchError};
pub use repository::Repository;
pub use url::Url;
