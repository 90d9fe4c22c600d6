//! The words of the store: keys, revisions, values, changes.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Name of a record: segments with `/` between them, ordered byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Wraps `key` as it is. A commit refuses the empty key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what follows `prefix`, if the key starts with it.
    #[must_use]
    pub fn strip_prefix(&self, prefix: &str) -> Option<&str> {
        self.0.strip_prefix(prefix)
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        Self(key.to_owned())
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Self(key)
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number of a transaction; it grows by one per transaction over the whole store. Zero is the
/// empty store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// Returns the revision of the transaction after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A valid JSON document as text without line breaks. Copies share it.
#[derive(Clone, PartialEq, Eq)]
pub struct Json(Arc<str>);

impl Json {
    /// Checks that `text` is one JSON document and keeps it as written, apart from line breaks.
    pub(crate) fn parse(text: String) -> serde_json::Result<Self> {
        serde_json::from_str::<&RawValue>(&text)?;
        // A raw line break can only stand between tokens: inside strings JSON demands an escape.
        // Without it a record fits on one line of the log.
        Ok(Self(if text.contains(['\n', '\r']) {
            text.replace(['\n', '\r'], " ").into()
        } else {
            text.into()
        }))
    }

    /// Takes over what a decoder has already checked.
    pub(crate) fn from_raw(raw: &RawValue) -> Self {
        Self(raw.get().into())
    }

    /// Returns the document that stands for a missing value.
    pub(crate) fn null() -> Self {
        Self("null".into())
    }

    /// Returns the text of the document.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Decodes the document into `T`.
    ///
    /// # Errors
    /// Returns the decoder's error when the document has another shape than `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(&self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value together with the transaction that last put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The document.
    pub value: Json,
    /// The transaction that put it.
    pub revision: Revision,
}

/// What a record must be for a transaction to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is no such record.
    Absent,
    /// The record was last put by this transaction.
    Revision(Revision),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no record"),
            Self::Revision(revision) => write!(f, "revision {revision}"),
        }
    }
}

/// One change of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Puts a record, new or over an old one.
    Put {
        /// Name of the record.
        key: Key,
        /// Its JSON document.
        value: String,
        /// What must be there before; `None` for no matter what.
        expected: Option<Expected>,
    },
    /// Deletes a record; without effect when there is none.
    Delete {
        /// Name of the record.
        key: Key,
        /// What must be there before; `None` for no matter what.
        expected: Option<Expected>,
    },
    /// Changes nothing: the transaction goes through only if the record is as expected. It is not
    /// stored.
    Check {
        /// Name of the record.
        key: Key,
        /// What must be there.
        expected: Expected,
    },
}

impl Change {
    /// Returns the condition that the record `key` is `expected`, which changes nothing.
    pub fn check(key: impl Into<Key>, expected: Expected) -> Self {
        Self::Check {
            key: key.into(),
            expected,
        }
    }

    /// Returns a put that expects nothing.
    pub fn put(key: impl Into<Key>, value: impl Into<String>) -> Self {
        Self::Put {
            key: key.into(),
            value: value.into(),
            expected: None,
        }
    }

    /// Returns a put of what `value` serialises to, expecting nothing.
    ///
    /// # Errors
    /// Returns the serialiser's error, for example for a map with keys that are not strings.
    pub fn put_value<T: Serialize + ?Sized>(
        key: impl Into<Key>,
        value: &T,
    ) -> serde_json::Result<Self> {
        Ok(Self::put(key, serde_json::to_string(value)?))
    }

    /// Returns a delete that expects nothing.
    pub fn delete(key: impl Into<Key>) -> Self {
        Self::Delete {
            key: key.into(),
            expected: None,
        }
    }

    /// Returns the change with the condition that the record is `expected`.
    #[must_use]
    pub fn expecting(mut self, now: Expected) -> Self {
        match &mut self {
            Self::Put { expected, .. } | Self::Delete { expected, .. } => *expected = Some(now),
            Self::Check { expected, .. } => *expected = now,
        }
        self
    }

    /// Returns the name of the record that changes, or is checked.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }

    /// Returns the condition of the change.
    #[must_use]
    pub fn expected(&self) -> Option<Expected> {
        match self {
            Self::Put { expected, .. } | Self::Delete { expected, .. } => *expected,
            Self::Check { expected, .. } => Some(*expected),
        }
    }
}

/// What a finished commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// A power cut: it is on the disk when the commit returns, and so is all before it.
    Synced,
    /// The death of the process, but not a power cut; it never outlives an earlier one.
    Buffered,
}
