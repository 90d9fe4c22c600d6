//! Checks and fixes of this repository: `cargo xtask verify | fix | bench | fuzz | nightly`.
//!
//! Knows which checks make the gate and in which order. Each check lives in its own file.

mod bench;
mod circles;
mod fuzz;
mod licences;
mod nightly;
mod spdx;
mod step;
mod tally;
mod tidy;
mod verify;

use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask <command>

  verify [--quick]   every check of the repository, in order; writes nothing but the target directory
                     --quick: formatting, clippy and the unit tests only
  fix                formats the code and applies clippy's own corrections
  bench [args]       builds in release and measures; the arguments go to bench/blackbox.py
                     (default: --suite quick); results land in the target directory, in bench/
  fuzz [target] [--seconds N]
                     runs the fuzz targets, or one of them, each for N seconds (default: 60);
                     needs cargo-fuzz and a nightly compiler
  nightly guards     takes out each guard of the core in turn: random histories must notice within
                     2,000, and the first that does is printed
  nightly <world> [--minutes N]
                     plays fresh histories of a world (real, edge, large, days, small) for N minutes
                     (default: 10); sums go to docs/nightly.md, what fails to the fixed seeds
  nightly convergence [--minutes N]
                     tries the planner's properties with fresh cases, and stops at the first that fails
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["verify"] => verify::verify(verify::Extent::Whole),
        ["verify", "--quick"] => verify::verify(verify::Extent::Quick),
        ["fix"] => verify::fix(),
        ["bench", rest @ ..] => bench::bench(rest),
        ["fuzz", rest @ ..] => fuzz::fuzz(rest),
        ["nightly", rest @ ..] => nightly::nightly(rest),
        [] | ["help" | "-h" | "--help"] => {
            print!("{HELP}");
            Ok(())
        }
        other => {
            eprint!("unknown arguments: {}\n\n{HELP}", other.join(" "));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(step::Failed) => ExitCode::FAILURE,
    }
}
