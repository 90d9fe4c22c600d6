//! The few things that are done to the medium, apart so that tests can make each of them fail.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::system::sync_dir;

/// What a store does to its medium while it runs.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Hands all of `bytes` to the kernel, behind what `file` holds.
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()>;

    /// Waits until what `file` holds is on the medium.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Cuts `file` to `length` bytes.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()>;

    /// Puts the file `from` in the place of `to`, in the same directory.
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Waits until the names in `dir` are on the medium.
    fn sync_names(&self, dir: &Path) -> io::Result<()>;
}

/// The file system.
#[derive(Debug)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn append(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_names(&self, dir: &Path) -> io::Result<()> {
        sync_dir(dir)
    }
}
