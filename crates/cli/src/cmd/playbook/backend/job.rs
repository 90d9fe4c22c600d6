//! What a command makes, and what was said about it.

use std::collections::BTreeMap;

use infrakit_playbook::{Setting, Word};

use crate::context::Context;
use crate::error::{CommandError, Result};

/// A script, and what was said about it.
pub(in crate::cmd::playbook) struct Job<'a> {
    /// The words of the command.
    pub(in crate::cmd::playbook) path: &'a str,
    /// What it made.
    pub(in crate::cmd::playbook) script: &'a str,
    /// Arguments of its directive.
    pub(in crate::cmd::playbook) words: &'a [Word],
    /// Values of its flags.
    pub(in crate::cmd::playbook) given: &'a BTreeMap<String, Setting>,
    /// Arguments of the command line.
    pub(in crate::cmd::playbook) arguments: &'a [String],
    /// Whether it only shows what it would do.
    pub(in crate::cmd::playbook) test: bool,
}

impl Job<'_> {
    /// Returns a flag as text.
    pub(super) fn flag(&self, name: &str) -> Option<String> {
        self.given.get(name).map(ToString::to_string)
    }

    /// Returns an argument of the directive as text.
    pub(super) fn word(&self, index: usize) -> Option<String> {
        self.words.get(index).map(Word::text)
    }

    /// Returns the words of the directive as text.
    pub(super) fn texts(&self) -> Vec<String> {
        self.words.iter().map(Word::text).collect()
    }

    /// Shows what would be done: the deed to the person, the script to the output.
    pub(super) fn show(&self, context: &Context, deed: &str) -> Result {
        context.note(&format!("would {deed}"));
        context.out.line(self.script)
    }

    /// Refuses arguments that nothing would see.
    pub(super) fn no_arguments(&self) -> Result {
        match self.arguments.first() {
            None => Ok(()),
            Some(first) => Err(CommandError::user(format!(
                "unexpected argument `{first}`: nothing in `{}` takes arguments",
                self.path
            ))),
        }
    }
}
