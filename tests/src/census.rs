//! Counts the instance files of a group, again and again, while something else goes on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

/// Between two counts: short beside anything that a daemon does for one member.
const PAUSE: Duration = Duration::from_millis(1);

/// A thread that counts until it is dropped.
pub struct Census {
    peak: Arc<AtomicUsize>,
    counts: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Census {
    /// Begins to count the files `instance-…` of a directory, which may not be there yet.
    pub fn of(directory: &Path) -> Self {
        let (peak, counts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let directory = directory.to_path_buf();
            let (peak, counts) = (Arc::clone(&peak), Arc::clone(&counts));
            let stop = Arc::clone(&stop);
            move || {
                while !stop.load(Ordering::Acquire) {
                    let now = together(&directory, peak.load(Ordering::Relaxed));
                    peak.fetch_max(now, Ordering::AcqRel);
                    counts.fetch_add(1, Ordering::Relaxed);
                    sleep(PAUSE);
                }
            }
        });
        Self {
            peak,
            counts,
            stop,
            thread: Some(thread),
        }
    }

    /// The highest number of files that were surely there together.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Acquire)
    }

    /// How often it has counted.
    pub fn counts(&self) -> usize {
        self.counts.load(Ordering::Relaxed)
    }
}

impl Drop for Census {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The instance files in a directory.
pub fn files(directory: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("instance-"))
        .map(|entry| entry.path())
        .collect()
}

/// Counts files that were there at one moment.
///
/// A directory is not read in one moment: a file that goes and the one that takes its place may
/// both be read. So when there are more than ever, those count that are still there afterwards:
/// no name comes back, hence all of these were there when the reading ended.
fn together(directory: &Path, most: usize) -> usize {
    let seen = files(directory);
    if seen.len() <= most {
        return seen.len();
    }
    seen.iter().filter(|path| path.exists()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eventually;

    #[test]
    fn the_peak_stays_when_the_files_go() {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let directory = folder.path().join("later");
        let census = Census::of(&directory);
        fs::create_dir(&directory).unwrap();
        for name in ["instance-1", "instance-2", "other"] {
            fs::write(directory.join(name), "").unwrap();
        }
        eventually(Duration::from_secs(10), "two are counted", || {
            (census.peak() == 2)
                .then_some(())
                .ok_or_else(|| census.peak().to_string())
        });
        fs::remove_dir_all(&directory).unwrap();
        let before = census.counts();
        eventually(Duration::from_secs(10), "it goes on", || {
            (census.counts() > before + 1)
                .then_some(())
                .ok_or_else(String::new)
        });
        assert_eq!((census.peak(), files(&directory).len()), (2, 0));
    }
}
