//! The playbooks of one home: taken in, kept, compared with what they were, and opened.
//!
//! Two files change together: the lock, which holds the truth, and the registry, which holds the
//! names in the form of the original. The lock is written first; a crash between the two leaves
//! the old registry with a lock of what the next update would find. Copies lie in directories
//! that are named for their content and never change.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::copies;
use crate::error::{Changes, Error};
use crate::files;
use crate::gather::{Gathered, gather};
use crate::lock::{Grants, Lock, Locked, LockedFile, Signed, sha256};
use crate::place::{Origin, Place};
use crate::registry::{self, Entries, Entry};
use crate::source::{LocalFiles, ReadError, Source};
use crate::tree::{Reach, Tree};

/// Where the files of a home are.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The registry.
    pub registry: PathBuf,
    /// The registry of v0.5, read while there is no other.
    pub older_registry: Option<PathBuf>,
    /// The copies.
    pub cache: PathBuf,
}

/// The playbooks of one home.
#[derive(Clone, Debug)]
pub struct Shelf {
    paths: Paths,
    env: Arc<BTreeMap<String, String>>,
}

/// How a playbook is taken in.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// What its templates may reach.
    pub allow: Grants,
    /// The signed repository that it comes from.
    pub signed: Option<Signed>,
}

/// What an update is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// Take in what is there.
    Apply,
    /// Only say what differs.
    DryRun,
}

/// What was found when a playbook was taken in.
#[derive(Debug)]
pub struct Taken {
    /// How many commands it has.
    pub commands: usize,
    /// How many files it has.
    pub files: usize,
    /// What is odd about it.
    pub warnings: Vec<String>,
    /// How it differs from what it was.
    pub changes: Changes,
}

/// An entry with its lock.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What the registry says.
    pub entry: Entry,
    /// What was locked; nothing for an entry of another program that was never used.
    pub locked: Option<Locked>,
}

/// A playbook that is what it was when its user took it in.
#[derive(Debug)]
pub struct Playbook {
    /// Name that it is registered under.
    pub name: String,
    /// Its first file.
    pub root: Place,
    /// What its templates may reach.
    pub reach: Reach,
    files: BTreeMap<String, Vec<u8>>,
    copied: bool,
}

impl Playbook {
    /// Returns a playbook without a lock, for what comes with the program.
    #[must_use]
    pub fn unlocked(name: &str, root: Place, gathered: Gathered, reach: Reach) -> Self {
        Self {
            name: name.to_owned(),
            root,
            reach,
            files: gathered.files,
            copied: true,
        }
    }

    /// Returns its commands.
    #[must_use]
    pub fn tree(&self) -> Tree<'_> {
        Tree {
            name: &self.name,
            root: &self.root,
            source: self,
            reach: &self.reach,
        }
    }

    /// Returns whether what it holds is not at its place, but in a copy.
    #[must_use]
    pub fn is_copied(&self) -> bool {
        self.copied
    }

    /// Returns its files by key.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }
}

impl Source for Playbook {
    fn read(&self, place: &Place) -> Result<Vec<u8>, ReadError> {
        let key = self.root.key_of(place);
        self.files.get(&key).cloned().ok_or(ReadError::NotFound)
    }
}

impl Shelf {
    /// Returns the playbooks whose files are at `paths`; templates may see `env` where that is
    /// allowed.
    #[must_use]
    pub fn new(paths: Paths, env: BTreeMap<String, String>) -> Self {
        Self {
            paths,
            env: Arc::new(env),
        }
    }

    fn lock_path(&self) -> PathBuf {
        self.paths.registry.with_extension("lock")
    }

    fn entries(&self) -> Result<Entries, Error> {
        match &self.paths.older_registry {
            Some(older) if !self.paths.registry.exists() && older.is_file() => {
                registry::read(older)
            }
            _ => registry::read(&self.paths.registry),
        }
    }

    fn write_entries(&self, entries: &Entries) -> Result<(), Error> {
        files::replace(&self.paths.registry, registry::text(entries).as_bytes())
    }

    /// Returns all entries by name.
    ///
    /// # Errors
    /// When the registry or the lock cannot be read.
    pub fn list(&self) -> Result<BTreeMap<String, Kept>, Error> {
        let mut lock = Lock::read(&self.lock_path())?;
        let entries = self.entries()?.into_iter();
        Ok(entries
            .map(|(name, entry)| {
                let locked = lock.playbooks.remove(&name);
                (name, Kept { entry, locked })
            })
            .collect())
    }

    /// Returns one entry.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn kept(&self, name: &str) -> Result<Kept, Error> {
        let mut all = self.list()?;
        match all.remove(name) {
            Some(kept) => Ok(kept),
            None => Err(Error::Unknown {
                name: name.chars().take(60).collect(),
                known: all.into_keys().collect(),
            }),
        }
    }

    /// Returns what a playbook from `place` may reach.
    #[must_use]
    pub fn reach(&self, place: &Place, allow: &Grants) -> Reach {
        Reach::of(place, allow, &self.env)
    }

    /// Says why no playbook can be added under this name, if none can.
    ///
    /// # Errors
    /// When the name is taken or unfit.
    pub fn check_new(&self, name: &str) -> Result<(), Error> {
        check_name(name)?;
        match self.entries()?.get(name) {
            None => Ok(()),
            Some(entry) => Err(Error::Exists {
                name: name.to_owned(),
                from: entry.source.clone(),
            }),
        }
    }

    /// Takes in the playbook at `root`.
    ///
    /// # Errors
    /// When the name is taken or unfit, or the playbook cannot be read; nothing is changed then.
    pub fn add(
        &self,
        name: &str,
        root: &Place,
        terms: Terms,
        source: &dyn Source,
    ) -> Result<Taken, Error> {
        check_name(name)?;
        let _turn = files::turn(&self.paths.registry)?;
        self.check_new(name)?;
        let gathered = gather(name, root, source, &self.reach(root, &terms.allow))?;
        let taken = taken(&gathered, Changes::default());
        self.keep(name, root, terms, gathered)?;
        Ok(taken)
    }

    /// Reads the playbook again and takes in what it is now; with `allow`, its templates may reach
    /// that from now on. Whatever fails, what was there stays.
    ///
    /// # Errors
    /// When there is no such playbook, or it cannot be read.
    pub fn update(
        &self,
        name: &str,
        mode: Update,
        allow: Option<Grants>,
        source: &dyn Source,
    ) -> Result<Taken, Error> {
        let _turn = files::turn(&self.paths.registry)?;
        let kept = self.kept(name)?;
        let old = kept.locked.unwrap_or_default();
        let allow = allow.unwrap_or_else(|| old.allow.clone());
        let root = Place::stored(&kept.entry.source)?;
        let gathered = gather(name, &root, source, &self.reach(&root, &allow))?;
        let changes = old.compare(&hashes(&gathered.files));
        let taken = taken(&gathered, changes);
        if mode == Update::Apply {
            let terms = Terms {
                allow,
                signed: old.signed,
            };
            self.keep(name, &root, terms, gathered)?;
        }
        Ok(taken)
    }

    /// Locks an entry that another program wrote: its copy where it has one, else what its source
    /// has now.
    fn adopt(&self, name: &str, entry: &Entry, source: &dyn Source) -> Result<(), Error> {
        let _turn = files::turn(&self.paths.registry)?;
        let root = Place::stored(&entry.source)?;
        let copy = Place::stored(&entry.cache)
            .ok()
            .filter(|copy| copy.path().is_some_and(|path| path.is_file()));
        let gathered = match copy {
            Some(copy) => {
                let copied = copies::Foreign {
                    root: &root,
                    copy: &copy,
                };
                gather(name, &root, &copied, &self.reach(&root, &Grants::new()))?
            }
            None => gather(name, &root, source, &self.reach(&root, &Grants::new()))?,
        };
        self.keep(name, &root, Terms::default(), gathered)
    }

    /// Forgets a playbook and its copy.
    ///
    /// # Errors
    /// When there is none of that name, or the files cannot be written.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        let _turn = files::turn(&self.paths.registry)?;
        self.kept(name)?;
        let mut entries = self.entries()?;
        entries.remove(name);
        self.write_entries(&entries)?;
        let mut lock = Lock::read(&self.lock_path())?;
        if lock.playbooks.remove(name).is_some() {
            lock.write(&self.lock_path())?;
        }
        let copies = self.paths.cache.join(name);
        if check_name(name).is_ok() && copies.is_dir() {
            std::fs::remove_dir_all(&copies).map_err(Error::io("remove", copies))?;
        }
        Ok(())
    }

    /// Opens a playbook. An entry that was never locked is locked as it is now; the second value
    /// says so.
    ///
    /// # Errors
    /// When there is no such playbook, or its content is not the one that was locked.
    pub fn open(&self, name: &str, source: &dyn Source) -> Result<(Playbook, bool), Error> {
        let mut kept = self.kept(name)?;
        let adopted = kept.locked.is_none();
        if adopted {
            self.adopt(name, &kept.entry, source)?;
            kept = self.kept(name)?;
        }
        let root = Place::stored(&kept.entry.source)?;
        let locked = kept.locked.unwrap_or_default();
        let (files, changes) = self.compare(&root, &kept.entry, &locked)?;
        if !changes.is_empty() {
            return Err(Error::Changed {
                name: name.to_owned(),
                changes,
            });
        }
        let playbook = Playbook {
            name: name.to_owned(),
            reach: self.reach(&root, &locked.allow),
            root,
            files,
            copied: locked.copy.is_some(),
        };
        Ok((playbook, adopted))
    }

    /// Returns the files of a locked playbook as they are now, and how they differ.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn compare(
        &self,
        root: &Place,
        entry: &Entry,
        locked: &Locked,
    ) -> Result<(BTreeMap<String, Vec<u8>>, Changes), Error> {
        let mut files = BTreeMap::new();
        for (key, file) in &locked.files {
            let place = match (&locked.copy, &file.stored) {
                (Some(copy), Some(stored)) => {
                    Place::of_path(&self.paths.cache.join(copy).join(stored))?
                }
                _ => root.join(key)?,
            };
            match LocalFiles.read(&place) {
                Ok(content) => drop(files.insert(key.clone(), content)),
                Err(ReadError::NotFound) => {}
                Err(source) => {
                    return Err(Error::Read {
                        place: place.shown(),
                        source,
                    });
                }
            }
        }
        let mut changes = locked.compare(&hashes(&files));
        let moved = Place::stored(&locked.source).is_ok_and(|old| old != *root);
        if moved && !entry.source.is_empty() {
            changes.changed.push(format!("Source: {}", root.shown()));
        }
        Ok((files, changes))
    }

    /// Writes everything about a playbook down.
    fn keep(
        &self,
        name: &str,
        root: &Place,
        terms: Terms,
        gathered: Gathered,
    ) -> Result<(), Error> {
        let mut lock = Lock::read(&self.lock_path())?;
        let mut entries = self.entries()?;
        let mut locked = Locked {
            source: root.as_str().to_owned(),
            allow: terms.allow,
            signed: terms.signed,
            files: hashes(&gathered.files),
            missing: gathered.missing,
            copy: None,
        };
        let mut cache = String::new();
        // A signed file may lie under another name than its own.
        if root.origin() == Origin::Remote || locked.signed.is_some() {
            let copy = copies::make(&self.paths.cache, name, &mut locked, &gathered.files)?;
            let first = locked.files.get(&root.key_of(root));
            if let Some(stored) = first.and_then(|file| file.stored.as_ref()) {
                let path = self.paths.cache.join(&copy).join(stored);
                cache = Place::of_path(&path)?.as_str().to_owned();
            }
            locked.copy = Some(copy);
        }
        let former = lock.playbooks.get(name).and_then(|old| old.copy.clone());
        let current = locked.copy.clone();
        lock.playbooks.insert(name.to_owned(), locked);
        lock.write(&self.lock_path())?;
        entries.insert(
            name.to_owned(),
            Entry {
                source: root.as_str().to_owned(),
                cache,
            },
        );
        self.write_entries(&entries)?;
        copies::prune(&self.paths.cache, name, [former, current]);
        Ok(())
    }
}

fn taken(gathered: &Gathered, changes: Changes) -> Taken {
    Taken {
        commands: gathered.commands,
        files: gathered.files.len(),
        warnings: gathered.warnings.clone(),
        changes,
    }
}

fn hashes(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, LockedFile> {
    files
        .iter()
        .map(|(key, content)| {
            let file = LockedFile {
                sha256: sha256(content),
                stored: None,
            };
            (key.clone(), file)
        })
        .collect()
}

/// Says why a playbook cannot have this name.
fn check_name(name: &str) -> Result<(), Error> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "/\\:".contains(c);
    let why = match crate::index::unfit_name(name) {
        Some(why) => why,
        None if name.chars().any(odd) => "it contains a character that file names have no use for",
        None if name.starts_with('.') => "it starts with a dot",
        None if ["add", "ls", "list", "rm", "update", "show"].contains(&name) => {
            "it is a command of `infrakit playbook`"
        }
        None => return Ok(()),
    };
    Err(Error::Name {
        name: name.escape_debug().take(60).collect(),
        why,
    })
}

#[cfg(test)]
mod tests;
