//! What a template may reach outside itself. Nothing, unless its caller grants it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Grants of a template: which files it may read, which environment it may see, who fetches what
/// is not on this machine, who knows metadata.
///
/// A template that came over the network gets nothing of this but the network, unless its caller
/// trusts it: see [`Trust`].
#[derive(Clone, Default)]
pub struct Access {
    /// Files that may be read.
    pub files: FileAccess,
    /// The environment that the function `env` sees, handed over as values.
    pub env: Option<BTreeMap<String, String>>,
    /// Who fetches `http`, `https` and `unix` URLs, and looks names up.
    pub fetch: Option<Arc<dyn Fetch>>,
    /// Who reads and writes metadata.
    pub metadata: Option<Arc<dyn Metadata>>,
    /// What a template gets that came over the network.
    pub remote: Trust,
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

/// What a template gets that came over the network, beside the network itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// No files, no unix sockets, no environment, no metadata.
    #[default]
    Nothing,
    /// All that is granted to a template of this machine.
    Everything,
}

/// Where a template came from. What it is granted hangs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// From this machine: a file, a unix socket, or the caller.
    #[default]
    Local,
    /// From another machine, by `http` or `https`.
    Remote,
}

/// One thing to fetch.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `http`, `https`, or `unix:///path/of.sock/path/of/request`.
    pub url: &'a str,
    /// Headers of this request only.
    pub headers: &'a [(String, String)],
    /// Most bytes that the answer may have.
    pub limit: usize,
    /// Longest time that the whole exchange may take.
    pub timeout: Duration,
}

/// Fetches over sockets. The template crate has no client of its own.
pub trait Fetch: Send + Sync {
    /// Returns the body of the answer to `request`, which blocks.
    ///
    /// # Errors
    /// Returns in words why there is none: no connection, a refusal, too large, too slow.
    fn fetch(&self, request: &Request<'_>) -> Result<Vec<u8>, String>;

    /// Returns an address of `host`, for `getHostByName`.
    ///
    /// # Errors
    /// Returns why there is none.
    fn resolve(&self, host: &str) -> Result<String, String> {
        Err(format!("looking up `{host}` is not granted"))
    }
}

/// Reads and writes metadata of plugins, as the function `metadata` asks for it.
pub trait Metadata: Send + Sync {
    /// Returns the value at `path`, whose first element names a plugin; nothing where there is no
    /// such plugin or no such value.
    ///
    /// # Errors
    /// Returns why the plugin could not be asked.
    fn get(&self, path: &str) -> Result<Option<serde_json::Value>, String>;

    /// Changes the value at `path`.
    ///
    /// # Errors
    /// Returns why it was not changed.
    fn set(&self, path: &str, value: &serde_json::Value) -> Result<(), String> {
        let _ = value;
        Err(format!("changing metadata `{path}` is not granted"))
    }
}

impl fmt::Debug for Access {
    /// Leaves the environment out: it may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("files", &self.files)
            .field("env", &self.env.is_some())
            .field("fetch", &self.fetch.is_some())
            .field("metadata", &self.metadata.is_some())
            .field("remote", &self.remote)
            .finish()
    }
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

    /// Grants fetching through `fetch`.
    #[must_use]
    pub fn with_fetch(mut self, fetch: Arc<dyn Fetch>) -> Self {
        self.fetch = Some(fetch);
        self
    }

    /// Grants metadata through `metadata`.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Arc<dyn Metadata>) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Chooses what a template gets that came over the network.
    #[must_use]
    pub fn with_remote(mut self, remote: Trust) -> Self {
        self.remote = remote;
        self
    }

    /// Returns whether a template from `origin` gets what lies on this machine.
    pub(crate) fn is_local(&self, origin: Origin) -> bool {
        match origin {
            Origin::Local => true,
            Origin::Remote => self.remote == Trust::Everything,
        }
    }
}
