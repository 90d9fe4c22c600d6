//! Commands that must be refused, and a group that nothing may have touched.

use serde_json::Value;

use crate::{Daemon, Home, Output, fleet};

/// A running daemon with one good group, and what it has stored.
#[derive(Debug)]
pub struct Kept<'home> {
    home: &'home Home,
    daemon: Daemon<'home>,
    before: Value,
}

impl<'home> Kept<'home> {
    /// Starts the daemon and commits the group.
    ///
    /// # Panics
    /// When either fails.
    pub fn new(home: &'home Home) -> Self {
        let daemon = fleet::start(home, &[("INFRAKIT_CLIENT_TIMEOUT", "3s")]);
        let good = fleet::cattle("good", "file", 1, 1);
        fleet::commit(home, &good).unwrap_or_else(|fault| panic!("{fault}"));
        Self::of(home, daemon)
    }

    /// What a running daemon has stored now.
    pub fn of(home: &'home Home, daemon: Daemon<'home>) -> Self {
        let before = fleet::inspect(home);
        Self {
            home,
            daemon,
            before,
        }
    }

    /// Checks that a command is refused in one line that says `clue`, and that nothing changed.
    pub fn refused(&self, arguments: &[&str], clue: &str) {
        let output = self.home.infrakit(arguments);
        one_line(&output, clue);
        self.untouched();
    }

    /// Commits a document that must be refused.
    pub fn refused_document(&self, text: &str, clue: &str) {
        self.home.write("bad", text);
        self.refused(&["group", "commit", "bad"], clue);
        self.refused(&["group", "commit", "bad", "--pretend"], clue);
    }

    /// As [`refused_document`](Self::refused_document), where pretending is fine.
    pub fn refused_value_only(&self, document: &Value, clue: &str) {
        self.home.write("bad", &document.to_string());
        self.refused(&["group", "commit", "bad"], clue);
    }

    /// As [`refused_document`](Self::refused_document), of a value.
    pub fn refused_value(&self, document: &Value, clue: &str) {
        self.refused_document(&document.to_string(), clue);
    }

    /// Checks that what is in force did not change.
    ///
    /// # Panics
    /// When it did.
    pub fn untouched(&self) {
        assert_eq!(fleet::inspect(self.home), self.before);
    }

    /// What the daemon says is also what it has stored.
    pub fn untouched_after_a_restart(mut self) {
        self.untouched();
        self.daemon.restart().wait_for(&["group"]);
        self.untouched();
    }
}

/// Checks a refusal: `error: …clue…` on stderr, at most a line with a tip after it, nothing on
/// stdout, exit code 1 or 2.
pub fn one_line(output: &Output, clue: &str) {
    let lines: Vec<&str> = output.stderr.lines().collect();
    let (error, tips) = lines.split_first().unwrap_or((&"", &[]));
    assert!(
        error.starts_with("error: ") && error.contains(clue),
        "no error that says `{clue}`: {output:#?}"
    );
    assert!(error.len() <= 400, "a line that nobody reads: {output:#?}");
    let tip = |line: &&str| line.starts_with("  tip: ");
    assert!(
        tips.len() <= 1 && tips.iter().all(tip),
        "more than one line: {output:#?}"
    );
    assert_eq!(output.stdout, "", "{output:#?}");
    assert!(matches!(output.code, 1 | 2), "{output:#?}");
}

/// A good document with the value at `path` in its properties replaced.
pub fn with(path: &[&str], value: Value) -> Value {
    let mut document = fleet::cattle("new", "file", 2, 1);
    let mut place = &mut document["Properties"];
    for key in path {
        place = &mut place[*key];
    }
    *place = value;
    document
}
