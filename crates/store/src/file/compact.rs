//! Replaces a log that has grown far beyond its records by a snapshot of them.
//!
//! The snapshot is written beside the log by a thread of its own while commits go on; what they
//! add meanwhile is copied behind it, and only then does it take the log's place. A crash at any
//! moment leaves either file whole, and the next opener removes a temporary one.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::disk::Disk;
use super::line::{self, Snapshot};
use super::log::{self, Log};
use crate::state::State;
use crate::{Key, Revision, Versioned};

/// Name of the snapshot until it becomes the log.
pub(crate) const TEMPORARY: &str = "state.log.new";

/// Records that share a line of the snapshot: long lines cost memory, short ones bytes.
const RECORDS_A_LINE: usize = 256;

/// Bytes that are collected before they are written, or copied at once.
const CHUNK: usize = 256 * 1024;

/// When a log is worth replacing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Logs shorter than this stay: replacing them costs more than reading them.
    pub(crate) least: u64,
    /// How many times as long as the records a log may become. Four keeps the effort at a third
    /// of a byte written again for each byte logged.
    pub(crate) factor: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            least: 1024 * 1024,
            factor: 4,
        }
    }
}

impl Policy {
    /// Returns the length at which a log is replaced whose records take `live` bytes.
    pub(crate) fn limit(self, live: u64) -> u64 {
        self.least.max(live.saturating_mul(self.factor))
    }
}

/// Returns about how many bytes the records of `state` take in a snapshot.
pub(crate) fn live_bytes(state: &State) -> u64 {
    // `{"put":"","rev":123456,"value":},` around each.
    const AROUND: usize = 34;
    let bytes = state.records.iter().map(|(key, versioned)| {
        (key.as_str().len() + versioned.value.as_str().len() + AROUND) as u64
    });
    bytes.sum()
}

/// The records at a revision, apart from the state that goes on changing.
pub(crate) struct Records {
    revision: Revision,
    records: Vec<(Key, Versioned)>,
}

impl Records {
    pub(crate) fn of(state: &State) -> Self {
        Self {
            revision: state.revision,
            records: state.scan(""),
        }
    }
}

/// A snapshot on the medium that is not the log yet.
pub(crate) struct Written {
    file: File,
    length: u64,
}

/// A snapshot in the making.
#[derive(Debug)]
pub(crate) struct Compaction {
    thread: JoinHandle<io::Result<Written>>,
    /// Length of the log that the snapshot stands for.
    from: u64,
}

impl Compaction {
    /// Starts to write `records`, which `log` amounts to now; calls `wake` when that is done.
    pub(crate) fn start(
        records: Records,
        log: &Log,
        wake: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let disk = Arc::clone(log.disk());
        let path = log.dir().join(TEMPORARY);
        let thread = thread::Builder::new()
            .name("store-compact".to_owned())
            .spawn(move || {
                let written = write(&*disk, &path, &records);
                wake();
                written
            })?;
        Ok(Self {
            thread,
            from: log.length(),
        })
    }

    /// Returns whether the thread has ended, even by a panic, which wakes nobody.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the snapshot, copies what `log` has got since, and puts it in its place.
    /// Returns the length of the snapshot alone.
    pub(crate) fn finish(self, log: &mut Log) -> io::Result<u64> {
        let from = self.from;
        let Written { file, mut length } = self.wait()?;
        let live = length;
        let disk = Arc::clone(log.disk());
        let mut offset = from;
        let mut chunk = vec![0; CHUNK];
        while offset < log.length() {
            let size = usize::try_from(log.length() - offset).map_or(CHUNK, |left| left.min(CHUNK));
            log.read_at(&mut chunk[..size], offset)?;
            disk.append(&file, &chunk[..size])?;
            offset += size as u64;
            length += size as u64;
        }
        if offset > from {
            disk.sync(&file)?;
        }
        install(log, Written { file, length })?;
        Ok(live)
    }

    /// Waits for the thread and forgets what it made.
    pub(crate) fn abandon(self, log: &Log) {
        // Its outcome no longer matters: the file is written again or removed.
        self.wait().ok();
        remove_temporary(log);
    }

    fn wait(self) -> io::Result<Written> {
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that compacts has panicked")))
    }
}

/// Writes the records of `state` and puts them in the place of `log`, without delay.
pub(crate) fn rewrite(records: &Records, log: &mut Log) -> io::Result<()> {
    let disk = Arc::clone(log.disk());
    let written = write(&*disk, &log.dir().join(TEMPORARY), records)?;
    install(log, written)
}

/// Removes what a failed compaction has left.
pub(crate) fn remove_temporary(log: &Log) {
    // The next opener tries again, and the next compaction overwrites it.
    fs::remove_file(log.dir().join(TEMPORARY)).ok();
}

fn install(log: &mut Log, written: Written) -> io::Result<()> {
    let disk = Arc::clone(log.disk());
    disk.replace(&log.dir().join(TEMPORARY), log.path())?;
    log.switch(written.file, written.length);
    if let Err(error) = disk.sync_names(log.dir()) {
        // After a power cut the name may lead to the old file again, without later commits.
        log.doubt();
        return Err(error);
    }
    Ok(())
}

fn write(disk: &dyn Disk, path: &Path, records: &Records) -> io::Result<Written> {
    fs::remove_file(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    let file = log::open_file(path)?;
    let mut length = 0;
    let mut buffer = Vec::new();
    let mut rest = records.records.as_slice();
    loop {
        let (chunk, behind) = rest.split_at(rest.len().min(RECORDS_A_LINE));
        rest = behind;
        let part = if rest.is_empty() {
            Snapshot::Last
        } else {
            Snapshot::More
        };
        line::encode_snapshot(records.revision, part, chunk, &mut buffer);
        if buffer.len() >= CHUNK || part == Snapshot::Last {
            disk.append(&file, &buffer)?;
            length += buffer.len() as u64;
            buffer.clear();
        }
        if part == Snapshot::Last {
            disk.sync(&file)?;
            return Ok(Written { file, length });
        }
    }
}
