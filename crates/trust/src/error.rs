//! Why a repository is not to be trusted, in the words of its user.

use std::error::Error as StdError;
use std::path::PathBuf;

use tough::TransportErrorKind;
use tough::error::Error as Cause;

use crate::FetchError;

/// Why a repository, or a file of it, is refused.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The root metadata that the user gave is none, or is not signed by the keys that it names.
    #[error("the root metadata is not valid: {0}")]
    Root(String),
    /// Nobody stands for the repository any more.
    #[error(
        "the repository's {role} metadata has expired; its owner has to sign it anew, or somebody \
         holds newer metadata back"
    )]
    Expired {
        /// Which metadata.
        role: String,
    },
    /// It is older than what was seen before.
    #[error("the repository has gone back to an older state: {0}")]
    RolledBack(String),
    /// It is not signed by those who may, or not what was signed.
    #[error("the repository is not what its owner signed: {0}")]
    Tampered(String),
    /// The clock of this machine is behind the time of an earlier look.
    #[error("this machine's clock has gone back; without it nobody can tell what has expired")]
    Clock,
    /// Files of the repository could not be fetched.
    #[error("failed to fetch `{url}`: {reason}")]
    Fetch {
        /// The file.
        url: String,
        /// Why not.
        reason: String,
    },
    /// What was seen before cannot be read or written.
    #[error("failed to keep what is known of the repository in `{path}`: {reason}")]
    Datastore {
        /// The directory.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The name is none that a repository can have.
    #[error("`{0}` is no name of a file in a repository")]
    Name(String),
    /// Anything else.
    #[error("the repository cannot be used: {0}")]
    Other(String),
}

impl TrustError {
    /// Reads what the client says. `kept` is where it keeps what it has seen.
    pub(crate) fn of(cause: &Cause, kept: &std::path::Path) -> Self {
        let said = || first_line(&cause.to_string());
        match cause {
            Cause::ExpiredMetadata { role, .. } => Self::Expired {
                role: role.to_string(),
            },
            Cause::OlderMetadata { .. }
            | Cause::OlderSnapshotInTimestamp { .. }
            | Cause::SnapshotRoleMissing { .. }
            | Cause::SnapshotRoleRollback { .. } => Self::RolledBack(said()),
            Cause::SystemTimeSteppedBackward { .. } => Self::Clock,
            Cause::ParseTrustedMetadata { .. } | Cause::VerifyTrustedMetadata { .. } => {
                Self::Root(said())
            }
            Cause::HashMismatch { .. }
            | Cause::MaxSizeExceeded { .. }
            | Cause::MetaMissing { .. }
            | Cause::ParseMetadata { .. }
            | Cause::TimestampMetaLength { .. }
            | Cause::MissingSnapshotMeta { .. }
            | Cause::SnapshotTargetsMetaMissing { .. }
            | Cause::VerifyMetadata { .. }
            | Cause::VerifyRoleMetadata { .. }
            | Cause::VersionMismatch { .. } => Self::Tampered(said()),
            Cause::DatastoreInit { .. }
            | Cause::DatastoreCreate { .. }
            | Cause::DatastoreOpen { .. }
            | Cause::DatastoreRemove { .. }
            | Cause::DatastoreSerialize { .. } => Self::Datastore {
                path: kept.to_owned(),
                reason: said(),
            },
            Cause::Transport { url, source, .. } => Self::of_transport(url.as_str(), source, kept),
            _ => Self::Other(said()),
        }
    }

    /// The client hides in errors of the transport what it found wrong with the content.
    fn of_transport(url: &str, error: &tough::TransportError, kept: &std::path::Path) -> Self {
        let source = error.source();
        if let Some(found) = source.and_then(|source| source.downcast_ref::<Cause>()) {
            return Self::of(found, kept);
        }
        let reason = match source.and_then(|source| source.downcast_ref::<FetchError>()) {
            Some(fetch) => fetch.to_string(),
            None if error.kind() == TransportErrorKind::FileNotFound => {
                FetchError::NotFound.to_string()
            }
            None => first_line(&error.to_string()),
        };
        Self::Fetch {
            url: url.to_owned(),
            reason,
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
