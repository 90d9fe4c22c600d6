//! Reads a log back into records, and tells an interrupted write from damage.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::line::{self, FORMAT, Flaw, Line, Snapshot};
use super::system::open_error;
use crate::StoreError;
use crate::state::State;

/// Suffix of the file that keeps what was cut off the log.
const CUT: &str = "cut";

/// What a log says.
pub(crate) struct Replayed {
    pub(crate) state: State,
    pub(crate) length: u64,
}

/// Reads `file` from its beginning, and cuts the remains of an interrupted write off its end.
///
/// A write that was interrupted leaves a broken end, so a broken line with a whole one behind it
/// is damage. That holds for a killed process; after a power cut it holds for all that was
/// synced, and the file systems in use extend a file only after its bytes are written.
pub(crate) fn replay(file: &File, path: &Path) -> Result<Replayed, StoreError> {
    let mut replay = Replay {
        path,
        state: State::default(),
        length: 0,
        line: 0,
        broken: None,
        snapshot: Position::Start,
    };
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|source| open_error("read log", path, source))?;
        if read == 0 {
            break;
        }
        replay.take(&bytes)?;
    }
    replay.finish(file)
}

/// Where in the file the next line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Start,
    InSnapshot,
    Behind,
}

struct Replay<'p> {
    path: &'p Path,
    state: State,
    /// Bytes of the good lines.
    length: u64,
    /// Number of the last line read.
    line: u64,
    /// Number of the first broken line.
    broken: Option<u64>,
    snapshot: Position,
}

impl Replay<'_> {
    fn take(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.line += 1;
        match (line::decode(bytes), self.broken) {
            (Err(Flaw::Broken), None) => self.broken = Some(self.line),
            (Err(Flaw::Broken), Some(_)) => {}
            (_, Some(broken)) => {
                return Err(self.damaged(broken, "its checksum does not match"));
            }
            (Err(Flaw::Newer(version)), None) => {
                return Err(StoreError::Newer {
                    path: self.path.to_owned(),
                    line: self.line,
                    version,
                    known: FORMAT,
                });
            }
            (Err(Flaw::Senseless(reason)), None) => {
                return Err(self.damaged(self.line, &reason));
            }
            (Ok(line), None) => {
                self.apply(line)?;
                self.length += bytes.len() as u64;
            }
        }
        Ok(())
    }

    fn apply(&mut self, line: Line) -> Result<(), StoreError> {
        let before = self.state.revision;
        match (line.snapshot, self.snapshot) {
            (Some(_), Position::Behind) => {
                return Err(self.damaged(self.line, "a snapshot stands behind other lines"));
            }
            (Some(_), Position::InSnapshot) if line.revision != before => {
                return Err(self.damaged(self.line, "the snapshot mixes two revisions"));
            }
            (None, Position::InSnapshot) => {
                return Err(self.damaged(self.line, "the snapshot before it is incomplete"));
            }
            (None, _) if line.revision <= before => {
                let reason = format!("revision {} follows revision {before}", line.revision);
                return Err(self.damaged(self.line, &reason));
            }
            (None, _) if line.revision != before.next() => tracing::warn!(
                log = %self.path.display(), line = self.line, revision = line.revision.0,
                "transactions are missing before this line of the store's log"
            ),
            _ => {}
        }
        self.snapshot = match line.snapshot {
            Some(Snapshot::More) => Position::InSnapshot,
            Some(Snapshot::Last) | None => Position::Behind,
        };
        self.state.revision = line.revision;
        for (key, value) in line.changes {
            match value {
                Some(versioned) => self.state.records.insert(key, versioned),
                None => self.state.records.remove(&key),
            };
        }
        Ok(())
    }

    fn finish(self, file: &File) -> Result<Replayed, StoreError> {
        if self.snapshot == Position::InSnapshot {
            // A snapshot is on the medium before it becomes the log: its end cannot be missing.
            return Err(self.damaged(self.line, "the snapshot ends too early"));
        }
        if self.broken.is_some() {
            self.cut(file)?;
        }
        Ok(Replayed {
            state: self.state,
            length: self.length,
        })
    }

    fn cut(&self, file: &File) -> Result<(), StoreError> {
        let kept = self.path.with_added_extension(CUT);
        let keep = keep_tail(file, self.length, &kept);
        file.set_len(self.length)
            .and_then(|()| file.sync_data())
            .map_err(|source| open_error("cut the broken end off log", self.path, source))?;
        match keep {
            Ok(bytes) => tracing::warn!(
                log = %self.path.display(), bytes, kept = %kept.display(),
                "the store was interrupted while writing; the unfinished end of its log is cut off"
            ),
            Err(error) => tracing::warn!(
                log = %self.path.display(), %error,
                "the store was interrupted while writing; the unfinished end of its log is gone"
            ),
        }
        Ok(())
    }

    fn damaged(&self, line: u64, reason: &str) -> StoreError {
        StoreError::Damaged {
            path: self.path.to_owned(),
            line,
            reason: reason.to_owned(),
        }
    }
}

fn keep_tail(mut file: &File, from: u64, kept: &Path) -> io::Result<u64> {
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    // As private as the log that it comes from.
    let mut copy = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(kept)?;
    copy.write_all(&tail)?;
    Ok(tail.len() as u64)
}
