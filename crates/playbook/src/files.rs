//! Writing files of our own: at once or not at all, and one program at a time.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Reads a text file; an absent one is `None`.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// Replaces a file by `text`; whoever reads it sees the old text or the new one.
pub(crate) fn replace(path: &Path, text: &[u8]) -> Result<(), Error> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(Error::io("create", directory))?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = put(&temporary, text).and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|error| {
        // The failure itself is what matters; a left-over file is tried once.
        let _ = std::fs::remove_file(&temporary);
        Error::io("write", path)(error)
    })
}

/// Writes a file and waits until it is on the disk.
pub(crate) fn put(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Waits until no other program changes the playbooks; the turn ends when the file is dropped.
pub(crate) fn turn(beside: &Path) -> Result<File, Error> {
    let mut path = beside.as_os_str().to_owned();
    path.push(".turn");
    let path = PathBuf::from(path);
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(Error::io("create", directory))?;
    }
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(Error::io("open", &path))?;
    file.lock().map_err(Error::io("lock", &path))?;
    Ok(file)
}
