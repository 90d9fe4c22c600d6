//! Rules about the text of the repository itself: paths of one machine, unfinished work,
//! command blocks of the documents, length of files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::step::root;

/// Folders that hold no text of ours.
const SKIPPED: [&str; 4] = [".git", "target", "build", "captures"];
/// Longer source files are listed: they usually hold more than one idea.
const LONG: usize = 500;
/// The two commands that the README promises to somebody with a fresh machine.
const PROMISED: [&str; 2] = [
    "cargo run --release -p infrakit-cli -- play",
    "cargo xtask verify",
];

/// Top folders that exist on one machine only. Written in halves, to pass their own check.
const MACHINE: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];
const UNFINISHED: &str = concat!("TO", "DO");
const IN_RUST: [&str; 4] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    concat!("#[ig", "nore"),
];

/// Checks every text file; returns remarks that are worth reading but fail nothing.
pub(crate) fn check() -> Result<Vec<String>, String> {
    let root = root();
    let mut faults = Vec::new();
    let mut remarks = Vec::new();
    for file in files(&root) {
        // What is no text has no words to check.
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let name = file
            .strip_prefix(&root)
            .unwrap_or(&file)
            .display()
            .to_string();
        if ["LICENSE", "Cargo.lock"].contains(&name.as_str()) {
            continue;
        }
        let rust = name.ends_with(".rs");
        faults.extend(words(&text, rust).map(|(line, what)| format!("{name}:{line}: {what}")));
        if name.ends_with(".md") {
            faults.extend(fences(&text).map(|(line, what)| format!("{name}:{line}: {what}")));
        }
        if rust && text.lines().count() > LONG {
            remarks.push(format!(
                "{name}: {} lines, more than {LONG}",
                text.lines().count()
            ));
        }
    }
    faults.extend(promises(&root));
    if faults.is_empty() {
        Ok(remarks)
    } else {
        Err(format!("\n      {}", faults.join("\n      ")))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_symlink() || SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn words(text: &str, rust: bool) -> impl Iterator<Item = (usize, String)> {
    text.lines().enumerate().filter_map(move |(index, line)| {
        let number = index + 1;
        if let Some(folder) = MACHINE
            .into_iter()
            .find(|folder| names_folder(line, folder))
        {
            return Some((number, format!("a path of one machine: `{folder}…`")));
        }
        if let Some((_, after)) = line.split_once(UNFINISHED)
            && !after.starts_with("(#")
        {
            return Some((
                number,
                format!("`{UNFINISHED}` without an issue: `(#12)` belongs to it"),
            ));
        }
        let macros = IN_RUST.into_iter().find(|word| rust && line.contains(word));
        macros.map(|word| (number, format!("`{word}` is not for the repository")))
    })
}

/// Whether `line` names something inside the top folder `folder`, and not `a/folder/b`.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        let inside = after.is_some_and(|letter| letter.is_alphanumeric() || letter == '.');
        inside && !before.is_some_and(|letter| letter.is_alphanumeric() || "._-}*".contains(letter))
    })
}

/// A fence without a language would slip past the test that runs the command blocks.
fn fences(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut open = None;
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        match open.take() {
            Some(_) => {}
            None => {
                open = Some(index + 1);
                if language.trim().is_empty() {
                    faults.push((index + 1, "a fenced block without a language".to_owned()));
                }
            }
        }
    }
    faults.extend(open.map(|line| (line, "this fenced block never ends".to_owned())));
    faults.into_iter()
}

fn promises(root: &Path) -> Vec<String> {
    let readme = fs::read_to_string(root.join("README.md")).unwrap_or_default();
    let kept = |command: &str| {
        readme
            .lines()
            .any(|line| line.trim_start_matches("$ ") == command)
    };
    let missing = PROMISED.into_iter().filter(|command| !kept(command));
    missing
        .map(|command| format!("README.md: no command block with `{command}`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_a_machine_are_found() {
        let [work, .., home, _] = MACHINE;
        for (line, expected) in [
            (format!("see {work}main"), true),
            (format!("\"{home}ann/x\""), true),
            (format!("bench{work}main"), false),
            (format!("{work} alone"), false),
            ("/usr/bin/env".to_owned(), false),
        ] {
            assert_eq!(words(&line, true).count() == 1, expected, "{line}");
        }
    }

    #[test]
    fn unfinished_work_needs_an_issue() {
        assert_eq!(words(&format!("// {UNFINISHED}: later"), true).count(), 1);
        assert_eq!(
            words(&format!("// {UNFINISHED}(#12): later"), true).count(),
            0
        );
        assert_eq!(words(&format!("{})", IN_RUST[0]), true).count(), 1);
        assert_eq!(words(&format!("{})", IN_RUST[0]), false).count(), 0);
    }

    #[test]
    fn fences_need_a_language_and_an_end() {
        let lines = |text: &str| fences(text).map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines("```console\n$ ls\n```\n"), Vec::<usize>::new());
        assert_eq!(lines("\n```\nx\n```\n"), [2]);
        assert_eq!(lines("```sh\nx\n"), [1]);
    }
}
