//! Where playbooks and their files are: URLs, and how one is found from another.
//!
//! Knows `file`, `http`, `https` and `builtin`; reads nothing but the kind of a path.

use std::path::{Component, Path, PathBuf};

use url::Url;

/// What cannot be the place of a playbook.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Nothing was given.
    #[error("the URL is empty")]
    Empty,
    /// It is no URL.
    #[error("`{text}` is not a URL: {source}")]
    NotUrl {
        /// What was given.
        text: String,
        /// Why not.
        source: url::ParseError,
    },
    /// It is no absolute path.
    #[error("`{text}` is not an absolute path")]
    NotPath {
        /// What was given.
        text: String,
    },
    /// A `file://` URL names another machine.
    #[error(
        "`{text}`: host `{host}` is not this machine; a path has three slashes, `file:///path`"
    )]
    Host {
        /// What was given.
        text: String,
        /// The host in it.
        host: String,
    },
    /// Nothing can be read by this scheme.
    #[error(
        "`{text}`: scheme `{scheme}` is not known, use a path, `file://`, `http://` or `https://`"
    )]
    Scheme {
        /// What was given.
        text: String,
        /// Its scheme.
        scheme: String,
    },
}

/// Scheme of the playbooks that come with the program.
pub const BUILT_IN: &str = "builtin";
/// File that is meant where a directory is named.
pub const INDEX: &str = "index.yml";

/// Where a file of a playbook is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(Url);

/// Who answers for a file, which decides what its templates may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file of this machine, which its user could read as well.
    Local,
    /// The program itself.
    BuiltIn,
    /// Another machine.
    Remote,
}

impl Place {
    /// Reads what a person typed: a URL, or a path seen from `directory`. A directory means the
    /// `index.yml` in it.
    ///
    /// # Errors
    /// Says what cannot be a place of a playbook.
    pub fn typed(text: &str, directory: &Path) -> Result<Self, PlaceError> {
        if let Some((scheme, _)) = text.split_once("://") {
            return Self::parse(text, scheme);
        }
        if text.trim().is_empty() {
            return Err(PlaceError::Empty);
        }
        let path = directory.join(text);
        Self::of_path(&index_of(path))
    }

    /// Reads a URL as this program writes it down.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn stored(text: &str) -> Result<Self, PlaceError> {
        match text.split_once("://") {
            Some((scheme, _)) => Self::parse(text, scheme),
            None => Self::of_path(Path::new(text)),
        }
    }

    fn parse(text: &str, scheme: &str) -> Result<Self, PlaceError> {
        let shown = || text.escape_debug().to_string();
        match scheme {
            "http" | "https" | BUILT_IN => {
                let mut url = Url::parse(text).map_err(|source| PlaceError::NotUrl {
                    text: shown(),
                    source,
                })?;
                url.set_fragment(None);
                if url.path().ends_with('/') {
                    url = url.join(INDEX).map_err(|source| PlaceError::NotUrl {
                        text: shown(),
                        source,
                    })?;
                }
                Ok(Self(url))
            }
            "file" => {
                let url = Url::parse(text).map_err(|source| PlaceError::NotUrl {
                    text: shown(),
                    source,
                })?;
                match url.host_str() {
                    None | Some("localhost") => {}
                    Some(host) => {
                        return Err(PlaceError::Host {
                            text: shown(),
                            host: host.to_owned(),
                        });
                    }
                }
                let path = url
                    .to_file_path()
                    .map_err(|()| PlaceError::NotPath { text: shown() })?;
                Self::of_path(&index_of(path))
            }
            _ => Err(PlaceError::Scheme {
                text: shown(),
                scheme: scheme.escape_debug().to_string(),
            }),
        }
    }

    /// Returns the place of a path, which must be absolute.
    ///
    /// # Errors
    /// When it is not.
    pub fn of_path(path: &Path) -> Result<Self, PlaceError> {
        let plain = normal(path);
        Url::from_file_path(&plain)
            .map(Self)
            .map_err(|()| PlaceError::NotPath {
                text: path.display().to_string(),
            })
    }

    /// Returns the place that `reference` names when it stands in this one.
    ///
    /// # Errors
    /// Says what is wrong with the reference.
    pub fn join(&self, reference: &str) -> Result<Self, PlaceError> {
        if let Some((scheme, _)) = reference.split_once("://") {
            return Self::parse(reference, scheme);
        }
        if reference.trim().is_empty() {
            return Err(PlaceError::Empty);
        }
        match self.path() {
            // Names of files may hold what means something else in a URL.
            Some(path) => {
                let parent = path.parent().unwrap_or(&path);
                Self::of_path(&parent.join(reference))
            }
            None => {
                let mut url = self
                    .0
                    .join(reference)
                    .map_err(|source| PlaceError::NotUrl {
                        text: reference.escape_debug().to_string(),
                        source,
                    })?;
                url.set_fragment(None);
                Ok(Self(url))
            }
        }
    }

    /// Returns the `index.yml` in this place, when it may be a directory: on this machine when it
    /// is one, elsewhere when its name has no extension.
    #[must_use]
    pub fn index_inside(&self) -> Option<Self> {
        if let Some(path) = self.path() {
            return path
                .is_dir()
                .then(|| Self::of_path(&index_of(path.clone())).ok())?;
        }
        let name = self.0.path_segments()?.next_back()?;
        if name.contains('.') || self.0.query().is_some() {
            return None;
        }
        let mut url = self.0.clone();
        url.path_segments_mut().ok()?.pop_if_empty().push(INDEX);
        Some(Self(url))
    }

    /// Returns the path of a file of this machine.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        (self.0.scheme() == "file").then(|| self.0.to_file_path().ok())?
    }

    /// Returns who answers for what is there.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self.0.scheme() {
            "file" => Origin::Local,
            BUILT_IN => Origin::BuiltIn,
            _ => Origin::Remote,
        }
    }

    /// Returns whether both are answered for by the same: this machine, or one server.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.0.scheme() == other.0.scheme()
            && self.0.host() == other.0.host()
            && self.0.port_or_known_default() == other.0.port_or_known_default()
    }

    /// Returns the URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the URL without what may be a secret in it, for messages.
    #[must_use]
    pub fn shown(&self) -> String {
        if let Some(path) = self.path() {
            return path.display().to_string();
        }
        let mut url = self.0.clone();
        if url.password().is_some() {
            // A URL with a password has a host, so that this cannot fail.
            let _ = url.set_password(Some("***"));
        }
        url.to_string()
    }

    /// Returns the name of `other` among the files of a playbook whose first file is this one: the
    /// path below its directory, or the whole URL for what lies elsewhere.
    #[must_use]
    pub fn key_of(&self, other: &Self) -> String {
        let text = self.0.as_str();
        let directory = match self.0.query() {
            Some(query) => &text[..text.len() - query.len() - 1],
            None => text,
        };
        let directory = directory.rfind('/').map_or("", |at| &directory[..=at]);
        match other.0.as_str().strip_prefix(directory) {
            Some(rest) if !directory.is_empty() && !rest.is_empty() => rest.to_owned(),
            _ => other.0.as_str().to_owned(),
        }
    }

    /// Returns whether a key names something below the directory of the first file.
    #[must_use]
    pub fn is_inside(key: &str) -> bool {
        !key.contains("://")
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// Returns the index in a directory, by the names that indexes have; a file stays itself.
fn index_of(path: PathBuf) -> PathBuf {
    if !path.is_dir() {
        return path;
    }
    let names = [INDEX, "index.yaml", "index.ikb", "index.ikm"];
    let mut there = names.iter().map(|name| path.join(name));
    there
        .find(|path| path.is_file())
        .unwrap_or_else(|| path.join(INDEX))
}

/// Resolves `.` and `..` by the text alone.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::typed(text, Path::new("/work dir")).unwrap()
    }

    #[test]
    fn what_is_typed_becomes_a_place() {
        for (typed, want) in [
            ("a/index.yml", "file:///work%20dir/a/index.yml"),
            ("../x/./i.yml", "file:///x/i.yml"),
            ("/abs/i.yml", "file:///abs/i.yml"),
            ("file:///abs/i.yml", "file:///abs/i.yml"),
            ("http://h:1/a/", "http://h:1/a/index.yml"),
            ("https://h/a/i.ikb?t=1#x", "https://h/a/i.ikb?t=1"),
            ("builtin:///q/index.yml", "builtin:///q/index.yml"),
        ] {
            assert_eq!(place(typed).as_str(), want);
        }
        for (typed, want) in [
            ("file://index.yml", "host `index.yml` is not this machine"),
            ("ftp://h/a", "scheme `ftp`"),
            ("http://", "is not a URL"),
            ("", "is empty"),
        ] {
            let error = Place::typed(typed, Path::new("/")).unwrap_err().to_string();
            assert!(error.contains(want), "{typed}: {error}");
        }
    }

    #[test]
    fn a_directory_means_the_index_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let found = Place::typed(".", directory.path()).unwrap();
        assert_eq!(found.path().unwrap(), directory.path().join("index.yml"));
        assert_eq!(
            place("http://h/sub").index_inside().unwrap().as_str(),
            "http://h/sub/index.yml"
        );
        assert_eq!(place("http://h/sub.yml").index_inside(), None);
    }

    #[test]
    fn references_are_seen_from_the_file_they_stand_in() {
        for (base, reference, want) in [
            ("http://h/a/i.yml", "b.sh", "http://h/a/b.sh"),
            ("http://h/a/i.yml", "../b.sh", "http://h/b.sh"),
            ("http://h/a/i.yml", "http://g/b", "http://g/b"),
            ("/a/i.yml", "b c#.sh", "file:///a/b%20c%23.sh"),
            ("/a/i.yml", "/b.sh", "file:///b.sh"),
            ("builtin:///q/index.yml", "x/y.yml", "builtin:///q/x/y.yml"),
        ] {
            assert_eq!(place(base).join(reference).unwrap().as_str(), want);
        }
        assert!(place("/a/i.yml").join(" ").is_err());
    }

    #[test]
    fn keys_are_paths_below_the_first_file() {
        let root = place("http://h/a/i.yml?t=1/2");
        assert_eq!(root.key_of(&place("http://h/a/sub/x.sh")), "sub/x.sh");
        assert_eq!(root.key_of(&root), "i.yml?t=1/2");
        assert_eq!(root.key_of(&place("http://h/b.sh")), "http://h/b.sh");
        assert!(!Place::is_inside("http://h/b.sh") && Place::is_inside("sub/x.sh"));
    }

    #[test]
    fn origins_are_told_apart_and_secrets_are_not_shown() {
        assert!(place("http://h/a").same_origin(&place("http://h:80/b")));
        assert!(!place("http://h/a").same_origin(&place("https://h/a")));
        assert_eq!(place("https://h/a").origin(), Origin::Remote);
        assert_eq!(place("/a").origin(), Origin::Local);
        assert_eq!(place("http://u:pw@h/a").to_string(), "http://u:***@h/a");
    }
}
