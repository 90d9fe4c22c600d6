//! Every command block of the documents is run, and prints what the document says it prints.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use infrakit_tests::document::{Block, Marker, Step, blocks, matches};
use infrakit_tests::{Daemon, Home, program, until};

/// One command of a document.
const COMMAND: Duration = Duration::from_secs(60);
/// What a document calls "after a moment".
const EVENTUALLY: Duration = Duration::from_secs(30);

/// How many commands ran, and how many blocks said why they are not run.
#[derive(Debug, Default)]
struct Count {
    ran: usize,
    not_run: usize,
}

fn documents() -> Vec<PathBuf> {
    let root = program::repository();
    let in_docs = std::fs::read_dir(root.join("docs")).into_iter().flatten();
    let mut found: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]
        .map(|name| root.join(name))
        .into_iter()
        .chain(in_docs.filter_map(|entry| Some(entry.ok()?.path())))
        .filter(|path| path.extension().is_some_and(|end| end == "md") && path.is_file())
        .collect();
    found.sort();
    found
}

fn read(document: &Path) -> Vec<Block> {
    blocks(&std::fs::read_to_string(document).expect("it was listed a moment ago"))
}

/// Runs one document in a home of its own, its blocks in order.
fn run(document: &Path) -> Count {
    let home = Home::new();
    let mut daemons = Vec::new();
    let mut count = Count::default();
    for block in read(document) {
        let place = format!("{}:{}", document.display(), block.line);
        match &block.marker {
            Marker::NotRun(reason) => {
                println!("not run: {place}: {reason}");
                count.not_run += 1;
            }
            Marker::File(name) => drop(home.write(name, &block.text)),
            Marker::KeepsRunning => {
                for step in block.steps() {
                    daemons.push(keep_running(&home, &place, &step));
                    count.ran += 1;
                }
            }
            Marker::Plain | Marker::Eventually => {
                for step in block.steps() {
                    type_command(&home, &place, &step, &block.marker);
                    count.ran += 1;
                }
            }
        }
    }
    count
}

fn keep_running<'home>(home: &'home Home, place: &str, step: &Step) -> Daemon<'home> {
    println!("{place}: {} &", step.command);
    let mut daemon = home.daemon("bash", &["-c", &format!("exec {}", step.command)]);
    for line in &step.expected {
        let longest = line
            .split('…')
            .max_by_key(|part| part.len())
            .unwrap_or_default();
        let said = daemon.wait_for_line(longest.trim());
        let shown = matches(std::slice::from_ref(line), &said);
        assert!(shown, "{place}: `{said}` is not as shown: `{line}`");
    }
    daemon
}

fn type_command(home: &Home, place: &str, step: &Step, marker: &Marker) {
    println!("{place}: {}", step.command);
    let patience = if *marker == Marker::Eventually {
        EVENTUALLY
    } else {
        Duration::ZERO
    };
    let outcome = until(patience, || {
        let mut command = home.command("bash");
        command
            .args(["-e", "-c"])
            .arg(format!("exec 2>&1\n{}", step.command));
        let output = home.run(command, COMMAND);
        // `diff` ends with 1 to say that it found what it was asked to show.
        let good = output.code == 0 || (output.code == 1 && step.command.starts_with("diff "));
        if good && matches(&step.expected, &output.stdout) {
            return Ok(());
        }
        let expected = step.expected.join("\n");
        Err(format!(
            "exit {}\n{}\n--- expected:\n{expected}",
            output.code, output.stdout
        ))
    });
    if let Err(why) = outcome {
        panic!("{place}: `{}`: {why}", step.command);
    }
}

#[test]
fn documents_do_what_they_say() {
    let documents = documents();
    let total = documents
        .iter()
        .map(|path| run(path))
        .fold(Count::default(), |sum, one| Count {
            ran: sum.ran + one.ran,
            not_run: sum.not_run + one.not_run,
        });
    println!(
        "{} commands run, {} blocks not run, each with its reason",
        total.ran, total.not_run
    );
    assert!(total.ran > 0, "no document has a command");
}

#[test]
fn what_is_not_run_says_why() {
    for document in documents() {
        for block in read(&document) {
            if let Marker::NotRun(reason) = block.marker {
                let words = reason.split_whitespace().count();
                assert!(
                    words >= 3,
                    "{}:{}: no reason",
                    document.display(),
                    block.line
                );
            }
        }
    }
}

/// The README's first command, without a person in front of it.
#[test]
fn the_playground_runs_unattended_in_under_30_seconds() {
    let home = Home::new();
    let start = Instant::now();
    let mut command = home.command("infrakit");
    command.args(["play", "--script"]);
    let shown = home.run(command, COMMAND).ok().stdout;
    assert!(!shown.trim().is_empty(), "a show that shows nothing");
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "it took {:?}",
        start.elapsed()
    );
}
