//! The directory of instances: creating, labelling, destroying and listing, all of it blocking.
//!
//! Every change of a name happens under the lock of the cache, so that the cache and the queue of
//! events agree on the order of our own changes.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use infrakit_spi::instance::{Detail, Fingerprint, InstanceSpec, Listing};
use infrakit_spi::{Error, InstanceId, Result, Tags};
use tokio::sync::watch;

use crate::cache::Entry;
use crate::document::{Rendered, spec_document};
use crate::failure::refused;
use crate::refresh::{Cache, PREFIX};
use crate::staging::{Hidden, Staged, random, sweep};

/// Why a directory cannot hold instances.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory does not exist and cannot be made.
    #[error("cannot create the instance directory `{path}`")]
    Create {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The directory exists and cannot be read.
    #[error("cannot read the instance directory `{path}`")]
    Read {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    cache: Mutex<Cache>,
    /// Counts the times that something may have changed.
    changed: watch::Sender<u64>,
}

impl Directory {
    pub(crate) fn open(path: PathBuf) -> std::result::Result<Self, OpenError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&path)
            .map_err(|source| OpenError::Create {
                path: path.clone(),
                source,
            })?;
        sweep(&path).map_err(|source| OpenError::Read {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            cache: Mutex::new(Cache::new(path.clone(), random())),
            changed: watch::Sender::new(0),
            path,
        })
    }

    /// Returns whether a call would now wait for another one, which may be reading thousands of
    /// files.
    pub(crate) fn is_busy(&self) -> bool {
        self.try_lock().is_none()
    }

    /// Creates an instance.
    pub(crate) fn create(&self, spec: &InstanceSpec) -> Result<InstanceId> {
        let document = spec_document(spec)
            .map_err(|error| Error::refused(format!("cannot write the spec as JSON: {error}")))?;
        // A random number of 63 bits is practically never taken; eight in a row never are.
        for _ in 0..8 {
            let name = format!("{PREFIX}{}", random() >> 1);
            let path = self.path.join(&name);
            let fail = |error: &io::Error| refused("create", &path, error);
            let bytes = Rendered {
                id: &name,
                logical_id: spec.logical_id.as_ref(),
                tags: spec.tags.as_ref(),
                spec: &document,
            }
            .to_bytes()
            .map_err(|error| fail(&error.into()))?;
            let staged = Staged::write(&self.path, &bytes).map_err(|error| fail(&error))?;
            let entry = Entry::new(
                None,
                spec.logical_id.clone(),
                spec.tags.as_ref(),
                document.clone(),
            );
            let mut cache = self.lock();
            match staged.publish(&path) {
                Ok(()) => {
                    cache.put_own(&name, entry);
                    drop(cache);
                    self.tell();
                    return Ok(InstanceId::new(name));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(fail(&error)),
            }
        }
        Err(Error::refused(format!(
            "no free name in {}",
            self.path.display()
        )))
    }

    /// Puts `labels` on an instance, keeping its other tags and the tags in its spec.
    pub(crate) fn label(&self, id: &InstanceId, labels: &Tags) -> Result<()> {
        id.check()
            .map_err(|error| Error::refused(error.to_string()))?;
        let path = self.path.join(id.as_str());
        let fail = |error: &io::Error| refused("open", &path, error);
        let mut cache = self.lock();
        self.refresh(&mut cache)?;
        let Some(old) = cache.get(id.as_str()) else {
            return Err(fail(&not_an_instance(&path, id)));
        };
        if labels.is_empty() {
            return Ok(());
        }
        let mut tags = old.unpacked_tags();
        tags.extend(labels.clone());
        let (logical_id, spec) = (old.logical_id.clone(), old.spec.clone());
        let bytes = Rendered {
            id: id.as_str(),
            logical_id: logical_id.as_ref(),
            tags: Some(&tags),
            spec: &spec,
        }
        .to_bytes()
        .map_err(|error| fail(&error.into()))?;
        Hidden::write(&self.path, &bytes)
            .and_then(|hidden| hidden.replace(&path))
            .map_err(|error| fail(&error))?;
        let entry = Entry::new(None, logical_id, Some(&tags), spec);
        cache.put_own(id.as_str(), entry);
        drop(cache);
        self.tell();
        Ok(())
    }

    /// Destroys an instance.
    pub(crate) fn destroy(&self, id: &InstanceId) -> Result<()> {
        id.check()
            .map_err(|error| Error::refused(error.to_string()))?;
        let path = self.path.join(id.as_str());
        let fail = |error: &io::Error| refused("remove", &path, error);
        if !id.as_str().starts_with(PREFIX) {
            return Err(fail(&not_an_instance(&path, id)));
        }
        let mut cache = self.lock();
        fs::remove_file(&path).map_err(|error| fail(&error))?;
        cache.forget_own(id.as_str());
        drop(cache);
        self.tell();
        Ok(())
    }

    /// Lists, waiting for the lock and for the disk.
    pub(crate) fn list(&self, query: &Query<'_>) -> Result<Listing> {
        let mut cache = self.lock();
        self.refresh(&mut cache)?;
        Ok(query.answer(&cache))
    }

    /// Lists from memory; `None` when that would mean to wait for the lock or the disk.
    pub(crate) fn list_now(&self, query: &Query<'_>) -> Option<Result<Listing>> {
        let mut cache = self.try_lock()?;
        self.read_events(&mut cache);
        if !cache.is_quick() {
            return None;
        }
        Some(self.refresh(&mut cache).map(|()| query.answer(&cache)))
    }

    /// Reads the queue of events and wakes those who wait for changes.
    pub(crate) fn look(&self) {
        self.read_events(&mut self.lock());
    }

    /// Does the same unless that would mean to wait for the lock; returns whether it was done.
    pub(crate) fn look_now(&self) -> bool {
        self.try_lock()
            .map(|mut cache| self.read_events(&mut cache))
            .is_some()
    }

    /// Returns what tells that something may have changed, and the queue that tells it first;
    /// `None` without a watch, when only looking can tell.
    pub(crate) fn observe(&self) -> Option<(watch::Receiver<u64>, OwnedFd)> {
        let queue = self.lock().descriptor()?;
        Some((self.changed.subscribe(), queue))
    }

    fn refresh(&self, cache: &mut Cache) -> Result<()> {
        self.read_events(cache);
        cache.refresh()
    }

    fn read_events(&self, cache: &mut Cache) {
        if cache.read_events() {
            self.tell();
        }
    }

    fn tell(&self) {
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Cache>> {
        match self.cache.try_lock() {
            Ok(cache) => Some(cache),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns why `id` is no instance: what the system says, or that the file is another's.
fn not_an_instance(path: &Path, id: &InstanceId) -> io::Error {
    match fs::symlink_metadata(path) {
        Err(error) => error,
        Ok(_) if id.as_str().starts_with(PREFIX) => {
            io::Error::other("the file is not a readable instance")
        }
        Ok(_) => io::Error::from(rustix::io::Errno::NOENT),
    }
}

/// A question about the list.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) tags: &'a Tags,
    pub(crate) detail: Detail,
    pub(crate) seen: Option<Fingerprint>,
}

impl Query<'_> {
    fn answer(&self, cache: &Cache) -> Listing {
        // The question is part of the fingerprint, so that one taken of another list never fits.
        let question = (self.tags, self.detail == Detail::Properties);
        let fingerprint = cache.fingerprint(&question);
        if self.seen == Some(fingerprint) {
            return Listing::Unchanged;
        }
        let list = cache
            .entries()
            .filter(|(_, entry)| entry.matches(self.tags))
            .map(|(name, entry)| entry.describe(name, self.detail))
            .collect();
        Listing::Changed(list, Some(fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creations_that_nobody_lists_do_not_overflow_the_queue() {
        let home = tempfile::tempdir().unwrap();
        let directory = Directory::open(home.path().to_owned()).unwrap();
        let query = Query {
            tags: &Tags::new(),
            detail: Detail::Tags,
            seen: None,
        };
        directory.list(&query).unwrap();
        // Two events each: one for the content, one for the name.
        for _ in 0..9_000 {
            directory.create(&InstanceSpec::default()).unwrap();
        }
        let listing = directory.list_now(&query).expect("the files must be read");
        let Listing::Changed(list, _) = listing.unwrap() else {
            panic!("nothing was seen before")
        };
        assert_eq!(list.len(), 9_000);
    }
}
