//! What a template may reach outside itself. Nothing, unless its caller grants it.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Grants of a template: which files it may read, which environment it may see.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Files that may be read.
    pub files: FileAccess,
    /// The environment that the function `env` sees, handed over as values.
    pub env: Option<BTreeMap<String, String>>,
}

/// Which files may be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FileAccess {
    /// None.
    #[default]
    Denied,
    /// Those below one directory, after symbolic links are resolved.
    Under(PathBuf),
    /// All that the process can read.
    Anywhere,
}

impl Access {
    /// Grants nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Grants `files` besides what is granted already.
    #[must_use]
    pub fn with_files(mut self, files: FileAccess) -> Self {
        self.files = files;
        self
    }

    /// Grants sight of `env`, which replaces an earlier one.
    #[must_use]
    pub fn with_env(mut self, env: BTreeMap<String, String>) -> Self {
        self.env = Some(env);
        self
    }
}
