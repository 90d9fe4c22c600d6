//! Playbooks of the tests, as somebody at a terminal or a script uses them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::{Home, Output, program};

/// No playbook takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// The directory of a playbook in `tests/playbooks`.
pub fn directory(name: &str) -> PathBuf {
    program::repository().join("tests/playbooks").join(name)
}

/// Copies a playbook into a home, under its own name.
///
/// # Panics
/// When it cannot be copied.
pub fn copy(home: &Home, name: &str) -> PathBuf {
    let target = home.path().join(name);
    copy_all(&directory(name), &target);
    target
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the home is writable");
    for entry in std::fs::read_dir(from).expect("the playbook is there") {
        let path = entry.expect("it was listed").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("the home is writable");
        }
    }
}

/// Adds a playbook of the tests under its own name.
///
/// # Panics
/// When it cannot be added.
pub fn add(home: &Home, name: &str) {
    let path = directory(name);
    let path = path.to_string_lossy();
    home.infrakit(&["playbook", "add", name, &path]).ok();
}

/// Runs `infrakit` with a text as its standard input.
///
/// # Panics
/// When it does not end in time.
pub fn answering(home: &Home, arguments: &[&str], input: &str) -> Output {
    let file = home.path().join("log/input");
    let mut written = std::fs::File::create(&file).expect("the home is writable");
    written
        .write_all(input.as_bytes())
        .expect("the home is writable");
    let mut command = home.command("infrakit");
    command.args(arguments).stdin(Stdio::from(
        std::fs::File::open(&file).expect("it was written"),
    ));
    home.run(command, LIMIT)
}

/// Runs a line in bash, whose errors go to its output.
///
/// # Panics
/// When it does not end in time.
pub fn bash(home: &Home, line: &str) -> Output {
    let mut command = home.command("bash");
    command.args(["-c", &format!("exec 2>&1\n{line}")]);
    home.run(command, LIMIT)
}
