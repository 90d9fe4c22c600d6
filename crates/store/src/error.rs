//! What can go wrong with a store. Messages name the thing; causes are in `source`.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Expected, Key, Revision};

/// What a transaction found in place of what it expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found(pub Option<Revision>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("no record"),
            Some(revision) => write!(f, "revision {revision}"),
        }
    }
}

/// Why a store could not be opened, or a transaction was refused. Nothing has changed then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition of the transaction does not hold: somebody else was faster.
    #[error("record `{key}` has changed: expected {expected}, found {found}")]
    Conflict {
        /// The record.
        key: Key,
        /// What the transaction expected.
        expected: Expected,
        /// What is there.
        found: Found,
    },
    /// The empty key names no record.
    #[error("a record needs a key")]
    EmptyKey,
    /// A transaction changes the same record twice, which leaves its conditions without meaning.
    #[error("record `{key}` is changed twice in one transaction")]
    ChangedTwice {
        /// The record.
        key: Key,
    },
    /// A value is not a JSON document.
    #[error("value for record `{key}` is not JSON")]
    NotJson {
        /// The record.
        key: Key,
        /// What the decoder says.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// Another process, or another part of this one, has the store open.
    #[error("store `{}` is already in use by {}", path.display(), Holder(*pid))]
    InUse {
        /// Directory of the store.
        path: PathBuf,
        /// The process, if it could be read.
        pid: Option<u32>,
    },
    /// A file or directory of the store could not be opened or prepared.
    #[error("failed to {operation} `{}`", path.display())]
    Open {
        /// What was tried.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Arc<io::Error>,
    },
    /// A line in the middle of the log is damaged. That is no interrupted write, so what it said
    /// is lost and a person has to decide.
    #[error(
        "`{}` is damaged in line {line}: {reason}; to go on without what the line said, \
         keep a copy of the file and remove the line", path.display()
    )]
    Damaged {
        /// The log.
        path: PathBuf,
        /// Number of the line, from one.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The log was written by a later release, in a format that this one does not know.
    #[error(
        "`{}` has format {version} in line {line} and this release knows up to {known}; \
         use the release that wrote it", path.display()
    )]
    Newer {
        /// The log.
        path: PathBuf,
        /// Number of the line, from one.
        line: u64,
        /// Format of the line.
        version: u64,
        /// The latest format that this release reads.
        known: u64,
    },
    /// The medium refused the transaction, because it is full, for example.
    #[error("failed to write `{}`", path.display())]
    Write {
        /// The log.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: Arc<io::Error>,
    },
    /// The store takes no more transactions: its writer has ended.
    #[error("store `{}` is closed", path.display())]
    Closed {
        /// Directory of the store.
        path: PathBuf,
    },
}

struct Holder(Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "pid {pid}"),
            None => f.write_str("another process"),
        }
    }
}
