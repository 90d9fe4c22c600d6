//! What the system is asked for beside reading and writing, and how its refusals are told.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::StoreError;

/// Says what could not be done to open the store.
pub(super) fn open_error(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Open {
        operation,
        path: path.to_owned(),
        source: Arc::new(source),
    }
}

/// Makes names that were created or renamed in `dir` survive a power cut.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
