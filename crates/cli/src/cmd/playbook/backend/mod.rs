//! What is done with what a command makes: one file for each backend that does something outside.

mod container;
mod http;
mod plugins;
mod shell;
mod ssh;

use std::collections::BTreeMap;

use infrakit_playbook::{Backend, Setting, Word};

use crate::context::Context;
use crate::error::{CommandError, Result};

/// A script, and what was said about it.
pub(super) struct Job<'a> {
    /// The words of the command.
    pub(super) path: &'a str,
    /// What it made.
    pub(super) script: &'a str,
    /// Arguments of its directive.
    pub(super) words: &'a [Word],
    /// Values of its flags.
    pub(super) given: &'a BTreeMap<String, Setting>,
    /// Arguments of the command line.
    pub(super) arguments: &'a [String],
    /// Whether it only shows what it would do.
    pub(super) test: bool,
}

impl Job<'_> {
    /// Returns a flag as text.
    fn flag(&self, name: &str) -> Option<String> {
        self.given.get(name).map(ToString::to_string)
    }

    /// Returns an argument of the directive as text.
    fn word(&self, index: usize) -> Option<String> {
        self.words.get(index).map(Word::text)
    }

    /// Returns the words of the directive as text.
    fn texts(&self) -> Vec<String> {
        self.words.iter().map(Word::text).collect()
    }

    /// Shows what would be done: the deed to the person, the script to the output.
    fn show(&self, context: &Context, deed: &str) -> Result {
        context.note(&format!("would {deed}"));
        context.out.line(self.script)
    }

    /// Refuses arguments that nothing would see.
    fn no_arguments(&self) -> Result {
        match self.arguments.first() {
            None => Ok(()),
            Some(first) => Err(CommandError::user(format!(
                "unexpected argument `{first}`: nothing in `{}` takes arguments",
                self.path
            ))),
        }
    }
}

/// Does what the backend does.
pub(super) fn perform(context: &Context, backend: Backend, job: &Job<'_>) -> Result {
    match backend {
        Backend::Sh => shell::run(context, job),
        Backend::Print => print(context, job),
        Backend::Http => http::send(context, job),
        Backend::InstanceProvision => plugins::provision(context, job),
        Backend::ControllerCommit => plugins::commit(context, job),
        Backend::ManagerCommit => plugins::commit_groups(context, job),
        Backend::StackEnforce => plugins::enforce(context, job),
        Backend::Ssh => ssh::run(context, job),
        Backend::Docker => container::run(context, job),
        Backend::VmwScript => vmwscript(context, job),
    }
}

/// Prints the text, each line behind the prefix that the directive gives.
fn print(context: &Context, job: &Job<'_>) -> Result {
    job.no_arguments()?;
    match job.word(0) {
        None => context.out.line(job.script),
        Some(prefix) => job
            .script
            .split('\n')
            .try_for_each(|line| context.out.line(format!("{prefix}{line}"))),
    }
}

/// Shows the plan.
fn vmwscript(context: &Context, job: &Job<'_>) -> Result {
    if job.test {
        return context.out.line(job.script);
    }
    Err(CommandError::config(format!(
        "`{}` makes a plan for VMware, and this program does not carry such plans out",
        job.path
    ))
    .hint("print it with --test, and give it to the `vmwscript` program"))
}
