//! Measurements of the release build with the harness in bench/.

use std::fs;

use crate::step::{Failed, Line, step};
use crate::verify::target_directory;

/// Builds in release and hands `arguments` to bench/blackbox.py.
///
/// Without arguments the quick suite runs. Results are written next to the build, so that a
/// measurement never changes the tree.
pub(crate) fn bench(arguments: &[&str]) -> Result<(), Failed> {
    Line::new("cargo build --release --locked -p infrakit-cli --bin infrakit").step("release")?;
    let (program, folder) = step("place for results", "cargo xtask bench", || {
        let target = target_directory()?;
        let folder = target.join("bench");
        fs::create_dir_all(&folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        Ok((target.join("release").join("infrakit"), folder))
    })?;
    let results = folder.join("results.json");
    let mut run = Line::new("python3 -B bench/blackbox.py run --impl")
        .arg(format!("infrakit={}", program.display()));
    if !arguments.contains(&"--out") {
        run = run.arg("--out").arg(results.display().to_string());
    }
    let arguments = if arguments.is_empty() {
        &["--suite", "quick"]
    } else {
        arguments
    };
    for argument in arguments {
        run = run.arg(*argument);
    }
    run.step("measure")
}
