//! A store in one directory: an append-only log, a lock, and a writer thread.
//!
//! Records live in memory; the log is what they are rebuilt from. Commits queue up to the writer,
//! which writes all that wait with one write and, if one of them asks, one sync.

mod compact;
mod disk;
mod line;
mod lock;
mod log;
mod replay;
mod system;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use self::disk::{Disk, RealDisk};
use self::lock::Lock;
use self::system::{open_error, sync_dir};
use self::writer::{Message, QUEUE, Request, Writer};
use crate::state::State;
use crate::{Change, Durability, Key, Revision, Store, StoreError, Versioned};

/// Records in a directory, for one process at a time.
#[derive(Debug)]
pub struct FileStore {
    dir: PathBuf,
    state: Arc<RwLock<State>>,
    /// `None` only while the store is being dropped.
    sender: Option<mpsc::Sender<Message>>,
    writer: Option<JoinHandle<()>>,
    /// Given back after the writer has ended, since fields are dropped after `drop`.
    _lock: Lock,
}

impl FileStore {
    /// Opens the store in `dir`, or creates it there: the directory 0700, its files 0600.
    ///
    /// Reads the whole log. The remains of an interrupted write at its end are cut off with a
    /// warning, and kept beside it in `state.log.cut`.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when somebody else has it open, [`StoreError::Damaged`] and
    /// [`StoreError::Newer`] for a log that cannot be trusted or read, [`StoreError::Open`] when
    /// the system refuses.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_on(dir, Arc::new(RealDisk), compact::Policy::default())
    }

    fn open_on(
        dir: &Path,
        disk: Arc<dyn Disk>,
        policy: compact::Policy,
    ) -> Result<Self, StoreError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|source| open_error("create directory", dir, source))?;
        let lock = Lock::acquire(dir)?;
        remove_if_there(&dir.join(compact::TEMPORARY))?;
        let path = dir.join(log::NAME);
        let file = log::open_file(&path).map_err(|source| open_error("open log", &path, source))?;
        let replayed = replay::replay(&file, &path)?;
        sync_dir(dir).map_err(|source| open_error("sync directory", dir, source))?;

        let state = Arc::new(RwLock::new(replayed.state));
        let log = log::Log::new(Arc::clone(&disk), file, path, replayed.length);
        let (sender, receiver) = mpsc::channel(QUEUE);
        let writer = Writer::new(Arc::clone(&state), log, policy, sender.downgrade());
        let writer = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(receiver))
            .map_err(|source| open_error("start the writer of", dir, source))?;
        Ok(Self {
            dir: dir.to_owned(),
            state,
            sender: Some(sender),
            writer: Some(writer),
            _lock: lock,
        })
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed {
            path: self.dir.clone(),
        }
    }
}

#[async_trait]
impl Store for FileStore {
    fn get(&self, key: &Key) -> Option<Versioned> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.get(key)
    }

    fn scan(&self, prefix: &str) -> Vec<(Key, Versioned)> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.scan(prefix)
    }

    async fn commit(
        &self,
        changes: Vec<Change>,
        durability: Durability,
    ) -> Result<Revision, StoreError> {
        let sender = self.sender.as_ref().ok_or_else(|| self.closed())?;
        let (done, answer) = oneshot::channel();
        let request = Request {
            changes,
            durability,
            done,
        };
        sender
            .send(Message::Commit(request))
            .await
            .map_err(|_| self.closed())?;
        answer.await.map_err(|_| self.closed())?
    }
}

impl Drop for FileStore {
    /// Waits for the writer to finish what is queued.
    fn drop(&mut self) {
        drop(self.sender.take());
        if self.writer.take().is_some_and(|it| it.join().is_err()) {
            tracing::error!(dir = %self.dir.display(), "the writer of the store has panicked");
        }
    }
}

fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(open_error("remove", path, source))
        }
        _ => Ok(()),
    }
}
