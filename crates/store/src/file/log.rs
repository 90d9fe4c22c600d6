//! The log file: bytes behind bytes, and back to the last good length when the medium refuses.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::Disk;

/// Name of the log in the directory of the store.
pub(crate) const NAME: &str = "state.log";

/// What is known about the bytes behind the good length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// There are none.
    Clean,
    /// A failed write may have left some, and cutting them off failed too.
    Torn,
    /// A sync failed, after which the kernel may have forgotten bytes that it had accepted, even
    /// before the good length. Only writing all of it anew helps.
    Doubtful,
}

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    disk: Arc<dyn Disk>,
    file: File,
    path: PathBuf,
    length: u64,
    synced: u64,
    tail: Tail,
}

pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

impl Log {
    /// Takes over `file`, whose first `length` bytes are good and all there is.
    pub(crate) fn new(disk: Arc<dyn Disk>, file: File, path: PathBuf, length: u64) -> Self {
        Self {
            disk,
            file,
            path,
            length,
            // What an earlier process left may still be on its way to the medium.
            synced: 0,
            tail: Tail::Clean,
        }
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the directory of the log.
    pub(crate) fn dir(&self) -> &Path {
        self.path.parent().unwrap_or_else(|| Path::new("."))
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Returns whether only a fresh file can be trusted.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.tail == Tail::Doubtful
    }

    pub(crate) fn doubt(&mut self) {
        self.tail = Tail::Doubtful;
    }

    /// Appends `bytes` and, on `sync`, waits for the medium: all or nothing.
    pub(crate) fn write(&mut self, bytes: &[u8], sync: bool) -> io::Result<()> {
        if self.tail == Tail::Torn {
            self.disk.truncate(&self.file, self.length)?;
            self.tail = Tail::Clean;
        }
        if !bytes.is_empty()
            && let Err(error) = self.disk.append(&self.file, bytes)
        {
            if self.disk.truncate(&self.file, self.length).is_err() {
                self.tail = Tail::Torn;
            }
            return Err(error);
        }
        let length = self.length + bytes.len() as u64;
        if sync && self.synced < length {
            if let Err(error) = self.disk.sync(&self.file) {
                // Cut off as well as it goes: a crash before the rewrite must not bring it back.
                self.disk.truncate(&self.file, self.length).ok();
                self.tail = Tail::Doubtful;
                return Err(error);
            }
            self.synced = length;
        }
        self.length = length;
        Ok(())
    }

    /// Reads the bytes at `offset` into `buffer`.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    /// Goes on with `file`, which has taken the place of the log and is on the medium.
    pub(crate) fn switch(&mut self, file: File, length: u64) {
        self.file = file;
        self.length = length;
        self.synced = length;
        self.tail = Tail::Clean;
    }
}
