//! One process per directory: a lock that the kernel gives back when its holder dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::system::open_error;
use crate::StoreError;

/// Name of the lock file; it holds the pid of the holder. The file stays: deleting it would let
/// two processes lock two files of one name.
const NAME: &str = "lock";

/// The lock, held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do, but for a child that this process is starting at this moment: until it
        // runs its program it has a copy of the file, and that would keep the lock.
        self.file.unlock().ok();
    }
}

impl Lock {
    pub(crate) fn acquire(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(NAME);
        let fail = |operation, source| open_error(operation, &path, source);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|source| fail("open lock", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    path: dir.to_owned(),
                    pid: read_pid(&mut file),
                });
            }
            Err(TryLockError::Error(source)) => return Err(fail("take lock", source)),
        }
        file.set_len(0)
            .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()))
            .map_err(|source| fail("write lock", source))?;
        Ok(Self { file })
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_file_in_a_child_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::acquire(dir.path()).unwrap();
        // What a child has between its fork and its exec: the same open file.
        let _copy = lock.file.try_clone().unwrap();
        assert!(matches!(
            Lock::acquire(dir.path()),
            Err(StoreError::InUse { .. })
        ));
        drop(lock);
        Lock::acquire(dir.path()).unwrap();
    }
}
