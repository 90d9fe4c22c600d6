//! How a file gets its content before it gets its name.
//!
//! A new instance is written to a file that has no name, and then linked into the directory:
//! nothing unfinished is ever visible, and when the process dies the kernel frees the file. Where
//! that cannot be had (NFS, some FUSE file systems, no `/proc` on an old kernel), and where an
//! existing name is to be replaced, the file has a hidden name for a moment. Its writer holds a
//! lock on it, so that one which nobody locks was left behind by a process that died.

use std::fs::{self, File};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags, flock, linkat, open, renameat_with,
};
use rustix::io::Errno;

/// Hidden names are this and 16 hexadecimal digits; nothing else is ever swept away.
const PREFIX: &str = ".tmp-instance-";

/// A new file that is written and waits for its name; gone when it gets none.
#[derive(Debug)]
pub(crate) enum Staged<'a> {
    Nameless {
        file: File,
        /// What to write in which directory, should the file turn out to be impossible to name.
        retry: (&'a Path, &'a [u8]),
    },
    Hidden(Hidden),
}

impl<'a> Staged<'a> {
    /// Writes `bytes` to a new file, without a name where that can be had.
    pub(crate) fn write(directory: &'a Path, bytes: &'a [u8]) -> io::Result<Self> {
        // Whatever is in the way here, the other way works or tells what is wrong.
        Self::nameless(directory, bytes)
            .or_else(|_| Hidden::write(directory, bytes).map(Self::Hidden))
    }

    fn nameless(directory: &'a Path, bytes: &'a [u8]) -> io::Result<Self> {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let mut file = File::from(open(directory, flags, Mode::from_raw_mode(0o666))?);
        fill(&mut file, bytes)?;
        let retry = (directory, bytes);
        Ok(Self::Nameless { file, retry })
    }

    /// Gives the file a name that must be free.
    pub(crate) fn publish(self, name: &Path) -> io::Result<()> {
        match self {
            Self::Hidden(hidden) => hidden.publish(name),
            Self::Nameless { file, retry } => match link_nameless(&file, name) {
                Err(error) if error != Errno::EXIST => {
                    Hidden::write(retry.0, retry.1)?.publish(name)
                }
                done => Ok(done?),
            },
        }
    }
}

/// A file with a hidden name, which goes with this value.
#[derive(Debug)]
pub(crate) struct Hidden {
    path: PathBuf,
    /// Holds the lock that tells a sweeper to leave the file alone.
    file: File,
}

impl Hidden {
    /// Writes `bytes` to a new file.
    pub(crate) fn write(directory: &Path, bytes: &[u8]) -> io::Result<Self> {
        // A collision, or a sweeper that was faster than our lock, costs one attempt.
        for _ in 0..8 {
            let path = directory.join(format!("{PREFIX}{:016x}", random()));
            let file = match File::create_new(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                done => done?,
            };
            // Made before anything can fail, so that a full disk leaves no litter.
            let mut hidden = Self { path, file };
            if hidden.claim()? {
                fill(&mut hidden.file, bytes)?;
                return Ok(hidden);
            }
        }
        Err(io::Error::other("cannot make a temporary file"))
    }

    /// Locks the file; returns whether it is still there, and safe from now on.
    fn claim(&self) -> io::Result<bool> {
        // Other failures mean a file system without locks: then no sweeper gets one either, and
        // nothing is removed that is in use.
        if flock(&self.file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Ok(false);
        }
        Ok(self.file.metadata()?.nlink() > 0)
    }

    /// Gives the file a name that must be free.
    fn publish(self, name: &Path) -> io::Result<()> {
        match renameat_with(CWD, &self.path, CWD, name, RenameFlags::NOREPLACE) {
            // The file system cannot refuse to replace: a hard link can.
            Err(Errno::INVAL | Errno::NOSYS) => fs::hard_link(&self.path, name),
            done => Ok(done?),
        }
    }

    /// Puts the file in the place of another, which must exist: a file that was removed in the
    /// meantime is not brought back.
    pub(crate) fn replace(self, name: &Path) -> io::Result<()> {
        // The old file takes the hidden name, and goes with this value.
        match renameat_with(CWD, &self.path, CWD, name, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS) => {
                fs::symlink_metadata(name)?;
                fs::rename(&self.path, name)
            }
            done => Ok(done?),
        }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing is there when the file was renamed; the name is never used again.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns a number that nobody can predict.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// Names a nameless file. By its descriptor alone this needs Linux 6.10 or a privilege, and is
/// refused as "not found" otherwise; by its entry in `/proc` it needs that to be mounted.
fn link_nameless(file: &File, name: &Path) -> rustix::io::Result<()> {
    match linkat(file, "", CWD, name, AtFlags::EMPTY_PATH) {
        Err(Errno::NOENT | Errno::INVAL) => link_through_proc(file, name),
        done => done,
    }
}

fn link_through_proc(file: &File, name: &Path) -> rustix::io::Result<()> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    linkat(CWD, path, CWD, name, AtFlags::SYMLINK_FOLLOW)
}

/// Writes all of `bytes`, telling a full disk from a finished file.
fn fill(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

/// Removes hidden files that no process holds, and fails when `directory` cannot be read. What
/// cannot be removed is left: it costs a little space and does no harm.
pub(crate) fn sweep(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_str().is_some_and(is_hidden) || !entry.file_type()?.is_file() {
            continue;
        }
        // Neither a link that took its place is followed, nor is a pipe waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let Ok(lock) = open(entry.path(), flags, Mode::empty()) else {
            continue;
        };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
            && let Err(error) = fs::remove_file(entry.path())
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %entry.path().display(), %error, "cannot remove a left-over temporary file");
        }
    }
    Ok(())
}

fn is_hidden(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a nameless file, where the file system has such.
    fn nameless(directory: &Path) -> Option<Staged<'_>> {
        Staged::nameless(directory, b"new")
            .inspect_err(|error| {
                // Any other failure would be one of the code.
                let kinds = [io::ErrorKind::Unsupported, io::ErrorKind::IsADirectory];
                assert!(kinds.contains(&error.kind()), "{error}");
                println!("skipped: no nameless files on this file system: {error}");
            })
            .ok()
    }

    /// Writes a new file in each way that there is.
    fn ways(directory: &Path) -> Vec<Staged<'_>> {
        let hidden = Staged::Hidden(Hidden::write(directory, b"new").unwrap());
        nameless(directory).into_iter().chain([hidden]).collect()
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn never_replaces_an_existing_file() {
        let home = tempfile::tempdir().unwrap();
        let name = home.path().join("a");
        fs::write(&name, "old").unwrap();
        for staged in ways(home.path()) {
            let error = staged.publish(&name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&name).unwrap(), b"old");
        }
        assert_eq!(names(home.path()), ["a"]);
    }

    #[test]
    fn gives_a_free_name() {
        let home = tempfile::tempdir().unwrap();
        for staged in ways(home.path()) {
            let name = home.path().join("a");
            staged.publish(&name).unwrap();
            assert_eq!(fs::read(&name).unwrap(), b"new");
            fs::remove_file(&name).unwrap();
        }
        assert_eq!(names(home.path()), Vec::<String>::new());
    }

    #[test]
    fn never_brings_a_removed_file_back() {
        let home = tempfile::tempdir().unwrap();
        let name = home.path().join("a");
        let hidden = Hidden::write(home.path(), b"new").unwrap();
        let error = hidden.replace(&name).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(names(home.path()), Vec::<String>::new());
        fs::write(&name, "old").unwrap();
        let hidden = Hidden::write(home.path(), b"new").unwrap();
        hidden.replace(&name).unwrap();
        assert_eq!(fs::read(&name).unwrap(), b"new");
        assert_eq!(names(home.path()), ["a"]);
    }

    #[test]
    fn a_new_file_is_invisible_until_it_has_its_name() {
        let home = tempfile::tempdir().unwrap();
        let Some(Staged::Nameless { file, .. }) = nameless(home.path()) else {
            return;
        };
        assert_eq!(names(home.path()), Vec::<String>::new());
        let name = home.path().join("a");
        link_through_proc(&file, &name).unwrap();
        assert_eq!(names(home.path()), ["a"]);
        assert_eq!(link_through_proc(&file, &name), Err(Errno::EXIST));
    }

    #[test]
    fn what_gets_no_name_is_gone() {
        let home = tempfile::tempdir().unwrap();
        drop(ways(home.path()));
        assert_eq!(names(home.path()), Vec::<String>::new());
    }

    #[test]
    fn falls_back_to_a_hidden_name() {
        // A file system without nameless files does not lend itself to a test; a descriptor that
        // cannot be linked stands for it.
        let home = tempfile::tempdir().unwrap();
        let staged = Staged::Nameless {
            file: File::open("/proc/self/status").unwrap(),
            retry: (home.path(), b"1"),
        };
        staged.publish(&home.path().join("a")).unwrap();
        assert_eq!(fs::read(home.path().join("a")).unwrap(), b"1");
        assert_eq!(names(home.path()), ["a"]);
    }

    #[test]
    fn sweeps_the_dead_and_spares_the_living_and_strangers() {
        let home = tempfile::tempdir().unwrap();
        let dead = format!("{PREFIX}0123456789abcdef");
        let strangers = [
            ".tmp-instance-",
            ".tmp-instance-0123456789abcdeg",
            ".tmp-mine",
        ];
        for name in strangers.iter().copied().chain([dead.as_str()]) {
            fs::write(home.path().join(name), "half").unwrap();
        }
        let living = Hidden::write(home.path(), b"1").unwrap();
        sweep(home.path()).unwrap();
        living.publish(&home.path().join("a")).unwrap();
        let mut want = strangers.to_vec();
        want.push("a");
        assert_eq!(names(home.path()), want);
    }

    #[test]
    fn a_file_that_was_swept_before_it_was_locked_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let hidden = Hidden::write(home.path(), b"1").unwrap();
        assert!(hidden.claim().unwrap());
        fs::remove_file(&hidden.path).unwrap();
        assert!(!hidden.claim().unwrap());
    }

    #[test]
    fn tells_that_the_disk_is_full() {
        let mut full = File::options().write(true).open("/dev/full").unwrap();
        let error = fill(&mut full, b"1").unwrap_err();
        assert_eq!(crate::failure::cause(&error), "no space left on device");
    }
}
