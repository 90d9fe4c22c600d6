//! Keeps records: revisions, compare-and-set, ordered scans, crash safety.
//!
//! A record is a JSON document under a `/`-separated key. Changes come in transactions that
//! happen as a whole or not at all; each takes the next [`Revision`] of the store. What the
//! documents mean is none of this crate's business.
//!
//! ```
//! use infrakit_store::{Change, Durability, Key, MemStore, Store as _};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), infrakit_store::StoreError> {
//! let store = MemStore::default();
//! let put = Change::put("specs/workers", r#"{"Size":3}"#);
//! let revision = store.commit(vec![put], Durability::Synced).await?;
//! let found = store.get(&Key::from("specs/workers")).expect("it was just put");
//! assert_eq!((found.value.as_str(), found.revision), (r#"{"Size":3}"#, revision));
//! # Ok(())
//! # }
//! ```

mod crc;
mod error;
mod file;
pub mod import;
mod mem;
mod record;
mod state;
mod store;

pub use error::{Found, StoreError};
pub use file::FileStore;
pub use mem::MemStore;
pub use record::{Change, Durability, Expected, Json, Key, Revision, Versioned};
pub use store::Store;
