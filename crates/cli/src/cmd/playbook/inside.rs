//! The playbooks that come with the program: those of `playbooks/` in its source.

macro_rules! files {
    ($($path:literal)*) => {
        /// Their files: the path below the playbook, and the text.
        pub(super) const FILES: &[(&str, &str)] = &[
            $(($path, include_str!(concat!("../../../../../playbooks/", $path)))),*
        ];
    };
}

files! {
    "README.md"
    "canary/abort.sh"
    "canary/approve.sh"
    "canary/index.yml"
    "canary/start.yml"
    "index.yml"
    "quorum/index.yml"
    "quorum/lose.sh"
    "quorum/show.sh"
    "quorum/start.yml"
    "quorum/stop.sh"
    "web/group.yml"
    "web/index.yml"
    "web/lose.sh"
    "web/show.sh"
    "web/start.yml"
    "web/stop.sh"
}

/// Name of the playbook that these files are.
pub(super) const NAME: &str = "quickstart";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    fn files_below(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_below(&path, found);
            } else {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_file_of_the_directory_is_inside() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../playbooks");
        let mut paths = Vec::new();
        files_below(&root, &mut paths);
        let there: BTreeSet<String> = paths
            .iter()
            .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
            .collect();
        let inside: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(there, inside);
    }
}
