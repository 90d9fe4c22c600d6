//! Tests of the file store: against a model, on a faulty disk, with crashes at every byte.

mod compaction;
mod crash;
mod faults;
mod model;
mod opening;
mod speed;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};

use super::compact::Policy;
use super::disk::{Disk, RealDisk};
use super::{FileStore, log};
use crate::{Change, Store as _};

/// Records as key, value and revision.
type Dump = BTreeMap<String, (String, u64)>;

fn dump(store: &FileStore) -> Dump {
    let records = store.scan("").into_iter();
    records
        .map(|(key, it)| {
            let value = it.value.as_str().to_owned();
            (key.as_str().to_owned(), (value, it.revision.0))
        })
        .collect()
}

fn put(key: &str, value: impl ToString) -> Vec<Change> {
    vec![Change::put(key, value.to_string())]
}

fn log_length(dir: &Path) -> u64 {
    fs::metadata(dir.join(log::NAME)).unwrap().len()
}

/// Polls all futures at once and returns their results in order.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut results: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(output) = future.as_mut().poll(context)
            {
                *result = Some(output);
            }
        }
        if results.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    results.into_iter().flatten().collect()
}

/// A policy under which a few kilobytes are worth compacting.
const SMALL: Policy = Policy {
    least: 2048,
    factor: 2,
};

/// A disk that does as it is told to fail.
#[derive(Debug)]
struct FaultyDisk {
    /// Bytes that still fit; a write that does not fit leaves what did, as a full disk does.
    room: AtomicI64,
    sync_fails: AtomicBool,
    truncate_fails: AtomicBool,
    replace_fails: AtomicBool,
    names_fail: AtomicBool,
    syncs: AtomicUsize,
    /// Held by a test to keep syncs waiting.
    gate: tokio::sync::Mutex<()>,
}

impl FaultyDisk {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            room: AtomicI64::new(i64::MAX),
            sync_fails: AtomicBool::new(false),
            truncate_fails: AtomicBool::new(false),
            replace_fails: AtomicBool::new(false),
            names_fail: AtomicBool::new(false),
            syncs: AtomicUsize::new(0),
            gate: tokio::sync::Mutex::new(()),
        })
    }

    fn open(self: &Arc<Self>, dir: &Path) -> FileStore {
        FileStore::open_on(dir, Arc::clone(self) as Arc<dyn Disk>, SMALL).unwrap()
    }
}

fn unless(fails: &AtomicBool) -> io::Result<()> {
    if fails.load(SeqCst) {
        return Err(io::Error::other("told to fail"));
    }
    Ok(())
}

impl Disk for FaultyDisk {
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let size = i64::try_from(bytes.len()).unwrap();
        let room = self.room.fetch_sub(size, SeqCst);
        if room >= size {
            return RealDisk.append(file, bytes);
        }
        self.room.store(0, SeqCst);
        let fits = usize::try_from(room.max(0)).unwrap();
        RealDisk.append(file, &bytes[..fits])?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        unless(&self.sync_fails)?;
        drop(self.gate.blocking_lock());
        self.syncs.fetch_add(1, SeqCst);
        RealDisk.sync(file)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        unless(&self.truncate_fails)?;
        RealDisk.truncate(file, length)
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        unless(&self.replace_fails)?;
        RealDisk.replace(from, to)
    }

    fn sync_names(&self, dir: &Path) -> io::Result<()> {
        unless(&self.names_fail)?;
        RealDisk.sync_names(dir)
    }
}

/// A small file system in memory, unmounted again.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
            .arg(dir.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(dir))
    }

    fn make_read_only(&self) {
        let remounted = Command::new("mount")
            .args(["-o", "remount,ro"])
            .arg(self.0.path())
            .status();
        assert!(remounted.unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a child that another test is starting may hold a copy of a file for a moment.
        let mut unmount = Command::new("umount");
        unmount.arg("-l").arg(self.0.path()).status().ok();
    }
}
