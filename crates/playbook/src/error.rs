//! Why something about playbooks failed. Each message is one line; [`Error::hint`] says what to do.

use std::path::PathBuf;

use crate::place::PlaceError;
use crate::source::ReadError;

/// How the files of a playbook differ from those that were locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files with another content.
    pub changed: Vec<String>,
    /// Files that are new.
    pub added: Vec<String>,
    /// Files that are gone.
    pub removed: Vec<String>,
}

impl Changes {
    /// Returns whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }
}

impl std::fmt::Display for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let groups = [
            (&self.changed, "changed"),
            (&self.added, "new"),
            (&self.removed, "gone"),
        ];
        let mut first = true;
        for (names, what) in groups {
            if names.is_empty() {
                continue;
            }
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            f.write_str(if first { "" } else { "; " })?;
            write!(f, "{what}: {}", quoted.join(", "))?;
            first = false;
        }
        if first {
            f.write_str("nothing differs")?;
        }
        Ok(())
    }
}

/// A failure about playbooks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place makes no sense.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A name that no playbook can have.
    #[error("a playbook cannot be named `{name}`: {why}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// The name is taken.
    #[error("there is a playbook `{name}` already, from {from}")]
    Exists {
        /// The name.
        name: String,
        /// Where it is from.
        from: String,
    },
    /// There is no such playbook.
    #[error("there is no playbook `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A file that has to be there cannot be read.
    #[error("failed to read {place}: {source}")]
    Read {
        /// The file.
        place: String,
        /// Why not.
        source: ReadError,
    },
    /// The playbook exceeds a bound.
    #[error("{place} is no usable playbook: {why}")]
    Bound {
        /// The file at which it did.
        place: String,
        /// Which bound.
        why: String,
    },
    /// A file is not text.
    #[error("{place} is not text: it is not valid UTF-8")]
    NotText {
        /// The file.
        place: String,
    },
    /// The content is not the one that was locked.
    #[error(
        "playbook `{name}` is not what it was when it was added or updated ({changes}); nothing was run"
    )]
    Changed {
        /// The playbook.
        name: String,
        /// What differs.
        changes: Changes,
    },
    /// A command that the index does not have.
    #[error("playbook `{path}` has no command `{word}`")]
    NoCommand {
        /// Words up to the index.
        path: String,
        /// The word.
        word: String,
        /// Commands that there are.
        known: Vec<String>,
    },
    /// A command whose file was not there.
    #[error(
        "command `{path}` has no file: `{file}` was not found when the playbook was added or updated"
    )]
    NoFile {
        /// Words of the command.
        path: String,
        /// Its file.
        file: String,
    },
    /// A file of our own is not readable.
    #[error("`{}` is not a list of playbooks: {why}", path.display())]
    Registry {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file of our own cannot be written or read.
    #[error("failed to {what} `{}`: {source}", path.display())]
    Io {
        /// The deed.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    /// Returns a mapper for failures with a file of our own.
    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }

    /// Returns what to do next, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { name, .. } => Some(format!(
                "`infrakit playbook update {name}` fetches it again, `infrakit playbook rm {name}` forgets it"
            )),
            Self::Unknown { name, known } => Some(
                infrakit_spi::suggest(name, known.iter().map(String::as_str)).map_or_else(
                    || "`infrakit playbook ls` lists them, `infrakit playbook add NAME URL` adds one".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ),
            ),
            Self::NoCommand { word, known, .. } => Some(
                infrakit_spi::suggest(word, known.iter().map(String::as_str)).map_or_else(
                    || format!("it has {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                ),
            ),
            Self::Changed { name, .. } => Some(format!(
                "look at it, then accept it with `infrakit playbook update {name}` (--dry-run shows what it would accept)"
            )),
            Self::NoFile { path, .. } => {
                let name = path.split(' ').next().unwrap_or_default();
                Some(format!("when it is there now, `infrakit playbook update {name}` takes it in"))
            }
            Self::Registry { .. } => {
                Some("each entry is a name with `Source` and `Cache`, or a name with a URL".to_owned())
            }
            Self::Place(_)
            | Self::Name { .. }
            | Self::Read { .. }
            | Self::Bound { .. }
            | Self::NotText { .. }
            | Self::Io { .. } => None,
        }
    }
}
