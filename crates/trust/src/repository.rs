//! A signed repository, verified.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tough::{ExpirationEnforcement, IntoVec as _, Limits, RepositoryLoader, TargetName};
use url::Url;

use crate::TrustError;
use crate::fetch::{Fetch, Fetched};

/// Largest metadata file that is read, in bytes.
const LARGEST_METADATA: u64 = 4 * 1024 * 1024;

/// A repository whose metadata was verified.
///
/// It blocks, on a runtime of its own; it is not to be used from within another one.
pub struct Repository {
    runtime: Runtime,
    verified: tough::Repository,
    kept: PathBuf,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl Repository {
    /// Verifies the repository at `base`, below which are `metadata/` and `targets/`.
    ///
    /// `root` is the content of the root metadata that the user trusts; later ones that the keys of
    /// earlier ones have signed are found by themselves. What was seen is remembered in the directory
    /// `kept`, which is made if need be: an older state is refused from then on.
    ///
    /// # Errors
    /// Refuses what is tampered with, rolled back, expired, or signed by others, each with a variant
    /// of its own, and says what could not be fetched.
    pub fn open(
        root: &[u8],
        base: &Url,
        kept: &Path,
        fetch: Arc<dyn Fetch>,
    ) -> Result<Self, TrustError> {
        let datastore = |error: std::io::Error| TrustError::Datastore {
            path: kept.to_owned(),
            reason: error.to_string(),
        };
        std::fs::create_dir_all(kept).map_err(datastore)?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| TrustError::Other(error.to_string()))?;
        let (metadata, targets) = (below(base, "metadata")?, below(base, "targets")?);
        let loader = RepositoryLoader::new(&root, metadata, targets)
            .transport(Fetched(fetch))
            .limits(Limits {
                max_root_size: LARGEST_METADATA,
                max_targets_size: LARGEST_METADATA,
                max_timestamp_size: LARGEST_METADATA,
                max_snapshot_size: LARGEST_METADATA,
                ..Limits::default()
            })
            .datastore(kept)
            .expiration_enforcement(ExpirationEnforcement::Safe);
        let verified = runtime
            .block_on(loader.load())
            .map_err(|error| TrustError::of(&error, kept))?;
        Ok(Self {
            runtime,
            verified,
            kept: kept.to_owned(),
        })
    }

    /// Returns the names of all files, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names = self.verified.all_targets();
        let mut names: Vec<String> = names.map(|(name, _)| name.raw().to_owned()).collect();
        names.sort_unstable();
        names
    }

    /// Returns the content of the file `name`, verified; `None` when the repository has none of that
    /// name.
    ///
    /// # Errors
    /// Refuses what is not the content that was signed, and says what could not be fetched.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, TrustError> {
        let target = TargetName::new(name).map_err(|_| TrustError::Name(name.to_owned()))?;
        if target.raw() != target.resolved() {
            return Err(TrustError::Name(name.to_owned()));
        }
        let content = self.runtime.block_on(async {
            match self.verified.read_target(&target).await? {
                Some(stream) => stream.into_vec().await.map(Some),
                None => Ok(None),
            }
        });
        content.map_err(|error| TrustError::of(&error, &self.kept))
    }
}

/// Returns the folder `name` below `base`, whether that ends in a slash or not.
fn below(base: &Url, name: &str) -> Result<Url, TrustError> {
    let mut folder = base.clone();
    let path = format!("{}/{name}/", folder.path().trim_end_matches('/'));
    folder.set_path(&path);
    folder.set_query(None);
    folder.set_fragment(None);
    if folder.cannot_be_a_base() {
        return Err(TrustError::Other(format!(
            "`{base}` is no place of a repository"
        )));
    }
    Ok(folder)
}
