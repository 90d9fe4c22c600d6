//! How much one rendering may take, with everything that it includes.

use std::time::Duration;

/// Bounds of one rendering. Beside these, a template has at most 8 MiB, one value at most 8 MiB,
/// all loops together at most 5 million turns, and the work itself about a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest time by the clock, fetches and waiting included.
    pub time: Duration,
    /// How deep templates may include each other.
    pub depth: usize,
    /// Largest output of one template, in bytes.
    pub output: usize,
    /// How many URLs may be read.
    pub fetches: usize,
    /// Most bytes of one answer, and of a file.
    pub fetch_bytes: usize,
}

impl Default for Limits {
    /// Returns what suits a person or a daemon that waits for the result.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            depth: 32,
            output: 8 * 1024 * 1024,
            fetches: 1000,
            fetch_bytes: 8 * 1024 * 1024,
        }
    }
}
