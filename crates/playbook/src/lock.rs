//! The lock: what each playbook held when its user took it in, and what it was allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Changes, Error};
use crate::files;

/// Version of the file's format.
const VERSION: u32 = 1;

/// Something outside itself that the templates of a playbook may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grant {
    /// The environment.
    Env,
    /// Files of this machine.
    Files,
    /// Other servers than its own.
    Net,
}

impl Grant {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Env, Self::Files, Self::Net];

    /// Returns the word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Files => "files",
            Self::Net => "net",
        }
    }
}

/// What is allowed.
pub type Grants = BTreeSet<Grant>;

/// A file as it was locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LockedFile {
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Its path below the directory of the copy, where there is a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
}

/// A signed repository that the playbook comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Signed {
    /// URL of the repository.
    pub repository: String,
    /// SHA-256 of the root metadata that its user gave.
    pub root_sha256: String,
}

/// A playbook as it was locked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Locked {
    /// URL of its first file.
    pub source: String,
    /// What its templates may reach, beside what its origin gives them.
    #[serde(default)]
    pub allow: Grants,
    /// Directory of the copy, below the cache; nothing for what is read where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    /// The signed repository it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Signed>,
    /// Its files by key.
    pub files: BTreeMap<String, LockedFile>,
    /// Files that were named in it and not there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<String>,
}

impl Locked {
    /// Returns how `files` differ from these.
    #[must_use]
    pub fn compare(&self, files: &BTreeMap<String, LockedFile>) -> Changes {
        let mut changes = Changes::default();
        for (key, old) in &self.files {
            match files.get(key) {
                None => changes.removed.push(key.clone()),
                Some(new) if new.sha256 != old.sha256 => changes.changed.push(key.clone()),
                Some(_) => {}
            }
        }
        changes.added = files
            .keys()
            .filter(|key| !self.files.contains_key(*key))
            .cloned()
            .collect();
        changes
    }
}

/// The lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// The playbooks by name.
    pub playbooks: BTreeMap<String, Locked>,
}

impl Default for Lock {
    fn default() -> Self {
        Self {
            version: VERSION,
            playbooks: BTreeMap::new(),
        }
    }
}

impl Lock {
    /// Reads the file; an absent one locks nothing.
    ///
    /// # Errors
    /// Says why it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let Some(text) = files::read(path)? else {
            return Ok(Self::default());
        };
        let wrong = |why: String| Error::Registry {
            path: path.to_owned(),
            why,
        };
        let lock: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if lock.version != VERSION {
            return Err(wrong(format!(
                "its version is {}, and this program knows version {VERSION}",
                lock.version
            )));
        }
        Ok(lock)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Says why it cannot.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(self).expect("plain text always serialises");
        text.push(b'\n');
        files::replace(path, &text)
    }
}

/// Returns the SHA-256 of `content` in hexadecimal.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(of: &[(&str, &str)]) -> BTreeMap<String, LockedFile> {
        of.iter()
            .map(|(key, content)| {
                let file = LockedFile {
                    sha256: sha256(content.as_bytes()),
                    stored: None,
                };
                ((*key).to_owned(), file)
            })
            .collect()
    }

    #[test]
    fn differences_are_named() {
        let locked = Locked {
            files: files(&[("a", "1"), ("b", "1"), ("c", "1")]),
            ..Locked::default()
        };
        let changes = locked.compare(&files(&[("a", "1"), ("b", "2"), ("d", "1")]));
        assert_eq!(changes.to_string(), "changed: `b`; new: `d`; gone: `c`");
        assert!(locked.compare(&locked.files.clone()).is_empty());
    }

    #[test]
    fn the_file_survives_writing_and_a_newer_one_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sub/playbooks.lock");
        assert_eq!(Lock::read(&path).unwrap(), Lock::default());
        let mut lock = Lock::default();
        let locked = Locked {
            source: "http://h/i.yml".to_owned(),
            allow: [Grant::Env].into(),
            files: files(&[("i.yml", "x")]),
            ..Locked::default()
        };
        lock.playbooks.insert("web".to_owned(), locked);
        lock.write(&path).unwrap();
        assert_eq!(Lock::read(&path).unwrap(), lock);
        std::fs::write(&path, "{\"Version\":2,\"Playbooks\":{}}").unwrap();
        let error = Lock::read(&path).unwrap_err().to_string();
        assert!(error.contains("version is 2"), "{error}");
    }

    #[test]
    fn hashes_are_sha256() {
        assert!(sha256(b"abc").starts_with("ba7816bf8f01cfea"));
    }
}
