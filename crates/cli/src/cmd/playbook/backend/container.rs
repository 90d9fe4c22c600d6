//! `docker`: the script is the input of /bin/sh in a container.

use std::process::{Command, Stdio};

use super::Job;
use super::shell::{arguments, ended, feed};
use crate::context::Context;
use crate::error::{CommandError, Result};

/// Runs the script in a container of the image that the directive or `--image` names. Other words
/// of the directive are options of `docker run`.
pub(super) fn run(context: &Context, job: &Job<'_>) -> Result {
    let words = job.texts();
    let image = job.flag("image").or_else(|| words.first().cloned());
    let Some(image) = image.filter(|image| !image.is_empty() && !image.starts_with('-')) else {
        return Err(CommandError::user(format!("`{}` names no image", job.path))
            .hint("give one with --image, or in the directive: `docker \"alpine\"`"));
    };
    let mut line: Vec<String> = ["run", "--rm", "-i"].map(str::to_owned).to_vec();
    line.extend(words.into_iter().skip(1));
    line.extend([image, "/bin/sh".to_owned()]);
    line.extend(arguments(&[], job.arguments));
    if job.test {
        return job.show(context, &format!("run docker {}", line.join(" ")));
    }
    let there = Command::new("docker")
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if there.is_err() {
        return Err(CommandError::config(format!(
            "`{}` runs in a container, and there is no `docker` in PATH",
            job.path
        ))
        .hint("install the docker command line; --print-only prints the script"));
    }
    let mut command = Command::new("docker");
    command.args(&line);
    let status = feed(context, command, job.script)?;
    ended(job.path, status)
}
