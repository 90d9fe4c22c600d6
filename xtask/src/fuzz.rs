//! Fuzzing: each target of the workspace in fuzz/, for a while, starting from its seeds.
//!
//! What a run finds interesting is kept in fuzz/corpus, what it breaks in fuzz/artifacts; neither is
//! part of the tree.

use std::fs;

use crate::step::{Failed, Line, root, step};

/// Seconds for each target.
const SECONDS: u32 = 60;

/// Runs the target that `arguments` name, or all of them.
pub(crate) fn fuzz(arguments: &[&str]) -> Result<(), Failed> {
    let mut chosen = Vec::new();
    let mut seconds = SECONDS;
    step("targets", "cargo xtask fuzz [target] [--seconds N]", || {
        let all = targets()?;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            if *word == "--seconds" {
                let number = words.next().and_then(|number| number.parse().ok());
                seconds = number.ok_or("`--seconds` needs a number")?;
            } else if all.iter().any(|target| target == word) {
                chosen.push((*word).to_owned());
            } else {
                return Err(format!(
                    "there is no target `{word}`, there are {}",
                    all.join(", ")
                ));
            }
        }
        if chosen.is_empty() {
            chosen = all;
        }
        for target in &chosen {
            let corpus = root().join("fuzz/corpus").join(target);
            fs::create_dir_all(&corpus)
                .map_err(|error| format!("cannot create {}: {error}", corpus.display()))?;
        }
        Ok(())
    })?;
    for target in &chosen {
        Line::new("rustup run nightly cargo fuzz run --fuzz-dir fuzz")
            .arg(target)
            .arg(format!("fuzz/corpus/{target}"))
            .arg(format!("fuzz/seeds/{target}"))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .arg("-max_len=4096")
            .arg("-timeout=10")
            .arg("-rss_limit_mb=2048")
            .arg(format!("-dict=fuzz/{target}.dict"))
            .step(&format!("fuzz {target}"))?;
    }
    Ok(())
}

/// Returns the targets: the files in fuzz/fuzz_targets.
fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder)
        .map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut names: Vec<String> = files
        .filter_map(|file| {
            let path = file.ok()?.path();
            Some(path.file_stem()?.to_str()?.to_owned())
        })
        .collect();
    names.sort();
    Ok(names)
}
