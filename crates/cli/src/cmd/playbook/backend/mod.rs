//! What is done with what a command makes: one file for each backend that does something outside.

mod container;
mod http;
mod job;
mod plugins;
mod shell;
mod ssh;

use infrakit_playbook::Backend;

pub(super) use self::job::Job;

use crate::context::Context;
use crate::error::{CommandError, Result};

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
