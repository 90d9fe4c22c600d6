//! Where the program under test is, built when it is not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The names under which the one program is known.
pub const NAMES: [&str; 5] = [
    "infrakit",
    "infrakit-group-default",
    "infrakit-instance-file",
    "infrakit-flavor-vanilla",
    "infrakit-manager",
];

/// The program, built in the profile of the test that asks.
///
/// `INFRAKIT_TEST_BINARY` names one that is built already; the gate sets it, so that not every
/// test process asks cargo.
///
/// # Panics
/// When it cannot be built.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("INFRAKIT_TEST_BINARY") {
        Some(path) => PathBuf::from(path),
        None => build(),
    })
}

/// The top folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn build() -> PathBuf {
    // A test lies in <target>/<profile>/deps, and the program belongs two floors up.
    let test = std::env::current_exe().expect("a running test has a file");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("a test lies in <profile>/deps")
        .to_path_buf();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let target = folder
        .parent()
        .expect("a profile lies in the target directory");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| env!("CARGO").to_owned());
    let built = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--package",
            "infrakit-cli",
            "--bin",
            "infrakit",
        ])
        .args(["--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(repository())
        .stdin(Stdio::null())
        .output()
        .expect("cargo runs");
    assert!(
        built.status.success(),
        "the program does not build:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    folder.join("infrakit")
}
