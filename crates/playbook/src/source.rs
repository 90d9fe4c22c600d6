//! Reading files of a playbook from where they are. The network is somebody else's: whoever has
//! it implements [`Source`].

use std::collections::BTreeMap;
use std::io::Read as _;

use crate::place::{Origin, Place};

/// Largest file of a playbook, in bytes.
pub const LARGEST: u64 = 8 * 1024 * 1024;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file; asking again will not change that.
    #[error("it does not exist")]
    NotFound,
    /// Anything else: it may be there.
    #[error("{0}")]
    Failed(String),
    /// What is there is not what its owner signed.
    #[error("{0}")]
    Distrusted(String),
}

/// Something that files can be read from.
pub trait Source {
    /// Returns the content of the file at `place`.
    ///
    /// # Errors
    /// Tells what is not there from what could not be read.
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError>;
}

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFiles;

impl Source for LocalFiles {
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let path = place
            .path()
            .ok_or_else(|| ReadError::Failed("it is not on this machine".to_owned()))?;
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => ReadError::NotFound,
            std::io::ErrorKind::PermissionDenied => {
                ReadError::Failed("permission denied".to_owned())
            }
            _ => ReadError::Failed(error.to_string()),
        };
        let metadata = std::fs::metadata(&path).map_err(failed)?;
        if metadata.is_dir() {
            return Err(ReadError::Failed("it is a directory".to_owned()));
        }
        if !metadata.is_file() {
            return Err(ReadError::Failed("it is not a regular file".to_owned()));
        }
        let mut content = Vec::new();
        std::fs::File::open(&path)
            .map_err(failed)?
            .take(LARGEST + 1)
            .read_to_end(&mut content)
            .map_err(failed)?;
        if content.len() as u64 > LARGEST {
            return Err(ReadError::Failed("it is larger than 8 MiB".to_owned()));
        }
        Ok(content)
    }
}

/// Files that come with the program, by URL.
#[derive(Clone, Debug, Default)]
pub struct BuiltIn(pub BTreeMap<String, &'static str>);

impl Source for BuiltIn {
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        match self.0.get(place.as_str()) {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => Err(ReadError::NotFound),
        }
    }
}

/// Everything that a program can read: each kind of place by its own source.
pub struct Everywhere<'a> {
    /// Files that come with the program.
    pub built_in: &'a dyn Source,
    /// Files of other machines.
    pub remote: &'a dyn Source,
}

impl Source for Everywhere<'_> {
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        match place.origin() {
            Origin::Local => LocalFiles.read(place),
            Origin::BuiltIn => self.built_in.read(place),
            Origin::Remote => self.remote.read(place),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_from_what_cannot_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| Place::of_path(&directory.path().join(name)).unwrap();
        std::fs::write(directory.path().join("a"), "text").unwrap();
        assert_eq!(LocalFiles.read(&at("a")).unwrap(), b"text");
        assert!(matches!(
            LocalFiles.read(&at("b")),
            Err(ReadError::NotFound)
        ));
        assert!(matches!(
            LocalFiles.read(&at("a/b")),
            Err(ReadError::NotFound)
        ));
        let directory_itself = Place::of_path(directory.path()).unwrap();
        assert!(matches!(
            LocalFiles.read(&directory_itself),
            Err(ReadError::Failed(_))
        ));
    }
}
