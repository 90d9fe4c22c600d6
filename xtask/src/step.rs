//! One step of the gate: announced, timed, and repeatable by hand when it fails.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// A step failed, and what to do about it has been printed.
#[derive(Debug)]
pub(crate) struct Failed;

/// The top folder of the repository.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var("CARGO_MANIFEST_DIR")
        .unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    Path::new(&manifest)
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// Runs `work` under a headline; on failure prints why and which command repeats the step.
pub(crate) fn step<T>(
    name: &str,
    repeat: &str,
    work: impl FnOnce() -> Result<T, String>,
) -> Result<T, Failed> {
    println!("==> {name}");
    let start = Instant::now();
    let outcome = work();
    let seconds = start.elapsed().as_secs_f64();
    match outcome {
        Ok(value) => {
            println!("    {name}: ok, {seconds:.1} s");
            Ok(value)
        }
        Err(why) => {
            println!("    {name}: FAILED after {seconds:.1} s: {why}");
            println!("    repeat with: {repeat}");
            Err(Failed)
        }
    }
}

/// A command line, run at the top of the repository.
pub(crate) struct Line {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Line {
    /// The command that `words` spell; a leading `cargo` is the one that runs us.
    pub(crate) fn new(words: &str) -> Self {
        let mut words = words.split_whitespace().map(str::to_owned);
        let program = words.next().unwrap_or_default();
        Self {
            program,
            arguments: words.collect(),
            environment: Vec::new(),
        }
    }

    /// Adds an argument that may hold spaces.
    pub(crate) fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Runs it as a step of its own, output straight through.
    pub(crate) fn step(&self, name: &str) -> Result<(), Failed> {
        step(name, &self.to_string(), || self.run())
    }

    /// Runs it, output straight through.
    pub(crate) fn run(&self) -> Result<(), String> {
        let status = self
            .command()
            .status()
            .map_err(|error| self.not_started(&error))?;
        self.judge(status)
    }

    /// Runs it and returns what it wrote to standard output; errors pass through.
    pub(crate) fn output(&self) -> Result<String, String> {
        let output = self
            .command()
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| self.not_started(&error))?;
        self.judge(output.status)?;
        String::from_utf8(output.stdout).map_err(|_| format!("`{self}` wrote no UTF-8"))
    }

    /// Whether it can be run at all and succeeds, silently.
    pub(crate) fn succeeds(&self) -> bool {
        let quiet = self
            .command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        quiet.is_ok_and(|status| status.success())
    }

    /// Runs it, shows its output as it comes and hands each line to `see` as well.
    /// Lines that were already seen are kept when the command fails: its verdict is the error.
    pub(crate) fn watch(&self, see: &mut (impl FnMut(&str) + Send)) -> Result<(), String> {
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| self.not_started(&error))?;
        let see = std::sync::Mutex::new(see);
        let show = |from: Box<dyn Read + Send>, to: &mut dyn Write| {
            for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                // A closed terminal must not stop the count.
                let _ = writeln!(to, "{line}");
                if let Ok(mut see) = see.lock() {
                    see(&line);
                }
            }
        };
        let out = child
            .stdout
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
        let err = child
            .stderr
            .take()
            .map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
        std::thread::scope(|scope| {
            scope.spawn(|| err.map(|pipe| show(pipe, &mut std::io::stderr())));
            if let Some(pipe) = out {
                show(pipe, &mut std::io::stdout());
            }
        });
        let status = child
            .wait()
            .map_err(|error| format!("lost `{self}`: {error}"))?;
        self.judge(status)
    }

    fn command(&self) -> Command {
        let program = match self.program.as_str() {
            "cargo" => std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()),
            other => other.to_owned(),
        };
        let mut command = Command::new(program);
        command
            .args(&self.arguments)
            .current_dir(root())
            .stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn judge(&self, status: std::process::ExitStatus) -> Result<(), String> {
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{self}` ended with {status}"))
        }
    }

    fn not_started(&self, error: &std::io::Error) -> String {
        format!("cannot start `{}`: {error}", self.program)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(out, "{name}='{value}' ")?;
        }
        out.write_str(&self.program)?;
        for argument in &self.arguments {
            if argument.contains(' ') {
                write!(out, " '{argument}'")?;
            } else {
                write!(out, " {argument}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_prints_as_it_would_be_typed() {
        let line = Line::new("cargo doc --no-deps")
            .env("RUSTDOCFLAGS", "-D warnings")
            .arg("a b");
        assert_eq!(
            line.to_string(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'a b'"
        );
    }

    #[test]
    fn a_failing_command_is_an_error_and_its_lines_are_seen() {
        let mut seen = Vec::new();
        let line = Line::new("sh -c").arg("echo one; echo two >&2; exit 3");
        let verdict = line.watch(&mut |text: &str| seen.push(text.to_owned()));
        seen.sort();
        assert_eq!(seen, ["one", "two"]);
        assert!(verdict.is_err_and(|why| why.contains("exit status: 3")));
    }

    #[test]
    fn a_missing_program_is_named() {
        let why = Line::new("no-such-program-here")
            .run()
            .expect_err("it does not exist");
        assert!(why.contains("no-such-program-here"), "{why}");
    }
}
