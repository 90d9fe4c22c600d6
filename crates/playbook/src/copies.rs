//! Copies of playbooks from elsewhere. Each lies in a directory that is named for its content.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Error;
use crate::files;
use crate::lock::{Locked, sha256};
use crate::place::Place;
use crate::source::{LocalFiles, ReadError, Source};

/// Copies files into a directory that is named for their content; returns its name below the
/// cache.
pub(crate) fn make(
    cache: &Path,
    name: &str,
    locked: &mut Locked,
    contents: &BTreeMap<String, Vec<u8>>,
) -> Result<String, Error> {
    let stored = stored_names(contents.keys());
    let mut all = String::new();
    for (key, file) in &mut locked.files {
        all.push_str(&format!("{} {key}\n", file.sha256));
        file.stored = stored.get(key).cloned();
    }
    let generation: String = sha256(all.as_bytes()).chars().take(16).collect();
    let relative = format!("{name}/{generation}");
    let directory = cache.join(&relative);
    if directory.is_dir() {
        let intact = locked.files.values().all(|file| {
            let path = file.stored.as_ref().map(|stored| directory.join(stored));
            path.and_then(|path| std::fs::read(path).ok())
                .is_some_and(|content| sha256(&content) == file.sha256)
        });
        if intact {
            return Ok(relative);
        }
        // A copy that somebody changed is of no use to anybody.
        std::fs::remove_dir_all(&directory).map_err(Error::io("remove", &directory))?;
    }
    let fresh = cache
        .join(name)
        .join(format!(".new-{}", std::process::id()));
    let made = fill(&fresh, &stored, contents)
        .and_then(|()| std::fs::rename(&fresh, &directory).map_err(Error::io("write", &directory)));
    if made.is_err() {
        // The failure itself is what matters.
        let _ = std::fs::remove_dir_all(&fresh);
    }
    made.map(|()| relative)
}

/// Removes copies that nobody reads any more. The former one stays: a program that started
/// before may be about to read it.
pub(crate) fn prune(cache: &Path, name: &str, wanted: [Option<String>; 2]) {
    let Ok(there) = std::fs::read_dir(cache.join(name)) else {
        return;
    };
    for entry in there.flatten() {
        let relative = format!("{name}/{}", entry.file_name().to_string_lossy());
        if !wanted.iter().flatten().any(|wanted| *wanted == relative) {
            // What cannot be removed is tried again by the next update.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A copy that another program made of the files below `root`.
pub(crate) struct Foreign<'a> {
    pub(crate) root: &'a Place,
    pub(crate) copy: &'a Place,
}

impl Source for Foreign<'_> {
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let key = self.root.key_of(place);
        let path = if place == self.root {
            self.copy.path()
        } else if Place::is_inside(&key) {
            self.copy
                .path()
                .and_then(|path| Some(path.parent()?.join(&key)))
        } else {
            None
        };
        let place = path
            .and_then(|path| Place::of_path(&path).ok())
            .ok_or(ReadError::NotFound)?;
        LocalFiles.read(&place)
    }
}

/// Chooses where each file of a copy lies: at its own path where that is plain and in nobody's
/// way, else under the hash of its key.
fn stored_names<'a>(keys: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut taken: Vec<String> = Vec::new();
    for key in keys {
        let plain = Place::is_inside(key)
            && key.len() < 200
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
            && key
                .split('/')
                .all(|part| !part.is_empty() && !part.starts_with('.'));
        let lower = key.to_ascii_lowercase();
        let clash = taken.iter().any(|other| {
            *other == lower
                || lower
                    .strip_prefix(other.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
                || other
                    .strip_prefix(lower.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        });
        if plain && !clash {
            taken.push(lower);
            names.insert(key.clone(), key.clone());
        } else {
            names.insert(key.clone(), format!("+/{}", sha256(key.as_bytes())));
        }
    }
    names
}

/// Writes a copy.
fn fill(
    directory: &Path,
    stored: &BTreeMap<String, String>,
    contents: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Error> {
    if directory.exists() {
        std::fs::remove_dir_all(directory).map_err(Error::io("remove", directory))?;
    }
    std::fs::create_dir_all(directory).map_err(Error::io("create", directory))?;
    for (key, content) in contents {
        let Some(stored) = stored.get(key) else {
            continue;
        };
        let path = directory.join(stored);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        files::put(&path, content).map_err(Error::io("write", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_readable_names_that_lead_nowhere_else() {
        let keys = [
            "a",
            "a/b",
            "../x",
            "q?x=1",
            "A",
            "sub/ok.sh",
            ".hidden",
            "http://o/x",
        ]
        .map(str::to_owned);
        let names = stored_names(keys.iter());
        assert_eq!(names["a"], "a");
        assert_eq!(names["sub/ok.sh"], "sub/ok.sh");
        for key in ["a/b", "../x", "q?x=1", "A", ".hidden", "http://o/x"] {
            assert!(names[key].starts_with("+/"), "{key}: {}", names[key]);
        }
    }
}
