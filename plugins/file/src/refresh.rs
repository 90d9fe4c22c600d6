//! The cache of instance files, and how it is kept the same as the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, Hash, RandomState};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use infrakit_spi::Result;
use infrakit_spi::instance::Fingerprint;
use rustix::fs::OFlags;

use crate::cache::{Entry, Stamp};
use crate::document::{Document, spec_document};
use crate::failure::refused;
use crate::watch::{Event, Watch};

/// What the names of instances begin with; other files in the directory are none of ours.
pub(crate) const PREFIX: &str = "instance-";

/// Largest file that is taken for an instance. Cloud-init scripts end at 16 KiB; this leaves room
/// for a thousand times that and keeps a stray image out of memory.
const LARGEST: u64 = 16 << 20;

/// How long a file that cannot be decoded counts as being written. A shell that redirects into a
/// file empties it first: without patience, a list taken just then would report the loss of an
/// instance that is only being edited.
const PATIENCE: Duration = Duration::from_millis(200);

/// Up to how many files are examined at once without leaving the asynchronous world.
const FEW: usize = 64;

/// After how many changes of our own the kernel's events are read, even if nobody asks for a list.
/// Each change causes one to seven events, and the kernel drops them, which means to read every
/// file again, when 16,384 are waiting.
const BATCH: u32 = 1_024;

/// The instances of a directory, as far as they were looked at.
#[derive(Debug)]
pub(crate) struct Cache {
    path: PathBuf,
    entries: BTreeMap<Box<str>, Entry>,
    /// Files that are no instances, so that each is complained about once.
    unusable: BTreeMap<Box<str>, Stamp>,
    /// Files to examine, whatever their stamps say.
    suspects: BTreeSet<Box<str>>,
    watch: Option<Watch>,
    /// How many changes of our own were made since the kernel's events were read.
    unread: u32,
    /// Device and inode of the directory that is watched.
    watched: Option<(u64, u64)>,
    /// Whether the whole directory has to be read.
    scan: Scan,
    generation: u64,
    seed: u64,
    hasher: RandomState,
}

impl Cache {
    pub(crate) fn new(path: PathBuf, seed: u64) -> Self {
        let watch = Watch::open()
            .inspect_err(|error| {
                tracing::warn!(path = %path.display(), %error, "cannot watch the instance directory, comparing times instead");
            })
            .ok();
        let mut cache = Self {
            path,
            entries: BTreeMap::new(),
            unusable: BTreeMap::new(),
            suspects: BTreeSet::new(),
            watch,
            unread: 0,
            watched: None,
            scan: Scan::All,
            generation: 0,
            seed,
            hasher: RandomState::new(),
        };
        cache.follow();
        if cache.watched.is_some() {
            // Nothing is remembered yet, and from here on nothing is missed.
            cache.scan = Scan::Unknown;
        }
        cache
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (&**name, entry))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// Returns a fingerprint of the answer to `question`.
    pub(crate) fn fingerprint(&self, question: &impl Hash) -> Fingerprint {
        Fingerprint([self.seed ^ self.hasher.hash_one(question), self.generation])
    }

    /// Returns a descriptor that can be read when something changes, while there is a watch.
    pub(crate) fn descriptor(&self) -> Option<OwnedFd> {
        self.watched?;
        self.watch.as_ref()?.descriptor().ok()
    }

    /// Notes a file that we have just put into place.
    pub(crate) fn put_own(&mut self, name: &str, mut entry: Entry) {
        if self.watched.is_some() {
            let echoes = self.entries.get(name).map_or(0, |old| old.echoes);
            entry.echoes = echoes + 1;
        }
        self.unusable.remove(name);
        self.entries.insert(name.into(), entry);
        self.generation += 1;
        self.count_own();
    }

    /// Notes a file that we have just removed.
    pub(crate) fn forget_own(&mut self, name: &str) {
        self.forget(name);
        self.count_own();
    }

    fn count_own(&mut self) {
        self.unread += 1;
        if self.unread >= BATCH {
            // That there is news need not be told: our own change is told anyway.
            self.read_events();
        }
    }

    /// Notes that a file is gone.
    pub(crate) fn forget(&mut self, name: &str) {
        self.unusable.remove(name);
        self.suspects.remove(name);
        if self.entries.remove(name).is_some() {
            self.generation += 1;
        }
    }

    /// Returns whether a refresh touches at most a few files.
    pub(crate) fn is_quick(&self) -> bool {
        self.watched.is_some() && self.scan == Scan::None && self.suspects.len() <= FEW
    }

    /// Takes in what the kernel reports; returns whether instances may have changed.
    pub(crate) fn read_events(&mut self) -> bool {
        self.unread = 0;
        let Some(watch) = &self.watch else {
            return false;
        };
        let mut news = false;
        let mut follow = false;
        watch.drain(|event| match event {
            Event::Arrived(name) | Event::Left(name) | Event::Edited(name)
                if !name.starts_with(PREFIX) => {}
            Event::Arrived(name) => {
                match self.entries.get_mut(name) {
                    // Each of our arrivals is reported exactly once, so as many arrivals are ours.
                    Some(entry) if entry.echoes > 0 => entry.echoes -= 1,
                    _ => {
                        news = true;
                        self.suspects.insert(name.into());
                    }
                }
            }
            // What we removed is no longer here, and what comes back is reported as arriving.
            Event::Left(name) if !self.entries.contains_key(name) => {}
            Event::Left(name) | Event::Edited(name) => {
                news = true;
                self.suspects.insert(name.into());
            }
            Event::Overflow => {
                news = true;
                self.scan = Scan::All;
            }
            Event::DirectoryLost => {
                news = true;
                follow = true;
            }
        });
        if follow {
            self.follow();
        }
        news
    }

    /// Brings the cache up to date with the directory.
    ///
    /// # Errors
    /// Fails when the directory or a file in it cannot be read: a list that may be incomplete
    /// must not pass for a list.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let fail = |error: io::Error| refused("open", &self.path, &error);
        let metadata = fs::metadata(&self.path).map_err(fail)?;
        if self.watch.is_some() && self.watched != Some((metadata.dev(), metadata.ino())) {
            self.follow();
        }
        if self.scan != Scan::None || self.watched.is_none() {
            self.scan()?;
        }
        for name in std::mem::take(&mut self.suspects) {
            let examined = self.examine(&name, Trust::Nothing);
            if examined.is_err() {
                self.scan = Scan::All;
            }
            examined?;
        }
        Ok(())
    }

    /// Watches whatever directory is now at the path.
    fn follow(&mut self) {
        let Some(watch) = &mut self.watch else {
            return;
        };
        self.scan = Scan::All;
        self.watched = None;
        match watch.follow(&self.path) {
            Ok(()) => {
                self.watched = fs::metadata(&self.path)
                    .ok()
                    .map(|metadata| (metadata.dev(), metadata.ino()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "cannot watch the instance directory, comparing times instead");
                self.watch = None;
            }
        }
    }

    /// Compares every file with what is remembered of it.
    fn scan(&mut self) -> Result<()> {
        let trust = match (self.scan, self.watched) {
            (Scan::Unknown, Some(_)) => Trust::Memory,
            _ => Trust::Stamps,
        };
        let fail = |path: &Path, error: &io::Error| refused("open", path, error);
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(&self.path).map_err(|error| fail(&self.path, &error))? {
            let entry = entry.map_err(|error| fail(&self.path, &error))?;
            if let Ok(name) = entry.file_name().into_string()
                && name.starts_with(PREFIX)
            {
                found.insert(name.into_boxed_str());
            }
        }
        let gone: Vec<Box<str>> = self
            .entries
            .keys()
            .chain(self.unusable.keys())
            .filter(|name| !found.contains(*name))
            .cloned()
            .collect();
        for name in gone {
            self.forget(&name);
        }
        for name in found {
            self.examine(&name, trust)?;
        }
        self.scan = Scan::None;
        Ok(())
    }

    /// Looks at one file.
    fn examine(&mut self, name: &str, trust: Trust) -> Result<()> {
        if trust == Trust::Memory && self.entries.contains_key(name) {
            return Ok(());
        }
        let path = self.path.join(name);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.forget(name);
                return Ok(());
            }
            Err(error) => return Err(refused("open", &path, &error)),
        };
        let stamp = Stamp::of(&metadata);
        if self.is_known(name, stamp, trust) {
            return Ok(());
        }
        if !metadata.is_file() {
            self.reject(name, stamp, "it is not a regular file");
            return Ok(());
        }
        match read(&path) {
            Ok(entry) => self.put(name, entry),
            Err(Unusable::Gone) => self.forget(name),
            Err(Unusable::Unreadable(error)) => return Err(refused("open", &path, &error)),
            Err(Unusable::Undecodable(stamp, why)) => {
                let young = stamp
                    .age(SystemTime::now())
                    .is_some_and(|age| age < PATIENCE);
                if young {
                    self.suspects.insert(name.into());
                } else {
                    self.reject(name, stamp, &why);
                }
            }
        }
        Ok(())
    }

    /// Returns whether a file with this stamp need not be read.
    fn is_known(&mut self, name: &str, stamp: Stamp, trust: Trust) -> bool {
        let known = match (trust, self.entries.get_mut(name)) {
            (Trust::Nothing, _) => return false,
            (_, None) => false,
            (Trust::Memory, Some(_)) => true,
            (Trust::Stamps, Some(entry)) => {
                // Events that were lost with the queue do not come any more.
                entry.echoes = 0;
                entry.settled == Some(stamp)
            }
        };
        known || self.unusable.get(name) == Some(&stamp)
    }

    fn put(&mut self, name: &str, mut entry: Entry) {
        self.unusable.remove(name);
        let old = self.entries.get(name);
        if !old.is_some_and(|old| old.same_content(&entry)) {
            self.generation += 1;
        }
        entry.echoes = old.map_or(0, |old| old.echoes);
        self.entries.insert(name.into(), entry);
    }

    fn reject(&mut self, name: &str, stamp: Stamp, why: &str) {
        let known = self.unusable.get(name) == Some(&stamp);
        self.forget(name);
        self.unusable.insert(name.into(), stamp);
        if !known {
            let path = self.path.join(name);
            tracing::warn!(path = %path.display(), why, "skipping a file that is not an instance");
        }
    }
}

/// How much of the directory has to be read before it can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    /// Nothing but what the kernel reported.
    None,
    /// Files that were never seen; no report was lost.
    Unknown,
    /// Everything, because reports were lost or there are none.
    All,
}

/// What may be believed of a file without reading it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// That it is as remembered, because a change would have been reported.
    Memory,
    /// That it did not change while its stamp did not, once that is old enough to tell.
    Stamps,
    /// Nothing: the kernel said that it changed.
    Nothing,
}

enum Unusable {
    Gone,
    Unreadable(io::Error),
    Undecodable(Stamp, String),
}

fn read(path: &Path) -> std::result::Result<Entry, Unusable> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Unusable::Gone,
        _ => Unusable::Unreadable(error),
    };
    // Neither a link out of the directory is followed, nor is a pipe waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let stamp = Stamp::of(&metadata);
    let undecodable = |why: String| Unusable::Undecodable(stamp, why);
    // Room for one byte more than there is, so that the end is found without growing.
    let size = usize::try_from(metadata.len().min(LARGEST)).unwrap_or_default();
    let mut text = Vec::with_capacity(size + 64);
    file.take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(undecodable("it is larger than 16 MiB".to_owned()));
    }
    let document: Document =
        serde_json::from_slice(&text).map_err(|error| undecodable(error.to_string()))?;
    let spec = spec_document(&document.spec).map_err(|error| undecodable(error.to_string()))?;
    Ok(Entry::new(
        Some(stamp),
        document.logical_id,
        document.tags.as_ref(),
        spec,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(cache: &mut Cache) -> Vec<(String, Option<String>)> {
        cache.read_events();
        cache.refresh().unwrap();
        let entries = cache.entries();
        entries
            .map(|(name, entry)| (name.to_owned(), entry.unpacked_tags().remove("v")))
            .collect()
    }

    fn write(directory: &Path, name: &str, value: &str) {
        let text = format!(r#"{{"Tags":{{"v":"{value}"}}}}"#);
        fs::write(directory.join(name), text).unwrap();
    }

    fn pair(name: &str, value: &str) -> (String, Option<String>) {
        (name.to_owned(), Some(value.to_owned()))
    }

    #[test]
    fn compares_times_where_nothing_can_be_watched() {
        let home = tempfile::tempdir().unwrap();
        let mut cache = Cache::new(home.path().to_owned(), 0);
        cache.watch = None;
        cache.watched = None;
        assert!(!cache.is_quick() && cache.descriptor().is_none());
        for value in ["1", "2", "3", "4"] {
            // Same size, and within one tick of the clock.
            write(home.path(), "instance-1", value);
            assert_eq!(tags(&mut cache), [pair("instance-1", value)]);
        }
        let before = cache.fingerprint(&0);
        assert_eq!(tags(&mut cache).len(), 1);
        assert_eq!(cache.fingerprint(&0), before);
        fs::remove_file(home.path().join("instance-1")).unwrap();
        assert_eq!(tags(&mut cache), []);
        assert_ne!(cache.fingerprint(&0), before);
    }

    #[test]
    fn reads_everything_again_when_the_kernel_drops_events() {
        let home = tempfile::tempdir().unwrap();
        let mut cache = Cache::new(home.path().to_owned(), 0);
        write(home.path(), "instance-1", "1");
        assert_eq!(tags(&mut cache), [pair("instance-1", "1")]);
        let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let limit: u32 = limit.trim().parse().unwrap();
        if limit > 65_536 {
            println!("skipped: the queue holds {limit} events");
            return;
        }
        // Each renaming causes two events.
        let names = ["other-0", "other-1"].map(|name| home.path().join(name));
        fs::write(&names[0], "").unwrap();
        for number in 0..=limit as usize / 2 {
            fs::rename(&names[number % 2], &names[(number + 1) % 2]).unwrap();
        }
        write(home.path(), "instance-1", "2");
        write(home.path(), "instance-2", "3");
        let want = [pair("instance-1", "2"), pair("instance-2", "3")];
        assert_eq!(tags(&mut cache), want);
        fs::remove_file(home.path().join("instance-1")).unwrap();
        assert_eq!(tags(&mut cache), [pair("instance-2", "3")]);
    }
}
