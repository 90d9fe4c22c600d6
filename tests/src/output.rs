//! What a finished command left behind.

/// Output and exit code of one command.
#[derive(Clone, Debug)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code; 128 plus the signal when a signal ended it.
    pub code: i32,
}

impl Output {
    /// Returns itself when the command succeeded.
    ///
    /// # Panics
    /// When it did not, with everything that it printed.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "failed: {self:#?}");
        self
    }

    /// Returns itself when the command failed with `code`.
    ///
    /// # Panics
    /// When it ended otherwise, with everything that it printed.
    pub fn failed(self, code: i32) -> Self {
        assert_eq!(self.code, code, "expected exit code {code}: {self:#?}");
        self
    }

    /// The words of each line of standard output: the cells of a table, its header first.
    pub fn rows(&self) -> Vec<Vec<&str>> {
        self.stdout
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect()
    }
}
