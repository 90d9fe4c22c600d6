//! The gate: which checks there are, in which order, and the command that applies corrections.

use std::path::PathBuf;

use serde_json::Value;

use crate::circles;
use crate::licences;
use crate::step::{Failed, Line, step};
use crate::tally::{Runner, Tally};
use crate::tidy;

/// How much of the gate to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything; what CI runs.
    Whole,
    /// What is worth running after every edit.
    Quick,
}

/// Where the random cases of properties begin: the gate says the same of the same code. Without it
/// each run draws fresh ones.
const PROPERTIES: &str = "2016";

/// Runs the checks and ends with the counts of the tests alone on the last line.
pub(crate) fn verify(extent: Extent) -> Result<(), Failed> {
    let mut tally = Tally::default();
    let outcome = steps(extent, &mut tally);
    println!("{tally}");
    outcome
}

/// Formats and applies what clippy can correct by itself.
pub(crate) fn fix() -> Result<(), Failed> {
    Line::new("cargo fmt --all").step("format")?;
    Line::new("cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged")
        .step("clippy corrections")
}

/// The target directory of the workspace, which may lie outside it.
pub(crate) fn target_directory() -> Result<PathBuf, String> {
    let text = Line::new("cargo metadata --no-deps --format-version 1 --locked").output()?;
    let metadata: Value =
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let path = metadata.get("target_directory").and_then(Value::as_str);
    path.map(PathBuf::from)
        .ok_or_else(|| "cargo metadata names no target directory".to_owned())
}

fn steps(extent: Extent, tally: &mut Tally) -> Result<(), Failed> {
    step("tidy", "cargo xtask verify", || {
        for remark in tidy::check()? {
            println!("    remark: {remark}");
        }
        Ok(())
    })?;
    step("circles", "cargo test -p xtask circles", || {
        circles::check().map(|count| println!("    {count} files"))
    })?;
    Line::new("cargo fmt --all --check").step("format")?;
    Line::new("cargo clippy --workspace --all-targets --locked -- -D warnings").step("clippy")?;
    // Before the tests: it takes half a minute, and they take many.
    if extent == Extent::Whole {
        Line::new("cargo doc --no-deps --workspace --locked")
            .env("RUSTDOCFLAGS", "-D warnings")
            .step("documentation")?;
    }
    if extent == Extent::Quick {
        let (runner, line) = test_runner("--lib --bins", "");
        return tests("unit tests", runner, &line, tally);
    }
    step("licences", "cargo xtask verify", || {
        licences::check().map(|count| println!("    {count} packages"))
    })?;
    if Line::new("cargo deny --version").succeeds() {
        Line::new("cargo deny --offline check bans sources").step("deny")?;
    }
    // One build for the tests and for the program that they start: the same features, so no
    // crate is compiled twice.
    Line::new("cargo build --workspace --all-targets --locked").step("build")?;
    let program = step("program", "cargo xtask verify", || {
        let path = target_directory()?.join("debug").join("infrakit");
        if path.is_file() {
            Ok(path)
        } else {
            Err(format!("no program at {}", path.display()))
        }
    })?;
    let (runner, line) = test_runner("", "ci");
    let line = line
        .env("INFRAKIT_TEST_BINARY", program.display().to_string())
        .env("PROPTEST_RNG_SEED", PROPERTIES);
    tests("tests", runner, &line, tally)?;
    let doctests = Line::new("cargo test --doc --workspace --locked");
    watch("doctests", Runner::Cargo, &doctests, tally)
}

/// The test runner of this machine: nextest, or what cargo brings.
fn test_runner(targets: &str, profile: &str) -> (Runner, Line) {
    if Line::new("cargo nextest --version").succeeds() {
        let profile = if profile.is_empty() {
            String::new()
        } else {
            format!("--profile {profile}")
        };
        let line = format!("cargo nextest run --workspace --locked {targets} {profile}");
        return (Runner::Nextest, Line::new(&line));
    }
    println!("    cargo-nextest is not installed: the tests run under `cargo test`");
    let targets = if targets.is_empty() {
        "--all-targets"
    } else {
        targets
    };
    let line = format!("cargo test --workspace --locked --no-fail-fast {targets}");
    (Runner::Cargo, Line::new(&line))
}

/// Runs tests; none at all is a failure too.
fn tests(name: &str, runner: Runner, line: &Line, tally: &mut Tally) -> Result<(), Failed> {
    watch(name, runner, line, tally)?;
    step("test count", &line.to_string(), || {
        if tally.is_empty() {
            Err("the runner reported no test".to_owned())
        } else {
            Ok(())
        }
    })
}

fn watch(name: &str, runner: Runner, line: &Line, tally: &mut Tally) -> Result<(), Failed> {
    step(name, &line.to_string(), || {
        line.watch(&mut |text: &str| tally.see(runner, text))
    })
}
