//! Playbooks from signed repositories: what was seen of one is remembered, and only what its owner
//! signed is taken in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use infrakit_playbook::{INDEX, LocalFiles, Origin, Place, ReadError, Signed, Source, sha256};
use infrakit_trust::{FetchError, Repository, TrustError, Url};

use super::home::Web;
use crate::context::Context;
use crate::error::{CommandError, Result};

/// A repository as a source of playbooks.
pub(super) struct SignedFiles {
    repository: Repository,
    /// URL that all its files begin with.
    targets: String,
}

impl SignedFiles {
    /// Returns the first file of the playbook in it.
    pub(super) fn first(&self) -> Result<Place> {
        let first = Place::stored(&format!("{}{INDEX}", self.targets));
        Ok(first.map_err(infrakit_playbook::Error::from)?)
    }
}

impl Source for SignedFiles {
    fn read(&self, place: &Place) -> std::result::Result<Vec<u8>, ReadError> {
        // What is no target was signed by nobody.
        let Some(name) = place.as_str().strip_prefix(&self.targets) else {
            return Err(ReadError::NotFound);
        };
        match self.repository.read(name) {
            Ok(Some(content)) => Ok(content),
            Ok(None) | Err(TrustError::Name(_)) => Err(ReadError::NotFound),
            Err(error @ TrustError::Fetch { .. }) => Err(ReadError::Failed(error.to_string())),
            Err(error) => Err(ReadError::Distrusted(error.to_string())),
        }
    }
}

/// Returns the directory that remembers what was seen of the repository of a playbook.
fn kept(context: &Context, name: &str) -> Result<PathBuf> {
    Ok(context.settings.playbooks_trust()?.join(name))
}

/// Opens the repository that a person names, trusting the root metadata in `file`.
pub(super) fn first_look(
    context: &Context,
    name: &str,
    url: &Place,
    file: &Path,
) -> Result<(SignedFiles, Signed)> {
    let root = std::fs::read(file).map_err(|error| {
        CommandError::config(format!("failed to read `{}`: {error}", file.display()))
    })?;
    // The directory is meant, whatever file a URL of one stands for.
    let url = url.as_str();
    let url = url.strip_suffix(INDEX).unwrap_or(url).trim_end_matches('/');
    let signed = Signed {
        repository: url.to_owned(),
        root_sha256: sha256(&root),
    };
    // What an earlier playbook of this name has seen is none of this one's business.
    forget(context, name);
    let opened = open(&signed, &root, &kept(context, name)?);
    if opened.is_err() {
        forget(context, name);
    }
    Ok((opened?, signed))
}

/// Opens the repository of a playbook again, trusting the newest root metadata that was seen.
pub(super) fn look_again(context: &Context, name: &str, signed: &Signed) -> Result<SignedFiles> {
    let kept = kept(context, name)?;
    let file = kept.join("root.json");
    let root = std::fs::read(&file).map_err(|error| {
        CommandError::config(format!(
            "what is known of the repository of playbook `{name}` cannot be read, `{}`: {error}",
            file.display()
        ))
        .hint(format!(
            "`infrakit playbook rm {name}`, then add it again with --root"
        ))
    })?;
    open(signed, &root, &kept)
}

/// Forgets what was seen of a repository.
pub(super) fn forget(context: &Context, name: &str) {
    if let Ok(kept) = kept(context, name) {
        // There may be none; what cannot be removed is replaced when it is needed.
        let _ = std::fs::remove_dir_all(kept);
    }
}

fn open(signed: &Signed, root: &[u8], kept: &Path) -> Result<SignedFiles> {
    let base = Url::parse(&signed.repository).map_err(|error| {
        CommandError::user(format!("`{}` is not a URL: {error}", signed.repository))
    })?;
    let web = Web::new();
    // Nobody has checked yet what this reads.
    let fetch = move |url: &Url| {
        let place =
            Place::stored(url.as_str()).map_err(|error| FetchError::Failed(error.to_string()))?;
        let read = match place.origin() {
            Origin::Local => LocalFiles.read(&place),
            Origin::Remote => web.read(&place),
            Origin::BuiltIn => Err(ReadError::NotFound),
        };
        read.map_err(|error| match error {
            ReadError::NotFound => FetchError::NotFound,
            other => FetchError::Failed(other.to_string()),
        })
    };
    Ok(SignedFiles {
        repository: Repository::open(root, &base, kept, Arc::new(fetch))?,
        targets: format!("{}/targets/", signed.repository),
    })
}

impl From<TrustError> for CommandError {
    fn from(error: TrustError) -> Self {
        let message = error.to_string();
        match error {
            TrustError::Fetch { .. } => Self::remote(message),
            TrustError::Root(_) => Self::config(message)
                .hint("--root names the `root.json` that the owner of the repository hands out"),
            TrustError::Tampered(_) => {
                Self::remote(message).hint("use nothing of what is there, and tell its owner")
            }
            TrustError::Expired { .. } | TrustError::RolledBack(_) => Self::remote(message)
                .hint("ask its owner; somebody may be showing you an old state"),
            TrustError::Clock => Self::internal(message).hint("set the clock of this machine"),
            TrustError::Datastore { .. } | TrustError::Name(_) | TrustError::Other(_) => {
                Self::internal(message)
            }
        }
    }
}
