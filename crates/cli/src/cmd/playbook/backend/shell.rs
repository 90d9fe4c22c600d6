//! `sh`: the script is the input of /bin/sh.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};

use super::Job;
use crate::context::Context;
use crate::error::{CommandError, Result};

const SHELL: &str = "/bin/sh";

/// Runs the script. Its exit code becomes ours.
pub(super) fn run(context: &Context, job: &Job<'_>) -> Result {
    let arguments = arguments(&job.texts(), job.arguments);
    if job.test {
        return job.show(context, &format!("run {SHELL} {}", arguments.join(" ")));
    }
    let mut command = Command::new(SHELL);
    command.args(&arguments);
    if let Some(path) = search_path() {
        command.env("PATH", path);
    }
    let status = feed(context, command, job.script)?;
    ended(job.path, status)
}

/// Returns the folders that programs are looked for in, and behind them that of this program: scripts
/// call `infrakit`, also where it was started by its path.
fn search_path() -> Option<OsString> {
    let program = std::env::current_exe().ok()?;
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let own = program.parent()?.to_owned();
    std::env::join_paths(std::env::split_paths(&folders).chain([own])).ok()
}

/// Returns the arguments of the shell. The script comes from the input, so that words behind it
/// are its own; a person or a directive that says `-s` speaks to the shell directly.
pub(super) fn arguments(directive: &[String], given: &[String]) -> Vec<String> {
    let says = |words: &[String]| words.iter().any(|word| word == "-s");
    let mut all = directive.to_vec();
    if !says(directive) && given.first().is_none_or(|first| first != "-s") {
        all.push("-s".to_owned());
        if !given.is_empty() {
            all.push("--".to_owned());
        }
    }
    all.extend_from_slice(given);
    all
}

/// Starts `command`, gives it `script`, and waits for its end.
pub(super) fn feed(context: &Context, mut command: Command, script: &str) -> Result<ExitStatus> {
    context.out.flush()?;
    let program = command.get_program().to_string_lossy().into_owned();
    let failed =
        |error: std::io::Error| CommandError::config(format!("failed to run `{program}`: {error}"));
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // A script may end before it was read to its end; its exit code says the rest.
        let _ = input.write_all(script.as_bytes());
    }
    child.wait().map_err(failed)
}

/// Turns the end of a script into ours.
pub(super) fn ended(path: &str, status: ExitStatus) -> Result {
    if status.success() {
        return Ok(());
    }
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(1),
        (None, Some(signal)) => u8::try_from(128 + signal).unwrap_or(1),
        (None, None) => 1,
    };
    let how = match status.signal() {
        Some(signal) => format!("was ended by signal {signal}"),
        None => format!("ended with exit code {code}"),
    };
    Err(CommandError::config(format!("the script of `{path}` {how}")).with_code(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_script_however_they_are_given() {
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        for (directive, given, want) in [
            ("", "", "-s"),
            ("", "a b", "-s -- a b"),
            ("", "-s a b", "-s a b"),
            ("-s --", "a -b", "-s -- a -b"),
            ("-e", "a", "-e -s -- a"),
            ("", "-x a", "-s -- -x a"),
        ] {
            let got = arguments(&words(directive), &words(given));
            assert_eq!(got, words(want), "{directive} | {given}");
        }
    }
}
