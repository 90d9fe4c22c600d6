//! Where files are written before they are renamed into the directory.
//!
//! Each process stages in a directory of its own inside the instance directory, so that a rename
//! stays on one file system, and so that half-written files cause no events in the directory that
//! is watched. The process holds a lock on its staging directory; one that nobody holds was left
//! behind by a process that died, and is removed at the next start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use crate::cache::Stamp;
use crate::directory::Numbers;

/// Names of staging directories. Lists look at `instance-…` only, so they never show one.
const PREFIX: &str = ".infrakit-staging-";

/// The staging directory of this process, made when it is first needed.
#[derive(Debug)]
pub(crate) struct Staging {
    parent: PathBuf,
    numbers: Numbers,
    lane: Mutex<Option<Lane>>,
}

#[derive(Debug)]
struct Lane {
    path: PathBuf,
    /// Held for its lock, which ends with the process however it ends.
    _lock: File,
}

/// A file that is written and waits for its name; removed when it gets none.
#[derive(Debug)]
pub(crate) struct Staged {
    path: PathBuf,
    stamp: Stamp,
    armed: bool,
}

impl Staging {
    /// Removes what dead processes left in `parent`.
    pub(crate) fn open(parent: &Path) -> Self {
        sweep(parent);
        Self {
            parent: parent.to_owned(),
            numbers: Numbers::default(),
            lane: Mutex::new(None),
        }
    }

    /// Writes `bytes` to a new file.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<Staged> {
        match self.write_in(&self.lane(Reuse::Kept)?, bytes) {
            // Somebody removed the staging directory: make another.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.write_in(&self.lane(Reuse::Never)?, bytes)
            }
            done => done,
        }
    }

    fn write_in(&self, lane: &Path, bytes: &[u8]) -> io::Result<Staged> {
        let path = lane.join(format!("{:016x}", self.numbers.next()));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        // Made before anything can fail, so that a full disk leaves no litter.
        let mut staged = Staged {
            path,
            stamp: Stamp::default(),
            armed: true,
        };
        fill(&mut file, bytes)?;
        staged.stamp = Stamp::of(&file.metadata()?);
        Ok(staged)
    }

    fn lane(&self, reuse: Reuse) -> io::Result<PathBuf> {
        let mut lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(lane), Reuse::Kept) = (lane.as_ref(), reuse) {
            return Ok(lane.path.clone());
        }
        // Each attempt takes a fresh random name; a collision, or a sweeper that was faster than
        // our lock, costs one attempt.
        for _ in 0..8 {
            let path = self
                .parent
                .join(format!("{PREFIX}{:016x}", self.numbers.next()));
            if let Some(made) = Lane::make(path)? {
                let path = made.path.clone();
                *lane = Some(made);
                return Ok(path);
            }
        }
        Err(io::Error::other("cannot make a staging directory"))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let lane = self.lane.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lane.take() {
            // Not empty only when a write is cut off, and then the next start sweeps it.
            let _ = fs::remove_dir(&lane.path);
        }
    }
}

#[derive(Clone, Copy)]
enum Reuse {
    Kept,
    Never,
}

impl Lane {
    /// Makes and locks a staging directory; `None` when the name cannot be had.
    fn make(path: PathBuf) -> io::Result<Option<Self>> {
        match fs::DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            done => done?,
        }
        let Ok(lock) = open_directory(&path) else {
            return Ok(None);
        };
        let locked = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        // Other failures mean a file system without locks: then no sweeper gets one either, and
        // nothing is removed that is in use.
        if locked == Err(Errno::WOULDBLOCK) {
            return Ok(None);
        }
        let here = fs::symlink_metadata(&path)
            .map(|metadata| metadata.ino())
            .ok();
        if here != Some(lock.metadata()?.ino()) {
            return Ok(None);
        }
        Ok(Some(Self { path, _lock: lock }))
    }
}

impl Staged {
    /// Returns the stamp that the file will have under its name.
    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Gives the file a name that must be free.
    pub(crate) fn publish(mut self, name: &Path) -> io::Result<()> {
        match renameat_with(CWD, &self.path, CWD, name, RenameFlags::NOREPLACE) {
            Ok(()) => {
                self.armed = false;
                Ok(())
            }
            // The file system cannot refuse to replace: a hard link can. The staged name is
            // removed when this value is dropped.
            Err(Errno::INVAL | Errno::NOSYS) => fs::hard_link(&self.path, name),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the file in the place of another, which must exist: a file that was removed in the
    /// meantime is not brought back.
    pub(crate) fn replace(mut self, name: &Path) -> io::Result<()> {
        match renameat_with(CWD, &self.path, CWD, name, RenameFlags::EXCHANGE) {
            // The old file now has the staged name, and goes with this value.
            Ok(()) => Ok(()),
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::symlink_metadata(name)?;
                fs::rename(&self.path, name)?;
                self.armed = false;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.armed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes all of `bytes`, telling a full disk from a finished file.
fn fill(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

fn open_directory(path: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    OpenOptions::new()
        .read(true)
        // The flags are a few low bits; they fit any integer.
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)
}

/// Removes staging directories that no process holds. What cannot be removed is left: it costs a
/// little space and does no harm.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        if !ours {
            continue;
        }
        let Ok(lock) = open_directory(&entry.path()) else {
            continue;
        };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "cannot remove a left-over staging directory");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn never_replaces_an_existing_file() {
        let directory = tempfile::tempdir().unwrap();
        let staging = Staging::open(directory.path());
        let name = directory.path().join("a");
        staging.write(b"1").unwrap().publish(&name).unwrap();
        let error = staging.write(b"2").unwrap().publish(&name).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&name).unwrap(), b"1");
    }

    #[test]
    fn never_brings_a_removed_file_back() {
        let directory = tempfile::tempdir().unwrap();
        let staging = Staging::open(directory.path());
        let name = directory.path().join("a");
        let error = staging.write(b"2").unwrap().replace(&name).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!name.exists());
        staging.write(b"1").unwrap().publish(&name).unwrap();
        staging.write(b"2").unwrap().replace(&name).unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"2");
    }

    #[test]
    fn leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let staging = Staging::open(directory.path());
        drop(staging.write(b"1").unwrap());
        drop(staging);
        assert_eq!(names(directory.path()), Vec::<String>::new());
    }

    #[test]
    fn sweeps_the_dead_and_spares_the_living() {
        let directory = tempfile::tempdir().unwrap();
        let dead = directory.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("0"), "half").unwrap();
        let living = Staging::open(directory.path());
        assert!(!dead.exists());
        let staged = living.write(b"1").unwrap();
        let _second = Staging::open(directory.path());
        staged.publish(&directory.path().join("a")).unwrap();
    }

    #[test]
    fn makes_a_new_staging_directory_when_somebody_removes_it() {
        let directory = tempfile::tempdir().unwrap();
        let staging = Staging::open(directory.path());
        drop(staging.write(b"1").unwrap());
        for name in names(directory.path()) {
            fs::remove_dir_all(directory.path().join(name)).unwrap();
        }
        let name = directory.path().join("a");
        staging.write(b"1").unwrap().publish(&name).unwrap();
    }

    #[test]
    fn tells_that_the_disk_is_full() {
        let mut full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = fill(&mut full, b"1").unwrap_err();
        assert_eq!(crate::failure::cause(&error), "no space left on device");
    }
}
